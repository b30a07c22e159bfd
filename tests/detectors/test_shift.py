"""The level of several sensors moves together."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.shift import BEFORE, RECENT, REST, THRESHOLD, excess, learn, moments


def device(rows: int, seed: int = 1) -> np.ndarray:
    """Three sensors that follow the same cause, and one that never varies."""
    rng = np.random.default_rng(seed)
    cause = rng.normal(size=rows)
    return np.column_stack([cause, 2 * cause + 5, 100 - cause, np.full(rows, 7.0)]) + [0.3, 0.3, 0.3, 0] * rng.normal(
        size=(rows, 4)
    )


def test_a_shift_of_one_sensor_is_told_once_when_it_comes_and_once_when_it_goes() -> None:
    rows = device(5000)
    rows[4300:4600, 1] += 6.0
    told = np.flatnonzero(moments(excess(learn(rows[:4000]), rows)))
    near = [any(begin <= row < begin + RECENT for row in told) for begin in (4300, 4600)]
    assert near == [True, True]


def test_what_is_ordinary_moves_nothing_but_by_chance() -> None:
    rows = device(9000)
    told = moments(excess(learn(rows[:4000]), rows[4000:]))
    assert told.sum() <= 5


def test_a_row_is_judged_by_the_rows_before_it_alone() -> None:
    rows = device(800)
    known = learn(rows[:400])
    changed = rows.copy()
    changed[600:] += 50.0
    assert (excess(known, rows)[:600] == excess(known, changed)[:600]).all()
    assert excess(known, rows[: RECENT + BEFORE]).max() < THRESHOLD


def test_no_two_movements_are_told_within_a_rest() -> None:
    told = np.flatnonzero(moments(np.full(200, 9.0)))
    assert (np.diff(told) == REST).all()


@pytest.mark.parametrize(("rows", "why"), [(device(139), "140 rows"), (np.ones((200, 2)), "no sensor varies")])
def test_a_warm_up_that_shows_too_little_is_refused(rows: np.ndarray, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        learn(rows)
