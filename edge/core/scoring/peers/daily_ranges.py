"""Daily ranges: what is usual of a difference, by its lowest and highest values on the days remembered."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Slots

ENOUGH_DAYS = 12
"""Number of days from which the worst one at either end is left out."""


class RangedByDay(Protocol):
    """Sensors with the range of each day; arrays have shape (sensors,) or (sensors, days).

    Attributes:
        day_low, day_high: Range on the present day; infinite the wrong way round while there is none.
        lows, highs: Ranges of the days remembered, in a ring; NaN where there is none.
        entries: Number of days so far.
        least, most: The usual range.
    """

    day_low: Floats
    day_high: Floats
    lows: NDArray[np.float32]
    highs: NDArray[np.float32]
    entries: Floats
    least: Floats
    most: Floats


def add_day(sensors: RangedByDay, rows: Slots) -> None:
    """Add the range of the present day to those remembered, and begin another day; `rows` has shape (n,)."""
    at = (sensors.entries[rows] % sensors.lows.shape[1]).astype(np.intp)
    sensors.lows[rows, at], sensors.highs[rows, at] = sensors.day_low[rows], sensors.day_high[rows]
    sensors.entries[rows] += 1.0
    sensors.day_low[rows], sensors.day_high[rows] = np.inf, -np.inf


def find_usual(sensors: RangedByDay, rows: Slots) -> None:
    """Compute the usual ranges by those of the days remembered; `rows` has shape (n,)."""
    days, each = np.minimum(sensors.entries[rows], sensors.lows.shape[1]), np.arange(len(rows))
    skipped = (days >= ENOUGH_DAYS).astype(np.intp)
    sensors.least[rows] = np.sort(sensors.lows[rows], axis=1)[each, skipped]
    sensors.most[rows] = -np.sort(-sensors.highs[rows], axis=1)[each, skipped]
