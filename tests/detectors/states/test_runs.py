"""Runs: a sensor that is active for longer than ever, because it doesn't rest any more."""

from __future__ import annotations

import numpy as np
import pytest
from states_alike import highest_if_alike
from told_by_states import MONDAY_S, TELLS, told_by_states

from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from detectors.states import States

EVERY_S = 120.0
HOUR, DAY = 30, 720


def taps(days: int, seed: int = 1, least: float = 3.0) -> Floats:
    """The flow of water into a house in l/min: short uses of all sizes, and the garden on some evenings for an hour."""
    rng = np.random.default_rng(seed)
    hours = np.arange(days * DAY) / HOUR % 24
    uses = rng.random(len(hours)) < np.where((hours > 6) & (hours < 23), 0.06, 0.004)
    flow = np.zeros(len(hours))
    for begin in np.flatnonzero(uses):
        flow[begin : begin + int(rng.integers(1, 6))] += rng.uniform(least, 14)
    for day in np.flatnonzero(rng.random(days) < 0.4):
        flow[day * DAY + 19 * HOUR : day * DAY + 20 * HOUR] += rng.uniform(9, 11)
    return np.round(flow + rng.normal(0, 0.05, len(flow)) * (flow > 0), 2)


def daylight(days: int) -> Floats:
    """What a solar panel gives in W from the middle of winter on: its days become longer."""
    rng, each = np.random.default_rng(2), np.arange(days * DAY)
    hours, half = each / HOUR % 24, 4.0 + 4.2 * (1 - np.cos(np.pi * each / DAY / 183)) / 2
    sun = np.maximum(np.cos(np.pi / 2 * (hours - 12.2) / half), 0) * (np.abs(hours - 12.2) < half)
    return np.round(800 * sun * rng.uniform(0.3, 1.0, len(hours)))


def runs_in(values: Floats) -> list[tuple[int, float]]:
    """When something is told of runs, and for how long they had lasted."""
    told = told_by_states(values, EVERY_S)
    return [(index, measure.now) for index, _, measure in told if measure.about == "run"]


@pytest.mark.parametrize("values", [taps(40), taps(40, 7, 0.6), daylight(120)], ids=["states", "no states", "daylight"])
def test_usual_days_and_seasons_are_not_told(values: Floats) -> None:
    assert runs_in(values) == []


@pytest.mark.parametrize("least", [3.0, 0.6])
@pytest.mark.parametrize(("days", "leak"), [(10, 2.5), (24, 3.5)])
def test_a_flow_that_never_rests_any_more_is_told_within_hours(days: int, leak: float, least: float) -> None:
    values, begin = taps(days + 1, least=least), days * DAY + 9 * HOUR
    values[begin:] += np.random.default_rng(3).uniform(0.5, 1.5, len(values) - begin) * leak
    told = runs_in(values)
    assert len(told) == 1
    assert begin + 1.5 * HOUR <= told[0][0] <= begin + 5 * HOUR
    measure = told_by_states(values, EVERY_S)[-1][2]
    assert measure.usual < measure.now / 1.5
    assert 0 < measure.upper < leak / 2


def test_what_occurs_again_is_a_habit() -> None:
    values = taps(60)
    for day in range(20, 60, 2):
        values[day * DAY + 8 * HOUR : day * DAY + 16 * HOUR] += 5.0
    days = [index // DAY for index, _ in runs_in(values)]
    assert 1 <= len(days) <= 3
    assert max(days) <= 26


def test_active_readings_on_both_sides_of_an_outage_are_no_run() -> None:
    table, values = StateTable(States(), rows=1), taps(12, least=0.6).tolist()
    values[-1] = 8.0
    for index, value in enumerate(values):
        table.update_one(0, value, MONDAY_S + EVERY_S * index, held=False)
    back = MONDAY_S + EVERY_S * len(values) + 30 * 3600.0
    scores = [table.update_one(0, 8.0, back + EVERY_S * index, held=False).score for index in range(5)]
    assert not any(score >= TELLS for score in scores)


def test_a_wide_round_a_single_reading_and_the_simple_counterpart_agree() -> None:
    values = [taps(13), taps(13, 5, 0.6)]
    values[0][11 * DAY : 12 * DAY] += 3.0
    assert highest_if_alike(*values, EVERY_S)[0] > TELLS
