"""Time hints: explanations for readings that lie in the future or in a distant past."""

from __future__ import annotations

HALF_HOUR_S = 1800.0
NEARLY_S = 180.0
"""Tolerance around a whole number of half hours within which a lead looks like local time."""

MOST_AHEAD_S = 14 * 3600.0
"""Offset of the time zone furthest ahead of UTC."""

BEFORE_2000 = (
    "before 2000, as of a clock that isn't set or that counts from the sender's start; "
    'time = "arrival" of the input uses the arrival'
)


def why_implausible(time: float, arrived: float, latest: float) -> tuple[str, str]:
    """The reason and the detail for the refusal of a reading's time.

    Args:
        time: The time, seconds since the epoch.
        arrived: When it arrived.
        latest: The latest time that is plausible.
    """
    if time > latest:
        return "time_in_future", ahead_of_arrival(time - arrived)
    return "time_implausible", BEFORE_2000


def ahead_of_arrival(ahead_s: float) -> str:
    """The detail of a refusal: how far a reading is ahead of its arrival, and a likely cause.

    >>> ahead_of_arrival(7199.0)
    '7199 s ahead; these times look like local time; zone = "..." of the input says which'
    """
    text = f"{ahead_s:.0f} s ahead"
    hint = '; these times look like local time; zone = "..." of the input says which'
    return text + hint if looks_local(ahead_s) else text


def looks_local(ahead_s: float, nearly_s: float = NEARLY_S) -> bool:
    """Whether a lead over arrival suggests that a local time was mistaken for UTC.

    Args:
        ahead_s: The lead, in seconds.
        nearly_s: Tolerance around a whole number of half hours, in seconds.
    """
    halves = round(ahead_s / HALF_HOUR_S)
    return halves > 0 and ahead_s <= MOST_AHEAD_S + nearly_s and abs(ahead_s - halves * HALF_HOUR_S) <= nearly_s
