"""Silence depends on when readings arrive, not on their own times."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.state import StateTable
from detectors.univariate.silence import Silence
from edge.core.model.readings.messages import Message
from tests.edge.core.pipelines import START, Line, pipeline, reading

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


def test_an_irregular_sensor_gets_the_time_that_its_own_gaps_suggest() -> None:
    gaps = np.random.default_rng(5).exponential(2 * HOUR_S, 300).tolist()
    assert 1.5 * max(gaps) <= patience(gaps) < 3 * DAY_S
