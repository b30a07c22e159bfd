"""A fault that comes and goes is one incident."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from config.schema import IncidentSettings
from edge.core.incidents.lasting.recurrences import LONGEST_OF_SLIDES_S, LONGEST_S, Recurrences
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


def test_what_slides_away_slowly_returns_with_the_next_day() -> None:
    made = recurrences()
    made.begin(0, 0.0, slides=True)
    made.end(0, 12 * HOUR_S, adopted=False)
    assert made.begin(0, 22 * HOUR_S, slides=True) == 20 * HOUR_S
    assert made.show(0, 14 * HOUR_S, slides=True) == LONGEST_OF_SLIDES_S == DAY_S
    assert made.begin(0, 22 * HOUR_S) == 0.0


def test_a_return_is_recognised_after_the_clock_was_set() -> None:
    made = recurrences()
    made.begin(0, 0.0)
    made.end(0, 100.0, adopted=False)
    made.shift(np.array([0]), 50_000.0)
    assert made.begin(0, 51_000.0) == 1800.0


def room(days: int, stops: Iterable[float]) -> list[Message]:
    """A cold room at 3 degrees, whose fan stops for 20 minutes at these times of the last day, in seconds."""
    times = np.arange(0.0, days * DAY_S, EVERY_S)
    values = 3.0 + np.random.default_rng(3).normal(0, 0.2, len(times))
    late = times - (days - 1) * DAY_S
    for stop in stops:
        values[(late >= stop) & (late < stop + 1200.0)] += 4.0
    return [reading("paced/room", START + at, float(v)) for at, v in zip(times, values.round(2), strict=True)]


def ends_of_last_day(line: Line) -> list[dict[str, Any]]:
    """What was told of beginnings and ends of incidents on the last day."""
    told = [json.loads(event.payload)["data"] for event in line.events if b'"transition"' in event.payload]
    return [each for each in told if each["started"] >= "2023-11-22" and each["transition"] != "updated"]


def test_a_fan_that_stops_ten_times_a_day_is_one_incident_from_the_second_time_on() -> None:
    line = Line(pipeline(lambda _: RULE)).take(room(9, 2 * HOUR_S * np.arange(1, 11)), 500)
    late = ends_of_last_day(line)
    assert [each["transition"] for each in late] == ["raised", "cleared"] * 2
    said, came = late[-1]["message"].split(", ")
    assert float(said.split()[-2]) > 18.0
    assert came == "in which it came and went 9 times"


def test_pauses_are_counted_from_when_a_fault_showed_and_also_within_an_incident() -> None:
    stops = np.array([1.0, 2.0, 3.5]) * HOUR_S
    line, apart = Line(pipeline(lambda _: RULE)), []
    messages = room(9, stops)
    before = int((8 * DAY_S) / EVERY_S)
    line.take(messages[:before], 500)
    for message in messages[before:]:
        line.take([message])
        apart.append(float(line.pipeline.engine.tracking.recurrences.apart[0]))
    longest = sorted({round(each / HOUR_S, 1) for each in apart})
    assert longest == [0.0, 0.7, 1.2]
    shown = line.pipeline.engine.tracking.recurrences.shown[0] - START - 8 * DAY_S
    assert 3.8 <= shown / HOUR_S < 3.9
