from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Floats
from detectors.multivariate import SMOOTHING, THRESHOLD, blame, excess, learn, smoothed


def device(rows: int, seed: int = 1) -> Floats:
    """Four sensors that two hidden causes move, a constant one, and one by itself."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(rows, 2))
    mixing = np.array([[1.0, 0.5], [2.0, -1.0], [-1.0, 1.0], [0.3, 2.0]])
    moved = causes @ mixing.T + 0.1 * rng.normal(size=(rows, 4))
    return np.column_stack([moved * [1, 10, 0.1, 5] + [0, 300, 7, -20], np.full(rows, 3.3), rng.normal(size=rows)])


def test_rows_like_those_of_the_warm_up_are_usual() -> None:
    rows = device(4000)
    assert np.mean(excess(learn(rows[:1000]), rows[1000:]) > 1.0) < 0.01


def test_a_broken_correlation_stands_out_though_each_sensor_looks_ordinary() -> None:
    rows = device(1000)
    found = learn(rows)
    broken = device(400, seed=2)
    broken[200:, 1] = np.roll(broken[200:, 1], 37) + 8.0
    judged = excess(found, broken)
    assert judged[50:200].max() < 1.0
    assert judged[300:].mean() > 1.0
    assert blame(found, broken[:300])[0] == 1


def test_a_shift_that_is_large_is_beyond_the_threshold_and_its_sensor_is_named() -> None:
    rows = device(1000)
    found = learn(rows)
    shifted = device(200, seed=3)
    shifted[100:, 5] += 4.0
    assert (excess(found, shifted)[140:] > THRESHOLD).all()
    assert blame(found, shifted)[0] == 5


def test_a_sensor_that_never_varied_is_left_out() -> None:
    rows = device(400)
    found = learn(rows)
    assert found.used.tolist() == [0, 1, 2, 3, 5]
    stepped = rows.copy()
    stepped[:, 4] = 99.0
    assert np.array_equal(excess(found, stepped), excess(found, rows))


def test_no_row_knows_of_a_later_one() -> None:
    rows = device(600)
    found = learn(rows[:400])
    assert np.array_equal(excess(found, rows)[:500], excess(found, rows[:500]))


def test_a_mean_is_of_the_rows_that_are_there() -> None:
    rows = np.arange(50.0)[:, None]
    means = smoothed(rows)[:, 0]
    assert means[0] == 0.0
    assert means[3] == 1.5
    assert means[49] == pytest.approx(np.arange(50 - SMOOTHING, 50).mean())


@pytest.mark.parametrize("rows", [device(20), np.ones((400, 3)), device(400)[:, 4:]])
def test_a_warm_up_that_shows_nothing_is_refused(rows: Floats) -> None:
    with pytest.raises(ValueError, match="warm-up"):
        learn(rows)
