"""Hours: a level that is ordinary at other hours, but not at this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.base import Detector, Field, Scores, State, no_opinion
from detectors.hours.expected import BESIDE, WEEK, expect
from detectors.hours.ring import DAYS, HALVES, LENGTH, UNKNOWN, Ring, days_before, ends, keep
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, constant_like, everywhere, nowhere, where
from detectors.numeric.gather import whole_arrays
from detectors.numeric.surprise import MOST, student_tail
from detectors.parameters import parameter

HALF_S = 1800.0

NO_SCORE = -1.0
"""Stored score of a sensor without an opinion."""

OCCASIONS = 1.5
"""Decades subtracted from the value of a record because each hour of a day may set one, on either side."""

CLEARLY = 0.1
"""Minimum distance from what was usual a week before, as a share of the range of all half hours."""

LARGEST = 1e30
"""What is kept of a half hour is clamped to this magnitude."""

LAST_WEEK = np.array([WEEK])

STRAYED = 2.0
"""A level as surprising as this has strayed: it is judged wherever it goes then, and if it is adopted, the days before
are forgotten."""


@dataclass(frozen=True)
class Hours(Detector):
    """Finds a level that is beyond those of the same hour on all like days of the last two weeks.

    The mean over each half hour is compared with those of the same hour on the days before
    (`detectors.hours.expected`): with all of them or, if weeks repeat themselves, with those that are like this day
    of the last week. What was seen at other hours, on days of another kind or in another season doesn't count. What is
    far beyond all hours is left to other detectors.

    Catches: a heating or an oven that fails when it should be on, a machine that stops in its shift or runs at night,
        although other hours have the same values.
    Blind to: sensors whose hours aren't alike from day to day or from week to week; weekends of their own; a shift that
        doesn't begin, if some days have none; the first week, or two if days are of several kinds, and as
        many after a level was adopted; half hours that an incident had on the same weekday of the last two weeks.
    Contamination: a half hour in which an incident was open isn't learned; any other is forgotten after two weeks.
    Warm-up: 7 days.
    State: 800 bytes per sensor.
    Cost: 6 array operations per round, about 40 per half hour, and 200 where a level is far from that of a week before.
    Source: records of exchangeable sequences, N. Glick, "Breaking records and breaking boards", American Mathematical
        Monthly 85 (1), 1978.
    Differs: the tail beyond a record is Student's, because few days give little evidence of their variation.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Hours(), rows=1)
    >>> def reading(hour, value):
    ...     return table.update(np.array([0]), np.array([value]), np.array([3600.0 * hour])).score[0]
    >>> usual = [reading(hour, 140.0 if 6 <= hour % 24 < 22 else 6.0 + hour % 7 / 50) for hour in range(250)]
    >>> bool(max(usual[200:]) < 2)
    True
    >>> bool(max(reading(hour, 6.0) for hour in range(250, 254)) > 3)
    True
    """

    fewest_days: float = parameter(
        7.0, "Days of which an hour must be known before it is judged.", unit="days", at_least=5, at_most=DAYS - 1
    )

    name: ClassVar[str] = "hours"
    kind: ClassVar[str] = "contextual"
    catches: ClassVar[frozenset[str]] = frozenset()
    floor: ClassVar[float] = 3.0
    is_daily: ClassVar[bool] = True
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`; `spoilt` is the number of the last reading that an incident was open at, 0 for none."""
        return {
            "ends": Field(learned=False, moment=True),
            "begun": Field(learned=False, moment=True),
            "total": Field(learned=False),
            "readings": Field(learned=False),
            "spoilt": Field(learned=False),
            "score": Field(NO_SCORE, learned=False),
            "low": Field(learned=False),
            "high": Field(learned=False),
            "base": Field(learned=False),
            "step": Field(1.0, learned=False),
            "codes": Field(dtype="u1", width=LENGTH, learned=False),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        ended = nowhere(times >= state["ends"][slots])
        if ended is not False:
            chosen = np.flatnonzero(ended)
            _end_halves(
                whole_arrays(state), self.fewest_days, np.atleast_1d(slots)[chosen], np.atleast_1d(times)[chosen]
            )
        state["total"][slots] = state["total"][slots] + values
        state["readings"][slots] = state["readings"][slots] + 1.0
        score = state["score"][slots]
        told = nowhere(score > 0)
        score = where(everywhere(score >= 0), score, NOTHING)
        if told is False:
            return no_opinion(values).with_score(score)
        low, high = (where(told, state[name][slots], NOTHING) for name in ("low", "high"))
        score = where(told & (values >= low) & (values <= high), 0.0, score)
        return Scores(score, constant_like(values, NOTHING), low, high)

    def held_back(self, state: State, slots: Rows) -> None:
        """See `Detector`."""
        state["spoilt"][slots] = state["readings"][slots]

    def adopt(self, arrays: Arrays, row: int, value: float) -> None:
        """See `Detector`; a level that is usual for this hour, and has been for the hours before, is no news."""
        half = np.array([np.round((arrays["ends"][row] - arrays["begun"][row]) / HALF_S) - 1.0])
        low, high = ends(arrays["codes"][row, days_before(half, np.arange(1, DAYS), beside=BESIDE).ravel()])
        level = (value - arrays["base"][row]) / arrays["step"][row]
        if arrays["score"][row] >= STRAYED or not low - 0.5 <= level <= high + 0.5:
            arrays["codes"][row], arrays["score"][row] = UNKNOWN, NO_SCORE
            arrays["begun"][row] = arrays["ends"][row] - HALF_S

    def warm_up_s(self, interval: Floats) -> Floats:
        """See `Detector`."""
        return np.full(len(interval), self.fewest_days * HALVES * HALF_S)


def _end_halves(arrays: Arrays, fewest_days: float, slots: Slots, times: Floats) -> None:
    """Judge and keep the half hours that have ended, and begin the next."""
    ended = arrays["ends"][slots]
    began = np.floor(times / HALF_S) * HALF_S
    readings = arrays["readings"][slots]
    some = np.flatnonzero(readings > 0)
    if len(some) < len(slots):
        arrays["begun"][slots[ended == 0]] = began[ended == 0]
    if len(some):
        rows = slots[some]
        mean = np.clip(arrays["total"][rows] / readings[some], -LARGEST, LARGEST)
        # Half hours are counted from the first one, so that a clock that is set doesn't move what is kept.
        half = np.round((ended - arrays["begun"][slots])[some] / HALF_S) - 1.0
        _end_half(arrays, fewest_days, rows, mean, half)
        _empty(arrays["codes"], rows, half, np.round((began - ended)[some] / HALF_S))
    arrays["ends"][slots] = began + HALF_S
    for name in ("total", "readings", "spoilt"):
        arrays[name][slots] = 0.0


def _empty(codes: NDArray[np.uint8], slots: Slots, half: Floats, missing: Floats) -> None:
    """Forget what is in the places of half hours without a reading after some: it is of days long ago."""
    missing = np.minimum(missing, LENGTH)
    for each in range(1, int(missing.max()) + 1):
        empty = missing >= each
        codes[slots[empty], np.mod(half[empty] + each, LENGTH).astype(np.intp)] = UNKNOWN


def _end_half(arrays: Arrays, fewest_days: float, slots: Slots, mean: Floats, halves: Floats) -> None:
    """Judge and keep the means of half hours that have ended."""
    ring = Ring(arrays["codes"][slots], arrays["base"][slots], arrays["step"][slots])
    spoilt = arrays["spoilt"][slots]
    judged = halves >= fewest_days * HALVES
    score = np.where(judged, 0.0, NO_SCORE)
    # A half hour in which an incident has ended is half of that incident.
    known = np.flatnonzero(judged & ((spoilt == 0) | (spoilt == arrays["readings"][slots])))
    if len(known):
        level = (mean - ring.base) / ring.step
        new = known[_are_new(ring.codes[known], halves[known], level[known])]
        if len(new):
            found = _judged(arrays, slots[new], ring.at(new), mean[new], halves[new], fewest_days)
            score[new] = np.where(found > 0, found, score[new])
    arrays["score"][slots] = score
    places = np.mod(halves, LENGTH).astype(np.intp)
    learned = np.flatnonzero(spoilt == 0)
    arrays["codes"][slots[spoilt > 0], places[spoilt > 0]] = UNKNOWN
    if len(learned):
        rows = slots[learned]
        kept = keep(ring.at(learned), places[learned], mean[learned])
        for name, part in kept._asdict().items():
            arrays[name][rows] = part


def _judged(arrays: Arrays, slots: Slots, ring: Ring, mean: Floats, halves: Floats, fewest_days: float) -> Floats:
    """The scores of half hours whose level is new, and what was expected of them."""
    level = (mean - ring.base) / ring.step
    before = arrays["score"][slots]
    usual = expect(ring.codes, halves, level, before >= STRAYED, fewest_days)
    knows = usual.days > 0
    off = np.maximum(np.maximum(usual.low - level, level - usual.high), 0.0)
    tail = student_tail(off / usual.spread, np.maximum(usual.days - 1.0, 1.0))
    rare = np.clip(np.log10(usual.days + 1.0) - OCCASIONS + tail, 0.0, MOST)
    # A half hour of which nothing is expected doesn't end what was told before.
    low, high = (
        np.where(knows, ring.base + steps * ring.step, arrays[name][slots])
        for name, steps in (("low", usual.low), ("high", usual.high))
    )
    goes_on = (mean < low) | (mean > high)
    arrays["low"][slots], arrays["high"][slots] = low, high
    return np.where(knows, np.where(off > 0, rare, 0.0), np.where(goes_on, before, 0.0))


def _are_new(codes: NDArray[np.uint8], halves: Floats, level: Floats) -> Slots:
    """Which levels are far from what was usual a week before, or that is unknown.

    Args:
        codes: The rings' codes, shape (n, LENGTH).
        halves: Numbers of the half hours, shape (n,).
        level: Their means, in steps, shape (n,).
    """
    places = days_before(halves, LAST_WEEK, beside=BESIDE)[:, 0]
    beside = codes[np.arange(len(codes))[:, None], places]
    low, high = ends(beside)
    off = np.maximum(low - level, level - high)
    rows = np.flatnonzero((off > 0) | (beside[:, BESIDE] == UNKNOWN))
    if len(rows):
        lowest, highest = ends(codes[rows])
        rows = rows[(off[rows] > CLEARLY * (highest - lowest)) | (beside[rows, BESIDE] == UNKNOWN)]
    return rows
