"""Recognition: which sensors have states.

Their levels are visited again and again, last longer than by chance, and have almost nothing between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Arrays, Slots
from detectors.states.levels import MOST, SURE, is_of_resolution
from detectors.states.means import distance

DAY_S = 86_400.0

VISITS, RARE = 6.0, 0.03
"""A sensor has states if it was in each of them this many times, except for one with at most this share of the
readings, such as a defrosting, while there are two others; and"""

LEAST_STATES = 2

FLEETING = 0.8
"""if it leaves each less often than this ratio to readings without memory."""

WARM_UP_S = 1.5 * DAY_S
"""Minimum observed time for recognising levels."""

MOST_BETWEEN = 0.05
"""Share of readings between the levels from which on they aren't states."""

EXACT = 1e-6
"""A level is exact if its spread is at most this share of the distance to the next level."""

SELDOM = 0.1
"""A value that is exactly repeated, in at most this share of the readings, among others that vary, is an error value
and not a state; the same applies if it is negative."""


def has_states(arrays: Arrays, slots: Slots) -> NDArray[np.bool_]:
    """Which sensors have states.

    Args:
        arrays: The detector's state.
        slots: Rows, shape (n,).
    """
    count, spells = arrays["levels"][slots], arrays["spells"][slots]
    there = np.arange(MOST) < count[:, None]
    visits, readings = spells[:, :MOST], arrays["readings"][slots]
    total = readings.sum(axis=1)
    leaves = visits / np.maximum(readings, 1.0)
    lasts = leaves <= FLEETING * (1.0 - readings / np.maximum(total, 1.0)[:, None])
    settled, rare = (visits >= VISITS) & lasts & there, readings <= RARE * total[:, None]
    visited = (settled | rare | ~there).all(axis=1) & (settled.sum(axis=1) >= LEAST_STATES)
    apart = arrays["between"][slots] <= MOST_BETWEEN * total
    center = arrays["center"][slots]
    exact = arrays["scale"][slots] <= EXACT * distance(arrays, slots)[:, None]
    all_exact = np.logical_and.reduce(exact | ~there, axis=1)
    seldom = (center != 0) & ((readings <= SELDOM * total[:, None]) | (center < 0))
    is_error = (there & exact & seldom).any(axis=1) & ~all_exact
    coarse = is_of_resolution(center, all_exact, count, arrays["finest"][slots])
    sure = (arrays["agreed"][slots] >= SURE) & (arrays["watched"][slots] >= WARM_UP_S)
    known: NDArray[np.bool_] = sure & visited & apart & ~is_error & ~coarse
    return known
