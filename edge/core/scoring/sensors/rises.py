"""Rises: how often, how far and in which steps sensors rise, for recognising counters and their jumps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import maximum, minimum, where

FEWEST = 10.0
"""Minimum number of rises of a counter."""

LEAP = 10.0
"""Number of usual rises that an outlier counts as at most."""

SAME = 1e-6
"""Steps that differ by at most this share are equal up to rounding."""


def survey(state: Mapping[str, Any], slots: Rows, moved: Numbers, times: Numbers) -> None:
    """Measure how often and in which steps sensors rise that may become counters.

    Args:
        state: The arrays of `Paces`, by name.
        slots: Distinct sensors, shape (n,), or a single one.
        moved: Differences from their last values, shape (n,).
        times: Times of their readings, seconds since the epoch, shape (n,).
    """
    grew, readings, rise = moved > 0, state["readings"][slots], state["rise"][slots]
    counted = state["counted"][slots]
    state["surveyed"][slots] = where(readings == 0, times, state["surveyed"][slots])
    most = where(counted >= FEWEST, LEAP * rise / maximum(counted, 1.0), math.inf)
    state["readings"][slots] = readings + 1.0
    state["counted"][slots] = counted + grew
    state["rise"][slots] = rise + maximum(minimum(moved, most), 0.0)
    finest, step = state["finest"][slots], state["step"][slots]
    between = abs(moved - step)
    finest = where(grew & (between > SAME * step), minimum(finest, minimum(moved, between)), finest)
    state["finest"][slots] = where(grew, minimum(finest, moved), finest)
    state["step"][slots] = where(grew, moved, step)


def add_up(state: Mapping[str, Any], slots: Rows, moved: Numbers, times: Numbers, counter: Any) -> None:
    """Add up how much counters rise; `counter` tells which of the sensors are counters. See `survey()`."""
    counted, rise, grew = state["counted"][slots], state["rise"][slots], counter & (moved > 0)
    most = where(counted >= FEWEST, LEAP * rise / maximum(counted, 1.0), math.inf)
    state["surveyed"][slots] = where(counter & (counted == 0), times, state["surveyed"][slots])
    state["counted"][slots] = counted + grew
    state["rise"][slots] = rise + where(grew, minimum(moved, most), 0.0)
    state["step"][slots] = where(grew, moved, state["step"][slots])
