"""An incident ends when its sensor is as usual for the time of day, whatever it was when the incident began."""

from __future__ import annotations

import math

import numpy as np
import pytest

from config.loading import parse
from config.schema import IncidentSettings
from edge.core.incidents.lasting.course import OLD, Course
from edge.core.model.readings.messages import Reading
from edge.core.scoring.opinions import Observation, Opinion
from edge.shell.service.assembly.parts import make_pipeline
from tests.edge.core.pipelines import START, Line, detectors, pipeline, reading, rule

DAY_S, HOUR_S, EVERY_S = 86_400.0, 3600.0, 60.0
RULE = rule(*detectors(silence={}, ewma={}, contextual={"size": "light"}), settings=IncidentSettings())


def seen(score: float, value: float = 20.0) -> Observation:
    return Observation(0.0, value, 3.0, [Opinion("contextual", "contextual", score, 20.0, 19.0, 21.0, level=3.0)])


def test_a_value_is_usual_to_a_detector_that_is_not_surprised_and_has_it_within_its_band() -> None:
    assert seen(2.9).is_usual_to({"contextual"})
    assert not seen(3.0).is_usual_to({"contextual"})
    assert not seen(2.9, 22.0).is_usual_to({"contextual"})
    assert not seen(2.9).is_usual_to({"ewma"})


def test_a_value_beyond_the_records_of_all_days_is_usual_at_no_hour_however_wide_the_band_of_the_hour_is() -> None:
    def beyond(score: float) -> Observation:
        wide = Opinion("contextual", "contextual", 2.0, 50.0, 0.0, 112.0, level=3.0)
        records = Opinion("extremes", "spike", score, math.nan, 24.0, 67.0, level=3.25)
        return Observation(0.0, 79.5, 3.25, [records, wide])

    assert not beyond(3.2).is_usual_to({"contextual"})
    assert beyond(0.0).is_usual_to({"contextual"})


@pytest.mark.parametrize(("readings", "is_old"), [(OLD - 1, False), (OLD, True)])
def test_an_incident_is_old_after_as_many_readings_as_an_average_remembers(readings: int, *, is_old: bool) -> None:
    assert Course(readings=readings).is_old == is_old


@pytest.mark.long
def test_a_failure_at_night_is_over_when_the_afternoon_is_as_warm_as_any() -> None:
    times = np.arange(0.0, 11 * DAY_S, EVERY_S)
    values = 20.0 + 1.5 * np.sin(2 * np.pi * (times / DAY_S - 9 / 24))
    values += np.random.default_rng(5).normal(0, 0.04, len(times))
    begin, mended, over = (9 * DAY_S + hour * HOUR_S for hour in (1, 11, 13))
    values -= np.interp(times, [begin, mended, over], [0.0, 5.0, 0.0], left=0.0, right=0.0)
    line = Line(pipeline(lambda _: RULE))
    line.take([reading("paced/room", START + at, float(v)) for at, v in zip(times, values.round(2), strict=True)], 500)
    told = [event for event in line.events if event.time >= START + begin and b'"transition"' in event.payload]
    assert [event.transition for event in told if event.transition != "updated"] == ["raised", "cleared"]
    assert told[0].time <= START + begin + HOUR_S
    assert START + mended < told[-1].time <= START + over + 6 * HOUR_S


@pytest.mark.long
def test_a_slide_is_not_over_because_a_single_value_is_usual_for_its_time_of_day() -> None:
    times = np.arange(0.0, 24 * DAY_S, 5 * EVERY_S)
    compressor = 1.3 * np.abs(2.0 * ((times / 4200.0) % 1.0) - 1.0)
    values = -18.0 + compressor + 0.1 * np.sin(2 * np.pi * times / DAY_S)
    values += np.random.default_rng(2).normal(0, 0.08, len(times)) + 0.6 * np.maximum(times / DAY_S - 20.0, 0.0)
    made = make_pipeline(parse('[[input]]\ntopic = "#"\n').configuration)
    given = [Reading("freezer", START + at, float(v)) for at, v in zip(times, values.round(2), strict=True)]
    events = [
        each for first in range(0, len(given), 500) for each in made.process_readings(given[first : first + 500]).events
    ]
    told = [event.transition for event in events if event.time >= START + 20 * DAY_S]
    after_a_day = [event.transition for event in events if event.time >= START + 21 * DAY_S]
    assert told[0] == "raised"
    assert {*after_a_day} == {"updated"}


@pytest.mark.long
def test_a_daily_course_that_went_on_during_a_silence_is_not_compared_with_an_average_from_before() -> None:
    chance, times = np.random.default_rng(12), np.arange(0.0, 10 * DAY_S, EVERY_S)
    wander = np.zeros(len(times))
    for place, step in enumerate(chance.normal(0, 0.04, len(times) - 1), 1):
        wander[place] = 0.99 * wander[place - 1] + step
    values = 20.0 + 3.0 * np.sin(2 * np.pi * (times / DAY_S - 0.3)) + wander + chance.normal(0, 0.05, len(times))
    begin = 8 * DAY_S + 6 * HOUR_S
    kept = (times < begin) | (times >= begin + 2 * HOUR_S)
    given = zip(times[kept], values[kept].round(2), strict=True)
    clock = [reading("paced/clock", START + at, float(at % 7)) for at in np.arange(begin, begin + 2 * HOUR_S, 60.0)]
    messages = sorted(
        [*(reading("paced/room", START + at, float(value)) for at, value in given), *clock],
        key=lambda each: each.arrived,
    )
    line = Line(pipeline(lambda _: RULE))
    line.take(messages, 500)
    told = [
        e for e in line.events if e.sensor == "paced/room" and e.time >= START + begin and b'"transition"' in e.payload
    ]
    assert {each.kind for each in told} == {"missing"}
