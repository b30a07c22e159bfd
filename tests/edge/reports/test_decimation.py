from __future__ import annotations

import numpy as np
import pytest

from detectors.numeric.arrays import Floats
from edge.reports.recording.decimation import HIGH, LEVEL, LOW, LOWER, SCORE, TIME, UPPER, Decimator


def series(count: int, seed: int = 1) -> Floats:
    source = np.random.default_rng(seed)
    rows = np.empty((7, count))
    rows[TIME] = np.arange(count)
    rows[LOW] = rows[HIGH] = source.normal(size=count)
    rows[SCORE] = np.where(source.random(count) < 0.3, np.nan, source.random(count))
    rows[LEVEL] = 5.0
    rows[LOWER] = np.where(np.arange(count) < count // 3, np.nan, -1.0)
    rows[UPPER] = 1.0
    return rows


def added(rows: Floats, capacity: int, chunk: int) -> Decimator:
    decimator = Decimator(capacity)
    for start in range(0, rows.shape[1], chunk):
        decimator.add(rows[:, start : start + chunk])
    return decimator


def test_a_short_series_keeps_every_reading() -> None:
    rows = series(100)
    trace = added(rows, 64, 7).trace()
    np.testing.assert_array_equal(np.array(trace), rows)


@pytest.mark.parametrize("count", [127, 128, 129, 1000, 5003])
@pytest.mark.parametrize("chunk", [1, 13, 100_000])
def test_a_series_is_reduced_in_the_same_way_however_it_arrives(count: int, chunk: int) -> None:
    rows = series(count)
    np.testing.assert_array_equal(np.array(added(rows, 64, chunk).trace()), np.array(added(rows, 64, 50).trace()))


@pytest.mark.parametrize("count", [500, 4096, 99_999])
def test_memory_is_bounded_and_no_spike_is_lost(count: int) -> None:
    rows = series(count)
    rows[LOW, count // 2] = rows[HIGH, count // 2] = 1e6
    rows[LOW, count - 1] = rows[HIGH, count - 1] = -1e6
    trace = added(rows, 64, 777).trace()
    assert len(trace.times) <= 2 * 64 + 1
    assert trace.high.max() == 1e6
    assert trace.low.min() == -1e6
    assert np.nanmax(trace.score) == np.nanmax(rows[SCORE])
    assert (np.diff(trace.times) > 0).all()


def test_the_spike_stays_at_its_time() -> None:
    rows = series(10_000)
    rows[LOW, 7000] = rows[HIGH, 7000] = 1e6
    trace = added(rows, 64, 100).trace()
    at = int(np.argmax(trace.high))
    assert trace.times[at] <= 7000 < trace.times[at + 1]


def test_a_band_is_the_mean_of_its_known_values() -> None:
    rows = series(600)
    trace = added(rows, 64, 600).trace()
    assert np.isnan(trace.lower[0])
    assert trace.lower[-1] == -1.0
    assert (trace.upper == 1.0).all()


def test_a_series_without_scores_remains_without() -> None:
    rows = series(600)
    rows[SCORE] = np.nan
    assert np.isnan(added(rows, 64, 600).trace().score).all()


@pytest.mark.parametrize("count", [100, 127, 500, 1001])
def test_less_memory_in_between_loses_no_spike(count: int) -> None:
    rows = series(2 * count)
    rows[HIGH, count - 1] = 1e6
    decimator = added(rows[:, :count], 64, 10)
    decimator.shrink(16)
    decimator.add(rows[:, count:])
    trace = decimator.trace()
    assert len(trace.times) <= 2 * 16 + 1
    assert trace.high.max() == 1e6
    assert trace.times[0] == 0.0
    assert (np.diff(trace.times) > 0).all()


@pytest.mark.parametrize("most", [3, 10, 100, 1000])
def test_a_page_may_request_fewer_points(most: int) -> None:
    rows = series(999)
    rows[HIGH, 998] = 1e6
    trace = added(rows, 512, 100).trace(most)
    assert len(trace.times) <= most
    assert trace.high.max() == 1e6


def test_nothing_is_nothing() -> None:
    assert len(Decimator().trace().times) == 0
