from __future__ import annotations

import numpy as np
import pytest

from edge.core.scoring.errors.counter_returns import below_zero
from edge.core.scoring.paces import Finding, Paces

EVERY_S, A_DAY = 600.0, 144
KNOWN = 9 * A_DAY
"""Readings after which a counter has been one for more than a week."""


def steady(days: float, start: float = 2000.0) -> list[float]:
    """A counter that rises by 2.5 to 4 each ten minutes."""
    rises = [2.5 + 0.125 * (7 * index % 13) for index in range(int(days * A_DAY))]
    return [start + each for each in np.cumsum(rises).tolist()]


def watched(values: list[float]) -> tuple[Paces, list[tuple[int, Finding]], list[int]]:
    """What the readings of one sensor show, with the index of the reading, and which of them are jumps."""
    paces, found, jumps = Paces(), list[tuple[int, Finding]](), list[int]()
    paces.grow(1)
    for index, value in enumerate(values):
        time = EVERY_S * index
        if index and paces.jumped(0, value, time, time - EVERY_S):
            jumps.append(index)
            paces.leap(0, value, time)
        else:
            found += [(index, each) for each in paces.see(0, value, time, index == 0)[1]]
    return paces, found[1:], jumps


@pytest.mark.parametrize("error", [85.0, 0.0])
def test_a_counter_that_is_back_within_a_day_was_not_reset_or_exchanged(error: float) -> None:
    values = steady(10)
    for begins in (KNOWN, KNOWN + 40):
        values[begins : begins + 12] = [error] * 12
    paces, found, jumps = watched(values)
    assert found == [(KNOWN + 12, Finding(0, error)), (KNOWN + 52, Finding(0, error))]
    assert (paces.per[0] > 0, paces.swaps[0], paces.strikes[0], jumps) == (True, 0.0, 0.0, [])


def test_a_counter_that_is_back_from_a_jump_has_not_fallen() -> None:
    values = steady(10)
    for begins in (KNOWN, KNOWN + 30, KNOWN + 60):
        values[begins : begins + 12] = [800_000.0] * 12
    paces, found, jumps = watched(values)
    assert found == []
    assert jumps == [KNOWN, KNOWN + 30, KNOWN + 60]
    assert (paces.per[0] > 0, paces.swaps[0]) == (True, 0.0)
    assert 2.0 < paces.see(0, values[-1] + 3.0, EVERY_S * len(values), False)[0] * EVERY_S / paces.per[0] < 5.0


def test_a_counter_that_is_reset_each_day_and_climbs_past_its_last_reading_is_not_back() -> None:
    day = [0.0, *steady(1, start=0.0)][:A_DAY]
    assert watched([*day * 9, *[each * 1.2 for each in day]])[1] == []


def test_an_exchanged_meter_that_counts_past_the_earlier_reading_is_not_back() -> None:
    paces, found, _ = watched([*steady(10), *steady(2, start=6000.0)])
    assert found == []
    assert paces.swaps[0] == 1.0


def test_a_known_counter_remains_one_although_it_fluctuates_for_some_hours() -> None:
    values = steady(12)
    noise = np.random.default_rng(4).normal(0.0, 200.0, 30)
    values[KNOWN : KNOWN + 30] = (np.array(values[KNOWN : KNOWN + 30]) + noise).tolist()
    assert watched(values)[0].per[0] > 0


def test_a_counter_that_fluctuates_for_days_is_a_gauge() -> None:
    noise = np.random.default_rng(4).normal(0.0, 200.0, 3 * A_DAY)
    assert watched([*steady(10), *(3000.0 + noise).tolist()])[0].per[0] == 0


def test_readings_below_zero_are_impossible_for_a_day_for_counters_that_had_none() -> None:
    paces, values = Paces(), np.array([steady(3), steady(3, start=-5000.0)])
    paces.grow(3)
    slots = np.array([0, 1])
    for index in range(3 * A_DAY):
        paces.see(slots, values[:, index], np.full(2, EVERY_S * index), np.full(2, index == 0))
    ended = EVERY_S * 3 * A_DAY
    state, both = paces.at(slots), np.array([-127.0, -127.0])
    assert below_zero(state, slots, both, np.full(2, ended)).tolist() == [True, False]
    assert below_zero(paces.at(0), 0, -127.0, ended)
    assert below_zero(paces.at(2), 2, -127.0, ended) is None
    assert below_zero(state, slots, np.abs(both), np.full(2, ended)) is None
    assert below_zero(state, slots, both, np.full(2, ended + 90_000.0)) is None
