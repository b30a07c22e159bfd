"""Stretches: the time over which the pace of a counter is averaged, and the unit of time in which it is given.

A stretch is long enough that the pace isn't dominated by resolution: a meter that counts whole litres has no meaningful
pace over a second.
"""

from __future__ import annotations

from typing import NamedTuple

CLEAR_STEPS = 4.0
"""A rise of this many steps of resolution is sufficient for a pace; a sequence of smaller rises should have"""

STEPS = 6.0
"""this many of them."""

SHORTEST_S, LONGEST_S = 60.0, 3_600.0
"""Minimum and maximum duration of a stretch, unless readings are further apart."""

LEAST_SHARE = 0.1
"""Minimum duration of a stretch in intervals: readings of equal or nearly equal time have no pace in between."""

DAY_S = 86_400.0

UNITS_S = ((1.0, 1.0), (60.0, 1.0), (3_600.0, 0.05))
"""Time units of a pace in seconds, with the minimum value for which each is used; otherwise the pace is per day."""


class PaceStretch(NamedTuple):
    """How the pace of a counter is computed.

    Attributes:
        width: Minimum duration in seconds.
        per: Time unit of the pace in seconds.
    """

    width: float
    per: float


def stretch_of(rise: float, finest: float, interval: float, often: float, average: float) -> PaceStretch:
    """Choose the stretch of a counter.

    Args:
        rise: Average of its rises.
        finest: Its resolution.
        interval: Seconds between two readings.
        often: Share of readings that are rises.
        average: Its rise per second.
    """
    steps = rise / finest
    width = 0.0 if steps >= CLEAR_STEPS else STEPS / (often * steps) * interval
    busy = rise / interval if steps >= CLEAR_STEPS else average
    per = next((unit for unit, least in UNITS_S if busy * unit >= least), DAY_S)
    least = LEAST_SHARE * interval
    return PaceStretch(max(min(max(width, SHORTEST_S), LONGEST_S) - interval / 2.0, least), per)
