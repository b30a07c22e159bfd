"""Tails: the rate of a sensor's excursions by their height, estimated from the worst ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.numeric.arrays import Floats

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


def tail_of(peaks: Floats, worst_last: Floats, days: Floats) -> Tail:
    """Estimate the tail from the worst excursions.

    Args:
        peaks: Their peaks, in decades; 0 for unused entries; shape (n, most).
        worst_last: The same in ascending order, shape (n, most).
        days: Days in which they occurred, shape (n,).
    """
    is_peak = peaks > 0
    excursions = is_peak.sum(axis=1, dtype=np.float64)
    enough = excursions >= FEWEST
    lowest = np.minimum(peaks.shape[1] - excursions.astype(np.intp), peaks.shape[1] - 1)
    least = np.where(enough, worst_last[np.arange(len(peaks)), lowest], LOWEST)
    most = worst_last[:, -1 - FAULTS]
    beyond = np.where(is_peak, np.minimum(peaks, most[:, None]) - least[:, None], 0.0).sum(axis=1)
    weight = IMAGINED + excursions - 1.0 - FAULTS
    scale = np.where(enough, (IMAGINED * PERFECT + beyond) / weight, PERFECT)
    return Tail(least, np.where(enough, excursions, excursions + 1.0) / days, scale, excursions, weight)


def habit_of(worst_last: Floats, allowed: Floats) -> Floats:
    """The worst peaks that occur more often than chance explains, in decades; 0 if there are none; shape (n,).

    Args:
        worst_last: Peaks of excursions, in decades, ascending; 0 for unused entries; shape (n, most).
        allowed: Number of incidents allowed by the budget in that time, shape (n,).
    """
    place = np.minimum(np.ceil(allowed + FAULTS), worst_last.shape[1]).astype(np.intp)
    habit: Floats = worst_last[np.arange(len(worst_last)), worst_last.shape[1] - place]
    return habit
