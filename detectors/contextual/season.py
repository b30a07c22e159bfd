"""Season: what is usual at this time of day and of week.

A day has half-hour bins, each with a mean that follows quickly, a mean that follows slowly, and the variance around the
slow one. Parts of the week keep what they add to the day. A value is held against the day, and, once the part of the
week has been seen in an earlier week, against both together; the nearer of the two counts, so that a rest on Sundays is
no surprise, and the Monday after it neither.

Two streams come of it. *Season level*: the mean of the last residuals over its usual size; a level that is off for the
time of day, lasting. *Hour residual*: the size of this residual over the bin's usual one; sharper, and blind to shifts
that are small.

How fast a bin's means follow is set for a whole visit of it and shared among its readings, as many as the sensor's
interval makes of half an hour. A season never seen has no residual: it says nothing until its second reading.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from detectors.arithmetic import (
    NOTHING,
    any_of,
    everywhere,
    floor,
    maximum,
    minimum,
    nowhere,
    remainder,
    sqrt,
    where,
)
from detectors.base import Field, Numbers, Rows, State
from detectors.contextual.steps import Step
from detectors.rows import array_of, as_one, exchange, rows_at

DAY_S = 86_400.0
DAY_BINS = 48
BIN_S = DAY_S / DAY_BINS
WEEK_BINS = 42
PART_S = 7 * DAY_S / WEEK_BINS
WEEK_START_S = 4 * DAY_S
"""The epoch is a Thursday, this is a Monday."""

QUICK = 0.5
"""Share of a visit in the quick mean of its bin."""

SLOW = 0.2
WEEKLY = 0.4

SEEN = 1.2
"""Visits of a part of the week before it is known."""

LEVEL_STEPS = 24
"""Residuals in the mean that the season level is."""

BIN_PRIOR = 20.0
"""Steps that speak for the variance of all bins in that of one."""

BIN_MOST = 200.0
LEVEL_WARM_UP = 50.0
SUM_ROUNDING = 1e-6
"""The sum of the last residuals is worked out anew where one of them was so many times as large as is usual."""

ROUNDING = 1e-12
"""A mean of equal values differs from them by less than this share, by rounding alone."""


class Season(NamedTuple):
    """What the season says of steps; all arrays have shape (m,).

    Attributes:
        level: The mean residual over its usual size.
        hour: The residual over its usual size at this hour.
        expected: What was usual, less the sensor's first value.
        spread: Standard deviation around it; 0 if none is known.
    """

    level: Numbers
    hour: Numbers
    expected: Numbers
    spread: Numbers


def season_layout() -> dict[str, Field]:
    """The fields that the two streams need in a detector's state."""
    return {
        "day": Field(width=DAY_BINS * 4),
        "week": Field(width=WEEK_BINS * 2),
        "residuals": Field(width=LEVEL_STEPS, learned=False),
        "residual_sum": Field(learned=False, later=True),
        "residual_most": Field(math.inf, learned=False, later=True),
        "level_square": Field(),
        "residual_square": Field(),
    }


def season(state: State, step: Step, share: Numbers, count: Numbers, place: Numbers) -> Season:
    """Score steps by what is usual at their time, then learn.

    Args:
        state: The detector's state.
        step: The steps.
        share: Of the step in what is learned of all hours.
        count: Steps learned before.
        place: Steps seen before, learned or not.
    """
    slots, value = step.slots, step.value
    moment = where(everywhere(abs(step.time) < 1e15), step.time, 0.0)
    day_at = remainder(floor(moment / BIN_S), DAY_BINS)
    week_at = remainder(floor((moment - WEEK_START_S) / PART_S), WEEK_BINS)
    seen, quick, slow, variance = _bin(state["day"], slots, day_at, 4)
    weeks, offset = _bin(state["week"], slots, week_at, 2)

    interval = maximum(state["interval"][slots], 1e-3)
    visit = maximum(DAY_S / DAY_BINS / interval, 1.0)
    part = maximum(7 * DAY_S / WEEK_BINS / interval, 1.0)
    least = ROUNDING * abs(value)
    known = everywhere(seen >= 2)
    off_day = _without_rounding(value - quick, least)
    off_week = _without_rounding(off_day - offset, least)
    weekly = nowhere((weeks >= SEEN * part) & (abs(off_week) < abs(off_day)))
    off_known = where(known, off_day, 0.0)
    level = _level(state, step, share, count, place, where(known, where(weekly, off_week, off_day), 0.0))

    off = where(everywhere(seen >= 1), _without_rounding(value - slow, least), 0.0)
    usual = state["residual_square"][slots]
    trusted = minimum(seen, BIN_MOST)
    spread = sqrt((trusted * variance + BIN_PRIOR * usual) / (trusted + BIN_PRIOR))
    hour = where(everywhere(spread > 0), abs(off) / maximum(spread, 1e-200), 0.0)

    square = off * off
    state["residual_square"][slots] = usual + share * (square - usual)
    newest = 1.0 / (seen + 1.0)
    quickly = maximum(share_of_a_visit(QUICK, visit), newest)
    slowly = maximum(share_of_a_visit(SLOW, visit), newest)
    _put(
        state["day"],
        slots,
        day_at,
        minimum(seen + 1.0, 1e9),
        quick + quickly * (value - quick),
        slow + slowly * (value - slow),
        variance + slowly * (square - variance),
    )
    weekly_share = maximum(share_of_a_visit(WEEKLY, part), 1.0 / (weeks + 1.0))
    learned = offset + weekly_share * (off_known - offset)
    _put(state["week"], slots, week_at, minimum(weeks + 1.0, 1e9), learned)
    return Season(level, hour, where(known, quick, NOTHING), spread)


def _bin(bins: Any, slots: Rows, at: Rows, width: int) -> Any:
    """The elements of a bin of each row."""
    if type(slots) is int:
        return bins[slots, at * width : (at + 1) * width].tolist()
    table = array_of(bins)
    return table.reshape(-1, width).take(slots * (table.shape[1] // width) + at, axis=0).T


def _put(bins: Any, slots: Rows, at: Rows, *elements: Numbers) -> None:
    """Write the elements of a bin of each row; an element at a time is quicker than a row at a time."""
    table = array_of(bins)
    flat, first = table.reshape(-1), slots * table.shape[1] + at * len(elements)
    for index, element in enumerate(elements):
        flat[first + index] = element


def _level(state: State, step: Step, share: Numbers, count: Numbers, place: Numbers, residual: Numbers) -> Numbers:
    slots, square = step.slots, state["level_square"][step.slots]
    gone = exchange(state["residuals"], slots, remainder(place, LEVEL_STEPS), residual)
    mean = _sum_of_residuals(state, slots, residual, gone, square) / minimum(place + 1.0, LEVEL_STEPS)
    state["level_square"][slots] = square + share * (mean * mean - square)
    known = everywhere((square > 0) & (count > LEVEL_WARM_UP))
    return where(known, abs(mean) / sqrt(maximum(square, 1e-300)), 0.0)


def _sum_of_residuals(state: State, slots: Rows, residual: Numbers, gone: Numbers, usual_square: Numbers) -> Numbers:
    """The sum of the last residuals, moved along now that one has come in the place of another."""
    total = state["residual_sum"][slots] + (residual - gone)
    most = maximum(state["residual_most"][slots], abs(residual))
    least = SUM_ROUNDING * most
    doubtful = least * least > usual_square
    if any_of(doubtful):
        residuals = rows_at(state["residuals"], slots if doubtful is True else slots[doubtful])
        anew, largest = np.einsum("ij->i", residuals), np.abs(residuals).max(axis=1)
        if doubtful is True:
            total, most = as_one(anew, slots), as_one(largest, slots)
        else:
            total[doubtful], most[doubtful] = anew, largest
    state["residual_sum"][slots] = total
    state["residual_most"][slots] = most
    return total


def share_of_a_visit(share: float, steps: Numbers) -> Numbers:
    """The share of one step in a mean in which all `steps` of a visit have a `share`.

    Exactly that would be 1 - (1 - share) ** (1 / steps); this is at most 1 % less, and only two operations.
    """
    rate = -math.log1p(-share)
    return rate / (steps + (rate / share - 1.0))


def _without_rounding(difference: Numbers, least: Numbers) -> Numbers:
    """A difference, or 0 where it is no larger than `least`."""
    return where(nowhere(abs(difference) <= least), 0.0, difference)
