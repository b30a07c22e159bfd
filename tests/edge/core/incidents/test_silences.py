"""Silence depends on when readings arrive, not on their own times."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.state import StateTable
from detectors.univariate.silence import Silence
from edge.core.model.readings.messages import Message
from edge.core.scoring.sensors.due_hours import DUE
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics
from tests.edge.core.pipelines import START, Line, detectors, pipeline, plant, reading, rule

HOUR_S, DAY_S = 3_600.0, 86_400.0


def days(first: int, last: int, missing: frozenset[int] = frozenset()) -> list[Message]:
    """A sensor that reports every half hour, and a logger that sends a whole day's readings at the end of the day."""
    messages = []
    for day in range(first, last):
        begin = START + day * DAY_S
        messages += [reading("paced/steady", begin + 1800.0 * each, 20.0 + each % 7) for each in range(48)]
        if day not in missing:
            upload = begin + DAY_S - 1.0
            messages += [reading("paced/logger", begin + HOUR_S * each, 5.0 + each % 5, upload) for each in range(24)]
    return messages


def test_a_logger_that_uploads_once_a_day_is_not_silent_between_its_uploads() -> None:
    assert Line(pipeline()).take(days(0, 20)).missing() == []


def test_a_logger_whose_upload_fails_is_silent_half_a_day_later() -> None:
    line = Line(pipeline()).take(days(0, 14)).take(days(14, 16, missing=frozenset({14, 15})))
    assert line.missing() == ["paced/logger"]
    silence = next(each for each in line.events if each.kind == "missing")
    late = silence.time - (START + 15 * DAY_S)
    assert 0.3 * DAY_S < late < 0.6 * DAY_S


def patience(gaps: list[float], **parameters: float) -> float:
    table, time = StateTable(Silence(**parameters), rows=1), 0.0
    for gap in [0.0, *gaps]:
        time += gap
        table.update(np.array([0]), np.array([1.0]), np.array([time]))
    return float(table.detector.patience(table.arrays, np.array([0]), np.array([5.0]))[0])


@pytest.mark.parametrize(("uploads", "longest"), [(3, 3.5), (10, 1.6), (30, 1.6)])
def test_a_daily_report_is_due_daily(uploads: int, longest: float) -> None:
    assert 1.4 * DAY_S < patience([DAY_S] * uploads) < longest * DAY_S


def test_fewer_gaps_give_no_score() -> None:
    assert patience([DAY_S, DAY_S]) == np.inf
    assert patience([60.0] * 9) == np.inf


@pytest.mark.parametrize("interval", [4.0, 5.0, 60.0, 600.0])
def test_a_sensor_that_is_off_each_night_is_expected_to_be_whatever_its_interval(interval: float) -> None:
    """An escalator that reports each few seconds forgot between two evenings how long it had been off."""
    a_day = [interval] * round(0.8 * DAY_S / interval)
    night = DAY_S - sum(a_day)
    assert patience([*a_day, night] * 3 + a_day) > night


def bursts(count: int, seed: int = 4) -> list[float]:
    """Gaps of a motion sensor: a dozen readings some seconds apart, and a random pause of two hours on average."""
    rng = np.random.default_rng(seed)
    return [gap for _ in range(count) for gap in (*rng.uniform(3.0, 9.0, 11).tolist(), float(rng.exponential(7200.0)))]


def test_a_sensor_that_reports_in_bursts_is_judged_by_the_pauses_between_them() -> None:
    gaps = bursts(60)
    waits = [patience(gaps[:known]) for known in range(12 * 5 - 1, 12 * 60 - 1, 12)]  # at the end of each burst
    late = [gap > wait for gap, wait in zip(gaps[12 * 5 - 1 :: 12], waits, strict=False)]
    assert sum(late) <= 1
    assert waits[-1] < 24 * HOUR_S


def test_one_long_gap_is_no_habit_of_pauses() -> None:
    assert patience([*[60.0] * 300, 7200.0, *[60.0] * 10]) < 2 * HOUR_S
    assert patience([*[60.0] * 30, 2400.0, *[60.0] * 5]) < HOUR_S


def test_an_irregular_sensor_gets_the_time_that_its_own_gaps_suggest() -> None:
    gaps = np.random.default_rng(5).exponential(2 * HOUR_S, 300).tolist()
    assert 1.5 * max(gaps) <= patience(gaps) < 3 * DAY_S


def inverter(first: int, last: int, stops: tuple[float, ...] = (), rest: frozenset[int] = frozenset()) -> list[Message]:
    """A sensor that reports every ten minutes from about six to about eighteen, and two that report all day.

    Args:
        first: First day.
        last: Day after the last.
        stops: Times, in days, from which on it is silent for the rest of the day.
        rest: Days of the week on which it sends nothing.
    """
    messages = []
    midnight = START - START % DAY_S
    for day in range(first, last):
        begin = midnight + day * DAY_S
        for steady in ("paced/one", "paced/other"):
            messages += [reading(steady, begin + 600.0 * each, 20.0 + each % 7) for each in range(144)]
        until = min([18.5 - day / 40, *(24.0 * (each - day) for each in stops if day <= each < day + 1)])
        times = [6.0 + day / 40 + each / 6 for each in range(144)]
        if day % 7 not in rest:
            messages += [reading("paced/sun", begin + HOUR_S * each, 50.0 + each) for each in times if each < until]
    return sorted(messages, key=lambda each: each.arrived)


def silences_of(line: Line) -> list[float]:
    """When the sensor was reported as silent, in days."""
    raised = [each for each in line.events if each.kind == "missing" and each.transition == "raised"]
    return [(each.time - (START - START % DAY_S)) / DAY_S for each in raised if each.sensor == "paced/sun"]


def test_a_sensor_that_is_silent_each_night_is_silent_by_day_after_two_hours() -> None:
    line = Line(pipeline()).take(inverter(0, 15, stops=(14 + 10.2 / 24,)))
    told = [each for each in silences_of(line) if each > 3]
    assert len(told) == 1
    assert 12.9 < 24 * (told[0] - 14) < 13.1


def test_a_silence_that_was_reported_does_not_excuse_the_next_one() -> None:
    line = Line(pipeline()).take(inverter(0, 32, stops=(29 + 10.2 / 24, 31 + 10.2 / 24)))
    assert [int(each) for each in silences_of(line) if each > 3] == [29, 31]


def test_nights_that_become_longer_are_not_silences() -> None:
    assert [each for each in silences_of(Line(pipeline()).take(inverter(0, 60))) if each > 3] == []


def test_a_rest_at_the_weekend_makes_no_hour_due() -> None:
    line = Line(pipeline()).take(inverter(0, 28, stops=(25 + 10.2 / 24,), rest=frozenset({3, 4})))
    assert [each for each in silences_of(line) if each > 14] == []


def test_a_service_that_was_away_for_hours_reports_no_silence_by_the_hour() -> None:
    messages = inverter(0, 16)
    away = START - START % DAY_S + 14.4 * DAY_S
    line = Line(pipeline()).take([each for each in messages if each.arrived < away]).do("interrupted", None)
    line.take([each for each in messages if each.arrived > away + 4.8 * HOUR_S])
    assert [each for each in silences_of(line) if each > 3] == []


@pytest.mark.parametrize(
    ("away_h", "until_h", "deadline_h"),
    [
        (1.0, 23.5, 26.0),  # within the same due hours
        (5.0, 27.5, 85.0),  # too few due hours are left
        (6.0, 28.5, 86.0),  # nothing is due
        (22.0, 45.2, 48.0),  # the due hours of the next day
        (27.0, 50.0, 107.0),  # too few of them are left
    ],
)
def test_a_deadline_that_an_absence_moves_is_compared_with_the_due_hours(
    away_h: float, until_h: float, deadline_h: float
) -> None:
    statistics = SensorStatistics()
    statistics.grow(1)
    statistics.days[0, [20, 21, 22, 23, 0, 1, 2, 3]] = DUE
    statistics.deadline[0], statistics.due_until[0] = 25 * HOUR_S, 28 * HOUR_S  # last seen before 22:30
    statistics.gap_deadline[0] = 80 * HOUR_S
    statistics.put_off(np.array([0]), away_h * HOUR_S, until_h * HOUR_S)
    assert statistics.deadline[0] == deadline_h * HOUR_S


def test_an_early_end_each_week_is_reported_three_times_at_most() -> None:
    early = tuple(day + 10.2 / 24 for day in range(28, 70, 7))
    assert len([each for each in silences_of(Line(pipeline()).take(inverter(0, 70, early))) if each > 3]) <= 3


def test_a_silence_that_was_reported_is_no_time_at_a_value() -> None:
    line = Line(pipeline(lambda _: rule(*detectors(silence={}, states={}))))
    steps = [step for step in range(4000) if not 3000 <= step < 3900]
    steady = [reading("now/a", START + 60.0 * step, 7.0 if step >= 2990 else float(step % 20)) for step in steps]
    line.take(sorted([*steady, *plant([START + 60.0 * step + 1.0 for step in range(4000)], "now/b")],
                     key=lambda each: each.arrived))  # fmt: skip
    assert line.missing() == ["now/a"]
    group, row = line.pipeline.engine.members[line.pipeline.sensors.find("now/a") or 0]
    states = next(each.arrays for each in group.tables if "stay_last" in each.arrays)
    assert 100 * 60.0 < states["stay_last"][row] - states["stay_since"][row] < 120 * 60.0
