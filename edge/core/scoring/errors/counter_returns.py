"""Returns of counters: readings after which a counter goes on from where it was before it fell or jumped.

A meter that was reset or exchanged counts on from its new reading. One that is back at once, no farther than it may
have counted meanwhile, was neither: the readings in between were error values, such as -127, 85 or 65535.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import any_of, maximum, minimum, nowhere
from edge.core.scoring.sensors.rises import FEWEST, LEAP

DAY_S = 86_400.0

LONGEST_S = DAY_S
"""Maximum time for which a counter may have been away; after that it has another reading."""

MOST_AWAY = 5.0
"""Number of readings after a fall within which a counter may return to any reading above."""

OF_WAY = 0.5
"""Minimum share of the way that a return takes with one reading: a counter that was reset climbs step by step."""

KNOWN_S = 7 * DAY_S
"""A counter that has been one for this long isn't a gauge because it falls several times on one day."""


def is_back(state: Mapping[str, Any], slots: Rows, values: Numbers, times: Numbers, last: Numbers) -> Any:
    """Whether counters are back from a fall or a jump, shape (n,), or a single one.

    Args:
        state: The arrays of `Paces`, by name.
        slots: Distinct sensors, shape (n,), or a single one.
        values: Their readings, shape (n,).
        times: Times, seconds since the epoch, shape (n,).
        last: Their previous readings, shape (n,).
    """
    top = state["top"][slots]
    crosses = (values >= top) & ((last < top) | (last > values))
    if not any_of(nowhere(crosses)):
        return crosses
    bottom, passed = state["bottom"][slots], minimum(times - state["left"][slots], 2.0 * LONGEST_S)
    from_fall, from_jump = (last < top) & (bottom < top), (last > values) & (bottom > top)
    counted, lasted = state["counted"][slots], maximum(times - state["surveyed"][slots], 1.0)
    usual = state["rise"][slots] * maximum(1.0 / maximum(counted, 1.0), passed / lasted)
    at_once = abs(values - last) >= OF_WAY * abs(bottom - top)
    is_same = (counted >= FEWEST) & (passed <= LONGEST_S) & at_once & (values - top <= LEAP * usual)
    soon = from_fall & (state["away"][slots] <= MOST_AWAY)
    return crosses & (soon | ((from_fall | from_jump) & is_same))


def is_known(state: Mapping[str, Any], slot: int, time: float) -> bool:
    """Whether a counter has been one for so long that it isn't a gauge because it falls several times on a day."""
    return float(time - state["surveyed"][slot]) >= KNOWN_S


def is_away(state: Mapping[str, Any], slot: int, time: float) -> bool:
    """Whether a known counter fell or jumped less than a day ago, and isn't back yet."""
    return is_known(state, slot, time) and float(time - state["left"][slot]) <= LONGEST_S


def below_zero(state: Mapping[str, Any], slots: Rows, values: Numbers, times: Numbers) -> Any:
    """Whether counters that weren't below zero send such readings, for less than a day, shape (n,); None if none does.

    Args:
        state: The arrays of `Paces`, by name.
        slots: Distinct sensors, shape (n,), or a single one.
        values: Their readings, which aren't recorded yet, shape (n,).
        times: Times, seconds since the epoch, shape (n,).
    """
    below = nowhere(values < 0)
    if not any_of(below):
        return None
    is_soon = times - state["start_time"][slots] <= LONGEST_S
    found = below & (state["per"][slots] > 0) & (state["last"][slots] >= 0) & is_soon
    return found if any_of(found) else None
