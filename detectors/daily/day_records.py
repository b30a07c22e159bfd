"""Records of days: how far the levels of the days before have gone on each side, and how far that usually differs.

Of the extremes of each level on each completed day are learned: their mean, how far they usually are from it, the
record, and of the quicker level also the inner record, to which it returns on each day.
"""

from __future__ import annotations

from typing import Any

from detectors.base import State
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import maximum, minimum, nowhere, sqrt, where

QUICK, SLOW = "hour", "quarter"
SCALES_S = {QUICK: 3600.0, SLOW: 6 * 3600.0}
"""Time constants of the levels, by prefix of their field names; shortest first."""

SIDES = {"low": -1.0, "high": 1.0}

MEMORY_DAYS = 30.0
"""Memory, in days, of the usual daily extreme and of the distance from it."""

FADING = 0.02
"""Share by which a record approaches the extreme of a day, each day."""

OF_ROOTS = 1.48
"""Standard deviation of a normal variable, relative to the squared mean of the roots of its distances from the mean.
Roots are averaged because two odd days in ten shouldn't affect the others."""

UNKNOWN = 1e300
"""Where a level returns to while that is unknown: so far on the other side that it is always there."""


def learn_days(state: State, slots: Rows, days: Numbers, is_young: Any, ended: Any) -> None:
    """Learn from the extremes of completed days.

    Args:
        state: The detector's fields.
        slots: The sensors, shape (n,), or a single one.
        days: Number of their days before, shape (n,).
        is_young: Whether a record may still move by any distance in a day, shape (n,).
        ended: Whether a day of theirs has ended, shape (n,).
    """
    is_first = nowhere(days == 0)
    newest = 1.0 / minimum(days + 1.0, MEMORY_DAYS)
    for scale in SCALES_S:
        for side, sign in SIDES.items():
            name = f"{scale}_{side}_"
            extreme, middle = state[name + "extreme"][slots], state[name + "middle"][slots]
            root, record = state[name + "root"][slots], state[name + "record"][slots]
            off, further = extreme - middle, sign * (extreme - record)
            step = where(is_young, further, minimum(further, root * root))
            learned = {
                "middle": where(is_first, extreme, middle + newest * off),
                "root": where(is_first, 0.0, root + (sqrt(abs(off)) - root) / minimum(maximum(days, 1.0), MEMORY_DAYS)),
                "record": where(is_first, extreme, record + sign * where(further > 0, step, FADING * further)),
            }
            if scale == QUICK:
                _learn_inner(state, slots, side, extreme, is_first, is_young, ended)
            for what, value in learned.items():
                state[name + what][slots] = where(ended, value, state[name + what][slots])


def _learn_inner(
    state: State, slots: Rows, side: str, extreme: Numbers, is_first: Any, is_young: Any, ended: Any
) -> None:
    """Learn how near to the middle the extreme of a day may be."""
    sign, inner, root = SIDES[side], state[f"{side}_inner"][slots], state[f"{QUICK}_{side}_root"][slots]
    usual = root * root
    unknown = nowhere(abs(inner) >= UNKNOWN)  # as of a sensor known to an earlier version
    inner = where(unknown, state[f"{QUICK}_{side}_middle"][slots] - sign * 3.0 * usual, inner)
    nearer = sign * (inner - extreme)
    step = where(is_young, nearer, minimum(nearer, usual))
    learned = where(is_first, extreme, inner - sign * where(nearer > 0, step, FADING * nearer))
    state[f"{side}_inner"][slots] = where(ended, learned, state[f"{side}_inner"][slots])
