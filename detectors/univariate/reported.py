"""Reported spans: a silence or a rest that was reported is usual only if it is a habit.

An outage of two hours is no reason to wait for three hours at the next one, nor are two. What happens at the same time
of the day, such as a rest at night or at weekends, is a habit from the second time on, and as long as the shorter one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.base import Field
from detectors.numeric.arrays import Arrays, Floats, Slots

DAY_S = 86_400.0

LATEST_S = 8 * DAY_S
"""An earlier span that began longer ago is none of a habit: a weekly one is a week ago."""

SLACK_S, SLACK_SHARE = 1800.0, 0.1
"""Spans of a habit begin or end at the same time of the day up to so many seconds and such a share of their length."""

GROWTH = 1.5
"""A sensor that is irregular anyway may have been reported too soon. Nothing shows how long it is usually silent, or at
rest, but from the second time on that it may be this many times as long as was known."""


def reported_layout(*, by_arrival: bool) -> dict[str, Field]:
    """The fields of the spans of a sensor that were reported: the present one, the longest and the latest.

    Args:
        by_arrival: Whether their times don't depend on the clock that timestamps the readings.
    """
    time = Field(learned=False, later=True, moment=not by_arrival)
    length = Field(learned=False, later=True)
    return {
        "reported": length,
        "reported_longest": length,
        "reported_longest_since": time,
        "reported_latest": length,
        "reported_latest_since": time,
    }


def usual_of_reported(
    arrays: Arrays, rows: Slots, since: Floats, length: Floats, known: Floats, irregular: Any
) -> Floats:
    """How much of spans that end is usual although they were reported, in seconds, shape (n,); records them.

    Args:
        arrays: The complete arrays of the detector's state.
        rows: Rows of their sensors, shape (n,).
        since: When they began, shape (n,).
        length: Their lengths in seconds, shape (n,).
        known: The longest usual length in seconds, shape (n,).
        irregular: Whether such lengths vary for these sensors anyway, shape (n,).
    """
    usual = known.copy()
    again = np.zeros(len(rows))
    for of in ("longest", "latest"):
        before, began = arrays[f"reported_{of}"][rows], arrays[f"reported_{of}_since"][rows]
        slack = SLACK_S + SLACK_SHARE * np.maximum(length, before)
        apart, ends_apart = since - began, since + length - began - before
        is_alike = (_off(apart) <= slack) | (_off(ends_apart) <= slack)
        is_alike &= (before > 0) & (apart <= LATEST_S)
        usual = np.where(is_alike, np.maximum(usual, np.minimum(length, before)), usual)
        again = np.maximum(again, before)
    grown = np.minimum(np.minimum(length, again), GROWTH * known)
    usual = np.where(irregular, np.maximum(usual, grown), usual)
    is_longest = length >= arrays["reported_longest"][rows]
    for of, chosen in (("longest", rows[is_longest]), ("latest", rows)):
        which = is_longest if of == "longest" else slice(None)
        arrays[f"reported_{of}"][chosen], arrays[f"reported_{of}_since"][chosen] = length[which], since[which]
    return usual


def _off(apart: Floats) -> Floats:
    """How far times are from the same time of the day, in seconds, given how far they are apart, shape (n,)."""
    return np.abs(np.mod(apart + DAY_S / 2, DAY_S) - DAY_S / 2)
