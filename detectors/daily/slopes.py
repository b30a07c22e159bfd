"""Slopes: how far a sensor moves on within a quarter of a day and within a day, beside the days before.

A tank that leaks falls as it always does, only faster, and each of its values is ordinary. Each hour's mean is compared
with those six and 24 hours before. A change is surprising if it is beyond the largest ones of the last two weeks in the
same direction, over both spans, half as large again, gradual, and by more than these differ from day to day. It is over
when the sensor has moved hardly farther within a day than on the days before: a leak goes on at night, when less is
used. What began in an incident, or at a level that was adopted, leads back from there and isn't judged.

The fields of these functions are those of `FIELDS`, all float32 or bytes, as the history of an hour is judged once.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field
from detectors.numeric.arrays import Arrays, Floats, Slots
from detectors.numeric.sums import spread_of_known
from detectors.numeric.surprise import MOST, student_tail

SPANS = (6, 24)
"""Hours between the compared ones."""

HOURS = SPANS[-1]
"""Hours before the last one whose means are kept."""

SIDES = (-1.0, 1.0)
PLACES = tuple((span, side) for span in SPANS for side in SIDES)
"""What is kept of a day: its largest fall and its largest rise, over each span."""

KEPT = 14
"""Number of days that are kept, so that each weekday is known twice."""

FEWEST = 7
"""Number of days of which changes must be known."""

MARGIN, GOES_ON = 1.5, 1.25
"""Minimum of a change, as a multiple of the largest one before; and of one over a day that has been told."""

GRADUAL = 0.5
"""Most of a change that may happen from one hour to the next: what jumps is left to other detectors."""

LEAST = 0.1
"""Minimum of the deviation between days, as a share of the largest change."""

OCCASIONS = 1.0
"""Decades subtracted from the value of a record because each hour of a day may set one."""

NEWS = 72
"""Hours for which a slope is news; then it is learned."""

NONE = -1e38
"""Largest change of a day on which none was learned."""

FIELDS = {
    "means": Field(dtype="f4", width=HOURS, learned=False, later=True),
    "known_hours": Field(dtype="u1", learned=False, later=True),
    "clean_hours": Field(dtype="u1", learned=False, later=True),
    "spoilt": Field(dtype="u1", learned=False, later=True),
    "slopes": Field(dtype="f4", width=len(PLACES) * KEPT, learned=False, later=True),
    "slopes_today": Field(NONE, dtype="f4", width=len(PLACES), learned=False, later=True),
    "known_days": Field(dtype="u1", learned=False, later=True),
    "steep": Field(dtype="f4", learned=False, later=True),
    "steep_hours": Field(dtype="u1", learned=False, later=True),
    "steep_place": Field(dtype="u1", learned=False, later=True),
    "steep_change": Field(dtype="f4", learned=False, later=True),
    "steep_most": Field(dtype="f4", learned=False, later=True),
}
"""Means of the last hours and the largest changes of the last days, both from the newest; what was found, in decades,
by how much the sensor has changed, and the largest change before."""


class SlopeVerdict(NamedTuple):
    """What the changes over one span in one direction say; arrays of shape (n,).

    Attributes:
        score: Decades of surprise; 0 where it isn't surprising.
        most: Largest change of the days before.
        is_beyond: Whether the change is larger than that.
        is_far: Whether it is large enough to go on.
    """

    score: Floats
    most: Floats
    is_beyond: NDArray[np.bool_]
    is_far: NDArray[np.bool_]


def end_hours(arrays: Arrays, floor: float, slots: Slots, mean: Floats, passed: Floats) -> None:
    """Judge and keep hours that have ended, and learn from them.

    Args:
        arrays: Those of `FIELDS`.
        floor: Decades from which on a slope may have been told.
        slots: Rows of the sensors, shape (n,).
        mean: Mean of their last hour with readings, shape (n,).
        passed: Number of hours that have ended since; those without readings are taken to have had the same mean.
    """
    mean = mean.astype(np.float32).astype(np.float64)
    for hour in range(int(min(passed.max(), HOURS + 1.0))):
        ended = np.flatnonzero(passed > hour)
        _end_hour(arrays, floor, slots[ended], mean[ended])
    arrays["spoilt"][slots] = 0


def end_days(arrays: Arrays, slots: Slots) -> None:
    """Keep the largest changes of a day that has ended, if any was learned."""
    today = arrays["slopes_today"][slots]
    some = (today > NONE).any(axis=1)
    if not some.any():
        return
    slots, today = slots[some], today[some]
    kept = arrays["slopes"][slots].reshape(len(slots), len(PLACES), KEPT)
    kept = np.concatenate([today[:, :, None], kept[:, :, :-1]], axis=2)
    arrays["slopes"][slots] = kept.reshape(len(slots), -1)
    arrays["known_days"][slots] = np.minimum(arrays["known_days"][slots] + 1, KEPT)
    arrays["slopes_today"][slots] = NONE


def adopt(arrays: Arrays, row: int) -> None:
    """Begin anew to judge a sensor whose level is adopted, or is left for the one before."""
    arrays["clean_hours"][row], arrays["steep"][row] = 0, 0.0


def _end_hour(arrays: Arrays, floor: float, slots: Slots, mean: Floats) -> None:
    before = arrays["means"][slots].astype(np.float64)
    course = np.concatenate([mean[:, None], before], axis=1)
    clean = np.where(arrays["spoilt"][slots] > 0, 0, np.minimum(arrays["clean_hours"][slots], HOURS) + 1)
    is_known = arrays["known_hours"][slots] >= HOURS
    found = _judge_sides(arrays, floor, slots, course, is_known, clean > HOURS)
    told = found["steep"].astype(np.float32) >= floor  # as it will be kept
    hours = np.where(told, np.minimum(arrays["steep_hours"][slots], NEWS) + 1, 0)
    arrays["means"][slots] = course[:, :HOURS]
    arrays["known_hours"][slots] = np.minimum(arrays["known_hours"][slots], HOURS - 1) + 1
    arrays["clean_hours"][slots], arrays["steep_hours"][slots] = clean, hours
    for name, values in found.items():
        arrays[name][slots] = values
    is_news = told & (hours <= NEWS)
    today = arrays["slopes_today"][slots]
    for place, (span, side) in enumerate(PLACES):
        learned = is_known & ~is_news & (clean > span)
        change = side * (course[:, 0] - course[:, span])
        today[:, place] = np.where(learned, np.maximum(today[:, place], change), today[:, place])
    today[is_news] = NONE  # nor is the part of the day in which it began
    arrays["slopes_today"][slots] = today


def _judge_sides(
    arrays: Arrays,
    floor: float,
    slots: Slots,
    course: Floats,
    is_known: NDArray[np.bool_],
    is_clean: NDArray[np.bool_],
) -> dict[str, Floats]:
    """The most surprising change of each sensor, or the one that goes on; none that leads back from an incident."""
    kept = arrays["slopes"][slots].astype(np.float64).reshape(len(slots), len(PLACES), KEPT)
    is_kept = (kept > NONE) & (np.arange(KEPT) < arrays["known_days"][slots][:, None])[:, None]
    kept = np.where(is_kept, kept, math.nan)
    told, told_place = arrays["steep"][slots].astype(np.float64), arrays["steep_place"][slots]
    told = np.where(told >= floor, told, 0.0)
    found = {name: np.zeros(len(slots)) for name in ("steep", "steep_place", "steep_change", "steep_most")}
    for first, side in enumerate(SIDES):
        places = range(first, len(PLACES), len(SIDES))
        quick, slow = verdicts = [_judged(kept[:, place], side * course, PLACES[place][0]) for place in places]
        was_told = (told > 0) & (told_place % len(SIDES) == first)
        goes_on = is_known & slow.is_beyond & ((is_clean & quick.is_beyond) | (was_told & slow.is_far))
        for place, verdict in zip(places, verdicts, strict=True):
            score = np.where(was_told & (PLACES[place][0] == HOURS), np.maximum(verdict.score, told), verdict.score)
            better = goes_on & (score > found["steep"])
            change = course[:, 0] - course[:, PLACES[place][0]]
            found["steep"] = np.where(better, score, found["steep"])
            found["steep_place"] = np.where(better, float(place), found["steep_place"])
            found["steep_change"] = np.where(better, change, found["steep_change"])
            found["steep_most"] = np.where(better, side * verdict.most, found["steep_most"])
    return found


def _judged(kept: Floats, course: Floats, span: int) -> SlopeVerdict:
    """Compare the change of the last hours with the largest ones of the days before.

    Args:
        kept: The largest change of each day, from the newest, NaN where unknown; shape (n, KEPT).
        course: Means of hours, from the newest, with a sign that makes the change a rise; shape (n, more than span).
        span: Number of hours of the change.
    """
    days = np.isfinite(kept).sum(axis=1).astype(np.float64)
    most, change = np.fmax.reduce(kept, axis=1), course[:, 0] - course[:, span]
    is_beyond = (days >= FEWEST) & (most > 0) & (change > most)
    score, rows = np.zeros(len(days)), np.flatnonzero(is_beyond & (change >= MARGIN * most))
    if len(rows):  # of few sensors, at few hours
        score[rows] = _surprise(kept[rows], course[rows, : span + 1], days[rows], most[rows])
    return SlopeVerdict(score, most, is_beyond, is_beyond & (change >= GOES_ON * most))


def _surprise(kept: Floats, course: Floats, days: Floats, most: Floats) -> Floats:
    """Decades of a change that is beyond the largest one of so many days; 0 of one that isn't gradual."""
    change = course[:, 0] - course[:, -1]
    spread = np.maximum(spread_of_known(kept, days), LEAST * most)
    tail = student_tail((change - most) / spread, days - 1.0)
    decades = np.clip(np.log10(days + 1.0) - OCCASIONS + tail, 0.0, MOST)
    largest = (course[:, :-1] - course[:, 1:]).max(axis=1)
    return np.where(largest <= GRADUAL * change, decades, 0.0)
