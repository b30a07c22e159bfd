"""Decimation: reduces a series of any length to bounded memory as it arrives, preserving spikes.

Readings are put into buckets of equal count, each of which keeps its minimum and maximum. When there are too many
buckets, neighbours are merged in pairs, and buckets hold twice as many readings from then on. A short series keeps
every reading.

Works for any series; merging by count rather than by time gives bursts of readings enough room.

Source: M4 by Jugel et al. 2014, doi:10.14778/2732951.2732953. Differs: a bucket's first and last value aren't kept,
since buckets are many more than pixels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.numeric.arrays import Floats

TIME, LOW, HIGH, SCORE, LEVEL, LOWER, UPPER = range(7)
COLUMNS = 7


class Trace(NamedTuple):
    """A reduced series; all arrays have shape (n,).

    Attributes:
        times: Time of each bucket's first reading, seconds since the epoch.
        low: Minimum of each bucket.
        high: Maximum of each bucket.
        score: Highest score; NaN if there was no opinion.
        level: Lowest raising level.
        lower: Mean lower end of the band; NaN if there was none.
        upper: Mean upper end of the band.
    """

    times: Floats
    low: Floats
    high: Floats
    score: Floats
    level: Floats
    lower: Floats
    upper: Floats


class Decimator:
    """Reduces one series.

    Args:
        capacity: Minimum number of buckets once there are enough readings; at most twice as many are kept. Must be
            even.
    """

    def __init__(self, capacity: int = 2048) -> None:
        self.capacity = capacity
        self.bucket = 1
        self._buckets = np.empty((COLUMNS, 64))
        self._count = 0
        self._rest = np.empty((COLUMNS, 0))

    def add(self, rows: Floats) -> None:
        """Add readings in order of time.

        Args:
            rows: Time, value, value, score, level, lower and upper end of each, shape (7, n).
        """
        if self._rest.shape[1]:
            rows = np.concatenate([self._rest, rows], axis=1)
        while rows.shape[1] >= self.bucket:
            whole = min(rows.shape[1] // self.bucket, 2 * self.capacity - self._count)
            taken = whole * self.bucket
            self._append(_joined(rows[:, :taken], self.bucket))
            rows = rows[:, taken:]
            if self._count >= 2 * self.capacity:
                self._halve()
        self._rest = rows.copy()

    def shrink(self, capacity: int) -> None:
        """Reduce the capacity from now on, to free memory for others."""
        self.capacity = min(self.capacity, capacity)
        while self._count >= 2 * self.capacity:
            if self._count % 2:
                self._take_back_the_last()
            self._halve()

    def trace(self, most: int | None = None) -> Trace:
        """The series so far.

        Args:
            most: Maximum number of buckets; None for all.
        """
        whole = self._buckets[:, : self._count]
        if self._rest.shape[1]:
            whole = np.concatenate([whole, _joined(self._rest, self._rest.shape[1])], axis=1)
        while most is not None and whole.shape[1] > max(2, most):
            even = whole.shape[1] // 2 * 2
            whole = np.concatenate([_joined(whole[:, :even], 2), whole[:, even:]], axis=1)
        return Trace(*whole.copy())

    def _append(self, buckets: Floats) -> None:
        count = self._count + buckets.shape[1]
        if count > self._buckets.shape[1]:
            grown = np.empty((COLUMNS, max(count, 2 * self._buckets.shape[1])))
            grown[:, : self._count] = self._buckets[:, : self._count]
            self._buckets = grown
        self._buckets[:, self._count : count] = buckets
        self._count = count

    def _halve(self) -> None:
        """Merge pairs of neighbours, whose number is even."""
        joined = _joined(self._buckets[:, : self._count], 2)
        self._count = joined.shape[1]
        self._buckets[:, : self._count] = joined
        self.bucket *= 2

    def _take_back_the_last(self) -> None:
        """Turn the last bucket back into pending readings, so that it can be filled."""
        self._count -= 1
        readings = np.repeat(self._buckets[:, self._count : self._count + 1], self.bucket, axis=1)
        self._rest = np.concatenate([readings, self._rest], axis=1)


def _joined(rows: Floats, size: int) -> Floats:
    """Merge each `size` neighbours, shape (7, n / size)."""
    if size == 1:
        return rows
    cube = rows.reshape(COLUMNS, -1, size)
    joined = np.empty((COLUMNS, cube.shape[1]))
    joined[TIME] = cube[TIME, :, 0]
    joined[LOW] = cube[LOW].min(axis=1)
    joined[HIGH] = cube[HIGH].max(axis=1)
    joined[SCORE] = np.fmax.reduce(cube[SCORE], axis=1)
    joined[LEVEL] = cube[LEVEL].min(axis=1)
    for column in (LOWER, UPPER):
        known = ~np.isnan(cube[column])
        total = np.where(known, cube[column], 0.0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            joined[column] = total / known.sum(axis=1)
    return joined
