"""Ring: the means of the half hours of two weeks, a byte each.

A mean is kept as a number of steps above a base. Steps are powers of two and the base is a multiple of them, so that
what is kept doesn't change when it is laid out anew because a mean is beyond it, except to the coarser steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Slots

HALVES, DAYS = 48, 15
"""Half hours of a day, and days that are kept, today included."""

LENGTH = HALVES * DAYS

UNKNOWN = 0
HIGHEST = 251
"""Codes of half hours: unknown, and the highest."""

STEPS = 200
"""Maximum number of steps between the lowest and the highest mean after they were laid out."""

FEWEST = 50
"""With fewer steps between them, they are laid out anew."""

ROUNDING = 2.0**-20
"""Minimum of a step, as a share of the value."""

TINY = 2.0**-100


class Ring(NamedTuple):
    """The half hours of sensors.

    Attributes:
        codes: The means, in places by the remainder of their number; shape (n, LENGTH).
        base: What code 1 stands for, shape (n,).
        step: Difference of two codes, shape (n,).
    """

    codes: NDArray[np.uint8]
    base: Floats
    step: Floats

    def at(self, rows: Slots) -> Ring:
        """The rings of some of the sensors, as copies."""
        return Ring(self.codes[rows], self.base[rows], self.step[rows])


def ends(codes: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """The lowest and the highest mean in steps above the base, along the last axis; 255 and -1 if none is known."""
    low, high = (codes - np.uint8(1)).min(axis=-1), codes.max(axis=-1)
    return low.astype(np.float64), high.astype(np.float64) - 1.0


def days_before(halves: Floats, days: Any, *, beside: int) -> NDArray[np.intp]:
    """The places of half hours on the days before, and of those beside them, shape (n, days, 2 * beside + 1).

    Args:
        halves: Numbers of the half hours, shape (n,).
        days: How many days before, shape (days,).
        beside: Number of half hours on either side.
    """
    back = HALVES * np.asarray(days)[:, None] - np.arange(-beside, beside + 1)
    places: NDArray[np.intp] = np.mod(halves[:, None, None] - back, LENGTH).astype(np.intp)
    return places


def laid_out(ring: Ring, means: Floats) -> Ring:
    """The same half hours, in steps that suit them and means that are to be kept as well."""
    low, high = ends(ring.codes)
    lowest = np.minimum(ring.base + low * ring.step, means)
    highest = np.maximum(ring.base + high * ring.step, means)
    empty = high < 0
    lowest, highest = np.where(empty, means, lowest), np.where(empty, means, highest)
    least = np.maximum(ROUNDING * np.maximum(np.abs(lowest), np.abs(highest)), TINY)
    step = np.exp2(np.ceil(np.log2(np.maximum((highest - lowest) / STEPS, least))))
    middle = np.rint((lowest + highest) / 2.0 / step)
    base = (middle - HIGHEST // 2) * step
    steps = (ring.base[:, None] + (ring.codes - 1.0) * ring.step[:, None] - base[:, None]) / step[:, None]
    codes = np.where(ring.codes == UNKNOWN, UNKNOWN, np.clip(np.rint(steps) + 1.0, 1, HIGHEST)).astype(np.uint8)
    return Ring(codes, base, step)


def keep(ring: Ring, places: Slots, means: Floats) -> Ring:
    """The ring with the means of half hours in their places."""
    steps = (means - ring.base) / ring.step
    unfit = ~((steps >= -0.5) & (steps <= HIGHEST - 1.0)) | _is_coarse(ring, places)
    rows = np.flatnonzero(unfit)
    if len(rows):
        ring.codes[rows], ring.base[rows], ring.step[rows] = laid_out(ring.at(rows), means[rows])
        steps = (means - ring.base) / ring.step
    ring.codes[np.arange(len(places)), places] = np.clip(np.rint(steps) + 1.0, 1, HIGHEST)
    return ring


def _is_coarse(ring: Ring, places: Slots) -> NDArray[np.bool_]:
    """Whether few steps are between the lowest and the highest mean, which is looked at once a day, shape (n,)."""
    is_coarse: NDArray[np.bool_] = places % HALVES == 0
    rows = np.flatnonzero(is_coarse)
    if len(rows):
        low, high = ends(ring.codes[rows])
        is_coarse[rows] = high - low < FEWEST
    return is_coarse
