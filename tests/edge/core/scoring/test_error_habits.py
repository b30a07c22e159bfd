"""Error values that appear as usual aren't reported each time; more of them, longer runs, or another hour are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.core.scoring.errors.error_habits import ErrorHabits
from tests.edge.core.pipelines import Line, detectors, differing, pipeline, reading, revived, rule

HOUR_S, DAY_S = 3_600.0, 86_400.0
MIDNIGHT = 20_000 * DAY_S


def habits() -> ErrorHabits:
    made = ErrorHabits()
    made.grow(1)
    return made


def send(made: ErrorHabits, *times: float, before: float | None = None) -> list[bool]:
    """Error values at these times, in hours; by default, each follows a real value."""
    return [
        made.is_usual(0, MIDNIGHT + each * HOUR_S, -1.0 if before is None else MIDNIGHT + before * HOUR_S)
        for each in times
    ]


def nights(first: int, last: int, hour: float = 3.0) -> list[float]:
    return [24.0 * day + hour for day in range(first, last)]


def test_an_event_each_night_is_usual_from_the_third_on() -> None:
    assert send(habits(), *nights(0, 8)) == [False] * 2 + [True] * 6


def test_an_event_every_third_night_is_usual_from_the_fifth_on() -> None:
    assert send(habits(), *nights(0, 18)[::3]) == [False] * 4 + [True] * 2


def test_error_values_all_day_are_no_habit_on_the_third_day() -> None:
    made = habits()
    hours = np.sort(np.random.default_rng(4).uniform(0.0, 72.0, 36)).tolist()
    assert not any(send(made, *hours))


def test_the_same_event_at_another_hour_is_news() -> None:
    made = habits()
    send(made, *nights(0, 10))
    assert send(made, 10 * 24.0 + 9.0, 11 * 24.0 + 3.0) == [False, True]


def test_a_habit_around_midnight_is_recognised() -> None:
    made = habits()
    assert send(made, *(24.0 * day + 23.9 + 0.2 * (day % 2) for day in range(10)))[8:] == [True] * 2


def test_an_event_that_lasts_longer_than_usual_is_news_from_there_on() -> None:
    made = habits()
    send(made, *nights(0, 10))
    said = send(made, 243.0)
    for each in range(1, 5):
        said += send(made, 243.0 + each / 6, before=243.0 + (each - 1) / 6)
    assert said == [True, True, False, False, False]


def test_random_events_never_become_a_habit() -> None:
    hours = np.sort(np.random.default_rng(3).uniform(0.0, 24.0 * 60, 60)).tolist()
    assert sum(send(habits(), *hours)) <= 1


def test_events_all_day_are_usual_until_there_are_more() -> None:
    made = habits()
    for day in range(20):
        said = send(made, *(24.0 * day + each / 2 for each in range(48)))
    assert all(said)
    assert not send(made, *(480.0 + each / 10 for each in range(200)))[-1]


def test_an_outage_of_days_does_not_erase_a_habit() -> None:
    made = habits()
    send(made, *nights(0, 10))
    send(made, 245.0)
    for each in range(246, 246 + 20 * 24):
        send(made, float(each), before=each - 1.0)
    assert send(made, *nights(31, 33)) == [True, True]


def test_a_habit_is_forgotten_after_weeks_without_an_event() -> None:
    made = habits()
    send(made, *nights(0, 10))
    assert send(made, *nights(30, 31)) == [False]


def test_a_clock_that_is_set_splits_no_run() -> None:
    made = habits()
    send(made, *nights(0, 10), 10 * 24.0 + 9.0)
    made.shift(np.array([0]), 60.0)
    assert send(made, 10 * 24.0 + 9.1, before=10 * 24.0 + 9.0 + 60.0 / HOUR_S) == [False]
    assert int(made.counts[0, 0]) == 2


def analyser(day: int) -> list:  # type: ignore[type-arg]
    """Readings of a day, with -200 at 03:00."""
    begin = MIDNIGHT + day * DAY_S
    values = {each: 50.0 + each * 7 % 5 for each in range(0, 86_400, 1800)} | {10_800: -200.0}
    return [reading("paced/analyser", begin + time, value) for time, value in sorted(values.items())]


@pytest.fixture
def line() -> Line:
    watched = replace(rule(*detectors(silence={}, ewma={})), no_value=(-200.0,))
    return Line(pipeline(lambda _: watched))


def test_a_calibration_each_night_is_reported_on_the_first_two_only_and_a_restart_keeps_this(line: Line) -> None:
    for day in range(6):
        line.take(analyser(day))
    assert [each.transition for each in line.events if each.kind == "error_value"] == ["raised", "cleared"] * 2
    watched = replace(rule(*detectors(silence={}, ewma={})), no_value=(-200.0,))
    again = revived(pipeline(lambda _: watched), line.pipeline.save("", ""), [])
    assert differing(again.pipeline, line.pipeline) == []
    again.events.clear()
    again.take(analyser(6))
    assert again.events == []
