"""Tails: the rate of a sensor's excursions by their height, estimated from the worst ones."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats

MANY = 500
"""Number of columns from which on a sorting network pays off."""

Singles = NDArray[np.float32]
"""Peaks are kept in single precision."""

DAY_S = 86_400.0

LOWEST = 1.0
"""Minimum score of an excursion, in decades."""

FEWEST = 5
"""Before this many excursions, scores are assumed to be perfect."""

PERFECT = 1.0 / np.log(10.0)
"""Mean excess of perfect scores over any level, in decades."""

IMAGINED = 4.0
"""Number of imagined excursions of perfect scores that are added to the real ones."""

FAULTS = 2
"""Number of the worst peaks that may be faults, whose height isn't used for the tail. Larger numbers, beyond the
allowed ones, are a habit."""


class Tail(NamedTuple):
    """The distribution of scores of several sensors; all arrays have shape (n,).

    Attributes:
        least: Level reached `per_day` times a day, in decades.
        per_day: Number of excursions per day that reach it.
        scale: Decades over which they become rarer by a factor of e.
        excursions: Number of excursions.
        weight: Number of excesses used to estimate the scale.
    """

    least: Floats
    per_day: Floats
    scale: Floats
    excursions: Floats
    weight: Floats

    def level_for(self, per_day: float) -> Floats:
        """The level reached this many times a day, averaged over all tails consistent with the observations."""
        too_many = np.log(self.per_day / per_day)
        level: Floats = self.least + self.scale * self.weight * np.expm1(too_many / self.weight)
        return level


def tail_of(peaks: Singles, worst_last: Singles, days: Floats) -> Tail:
    """Estimate the tail from the worst excursions.

    Args:
        peaks: Their peaks, in decades; 0 for unused entries; shape (most, n).
        worst_last: The same in ascending order, shape (most, n).
        days: Days in which they occurred, shape (n,).
    """
    count = (peaks > 0).view(np.int8).sum(axis=0, dtype=np.int8).astype(np.intp)
    excursions = count.astype(np.float64)
    enough = excursions >= FEWEST
    lowest = np.minimum(len(peaks) - count, len(peaks) - 1)
    least = np.where(enough, worst_last[lowest, np.arange(len(count))], LOWEST)
    most = worst_last[-1 - FAULTS]
    beyond = _sum(np.maximum(np.minimum(peaks, most) - least, 0.0))
    weight = IMAGINED + excursions - 1.0 - FAULTS
    scale = np.where(enough, (IMAGINED * PERFECT + beyond) / weight, PERFECT)
    return Tail(least, np.where(enough, excursions, excursions + 1.0) / days, scale, excursions, weight)


def habit_of(worst_last: Singles, allowed: Floats) -> Singles:
    """The worst peaks that occur more often than chance explains, in decades; 0 if there are none; shape (n,).

    Args:
        worst_last: Peaks of excursions, in decades, ascending; 0 for unused entries; shape (most, n).
        allowed: Number of incidents allowed by the budget in that time, shape (n,).
    """
    place = np.minimum(np.ceil(allowed + FAULTS), len(worst_last)).astype(np.intp)
    habit: Singles = worst_last[len(worst_last) - place, np.arange(len(place))]
    return habit


def _sum(numbers: Singles) -> Singles:
    """Sums of the columns, in pairs, which rounds less; there are a power of two of them in each."""
    half = len(numbers) // 2
    sums = numbers[:half] + numbers[half:]
    while len(sums) > 1:
        sums = sums[::2] + sums[1::2]
    total: Singles = sums[0]
    return total


def ascending(numbers: Singles) -> Singles:
    """The numbers of each column in ascending order, and no NaN; there are a power of two of them.

    Many columns are sorted at once by a network of comparisons, in a quarter of the time of `numpy.sort`:
    K. E. Batcher, "Sorting networks and their applications", AFIPS 32, 1968, doi:10.1145/1468075.1468121.
    """
    if numbers.shape[1] < MANY:
        return np.sort(numbers, axis=0)
    rows = list(numbers)
    for low, high in _comparisons(len(rows)):
        rows[low], rows[high] = np.minimum(rows[low], rows[high]), np.maximum(rows[low], rows[high])
    return np.stack(rows)


@cache
def _comparisons(count: int) -> list[tuple[int, int]]:
    """Batcher's odd-even merge sort of `count` numbers, a power of two: pairs to be put in order one after another."""
    powers = [2**power for power in range(count.bit_length() - 1)]
    return [
        (first, first + apart)
        for half in powers
        for apart in powers[powers.index(half) :: -1]
        for first in range(count - apart)
        if (first - apart % half) // apart % 2 == 0
        and first >= apart % half
        and first // (2 * half) == (first + apart) // (2 * half)
    ]
