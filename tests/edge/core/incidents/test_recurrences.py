"""A fault that comes and goes is one incident."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from config.schema import IncidentSettings
from edge.core.incidents.recurrences import LONGEST_S, Recurrences
from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, detectors, pipeline, reading, rule

HOUR_S, DAY_S, EVERY_S = 3600.0, 86_400.0, 120.0
RULE = replace(rule(*detectors(silence={}, ewma={}), settings=IncidentSettings()), unit="Cel")


def recurrences() -> Recurrences:
    made = Recurrences()
    made.grow(1)
    return made


def test_an_incident_that_returns_must_be_calm_for_twice_as_long_as_between_any_two() -> None:
    made = recurrences()
    assert made.begin(0, 0.0) == 0.0
    made.end(0, 600.0, adopted=False)
    assert made.begin(0, 4200.0) == 7200.0
    made.end(0, 12_000.0, adopted=False)
    assert made.begin(0, 13_000.0) == 7200.0


def test_no_calm_is_longer_than_six_hours() -> None:
    made = recurrences()
    for hours in (0.0, 5.0, 10.0):
        calm_s = made.begin(0, hours * HOUR_S)
        made.end(0, hours * HOUR_S + 60.0, adopted=False)
    assert calm_s == LONGEST_S


@pytest.mark.parametrize(("later_s", "adopted"), [(LONGEST_S + 1.0, False), (HOUR_S, True)])
def test_what_comes_much_later_or_after_an_adoption_is_no_return(later_s: float, *, adopted: bool) -> None:
    made, time = recurrences(), 0.0
    for _ in range(4):
        assert made.begin(0, time) == 0.0
        made.end(0, time, adopted=adopted)
        time += later_s


def test_a_return_is_recognised_after_the_clock_was_set() -> None:
    made = recurrences()
    made.begin(0, 0.0)
    made.end(0, 100.0, adopted=False)
    made.shift(np.array([0]), 50_000.0)
    assert made.begin(0, 51_000.0) == 1800.0


def room(days: int) -> list[Message]:
    """A cold room at 3 degrees, whose fan stops ten times in the last day, for 20 minutes each."""
    times = np.arange(0.0, days * DAY_S, EVERY_S)
    values = 3.0 + np.random.default_rng(3).normal(0, 0.2, len(times))
    late = times - (days - 1) * DAY_S - 2 * HOUR_S
    values[(late >= 0) & (late < 20 * HOUR_S) & (late % (2 * HOUR_S) < 1200.0)] += 4.0
    return [reading("paced/room", START + at, float(v)) for at, v in zip(times, values.round(2), strict=True)]


def test_a_fan_that_stops_ten_times_a_day_is_one_incident_from_the_second_time_on() -> None:
    line = Line(pipeline(lambda _: RULE)).take(room(9), 500)
    told = [json.loads(event.payload)["data"] for event in line.events if b'"transition"' in event.payload]
    late = [each for each in told if each["started"] >= "2023-11-22" and each["transition"] != "updated"]
    assert [each["transition"] for each in late] == ["raised", "cleared"] * 2
    assert late[-1]["message"].endswith(" h")
    assert float(late[-1]["message"].split()[-2]) > 18.0
