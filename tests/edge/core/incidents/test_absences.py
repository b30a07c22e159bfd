"""Absences: hours in which the service was away are neither due nor missed."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from edge.core.model.readings.messages import Message
from edge.core.persistence.snapshot import Snapshot
from tests.edge.core.pipelines import START, Line, pipeline, reading

HOUR_S, DAY_S = 3_600.0, 86_400.0
MIDNIGHT = START - START % DAY_S
INTERVAL_S = 900.0
KNOWN = 15
"""Days of ordinary operation before each absence."""

LENGTHS = (10 / 60, 0.6, 1.0, 2.5, 5.0, 8.0, 13.0, 24.0, 40.0, 72.0)
"""Durations of absences in hours."""

WAYS = ("interrupted", "returned")

PLANTS = {"three": ("paced/day", "paced/one", "paced/other"), "alone": ("paced/day",)}


def plant(first: float, last: float, sensors: tuple[str, ...], ends: float = 1e9) -> list[Message]:
    """A sensor that reports from six to ten in the evening, and others that report at all hours, every 15 minutes.

    Args:
        first: Time of the first reading, in days.
        last: End, in days.
        sensors: Names of the sensors.
        ends: Time in days from which on the first sensor is gone.
    """
    messages = []
    for step in range(round(first * 96), round(last * 96)):
        at = step / 96
        for place, name in enumerate(sensors):
            if place > 0 or (6.1 <= at % 1 * 24 + 0.1 < 22 and at < ends):
                time = MIDNIGHT + at * DAY_S + (360.0 if place == 0 else 0.0)
                messages.append(reading(name, time, 20.0 + step % 7))
    return sorted(messages, key=lambda each: each.arrived)


@cache
def after_two_weeks(sensors: tuple[str, ...]) -> bytes:
    """The state after `KNOWN` days of ordinary operation."""
    return Line(pipeline()).take(plant(0, KNOWN, sensors)).pipeline.save("", "")


def absent(
    hour: float,
    length: float,
    way: str = "interrupted",
    *,
    ends: float = 1e9,
    days: float = 1.2,
    plant_of: str = "three",
) -> Line:
    """What happens around an absence of the service.

    Args:
        hour: Beginning on the day after the ordinary ones, in hours.
        length: Duration in hours.
        way: "interrupted", or "returned" if the backlog is processed before silence is reported.
        ends: Time in days from which on the first sensor is gone.
        days: Days after the absence.
        plant_of: One of `PLANTS`.
    """
    sensors = PLANTS[plant_of]
    line = Line(pipeline())
    line.pipeline.restore(Snapshot.from_bytes(after_two_weeks(sensors)), "")
    begins = KNOWN + hour / 24
    returns = begins + length / 24
    away = MIDNIGHT + begins * DAY_S
    back = MIDNIGHT + returns * DAY_S
    messages = plant(KNOWN, returns + days, sensors, ends)
    line.take([each for each in messages if each.arrived < away]).do("interrupted", None)
    line.do("returned", None) if way == "returned" else line
    rest = [each for each in messages if each.arrived > back]
    line.take(rest[:2]).do("caught up", None).take(rest[2:])
    return line


def raised(line: Line) -> list[float]:
    """When sensors were reported as silent, in days."""
    found = [each for each in line.events if each.kind == "missing" and each.transition == "raised"]
    return [(each.time - MIDNIGHT) / DAY_S for each in found]


def due_days(line: Line) -> list[int]:
    """Number of days on which the first sensor has reported in the hours from 6 to 21."""
    slot = line.pipeline.sensors.find("paced/day")
    assert slot is not None
    counted: list[int] = line.pipeline.engine.statistics.days[slot, 6:22].tolist()
    return counted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("place", "length"), list(enumerate(LENGTHS)))
def test_a_sensor_that_keeps_its_hours_is_not_silent_after_an_absence(place: int, length: float, way: str) -> None:
    for hour in range(place % 5, 24, 5):
        assert raised(absent(hour + place / 10, length, way)) == [], hour


@pytest.mark.long
@pytest.mark.parametrize("plant_of", list(PLANTS))
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", LENGTHS)
def test_at_any_hour_and_alone_too(length: float, way: str, plant_of: str) -> None:
    for hour in range(24):
        assert raised(absent(hour + 0.3, length, way, plant_of=plant_of)) == [], hour


def test_an_absence_ends_when_readings_from_before_it_are_passed() -> None:
    """The last reading before it was ahead of the stream clock, which the first one after it confirms."""
    assert raised(absent(20.0, 2.5)) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", [0.6, 2.5, 24.0, 72.0])
@pytest.mark.parametrize(("back", "within_h"), [(9.2, 3.2), (14.5, 3.2), (18.9, 3.2), (20.5, 13.0), (1.3, 13.0)])
def test_a_sensor_that_has_gone_meanwhile_or_then_is_reported(
    back: float, within_h: float, length: float, way: str
) -> None:
    hour = (back - length) % 24
    returns = KNOWN + (hour + length) / 24
    for ends in (KNOWN + hour / 24, returns + 0.02):
        told = raised(absent(hour, length, way, ends=ends, days=0.8))
        assert len(told) == 1
        assert 0 < (told[0] - max(returns, ends)) * 24 < within_h


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("length", [0.6, 4.0, 26.0, 72.0])
@pytest.mark.parametrize("plant_of", list(PLANTS))
def test_hours_of_an_absence_are_neither_missed_nor_reported(length: float, way: str, plant_of: str) -> None:
    line = absent(9.0, length, way, days=0.3, plant_of=plant_of)
    returns = KNOWN + (9.0 + length) / 24
    heard = plant(KNOWN, KNOWN + 9 / 24, ("paced/day",)) + plant(returns, returns + 0.3, ("paced/day",))
    hours = Counter(hour % 24 for hour in {each.arrived // HOUR_S for each in heard if each.arrived})
    assert due_days(line) == [KNOWN + hours[hour] for hour in range(6, 22)]


def test_a_gap_of_the_service_is_no_gap_of_a_sensor() -> None:
    line = absent(9.0, 4.0, days=0.1)
    assert line.pipeline.engine.statistics.due_gap.max() == INTERVAL_S


def test_hours_that_a_sensor_misses_before_an_absence_are_missed() -> None:
    line = absent(15.0, 2.0, ends=KNOWN + 10.2 / 24)
    days = dict(zip(range(6, 22), due_days(line), strict=True))
    assert [hour for hour, count in days.items() if count < 7] == [11, 12, 13]
