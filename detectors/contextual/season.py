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
    as_one,
    expm1,
    floor,
    maximum,
    minimum,
    remainder,
    rows_at,
    sqrt,
    where,
)
from detectors.base import Field, Numbers, Rows, State
from detectors.contextual.steps import Step

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
QUICKLY, SLOWLY, WEEK_BY_WEEK = (math.log1p(-share) for share in (QUICK, SLOW, WEEKLY))

SEEN = 1.2
"""Visits of a part of the week before it is known."""

LEVEL_STEPS = 24
"""Residuals in the mean that the season level is."""

BIN_PRIOR = 20.0
"""Steps that speak for the variance of all bins in that of one."""

BIN_MOST = 200.0
MEMORY = 5000.0
LEVEL_WARM_UP = 50.0
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
        "level_square": Field(),
        "residual_square": Field(),
    }


def season(state: State, step: Step, count: Numbers, place: Numbers) -> Season:
    """Score steps by what is usual at their time, then learn.

    Args:
        state: The detector's state.
        step: The steps.
        count: Steps learned before.
        place: Steps seen before, learned or not.
    """
    slots, value = step.slots, step.value
    moment = where(abs(step.time) < 1e15, step.time, 0.0)
    day_at = remainder(floor(moment / BIN_S), DAY_BINS)
    week_at = remainder(floor((moment - WEEK_START_S) / PART_S), WEEK_BINS)
    seen, quick, slow, variance = _bin(state["day"], slots, day_at, 4)
    weeks, offset = _bin(state["week"], slots, week_at, 2)

    interval = maximum(state["interval"][slots], 1e-3)
    visit = maximum(DAY_S / DAY_BINS / interval, 1.0)
    part = maximum(7 * DAY_S / WEEK_BINS / interval, 1.0)
    off_day = _without_rounding(value - quick, value)
    off_week = _without_rounding(off_day - offset, value)
    weekly = (weeks >= SEEN * part) & (abs(off_week) < abs(off_day))
    residual = where(seen >= 2, where(weekly, off_week, off_day), 0.0)
    level = _level(state, step, count, place, residual)

    off = where(seen >= 1, _without_rounding(value - slow, value), 0.0)
    usual = state["residual_square"][slots]
    trusted = minimum(seen, BIN_MOST)
    spread = sqrt((trusted * variance + BIN_PRIOR * usual) / (trusted + BIN_PRIOR))
    hour = where(spread > 0, abs(off) / maximum(spread, 1e-200), 0.0)

    square = off * off
    share = maximum(1.0 / (count + 1.0), 1.0 / MEMORY)
    state["residual_square"][slots] = usual + share * (square - usual)
    newest = 1.0 / (seen + 1.0)
    quickly = maximum(_share_of_a_visit(QUICKLY, visit), newest)
    slowly = maximum(_share_of_a_visit(SLOWLY, visit), newest)
    _put(
        state["day"],
        slots,
        day_at,
        minimum(seen + 1.0, 1e9),
        quick + quickly * (value - quick),
        slow + slowly * (value - slow),
        variance + slowly * (square - variance),
    )
    weekly_share = maximum(_share_of_a_visit(WEEK_BY_WEEK, part), 1.0 / (weeks + 1.0))
    learned = offset + weekly_share * (where(seen >= 2, off_day, 0.0) - offset)
    _put(state["week"], slots, week_at, minimum(weeks + 1.0, 1e9), learned)
    return Season(level, hour, where(seen >= 2, quick, NOTHING), spread)


def _bin(bins: Any, slots: Rows, at: Rows, width: int) -> Any:
    """The elements of a bin of each row."""
    if type(slots) is int:
        return bins[slots, at * width : (at + 1) * width].tolist()
    return bins.reshape(-1, width).take(slots * (bins.shape[1] // width) + at, axis=0).T


def _put(bins: Any, slots: Rows, at: Rows, *elements: Numbers) -> None:
    """Write the elements of a bin of each row; an element at a time is quicker than a row at a time."""
    flat = bins.reshape(-1)
    first = slots * bins.shape[1] + at * len(elements)
    for index, element in enumerate(elements):
        flat[first + index] = element


def _level(state: State, step: Step, count: Numbers, place: Numbers, residual: Numbers) -> Numbers:
    slots = step.slots
    state["residuals"][slots, remainder(place, LEVEL_STEPS)] = residual
    total = as_one(np.einsum("ij->i", rows_at(state["residuals"], slots)), slots)
    mean = total / minimum(place + 1.0, LEVEL_STEPS)
    square = state["level_square"][slots]
    share = maximum(1.0 / (count + 1.0), 1.0 / MEMORY)
    state["level_square"][slots] = square + share * (mean * mean - square)
    known = (square > 0) & (count > LEVEL_WARM_UP)
    return where(known, abs(mean) / sqrt(maximum(square, 1e-300)), 0.0)


def _share_of_a_visit(decay: float, steps: Numbers) -> Numbers:
    """The share of one step in a mean that keeps e to the power `decay` of itself over all `steps` of a visit."""
    return -expm1(decay / steps)


def _without_rounding(difference: Numbers, value: Numbers) -> Numbers:
    return where(abs(difference) <= ROUNDING * abs(value), 0.0, difference)
