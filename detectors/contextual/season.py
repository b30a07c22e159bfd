"""Season: usual values for the time of day and week.

A day has half-hour bins, each with a fast mean, a slow mean, and the variance around the slow one. Each part of the
week has an offset to the day. A value is compared with the day, and, once the part of the week has been seen in an
earlier week, also with both together; the smaller difference counts, so neither a rest on Sundays nor the following
Monday is surprising.

This gives two streams. *Season level*: the mean of the recent residuals over its usual size, for a lasting level that
is wrong for the time of day. *Hour residual*: the size of this residual over the bin's usual one, which is sharper but
blind to small shifts.

The rate at which a bin's means follow is defined for a whole visit and divided among its readings, whose number follows
from the sensor's interval. A new season has no residual before its second reading.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detectors.base import Field, State
from detectors.contextual.steps import Age, StepStatistics
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import (
    NOTHING,
    any_of,
    common,
    everywhere,
    floor,
    maximum,
    minimum,
    nowhere,
    quotient,
    remainder,
    sqrt,
    where,
)
from detectors.numeric.gather import as_one, exchange, part_at, put_part, rows_at

DAY_S = 86_400.0
DAY_BINS = 48
BIN_S = DAY_S / DAY_BINS
WEEK_BINS = 42
PART_S = 7 * DAY_S / WEEK_BINS
WEEK_START_S = 4 * DAY_S
"""The epoch is a Thursday, this is a Monday."""

MOST_BINS = 1e12
"""Bins since the epoch beyond which a time is ignored."""

QUICK = 0.5
"""Weight of a visit in the fast mean of its bin."""

SLOW = 0.2
WEEKLY = 0.4

SEEN = 1.2
"""Number of visits before a part of the week is known."""

LEVEL_STEPS = 24
"""Number of residuals averaged in the season level."""

BIN_PRIOR = 20.0
"""Prior weight, in steps, of the variance of all bins in that of one."""

BIN_MOST = 200.0
LEVEL_WARM_UP = 51.0
SUM_ROUNDING = 1e-6
"""The sum of the recent residuals is recomputed when this share of the largest of them exceeds the usual residual."""

ROUNDING = 1e-12
"""Maximum relative rounding error of a mean of equal values."""


class Season(NamedTuple):
    """The season's results for steps; all arrays have shape (m,).

    Attributes:
        level: Mean residual over its usual size.
        hour: Residual over its usual size at this hour.
        expected: Usual value, minus the sensor's first value.
        spread: Standard deviation around it; 0 if unknown.
    """

    level: Numbers
    hour: Numbers
    expected: Numbers
    spread: Numbers


def season_layout() -> dict[str, Field]:
    """The state fields of the two streams."""
    return {
        "day": Field(width=DAY_BINS * 4, by_element=True),
        "week": Field(width=WEEK_BINS * 2, by_element=True),
        "residuals": Field(width=LEVEL_STEPS, learned=False, by_element=True),
        "residual_sum": Field(learned=False, later=True),
        "residual_most": Field(math.inf, learned=False, later=True),
        "level_square": Field(),
        "residual_square": Field(),
    }


def season(state: State, step: StepStatistics, age: Age) -> Season:
    """Score steps by the usual values for their time, then learn.

    Args:
        state: The detector's state.
        step: The completed steps.
        age: Age of the sensors in steps.
    """
    slots, value = step.slots, step.value
    day_at, week_at = _bins_at(step.time)
    seen, quick, slow, variance = part_at(state["day"], slots, day_at, 4)
    weeks, offset = part_at(state["week"], slots, week_at, 2)

    interval = maximum(state["interval"][slots], 1e-3)
    visit = maximum(BIN_S / interval, 1.0)
    part = maximum(PART_S / interval, 1.0)
    known = everywhere(seen >= 2)
    from_quick, from_slow = value - quick, value - slow
    off_day, off_week, off = _without_rounding(from_quick, from_quick - offset, from_slow, ROUNDING * abs(value))
    weekly = nowhere((weeks >= SEEN * part) & (abs(off_week) < abs(off_day)))
    level = _level(state, step, age, where(known, where(weekly, off_week, off_day), 0.0))

    off = where(known if known is True else everywhere(seen >= 1), off, 0.0)
    usual = state["residual_square"][slots]
    trusted = minimum(seen, BIN_MOST)
    spread = sqrt((trusted * variance + BIN_PRIOR * usual) / (trusted + BIN_PRIOR))
    hour = quotient(abs(off), spread)

    square = off * off
    state["residual_square"][slots] = usual + age.share * (square - usual)
    expected = where(known, quick + 0.0, NOTHING)
    seen = seen + 1.0
    newest = 1.0 / seen
    quickly = maximum(share_of_a_visit(QUICK, visit), newest)
    slowly = maximum(share_of_a_visit(SLOW, visit), newest)
    put_part(
        state["day"],
        slots,
        day_at,
        (
            seen,
            quick + quickly * from_quick,
            slow + slowly * from_slow,
            variance + slowly * (square - variance),
        ),
    )
    weeks = weeks + 1.0
    weekly_share = maximum(share_of_a_visit(WEEKLY, part), 1.0 / weeks)
    learned = offset + weekly_share * (where(known, off_day, 0.0) - offset)
    put_part(state["week"], slots, week_at, (weeks, learned))
    return Season(level, hour, expected, spread)


def _bins_at(times: Numbers) -> tuple[Rows, Rows]:
    """Bin of the day and part of the week of each time; scalars if all are equal, as is usual."""
    bins = common(floor(times / BIN_S))
    bins = where(everywhere(abs(bins) < MOST_BINS), bins, 0.0)
    parts = floor((bins - WEEK_START_S / BIN_S) / (PART_S / BIN_S))
    return remainder(bins, DAY_BINS), remainder(parts, WEEK_BINS)


def _level(state: State, step: StepStatistics, age: Age, residual: Numbers) -> Numbers:
    slots, square = step.slots, state["level_square"][step.slots]
    gone = exchange(state["residuals"], slots, remainder(age.seen, LEVEL_STEPS), residual)
    steps = LEVEL_STEPS if age.settled else minimum(age.seen + 1.0, LEVEL_STEPS)
    mean = _sum_of_residuals(state, slots, residual, gone, square) / steps
    state["level_square"][slots] = square + age.share * (mean * mean - square)
    return where(age.beyond(LEVEL_WARM_UP), quotient(abs(mean), sqrt(square)), 0.0)


def _sum_of_residuals(state: State, slots: Rows, residual: Numbers, gone: Numbers, usual_square: Numbers) -> Numbers:
    """The sum of the recent residuals, updated with a new one that replaces another."""
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
    """The weight of one step in a mean where all `steps` of a visit together have weight `share`.

    The exact weight is 1 - (1 - share) ** (1 / steps); this is at most 1 % less, with only two operations.
    """
    rate = -math.log1p(-share)
    return rate / (steps + (rate / share - 1.0))


def _without_rounding(off_day: Numbers, off_week: Numbers, off: Numbers, least: Numbers) -> tuple[Numbers, ...]:
    """The three differences, or 0 where they are no larger than `least`."""
    if not any_of(minimum(minimum(abs(off_day), abs(off_week)), abs(off)) <= least):
        return off_day, off_week, off
    return tuple(where(nowhere(abs(each) <= least), 0.0, each) for each in (off_day, off_week, off))
