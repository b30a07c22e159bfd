"""Patience: how long a condition must last until it is adopted as normal.

For a sensor that has hardly been seen new behaviour may well be normal, so a level is adopted after a share of its
life, and what isn't a level when it has lasted for as long as the sensor was known otherwise. The time of one doesn't
count for the other: a fan that has stood still for two days and runs again hasn't been at that speed for two days.
"""

from __future__ import annotations

LEAST_PATIENCE_S = 3600.0
LIFE_SHARE = 1 / 6
"""Share of a sensor's life after which a level is adopted, at least an hour."""

ENDURING_SHARE = 1 / 2
"""Share of a sensor's life after which a lasting condition that isn't a level, such as a stuck value, is adopted."""

KNOWN_S = 3 * 86_400.0
"""Observed time after which neither what comes and goes nor what goes away and returns is simply unknown yet."""


def patience(known_s: float, most_s: float, *, is_level: bool) -> float:
    """Seconds after which a condition is adopted.

    Args:
        known_s: Seconds for which the sensor has been observed.
        most_s: Highest result for a level.
        is_level: Whether it is one.
    """
    of_levels = min(most_s, max(LEAST_PATIENCE_S, LIFE_SHARE * known_s))
    return of_levels if is_level else max(of_levels, ENDURING_SHARE * known_s)
