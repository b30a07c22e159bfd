"""Time hints: what a person should know of a reading that lies in the future."""

from __future__ import annotations

HALF_HOUR_S = 1800.0
NEARLY_S = 180.0
"""So far a sender may be from a whole number of half hours ahead, and its times still look like local time."""

MOST_AHEAD_S = 14 * 3600.0
"""The zone that is furthest ahead of UTC."""


def ahead_of_arrival(ahead_s: float) -> str:
    """The detail of a refusal: how far ahead of its arrival a reading lies, and what may be the cause.

    >>> ahead_of_arrival(7199.0)
    '7199 s ahead; these times look like local time; zone = "..." of the input says which'
    """
    told = f"{ahead_s:.0f} s ahead"
    hint = '; these times look like local time; zone = "..." of the input says which'
    return told + hint if looks_local(ahead_s) else told


def looks_local(ahead_s: float, nearly_s: float = NEARLY_S) -> bool:
    """Whether a time that is so far ahead of its arrival may be local time of somewhere, taken for UTC.

    Args:
        ahead_s: How far it is ahead, in seconds.
        nearly_s: Tolerance around a whole number of half hours, in seconds.
    """
    halves = round(ahead_s / HALF_HOUR_S)
    return halves > 0 and ahead_s <= MOST_AHEAD_S + nearly_s and abs(ahead_s - halves * HALF_HOUR_S) <= nearly_s
