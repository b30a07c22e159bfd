"""Extremes: a value held beyond those of all days before, whatever the hour or the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from detectors.base import Detector, Field, Scores, State, no_opinion
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import (
    LOG10_OF_E,
    NOTHING,
    constant_like,
    everywhere,
    floor,
    maximum,
    minimum,
    nowhere,
    where,
)
from detectors.numeric.gather import whole_arrays
from detectors.numeric.surprise import MOST
from detectors.parameters import parameter

DAY_S = 86_400.0

SIDES = {"low": -1.0, "high": 1.0}

RECENTLY = ("recent", "earlier")
"""Extremes of this day and of the day before, whether they are learned or not."""

KEPT = 28
"""Number of days whose extremes are kept: as many of each weekday."""

FADING = 1 / 200
"""Share by which a record approaches the extreme of a day, each day."""

CLEARLY = 1 / 16
"""Minimum distance beyond the record, as a share of the distance between both records."""

LEAST = 1 / 100
"""Minimum of the tail's scale, as a share of the same."""

OF_GAP = 1 / 2
"""Minimum of the same, as a share of the distance between the record and the second day."""

ASSUMED = 8.0
"""Minimum number of days that the scale is taken to be known from: a few that are alike are hardly so by chance."""

REACHES = 1 / 2
"""The days by which a record is judged must have reached this share of the distance between both: of what rises only on
some days, such as rain, nobody knows how far it may."""

FARTHER = 1.0
"""Maximum distance by which a day moves a record that is judged, in scales of its tail: what goes a little farther each
day leaves its record behind."""

NO_STEP = float(np.finfo(np.float64).max)

SIDES_SEEN = 0.3
"""Decades subtracted because either record may be exceeded."""


@dataclass(frozen=True)
class Extremes(Detector):
    """Finds values beyond all that a sensor has held on any day before.

    A value is held if three readings in a row are at least as far. The farthest one of each day is kept. The surprise
    follows from the number of days, and from how far the upper half of their extremes, and the largest of them, lie
    apart: a sensor with a heavy tail must go far, one that is regulated hardly. The extremes of whole degrees are equal
    on many days, so the smallest step between two readings is the least distance that means anything. Neither hours
    nor states are known, so a level that is ordinary by day is so at night.

    Catches: level shifts and changed units that go beyond the range so far, also of sensors whose range is so wide that
        the distance means little, such as those that are off at night; a peak that is a little higher each day.
    Blind to: values seen on any day; fewer than three readings; what isn't reached on most days, such as rain.
    Contamination: a day's extreme moves the record when the day is over, by the scale of the tail at most. While an
        incident is open, nothing is learned, and a day at whose end one is open isn't kept; of another day with an
        incident, what led to it is kept no farther beyond the record than that scale.
    Warm-up: 7 days, so that a weekend has been seen.
    State: 561 bytes per sensor.
    Cost: about 40 array operations per round.
    Source: J. Pickands, "Statistical inference using extreme order statistics", Annals of Statistics 3 (1), 1975,
        doi:10.1214/aos/1176343003, for the exponential tail of the largest ones.
    Differs: the tail is the predictive one, since its scale is known from few days; the distance between the two
        largest bounds the scale from below, which keeps heavier tails calm.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Extremes(), rows=1)
    >>> def reading(hour, value):
    ...     return table.update(np.array([0]), np.array([value]), np.array([3600.0 * hour])).score[0]
    >>> usual = [reading(hour, 240.0 if hour % 24 < 9 else 30 + hour % 7) for hour in range(480)]
    >>> bool(max(usual[200:]) < 2)
    True
    >>> bool(max(reading(hour, 290.0) for hour in range(480, 483)) > 4)
    True
    """

    fewest_days: float = parameter(
        7.0, "Days that a sensor is observed before it is scored.", unit="days", at_least=4, at_most=1000
    )

    name: ClassVar[str] = "extremes"
    kind: ClassVar[str] = "spike"
    catches: ClassVar[frozenset[str]] = frozenset()
    floor: ClassVar[float] = 3.25
    is_daily: ClassVar[bool] = True
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "readings": Field(learned=False),
            "last": Field(learned=False),
            "before": Field(learned=False),
            "day_began": Field(learned=False, moment=True),
            "finest": Field(NO_STEP, learned=False),
            "days": Field(),
            "spoilt": Field(dtype="u1", learned=False, later=True),
            **{f"{side}_{which}": Field(learned=False) for side in SIDES for which in RECENTLY},
            **{f"{side}_today": Field() for side in SIDES},
            **{f"{side}_record": Field() for side in SIDES},
            **{f"{side}_days": Field(width=KEPT) for side in SIDES},
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        readings = state["readings"][slots]
        first = nowhere(readings == 0)
        last, before = where(first, values, state["last"][slots]), where(first, values, state["before"][slots])
        state["readings"][slots], state["last"][slots], state["before"][slots] = readings + 1.0, values, last
        step, finest = abs(values - last), state["finest"][slots]
        finer = nowhere((step > 0) & (step < finest))
        if finer is not False:
            state["finest"][slots] = where(finer, step, finest)
        begins = self._turn_days(state, slots, times, first)
        below = (values < state["low_today"][slots]) | (values < state["low_recent"][slots])
        above = (values > state["high_today"][slots]) | (values > state["high_recent"][slots])
        if nowhere(begins | below | above) is not False:  # what is held is no farther than the value
            _widen(state, slots, _held(values, last, before), begins)
        days = state["days"][slots]
        known = nowhere(everywhere(days >= self.fewest_days))
        if known is False:
            return no_opinion(values)
        lower, upper = state["low_record"][slots], state["high_record"][slots]
        score = where(known, 0.0 * values, NOTHING)
        if nowhere(known & ((values < lower) | (values > upper))) is not False:
            held = _held(values, last, before)
            outside = nowhere(known & ((held["low"] < lower) | (held["high"] > upper)))
            score = score if outside is False else self._scored(state, slots, held, score, outside)
        lower, upper = where(known, lower, NOTHING), where(known, upper, NOTHING)
        return Scores(score, constant_like(values, NOTHING), lower, upper)

    def held_back(self, state: State, slots: Rows) -> None:
        """See `Detector`."""
        state["spoilt"][slots] = 1

    def adopt(self, arrays: Arrays, row: int, value: float) -> None:  # noqa: ARG002
        """See `Detector`; what was held since the day before is no news at any hour."""
        if arrays["days"][row] > 0:
            for side, sign in SIDES.items():
                known = [f"{side}_record", *(f"{side}_{which}" for which in RECENTLY)]
                arrays[f"{side}_record"][row] = sign * max(sign * arrays[name][row] for name in known)

    @staticmethod
    def _scored(state: State, slots: Rows, held: Mapping[str, Numbers], score: Numbers, outside: Any) -> Numbers:
        """The scores of all readings, given where they are beyond a record."""
        arrays = whole_arrays(state)
        chosen = np.flatnonzero(outside)
        rows = np.atleast_1d(slots)[chosen]
        with np.errstate(all="ignore"):
            found = [
                _surprise(arrays, rows, side, np.atleast_1d(held[side])[chosen] * sign) for side, sign in SIDES.items()
            ]
        worst = np.maximum(*found)
        if type(score) is float:
            return float(worst[0])
        score[chosen] = worst
        return score

    def _turn_days(self, state: State, slots: Rows, times: Numbers, first: Any) -> Any:
        """Record the days that end with these readings; returns where a day begins."""
        began = where(first, times, state["day_began"][slots])
        passed = floor(maximum(times - began, 0.0) / DAY_S)
        begins = nowhere(first | (passed > 0))
        if begins is False:
            return False
        ended = np.flatnonzero(begins & (state["readings"][slots] > 1.0))
        if len(ended):
            _end_days(whole_arrays(state), np.atleast_1d(slots)[ended], self.fewest_days)
        state["day_began"][slots] = began + passed * DAY_S
        return begins


def _held(values: Numbers, last: Numbers, before: Numbers) -> dict[str, Numbers]:
    """What three readings in a row are at least as far as, on each side, shape (n,)."""
    return {"low": maximum(values, maximum(last, before)), "high": minimum(values, minimum(last, before))}


def _widen(state: State, slots: Rows, held: Mapping[str, Numbers], begins: Any) -> None:
    """Take what is held into the extremes of the day, which begin anew where a day begins."""
    for side, sign in SIDES.items():
        reached, recent = held[side], state[f"{side}_recent"][slots]
        for name, so_far in ((f"{side}_today", state[f"{side}_today"][slots]), (f"{side}_recent", recent)):
            farther = reached > so_far if sign > 0 else reached < so_far
            state[name][slots] = where(farther if begins is False else begins | farther, reached, so_far)
        if begins is not False:
            state[f"{side}_earlier"][slots] = where(begins, recent, state[f"{side}_earlier"][slots])


def _end_days(arrays: Arrays, slots: Slots, fewest_days: float) -> None:
    """Keep the extremes of days that have ended; a record takes them in."""
    days = arrays["days"][slots]
    known, spoilt = days >= fewest_days, arrays["spoilt"][slots] > 0
    found, kept = {}, {}
    for side, sign in SIDES.items():
        today, record = arrays[f"{side}_today"][slots], arrays[f"{side}_record"][slots]
        faded = record + FADING * (today - record)
        with np.errstate(all="ignore"):
            most = np.where(known, record + sign * FARTHER * _tail_of(arrays, slots, side).scale, today)
        believed = np.where(sign * (today - most) > 0, most, today)
        farther = np.where(sign * (today - faded) > 0, believed, faded)
        found[side] = np.where(days == 0, today, farther)
        kept[side] = np.where(spoilt, believed, today)
    for side in SIDES:
        arrays[f"{side}_record"][slots] = found[side]
        arrays[f"{side}_days"][slots, (days % KEPT).astype(np.intp)] = kept[side]
    arrays["days"][slots] = days + 1.0
    arrays["spoilt"][slots] = 0


class _Tail(NamedTuple):
    """The tail of the days' extremes on one side, where larger ones are farther; all arrays have shape (n,).

    Attributes:
        record: The record.
        width: Distance between both records.
        days: Number of days that are kept.
        half: Half of it.
        middle: The middle one of their extremes.
        scale: Scale of the tail.
    """

    record: Floats
    width: Floats
    days: Floats
    half: Floats
    middle: Floats
    scale: Floats


def _tail_of(arrays: Arrays, slots: Slots, side: str) -> _Tail:
    """The tail on one side; without a meaning before there are two days."""
    sign, each = SIDES[side], np.arange(len(slots))
    days = np.minimum(arrays["days"][slots], KEPT)
    record, width = sign * arrays[f"{side}_record"][slots], arrays["high_record"][slots] - arrays["low_record"][slots]
    kept = np.where(np.arange(KEPT) < days[:, None], sign * arrays[f"{side}_days"][slots], -np.inf)
    farthest = -np.sort(-kept, axis=1)
    half = np.floor(days / 2.0)
    middle = farthest[each, half.astype(np.intp)]
    excess = np.cumsum(farthest, axis=1)[each, half.astype(np.intp) - 1] / half - middle
    apart = np.maximum(excess, OF_GAP * (record - farthest[:, 1]))
    scale = np.maximum(np.maximum(apart, LEAST * width), arrays["finest"][slots])
    return _Tail(record, width, days, half, middle, scale)


def _surprise(arrays: Arrays, slots: Slots, side: str, held: Floats) -> Floats:
    """Decades of surprise at values held on one side, where larger ones are farther, shape (n,)."""
    of = _tail_of(arrays, slots, side)
    beyond, known = held - of.record, np.maximum(of.half, ASSUMED)
    decades = np.log10(of.days + 1.0) - SIDES_SEEN + known * LOG10_OF_E * np.log(1.0 + beyond / (known * of.scale))
    counts = (beyond > 0) & (beyond >= CLEARLY * of.width) & (of.record - of.middle <= REACHES * of.width)
    return np.where(counts & (of.width > 0), np.clip(decades, 0.0, MOST), 0.0)
