"""Ranges of sensors that send few different values: whole degrees, tenths, or on and off.

Such a sensor can't be at 66.2. Of a range it reaches the values of its own grid, so those are shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MOST_PLACES = 3
"""Values with more decimal places than this count as continuous."""

COARSE = 20.0
"""A range of fewer steps of the grid than this is shown by values of the grid; a wider one is rounded anyway."""

CLOSE = 1e-9
"""Largest distance of a value from its decimal notation, relative to it."""


def places_of(values: Sequence[float]) -> int | None:
    """The number of decimal places that a sensor's values have; None if they are continuous, or all the same.

    >>> places_of([21.5, 22.0, 21.5]), places_of([66.0, 67.0]), places_of([0.1 / 3, 0.2 / 3]), places_of([0.0, 0.0])
    (1, 0, None, None)
    """
    if len(set(values)) < 2:
        return None
    return next((places for places in range(MOST_PLACES + 1) if all(_has(each, places) for each in values)), None)


def grid_ends(lower: float, upper: float, value: float, places: int) -> tuple[float, float] | None:
    """The lowest and the highest value of a grid within a range; None if the range itself is the better text.

    Args:
        lower: Lower end of the range.
        upper: Upper end.
        value: The value beside it; it is beside the result as well.
        places: Decimal places of the grid.

    >>> grid_ends(66.2, 72.8, 66.0, 0)
    (67.0, 72.0)
    """
    scale = 10.0**places
    if not (upper - lower) * scale < COARSE:
        return None
    low, high = math.ceil(lower * scale) / scale, math.floor(upper * scale) / scale
    if low > high or low <= value <= high:
        return None
    return low, high


def at_least_a_step(size: float, places: int | None) -> float:
    """The size of a step as the sensor can make one: to the nearest multiple of its grid, one of it at least."""
    if places is None:
        return size
    return max(round(size, places), 10.0**-places)


def _has(value: float, places: int) -> bool:
    return abs(value - round(value, places)) <= CLOSE * abs(value)
