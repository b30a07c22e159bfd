"""Weeks: how far a sensor has moved over one week and over two, and how surprising that is after the weeks before.

Each day is compared with the same weekday a week, or two weeks, before. The median of the last seven comparisons is the
movement; its surprise is the tail of Student's t at its distance from the earlier comparisons, in the spread of such
medians. Weather, seasons and tanks move a sensor as far every few weeks, so these aren't surprising.

The spread of medians follows from that of single comparisons and from how alike neighbouring ones are. The more alike,
the fewer independent ones there have been, down to one a week. Source: J. von Neumann, "Distribution of the ratio of
the mean square successive difference to the variance", Annals of Mathematical Statistics 12 (4), 1941.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats
from detectors.numeric.medians import median_of_known
from detectors.numeric.sums import sum_of_known
from detectors.numeric.surprise import student_tail

WEEK = 7
LAGS = (WEEK, 2 * WEEK)
"""Days between the compared ones."""

RECENT = 3
"""Comparisons of as many days before the last week are already part of the present movement."""

FEWEST = 11
"""Minimum number of earlier comparisons."""

OF_ROOTS = 1.48
"""Standard deviation of a normal variable, relative to the squared mean of the roots of its distances. Roots are
averaged because two odd days in ten shouldn't affect the others."""

LEAST_SHARE = 0.01
"""Minimum of the spread, as a share of the distance between the lowest and the highest day."""

MARGIN, LEAST_ALIKE = 2.0, 0.25
"""How much more alike neighbouring comparisons may be than they seem, divided by the root of their number, and the
least that is believed."""

AVERAGED = 0.22
"""Variance of the median of seven independent comparisons, relative to one."""

SMOOTHING = 2
"""A comparison is replaced by the median of it and so many on either side, which two days of rest don't change."""

LATELY, NEWEST = 5, 3
"""Number of the last days on which a trend must go on, and of those of which one must."""

NEW_GROUND, STEEPEST, GOES_ON, SETBACK = 0.5, 0.45, 0.8, 0.25
"""As shares of the movement: how far the median day must be beyond all earlier ones of its weekday, the most that the
sensor may move in one day, the least that it has moved lately; how far the last day may have moved back, and
the least that one of the newest days has moved, which is more than a weekend."""

ONCE_TOLD = 0.5
"""Share of the first and the third of these that is enough for a trend that has been told to go on."""


class Movement(NamedTuple):
    """The movement of sensors over a number of days; arrays of shape (n,).

    Attributes:
        score: Decades of surprise; 0 where it isn't a trend, and the rest may be anything.
        before: A day before it.
        after: The day of the last week that is compared with that day, which has moved as far as the median one.
        low: The lowest day before that day.
        high: The highest one.
    """

    score: Floats
    before: Floats
    after: Floats
    low: Floats
    high: Floats


def movement_of(days: Floats, lag: int, told: Floats) -> Movement:
    """How sensors have moved.

    Args:
        days: What is kept of each day, newest first, NaN where unknown, shape (n, days).
        lag: Days between the compared ones.
        told: The score of a trend that has been told; 0 where there is none; shape (n,).
    """
    change = days[:, :-lag] - days[:, lag:]
    moved = median_of_known(change[:, :WEEK])
    found = Movement(*np.zeros((len(Movement._fields), len(days))))
    rows = np.flatnonzero(_goes_on(days, change, moved, told))
    if len(rows):
        for place, values in zip(found, _judged(days[rows], lag, moved[rows], told[rows]), strict=True):
            place[rows] = values
    return found


def _goes_on(days: Floats, change: Floats, moved: Floats, told: Floats) -> NDArray[np.bool_]:
    """Whether sensors still move, to where they haven't been, which few do, shape (n,)."""
    way, size = np.where(moved > 0, 1.0, -1.0), np.abs(moved)
    eased = np.where(told > 0, ONCE_TOLD, 1.0) * size
    goes_on: NDArray[np.bool_] = way * median_of_known(change[:, :LATELY]) >= GOES_ON * eased
    goes_on &= way * change[:, 0] >= -SETBACK * size
    goes_on &= (way[:, None] * change[:, :NEWEST]).max(axis=1) >= SETBACK * size
    rows = np.flatnonzero(goes_on)
    goes_on[rows] = _new_ground(days[rows], way[rows]) >= NEW_GROUND * eased[rows]
    return goes_on


def _judged(days: Floats, lag: int, moved: Floats, told: Floats) -> Movement:
    """How surprising it is that sensors have `moved`, and whether they have done so gradually; see `movement_of()`."""
    change = days[:, :-lag] - days[:, lag:]
    earlier = change[:, lag + RECENT :]
    count = np.isfinite(earlier).sum(axis=1)
    usual = median_of_known(earlier)
    roots = np.sqrt(np.abs(earlier - usual[:, None]))
    spread = OF_ROOTS * (sum_of_known(roots) / np.maximum(count, 1)) ** 2
    alike = _alike(earlier, spread, count)
    spread = spread * np.sqrt(AVERAGED + (1.0 - AVERAGED) * alike**2)
    widest = np.fmax.reduce(days, axis=1) - np.fmin.reduce(days, axis=1)
    way, size = np.where(moved > 0, 1.0, -1.0), np.abs(moved)
    distance = np.maximum(way * (moved - usual), 0.0) / np.maximum(spread, LEAST_SHARE * widest)
    score = student_tail(distance, np.maximum(count / (1.0 + (WEEK - 1) * alike), 1.0))
    score = np.where(count >= FEWEST, np.maximum(score, told), 0.0)
    is_trend = (score > 0) & (widest > 0) & np.isfinite(days[:, : lag + WEEK]).all(axis=1)
    is_trend &= (told > 0) | _is_gradual(change[:, : lag + WEEK], way, size)
    each, typical = np.arange(len(days)), np.argmin(np.abs(change[:, :WEEK] - moved[:, None]), axis=1)
    older = np.where(np.arange(days.shape[1]) > (typical + lag)[:, None], days, np.nan)
    low, high = np.fmin.reduce(older, axis=1), np.fmax.reduce(older, axis=1)
    return Movement(np.where(is_trend, score, 0.0), days[each, typical + lag], days[each, typical], low, high)


def _alike(earlier: Floats, spread: Floats, count: Floats) -> Floats:
    """How alike neighbouring comparisons may be, from 0 to 1, shape (n,)."""
    steps = np.sqrt(np.abs(earlier[:, :-1] - earlier[:, 1:]))
    of_steps = OF_ROOTS * (sum_of_known(steps) / np.maximum(count - 1, 1)) ** 2
    alike = 1.0 - (of_steps / np.maximum(spread, 1e-300)) ** 2 / 2.0
    found: Floats = np.clip(alike + MARGIN / np.sqrt(np.maximum(count, 1)), LEAST_ALIKE, 1.0)
    return found


def _is_gradual(change: Floats, way: Floats, size: Floats) -> NDArray[np.bool_]:
    """Whether no single day has most of a movement in it, shape (n,)."""
    padded = np.pad(change, ((0, 0), (SMOOTHING, SMOOTHING)), constant_values=np.nan)
    width = 2 * SMOOTHING + 1
    smooth = np.stack([median_of_known(padded[:, each : each + width]) for each in range(change.shape[1])], axis=1)
    steepest = np.fmax.reduce(way[:, None] * (smooth[:, :-1] - smooth[:, 1:]), axis=1)
    gradual: NDArray[np.bool_] = steepest <= STEEPEST * size
    return gradual


def _new_ground(days: Floats, way: Floats) -> Floats:
    """How far the median of the last seven days is beyond all earlier ones of its weekday, shape (n,)."""
    ahead = way[:, None] * days
    weekdays = np.stack([np.fmax.reduce(ahead[:, each + WEEK :: WEEK], axis=1) for each in range(WEEK)], axis=1)
    return median_of_known(ahead[:, :WEEK] - weekdays)
