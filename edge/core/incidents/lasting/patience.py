"""Patience: how long a condition must last until it is adopted as normal.

For a sensor that has hardly been seen new behaviour may well be normal, so a level is adopted after a share of its
life, and what isn't a level when it has lasted for as long as the sensor was known otherwise. The time of one doesn't
count for the other: a fan that has stood still for two days and runs again hasn't been at that speed for two days.

What is far outside of all that was seen is hardly ever a new normal of its own accord, so a level takes longer the
farther it is from the usual range: a fridge that has been twice as warm for a day is still broken. That goes for what
was reached on the way of several readings. What is there from one reading to the next is mostly somebody's doing: a
sensor was moved, a unit or a setting changed, a tank filled.
"""

from __future__ import annotations

LEAST_PATIENCE_S = 3600.0
LIFE_SHARE = 1 / 6
"""Share of a sensor's life after which a level near its usual range is adopted, at least an hour."""

ENDURING_SHARE = 1 / 2
"""Share of a sensor's life after which a lasting condition that isn't a level, such as a stuck value, is adopted, and
one far outside of the usual range."""

FAR_WIDTHS, FAR_TIMES = 2.0, 5.0
"""A level so many widths of the usual range beyond it, or more, takes this many times as long as one that isn't beyond
it; one between takes a time between."""

KNOWN_S = 3 * 86_400.0
"""Observed time after which neither what comes and goes nor what goes away and returns is simply unknown yet."""


def patience(known_s: float, most_s: float, *, is_level: bool, beyond: float = 0.0) -> float:
    """Seconds after which a condition is adopted.

    Args:
        known_s: Seconds for which the sensor has been observed.
        most_s: Highest result for a level that isn't beyond the usual range.
        is_level: Whether it is one.
        beyond: How far the level is beyond the usual range, in widths of that.
    """
    far = min(beyond / FAR_WIDTHS, 1.0)
    share = LIFE_SHARE + far * (ENDURING_SHARE - LIFE_SHARE)
    most_s *= 1 + far * (FAR_TIMES - 1)
    of_levels = min(most_s, max(LEAST_PATIENCE_S, share * known_s))
    return of_levels if is_level else max(of_levels, ENDURING_SHARE * known_s)
