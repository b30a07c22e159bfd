"""Swing: movement that vanishes, while the level stays where it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import NO_OPINION, Detector, Field, Measure, Scores, State, no_opinion
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, everywhere, nowhere, where
from detectors.numeric.gather import array_of, whole_arrays
from detectors.numeric.medians import median_of_known
from detectors.numeric.sums import spread_of_known
from detectors.numeric.surprise import MOST, student_tail
from detectors.parameters import parameter

BLOCK_S = 3 * 3600.0
A_DAY = 8
"""Length of a block in seconds, and blocks of a day."""

SPANS = (2, A_DAY)
"""Numbers of consecutive blocks whose range is judged: a quarter of a day and a day."""

KEPT = 14
"""Number of days that are kept, so that each weekday is known twice."""

NO_SCORE = -1.0
"""Stored score of a sensor without an opinion."""

NEVER = 1e300
"""Lowest value of a block without enough readings, and less than that its highest."""

UNKNOWN, NOT_YET, WIDEST = -1.0, 1e38, 1e30
"""Range of a day that isn't known, and the smallest one of a day so far without any; ranges are clamped to the last."""

FEWEST, ENOUGH, NEWEST = 2.0, 0.5, 1 / 8
"""Minimum number of readings of a block, as a number and as a share of the usual one, and the weight of a new block in
that."""

OCCASIONS = 1.0
"""Decades subtracted from the value of a record because each block of a day may set one."""

SHRUNK = 0.6
"""Share of the smallest range so far at which a movement has clearly shrunk."""

MATTERS = 0.2
"""Minimum of the smallest range of a quarter of a day, as a share of the middle range of a day: of a sensor that rests
for hours, these say little."""

CENTRAL, PACE = 1 / 4, 1 / 100
"""Maximum distance of the middle of a range from that of the usual day, as a share of the range of that: what stays at
an end of it has another level; and by how much of it an end of the usual day approaches that of the last one with each
block, so that it comes to be the median."""

LEAST = 0.1
"""Minimum standard deviation of the logarithms of days' smallest ranges."""

ROUNDING = 2.0**-20
"""Minimum difference of two values, as a share of them."""

ORDINARY = NO_OPINION.with_score(0.0)
"""The scores of a single reading while the sensor moves as usual."""


@dataclass(frozen=True)
class Swing(Detector):
    """Finds a sensor that moves far less than on any day before, although its level is ordinary.

    The range of values within a quarter of a day, and within a day, is compared with the smallest ones of the last two
    weeks. What matters is how much these vary from day to day: of tides, which grow and shrink slowly, a range below
    all is surprising sooner than of weather.

    Only what stays near the middle of the usual day counts: what stays at an end of it has another level.

    Catches: a clogged tide gauge, cycles of a compressor or a tank whose amplitude shrinks, a daily course that
        flattens, noise that is filtered away.
    Blind to: sensors that rest for a day now and then, or always move as little as their smallest step; peaks that
        don't come; movement that grows; weeks without movement; values that stay exactly the same; the first week, also
        after an adopted level.
    Contamination: what has had an incident isn't learned; anything else is forgotten after two weeks.
    Warm-up: 7 days.
    State: 300 bytes per sensor.
    Cost: 10 array operations per round, about 100 per three hours.
    Source: records of exchangeable sequences, N. Glick, "Breaking records and breaking boards", American Mathematical
        Monthly 85 (1), 1978; J. von Neumann et al., "The mean square successive difference", Annals of Mathematical
        Statistics 12 (2), 1941.
    Differs: the tail beyond a record is Student's, in logarithms, and its scale follows from successive differences
        where these are smaller than the standard deviation.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Swing(), rows=1)
    >>> def reading(hour, amplitude):
    ...     value = 3.0 + amplitude * np.sin(2 * np.pi * hour / 12.42)
    ...     return table.update(np.array([0]), np.array([value]), np.array([3600.0 * hour])).score[0]
    >>> bool(np.nanmax([reading(hour, 1.5) for hour in range(400)]) < 2)
    True
    >>> bool(max(reading(hour, 0.5) for hour in range(400, 424)) > 3)
    True
    """

    fewest_days: float = parameter(
        7.0, "Days of which the range must be known before it is judged.", unit="days", at_least=5, at_most=KEPT
    )

    name: ClassVar[str] = "swing"
    kind: ClassVar[str] = "swing"
    catches: ClassVar[frozenset[str]] = frozenset()
    floor: ClassVar[float] = 3.0
    is_daily: ClassVar[bool] = True
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`; blocks are stored from the newest to the oldest, as are the days of each span."""
        return {
            "ends": Field(learned=False, moment=True),
            "low": Field(NEVER, learned=False),
            "high": Field(-NEVER, learned=False),
            "readings": Field(learned=False),
            "score": Field(NO_SCORE, learned=False),
            "lows": Field(NEVER, width=A_DAY - 1, learned=False),
            "highs": Field(-NEVER, width=A_DAY - 1, learned=False),
            "kept": Field(UNKNOWN, dtype="f4", width=len(SPANS) * KEPT, learned=False),
            "today": Field(NOT_YET, dtype="f4", width=len(SPANS), learned=False),
            "usual": Field(dtype="f4", learned=False),
            "finest": Field(NOT_YET, dtype="f4", learned=False),
            "bottom": Field(NOT_YET, dtype="f4", learned=False),
            "top": Field(-NOT_YET, dtype="f4", learned=False),
            "reach": Field(dtype="f4", learned=False),
            "least": Field(dtype="f4", learned=False),
            "span": Field(dtype="u1", learned=False),
            "block": Field(dtype="u1", learned=False),
            "clean": Field(dtype="u1", learned=False),
            "spoilt": Field(dtype="u1", learned=False),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        if type(values) is float and state["low"][slots] <= values <= state["high"][slots]:
            score = state["score"][slots]
            if score <= 0.0 and times < state["ends"][slots]:  # as of nearly all single readings
                state["readings"][slots] = state["readings"][slots] + 1.0
                return NO_OPINION if score < 0.0 else ORDINARY
        ended = nowhere(times >= state["ends"][slots])
        if ended is not False:
            chosen = np.flatnonzero(ended)
            rows, since = np.atleast_1d(slots)[chosen], np.atleast_1d(times)[chosen]
            with np.errstate(all="ignore"):
                _end_blocks(whole_arrays(state), self, rows, since)
        low, high = state["low"][slots], state["high"][slots]
        lower, higher = nowhere(values < low), nowhere(values > high)
        if lower is not False:
            state["low"][slots] = where(lower, values, low)
        if higher is not False:
            state["high"][slots] = where(higher, values, high)
        state["readings"][slots] = state["readings"][slots] + 1.0
        score = state["score"][slots]
        told = nowhere(score > 0)
        if told is not False and (lower is not False or higher is not False):
            chosen = np.flatnonzero(told)
            _move_again(whole_arrays(state), np.atleast_1d(slots)[chosen])
            score = state["score"][slots]
        return no_opinion(values).with_score(where(everywhere(score >= 0), score, NOTHING))

    def held_back(self, state: State, slots: Rows) -> None:
        """See `Detector`."""
        state["spoilt"][slots] = 1

    def adopt(self, arrays: Arrays, row: int, value: float) -> None:  # noqa: ARG002
        """See `Detector`; how much a sensor moves at its new level isn't known."""
        arrays["kept"][row], arrays["today"][row], arrays["score"][row] = UNKNOWN, NOT_YET, NO_SCORE
        arrays["bottom"][row], arrays["top"][row] = NOT_YET, -NOT_YET

    def measure(self, state: State, slot: int) -> Measure:
        """The range that was judged last, and the smallest one before; about the hours that it spans."""
        reach, least = (float(array_of(state[name])[slot]) for name in ("reach", "least"))
        return Measure(reach, least, about=str(int(array_of(state["span"])[slot]) * 3))

    def warm_up_s(self, interval: Floats) -> Floats:
        """See `Detector`."""
        return np.full(len(interval), self.fewest_days * A_DAY * BLOCK_S)


class RangeVerdict(NamedTuple):
    """What the ranges of one span say; arrays of shape (n,).

    Attributes:
        score: Decades of surprise, `NO_SCORE` where nothing is known.
        least: Smallest range of all days before.
    """

    score: Floats
    least: Floats


def _end_blocks(arrays: Arrays, swing: Swing, slots: Slots, times: Floats) -> None:
    """Judge and keep the blocks that have ended, and begin the next."""
    ended = arrays["ends"][slots]
    began = np.floor(times / BLOCK_S) * BLOCK_S
    some = np.flatnonzero((arrays["readings"][slots] > 0) & (ended > 0))
    if len(some):
        passed = np.maximum(np.round((began - ended)[some] / BLOCK_S) + 1.0, 1.0)
        _end_block(arrays, swing, slots[some], passed)
    arrays["ends"][slots] = began + BLOCK_S
    arrays["low"][slots], arrays["high"][slots] = NEVER, -NEVER
    arrays["readings"][slots], arrays["spoilt"][slots] = 0.0, 0


def _end_block(arrays: Arrays, swing: Swing, slots: Slots, passed: Floats) -> None:
    """Judge and keep blocks that have ended, `passed` blocks ago."""
    count, usual = arrays["readings"][slots], arrays["usual"][slots].astype(np.float64)
    enough = count >= np.maximum(FEWEST, ENOUGH * usual)
    lows, highs = (
        np.concatenate([np.where(enough, arrays[name][slots], never)[:, None], arrays[f"{name}s"][slots]], axis=1)
        for name, never in (("low", NEVER), ("high", -NEVER))
    )
    clean = np.where(arrays["spoilt"][slots] > 0, 0, np.minimum(arrays["clean"][slots] + 1, A_DAY))
    _note_steps(arrays, slots, lows, highs)
    kept = arrays["kept"][slots].astype(np.float64).reshape(len(slots), len(SPANS), KEPT)
    kept = np.where(kept >= 0, kept, math.nan)
    middle = median_of_known(kept[:, -1])
    told, score, reaches = arrays["score"][slots], np.full(len(slots), NO_SCORE), []
    for place, span in enumerate(SPANS):
        known = (lows[:, :span] <= highs[:, :span]).all(axis=1)
        low, high = lows[:, :span].min(axis=1), highs[:, :span].max(axis=1)
        reach = np.where(known, np.minimum(high - low, WIDEST), math.nan)
        verdict = _judged(kept[:, place], reach, arrays["finest"][slots], middle, swing.fewest_days)
        verdict.score[(verdict.score > 0) & ~_is_central(arrays, slots, low, high)] = 0.0
        worse = verdict.score > np.maximum(score, 0.0)
        rows = slots[worse]
        arrays["reach"][rows], arrays["least"][rows], arrays["span"][rows] = reach[worse], verdict.least[worse], span
        score = np.maximum(score, verdict.score)
        reaches.append(reach)
    for place, reach in enumerate(reaches):
        learned = (clean >= SPANS[place]) & (score < swing.floor) & np.isfinite(reach)
        today = arrays["today"][slots, place]
        arrays["today"][slots, place] = np.where(learned, np.minimum(today, reach), today)
    _learn_day(arrays, slots, lows, highs, (clean >= A_DAY) & (score < swing.floor))
    # A block with few readings doesn't end what was told before.
    arrays["score"][slots] = np.where((score < 0) & ~enough & (told > 0), told, score)
    arrays["usual"][slots] = np.where(usual > 0, usual + NEWEST * (count - usual), count)
    _pass_blocks(arrays, slots, lows, highs, np.where(passed > 1, 0, clean), passed)
    _turn_days(arrays, slots, passed)


def _is_central(arrays: Arrays, slots: Slots, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Whether the middle of a range is near that of the usual day; not while that is unknown."""
    bottom, top = (arrays[name][slots].astype(np.float64) for name in ("bottom", "top"))
    is_central: NDArray[np.bool_] = np.abs(0.5 * (low + high) - 0.5 * (bottom + top)) <= CENTRAL * (top - bottom)
    return is_central


def _learn_day(arrays: Arrays, slots: Slots, lows: Floats, highs: Floats, learned: NDArray[np.bool_]) -> None:
    """Learn the lowest and the highest value of the usual day from those of the last one."""
    learned = learned & (lows <= highs).all(axis=1)
    rows = slots[learned]
    is_first = arrays["bottom"][rows] > arrays["top"][rows]
    pace = PACE * (arrays["top"][rows].astype(np.float64) - arrays["bottom"][rows])
    for name, end in (("bottom", lows[learned].min(axis=1)), ("top", highs[learned].max(axis=1))):
        last, before = np.clip(end, -WIDEST, WIDEST), arrays[name][rows].astype(np.float64)
        least = np.maximum(pace, 0.5 * PACE * np.abs(last - before))
        arrays[name][rows] = np.where(is_first, last, before + np.clip(last - before, -least, least))


def _note_steps(arrays: Arrays, slots: Slots, lows: Floats, highs: Floats) -> None:
    """Note the smallest difference between the ends of blocks, which is the step of a sensor that has one."""
    low, high = lows[:, 0], highs[:, 0]
    gaps = np.stack([high - low, np.abs(high - highs[:, 1]), np.abs(low - lows[:, 1])])
    gaps = np.where(gaps > ROUNDING * np.maximum(np.abs(low), np.abs(high)), gaps, np.inf)
    arrays["finest"][slots] = np.minimum(arrays["finest"][slots], gaps.min(axis=0))


def _judged(kept: Floats, reach: Floats, finest: Floats, middle: Floats, fewest_days: float) -> RangeVerdict:
    """Compare ranges with the smallest ones of the days before.

    Args:
        kept: The smallest range of each day, from the newest, NaN where unknown; shape (n, KEPT).
        reach: The ranges, NaN where unknown, shape (n,).
        finest: The sensors' smallest steps, shape (n,).
        middle: The median of the smallest ranges of whole days, shape (n,).
        fewest_days: Number of days that must be known.
    """
    days = np.isfinite(kept).sum(axis=1).astype(np.float64)
    least = np.fmin.reduce(kept, axis=1)
    spread = spread_of_known(np.log(kept), np.maximum(days, 2.0))
    spread = np.maximum(np.maximum(spread, LEAST), finest / least)
    known = (days >= fewest_days) & np.isfinite(reach)
    shrunk = (reach > 0) & (reach <= SHRUNK * least) & (least >= MATTERS * middle)
    off = np.where(shrunk, np.log(least / reach) / spread, 0.0)
    rare = np.log10(days + 1.0) - OCCASIONS + student_tail(off, np.maximum(days - 1.0, 1.0))
    score = np.where(known & shrunk, np.clip(rare, 0.0, MOST), 0.0)
    return RangeVerdict(np.where(known, score, NO_SCORE), least)


def _pass_blocks(arrays: Arrays, slots: Slots, lows: Floats, highs: Floats, clean: Any, passed: Floats) -> None:
    """Keep the ends of the last blocks; those without a reading are unknown."""
    missing = np.minimum(passed - 1.0, A_DAY).astype(np.intp)
    places = np.arange(A_DAY - 1) - missing[:, None]
    for name, ends, never in (("lows", lows, NEVER), ("highs", highs, -NEVER)):
        arrays[name][slots] = np.where(places >= 0, np.take_along_axis(ends, np.maximum(places, 0), axis=1), never)
    arrays["clean"][slots] = clean


def _turn_days(arrays: Arrays, slots: Slots, passed: Floats) -> None:
    """Keep the smallest ranges of the days that have ended."""
    block = arrays["block"][slots] + passed
    over = np.flatnonzero(block >= A_DAY)
    for place in range(len(SPANS)) if len(over) else ():
        today = arrays["today"][slots[over], place]
        ranged = today < WIDEST * 2.0
        rows = slots[over[ranged]]
        first, end = place * KEPT, (place + 1) * KEPT
        arrays["kept"][rows, first + 1 : end] = arrays["kept"][rows, first : end - 1]
        arrays["kept"][rows, first] = today[ranged]
        arrays["today"][slots[over], place] = NOT_YET
    arrays["block"][slots] = np.mod(block, A_DAY)


def _move_again(arrays: Arrays, slots: Slots) -> None:
    """End what was told of sensors that have moved again since."""
    span = arrays["span"][slots].astype(np.intp)
    before = np.arange(A_DAY - 1) < span[:, None] - 1
    low = np.minimum(arrays["low"][slots], np.where(before, arrays["lows"][slots], NEVER).min(axis=1))
    high = np.maximum(arrays["high"][slots], np.where(before, arrays["highs"][slots], -NEVER).max(axis=1))
    moves = high - low > SHRUNK * arrays["least"][slots]
    arrays["score"][slots[moves]] = 0.0
