"""A return to where a sensor was before a level was adopted is no news."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from config.schema import IncidentSettings
from edge.core.incidents.lasting.adoptions import LONGEST_S, SETTLED_S, Adoptions
from edge.core.scoring.consequence import Yardstick
from tests.edge.core.pipelines import START, Line, detectors, pipeline, reading, rule

DAY_S, EVERY_S = 86_400.0, 300.0
BEFORE = Yardstick(20.0, 22.0)
RULE = replace(rule(*detectors(silence={}, ewma={}, cusum={}, drift={}), settings=IncidentSettings()), unit="Cel")


def adopted(value: float = 25.0, known: float = 20 * DAY_S) -> Adoptions:
    made = Adoptions()
    made.grow(1)
    made.adopt(0, value, 100.0, BEFORE, known)
    return made


def test_a_return_is_one_to_the_earlier_range_until_the_sensor_has_settled_there() -> None:
    made = adopted()
    assert not made.is_return(0, 18.0, 200.0, {"spike"})
    assert not made.is_return(0, 21.0, 200.0, {"spike", "flatline"})
    assert made.is_return(0, 21.0, 200.0, {"spike", "rate"})
    assert made.is_return(0, 22.1, 100.0 + SETTLED_S, {"drift"})
    assert not made.is_return(0, 21.0, 200.0 + SETTLED_S, {"drift"})


def test_a_level_within_the_usual_range_was_left_for_nowhere() -> None:
    assert not adopted(21.5).is_return(0, 20.5, 200.0, {"level_shift"})


@pytest.mark.parametrize("kind", ["swing", "flatline"])
def test_movement_that_was_adopted_as_gone_may_return_to_the_range_that_it_had(kind: str) -> None:
    made = Adoptions()
    made.grow(1)
    made.adopt(0, 21.5, 100.0, BEFORE, 20 * DAY_S, {kind, "contextual"})
    assert made.have_moved(200.0).tolist()[0]
    assert made.is_return(0, 20.5, 200.0, {"drift", "spike"})
    assert not made.is_return(0, 18.0, 200.0, {"drift"})


def test_the_earlier_range_is_remembered_for_as_long_as_it_had_lasted_and_a_week_at_most() -> None:
    for known, remembered in ((2 * DAY_S, 2 * DAY_S), (20 * DAY_S, LONGEST_S)):
        made = adopted(known=known)
        assert not made.is_return(0, 21.0, 200.0 + remembered, {"spike"})
        assert made.is_return(0, 21.0, remembered, {"spike"})


def test_another_adoption_in_between_leaves_the_earlier_range_as_it_is() -> None:
    made = adopted()
    made.adopt(0, 28.0, 5 * DAY_S, Yardstick(20.0, 26.0), 25 * DAY_S)
    assert made.high[0] == 22.0


def test_a_sensor_has_moved_until_it_leaves_the_adopted_level_or_that_is_what_is_known_of_it() -> None:
    made = adopted(known=2 * DAY_S)
    assert made.have_moved(200.0).tolist()[0]
    assert not made.have_moved(200.0 + 2 * DAY_S).any()
    assert made.is_return(0, 21.0, 300.0, {"spike"})
    assert not made.have_moved(400.0).any()
    assert not adopted(21.5).have_moved(200.0).any()


def test_after_the_clock_was_set_the_times_move_along() -> None:
    made = adopted()
    made.shift(np.array([0]), 1000 * DAY_S)
    assert made.is_return(0, 21.0, 200.0 + 1000 * DAY_S, {"spike"})


@pytest.mark.long
def test_a_tide_that_is_back_after_a_small_one_was_adopted_is_no_news() -> None:
    times = np.arange(0.0, 19 * DAY_S, 600.0)
    shown = np.where((times >= 10 * DAY_S) & (times < 15 * DAY_S), 0.2, 1.0)
    values = 5 + 2 * shown * np.sin(2 * np.pi * times / 44_712) + np.random.default_rng(1).normal(0, 0.03, len(times))
    rates = rule(*detectors(silence={}, ewma={}, cusum={}, drift={}, swing={}), settings=IncidentSettings())
    line = Line(pipeline(lambda _: rates))
    line.take([reading("paced/tide", START + at, float(v)) for at, v in zip(times, values.round(2), strict=True)], 500)
    told = [(event.transition, event.kind, event.time) for event in line.events if b'"transition"' in event.payload]
    assert [each[:2] for each in told if each[0] != "updated"] == [("raised", "swing"), ("expired", "swing")]
    assert all(time < START + 15 * DAY_S for *_, time in told)


@pytest.mark.long
@pytest.mark.parametrize(("back_to", "is_news"), [(21.0, False), (15.0, True)])
def test_the_end_of_an_adopted_fault_is_no_news(back_to: float, *, is_news: bool) -> None:
    times = np.arange(0.0, 22 * DAY_S, EVERY_S)
    values = 21.0 + np.random.default_rng(3).normal(0, 0.2, len(times))
    values[times >= 12 * DAY_S] += 4.0
    values[times >= 17 * DAY_S] += back_to - 25.0
    line = Line(pipeline(lambda _: RULE))
    line.take([reading("paced/room", START + at, float(v)) for at, v in zip(times, values.round(2), strict=True)], 500)
    told = [event for event in line.events if b'"transition"' in event.payload]
    assert any(event.transition == "expired" for event in told)
    after = [event.message for event in told if event.time >= START + 17 * DAY_S]
    assert bool(after) == is_news, after
