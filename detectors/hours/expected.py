"""Expected: what is usual at a half hour, by the like days of the last two weeks.

If it and its neighbours are alike on all days, they all count. Otherwise days have kinds: those that are like the
same weekday of the last week are the ones to compare with, but only if weeks repeat themselves, which is checked by
comparing each of the last seven days with the same weekday before it. One of them may be unlike: a holiday, or an
outage; of its weekday nothing is expected a week later. A sensor whose days are irregular has no usual hours, and
nothing is expected of a half hour that was an incident's on the same weekday: that may have been a weekend.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.hours.ring import DAYS, HALVES, days_before
from detectors.numeric.arrays import Floats
from detectors.numeric.sums import sum_of_known

WEEK = 7

BESIDE = 3
"""Half hours on either side that count as well, because of daylight saving time and late starts."""

AROUND = 12
"""Half hours on either side by which days are compared."""

ENOUGH = 0.4
"""Minimum share of these that must be known: of a sensor that sends once an hour, half of them are."""

ALIKE = 0.1
"""Days are alike if their half hours differ by at most this share of the range of all on average."""

NARROW = 0.35
"""Maximum width of what is usual, as a share of that range: otherwise the hour says little."""

FEWEST_ALIKE, FEWEST_WEEKDAYS = 5.0, 5
"""Minimum number of like days, and of weekdays that are known from both weeks."""

ODD_DAYS = 1
"""Maximum number of these that may be unlike the same weekday of the other week."""

COMMON, ORDINARY = 0.1, 1 / 3
"""A level counts as ordinary at other hours if it is beyond those that this share of all half hours leaves out on both
sides by at most this share of their range."""

LEAST_SHARE = 0.04
"""Minimum of the spread of days, as a share of that range."""


class Expected(NamedTuple):
    """What is usual at a half hour, in steps of the ring; arrays of shape (n,).

    Attributes:
        days: Number of days by which it is expected; 0 if nothing is.
        low: Lowest level.
        high: Highest level.
        spread: Standard deviation of a day's lowest level, or highest, whichever is exceeded.
    """

    days: Floats
    low: Floats
    high: Floats
    spread: Floats


def expect(
    codes: NDArray[np.uint8], halves: Floats, level: Floats, strayed: NDArray[np.bool_], fewest_days: float
) -> Expected:
    """What is usual, where a level is ordinary at other hours or has passed through such levels.

    Args:
        codes: The rings' codes, shape (n, LENGTH).
        halves: Numbers of the half hours, shape (n,).
        level: The level that is judged, in steps, shape (n,).
        strayed: Whether the level of the half hour before wasn't usual, shape (n,).
        fewest_days: Number of days of which the half hour must be known.
    """
    rows = np.arange(len(codes))
    kept = np.where(codes == 0, np.nan, codes - 1.0)
    around = kept[rows[:, None, None], days_before(halves, np.arange(1, DAYS), beside=AROUND)]
    known = np.isfinite(around[:, :, AROUND])
    ordered = np.sort(kept, axis=1)
    last = np.isfinite(ordered).sum(axis=1) - 1
    reach = ordered[rows, last] - ordered[:, 0]
    aside = np.floor(COMMON * last).astype(np.intp)
    bottom, top = ordered[rows, aside], ordered[rows, last - aside]
    inside = (level >= bottom - ORDINARY * (top - bottom)) & (level <= top + ORDINARY * (top - bottom))
    beside = around[:, :, AROUND - BESIDE : AROUND + BESIDE + 1]
    lows, highs = np.fmin.reduce(beside, axis=2), np.fmax.reduce(beside, axis=2)
    of_all = _usual(known, lows, highs, level, reach, fewest_days)
    like = _like_days(around, known, reach)
    of_like = _usual(like, lows, highs, level, reach, FEWEST_ALIKE)
    today = kept[rows[:, None], days_before(halves, np.zeros(1), beside=AROUND)[:, 0, :AROUND]]
    slack = LEAST_SHARE * reach[:, None]
    left = ((today >= of_like.low[:, None] - slack) & (today <= of_like.high[:, None] + slack)).any(axis=1)
    of_like = of_like._replace(days=np.where(left, of_like.days, 0.0))
    mixed = [np.where(of_all.days > 0, one, other) for one, other in zip(of_all, of_like, strict=True)]
    found = Expected(*mixed)
    weekday = known[:, WEEK - 1] & (known[:, 2 * WEEK - 1] | (halves < 2 * WEEK * HALVES))
    return found._replace(days=np.where((inside | strayed) & weekday, found.days, 0.0))


def _like_days(around: Floats, known: NDArray[np.bool_], reach: Floats) -> NDArray[np.bool_]:
    """Which days are like the same weekday of the last week, shape (n, days).

    None are if weeks don't repeat themselves, or if that day was itself unlike the weekday before it: after a holiday
    nobody knows which of both is usual.

    Args:
        around: Levels around the half hour of each day, shape (n, days, 2 * AROUND + 1).
        known: Whether the half hour is known, shape (n, days).
        reach: Range of all half hours, shape (n,).
    """
    most = ALIKE * reach
    alike = known & known[:, WEEK - 1, None] & (_apart(around, around[:, WEEK - 1 : WEEK]) <= most[:, None])
    apart = _apart(around[:, :WEEK], around[:, WEEK:])
    both = known[:, :WEEK] & known[:, WEEK:] & np.isfinite(apart)
    repeats = both & (apart <= most[:, None])
    weekly = (both.sum(axis=1) >= FEWEST_WEEKDAYS) & (repeats.sum(axis=1) >= both.sum(axis=1) - ODD_DAYS)
    was_odd = both[:, WEEK - 1] & ~repeats[:, WEEK - 1]
    like: NDArray[np.bool_] = alike & (weekly & ~was_odd)[:, None]
    return like


def _apart(one: Floats, other: Floats) -> Floats:
    """Mean difference of half hours known of both days; infinite if these are few; shape (n, days)."""
    off = np.abs(one - other)
    both = np.isfinite(off).sum(axis=2)
    mean = sum_of_known(off) / np.maximum(both, 1)
    return np.where(both >= ENOUGH * off.shape[2], mean, np.inf)


def _usual(
    chosen: NDArray[np.bool_], lows: Floats, highs: Floats, level: Floats, reach: Floats, fewest: float
) -> Expected:
    """What is usual by the chosen days, 0 days where these are few or unlike."""
    days = chosen.sum(axis=1).astype(np.float64)
    lows, highs = np.where(chosen, lows, np.nan), np.where(chosen, highs, np.nan)
    low, high = np.fmin.reduce(lows, axis=1), np.fmax.reduce(highs, axis=1)
    ends = np.where((level < low)[:, None], lows, highs)
    count = np.maximum(days, 2.0)
    mean = sum_of_known(ends) / count
    squares = sum_of_known((ends - mean[:, None]) ** 2)
    spread = np.maximum(np.sqrt(squares / (count - 1.0)), LEAST_SHARE * reach)
    usable = (days >= fewest) & (high - low <= NARROW * reach)
    return Expected(np.where(usable, days, 0.0), low, high, spread)
