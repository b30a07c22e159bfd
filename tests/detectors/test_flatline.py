"""Flatline: a rest at the lowest value is no stuck sensor before a weekend has been seen."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.state import StateTable
from detectors.univariate.flatline import Flatline

HOUR_S, DAY_S = 3600.0, 86_400.0

MONDAY = 0.0
"""When the sensor is seen first."""


def scores_of(rest: float, monday: float = MONDAY, days: int = 7) -> list[float]:
    """Scores of a motor that runs from 6 to 22 on workdays and rests, a reading every ten minutes."""
    table = StateTable(Flatline(), rows=1)
    random = np.random.default_rng(7)
    scores = []
    for number in range(days * 144):
        time = monday + number * 600.0
        works = number // 144 % 7 < 5 and 6 <= time % DAY_S / HOUR_S < 22
        value = round(float(random.normal(8.4, 0.3)), 2) if works else rest
        scores.append(float(table.update(np.array([0]), np.array([value]), np.array([time])).score[0]))
    return scores


def test_a_first_weekend_at_rest_is_not_stuck() -> None:
    assert max(scores_of(0.0)[144:]) == 0.0


def test_a_second_weekend_at_rest_is_not_stuck() -> None:
    assert max(scores_of(0.0, days=14)[144:]) == 0.0


def test_a_value_that_is_not_the_lowest_is_stuck_at_a_first_weekend() -> None:
    table = StateTable(Flatline(), rows=1)
    random = np.random.default_rng(7)
    worst = 0.0
    for number in range(7 * 144):
        stuck = number > 5 * 144
        value = 8.4 if stuck else round(float(random.normal(8.4, 0.3)), 2) if number % 3 else 0.0
        worst = float(table.update(np.array([0]), np.array([value]), np.array([number * 600.0])).score[0])
    assert worst > 6


@pytest.mark.parametrize("visits", [0, 2])
def test_a_lowest_value_where_a_sensor_hardly_was_is_stuck(visits: int) -> None:
    table = StateTable(Flatline(), rows=1)
    random = np.random.default_rng(7)
    worst = 0.0
    for number in range(7 * 144):
        was = number in range(100, 100 + 20 * visits, 20)
        value = 0.0 if number > 5 * 144 or was else round(float(random.normal(8.4, 0.3)), 2)
        worst = float(table.update(np.array([0]), np.array([value]), np.array([number * 600.0])).score[0])
    assert worst > 6
