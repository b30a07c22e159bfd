"""Trend: a sensor that moves on day by day, however little, as with a bearing that wears out; or faster than ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import Detector, Field, Measure, Scores, State, no_opinion
from detectors.daily import slopes
from detectors.daily.weeks import LAGS, WEEK, movement_of
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import NOTHING, everywhere, nowhere, where
from detectors.numeric.gather import array_of, whole_arrays
from detectors.parameters import parameter

HOUR_S, DAY_S = 3600.0, 86_400.0

KEPT = 49
"""Number of days that are kept."""

SPEAKS = 7.0
"""Number of completed days from which on a sensor is scored, by 0 until there are enough to compare: what has moved
that little has been calm."""

NO_SCORE = -1.0
"""Stored score of a sensor without an opinion."""

LARGEST = 1e30
"""What is kept of a day is clamped to this magnitude."""

SIDES = ("lowest", "mean", "highest")
"""What is kept of a day: the lowest hour's mean, the mean of the hours, and the highest hour's mean."""

SETBACK = 0.25
"""A trend is over when an hour's mean is back beyond all hours of the last week, by this share of the movement."""


@dataclass(frozen=True)
class Trend(Detector):
    """Finds a sensor that moves on day by day for a week or two, or within hours, as it hasn't done before.

    Of each day, the lowest and the highest mean over an hour and the mean are kept, and compared with those of the same
    weekday one and two weeks before (`detectors.daily.weeks`). A trend is as surprising as on its worst day until
    it ends, although it becomes a part of the history.

    Likewise, each hour's mean is compared with those six and 24 hours before (`detectors.daily.slopes`).

    Catches: wear, clogging, batteries that sink faster: what is too slow for `drift`; a tank that leaks.
    Blind to: steps; movements that the weather, a tank or the season makes every few weeks; the first four weeks, and
        the first one for changes within hours; sensors that never moved in that direction within hours.
    Contamination: a movement that was seen in one of the weeks before isn't surprising for seven weeks, nor a change
        within hours for two; what has had an incident isn't learned of these.
    Warm-up: 28 days; 8 for changes within hours.
    State: 1,070 bytes per sensor.
    Cost: 8 array operations per round; about 400 per hour, and 1,000 per day, most of them only on the few sensors that
        still move.
    Source: J. Gottman, "Time-Series Analysis", 1981, chapter 13, for seasonal differences; H. Theil, "A rank-invariant
        method of linear and polynomial regression analysis", 1950, for the slope as a median of differences.
    Differs: differences over weeks are judged by their own distribution, with Student's tail, because neighbouring ones
        share most of their days; a trend must also be gradual, go on, and lead to where the sensor hasn't been.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table, noise = StateTable(Trend(), rows=1), np.random.default_rng(2).normal(size=1200)
    >>> def reading(hour, wear):
    ...     value = np.array([2.4 + 0.05 * noise[hour] + wear])
    ...     return table.update(np.array([0]), value, np.array([3600.0 * hour])).score[0]
    >>> usual = [reading(hour, 0.0) for hour in range(840)]
    >>> bool(max(usual[200:]) < 2)
    True
    >>> bool(max(reading(hour, 0.004 * (hour - 840)) for hour in range(840, 1200)) > 3.25)
    True
    """

    fewest_days: float = parameter(
        28.0, "Days that a sensor is observed before a trend is reported.", unit="days", at_least=28, at_most=KEPT
    )

    name: ClassVar[str] = "trend"
    kind: ClassVar[str] = "trend"
    catches: ClassVar[frozenset[str]] = frozenset()
    floor: ClassVar[float] = 3.25
    takes_one: ClassVar[bool] = True
    is_daily: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`; nothing is held while an incident is open, as the days before are what it is judged by."""
        return {
            "hour_ends": Field(moment=True, learned=False),
            "day_ends": Field(moment=True, learned=False),
            "total": Field(learned=False),
            "readings": Field(learned=False),
            "sum": Field(learned=False),
            "hours": Field(learned=False),
            **{side: Field(learned=False) for side in ("lowest", "highest")},
            "known": Field(learned=False),
            "score": Field(NO_SCORE, learned=False),
            "until": Field(learned=False),
            "about": Field(learned=False),
            "before": Field(learned=False),
            "after": Field(learned=False),
            "low": Field(learned=False),
            "high": Field(learned=False),
            "days": Field(dtype="f4", width=len(SIDES) * KEPT, learned=False),
            **slopes.FIELDS,
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        ended = nowhere(times >= state["hour_ends"][slots])
        if ended is not False:
            chosen = np.flatnonzero(ended)
            _end_hours(
                whole_arrays(state), self.fewest_days, np.atleast_1d(slots)[chosen], np.atleast_1d(times)[chosen]
            )
        state["total"][slots] = state["total"][slots] + values
        state["readings"][slots] = state["readings"][slots] + 1.0
        score, steep = state["score"][slots], state["steep"][slots]
        score = where(nowhere((steep > 0) & (steep > score)), steep, score)
        return no_opinion(values).with_score(where(everywhere(score >= 0), score, NOTHING))

    def held_back(self, state: State, slots: Rows) -> None:
        """See `Detector`."""
        state["spoilt"][slots] = 1

    def adopt(self, arrays: Arrays, row: int, value: float) -> None:  # noqa: ARG002
        """See `Detector`; a trend over days is never adopted."""
        slopes.adopt(arrays, row)

    def measure(self, state: State, slot: int) -> Measure | None:
        """A day of the last week and the same weekday before, and the range of all days before.

        For a change within hours, that and the largest one before.
        """
        if array_of(state["steep"])[slot] > max(array_of(state["score"])[slot], 0.0):
            change, most = (float(array_of(state[name])[slot]) for name in ("steep_change", "steep_most"))
            return Measure(change, most, f"{SLOPE} {slopes.PLACES[int(array_of(state['steep_place'])[slot])][0]}")
        row = {name: float(array_of(state[name])[slot]) for name in ("about", "before", "after", "low", "high")}
        return Measure(row["after"], row["before"], ABOUT[int(row["about"])], row["low"], row["high"])

    def warm_up_s(self, interval: Floats) -> Floats:
        """See `Detector`."""
        return np.full(len(interval), SPEAKS * DAY_S)


ABOUT = tuple(f"{side} {lag}" for side in SIDES for lag in LAGS)
"""What a movement is called: what is kept of a day, and the days between the compared ones."""

SLOPE = "slope"
"""What a change within hours is called, before their number."""

FOUND = ("score", "before", "after", "low", "high")


def _end_hours(arrays: Arrays, fewest_days: float, slots: Slots, times: Floats) -> None:
    """Add hours that have ended to their days, and begin the next; likewise for days."""
    readings = arrays["readings"][slots]
    begun = np.flatnonzero(readings > 0)
    if len(begun):
        _end_hour(arrays, slots[begun], readings[begun], times[begun])
    arrays["total"][slots], arrays["readings"][slots] = 0.0, 0.0
    arrays["hour_ends"][slots] = (np.floor(times / HOUR_S) + 1.0) * HOUR_S
    ends = arrays["day_ends"][slots]
    over = np.flatnonzero(times >= ends)
    if len(over):
        chosen, ends, times = slots[over], ends[over], times[over]
        whole = np.flatnonzero((ends > 0) & (arrays["hours"][chosen] > 0))
        if len(whole):
            slopes.end_days(arrays, chosen[whole])
            _end_days(arrays, fewest_days, chosen[whole], np.floor((times - ends)[whole] / DAY_S) + 1.0)
        arrays["day_ends"][chosen] = (np.floor(times / DAY_S) + 1.0) * DAY_S
        arrays["sum"][chosen], arrays["hours"][chosen] = 0.0, 0.0


def _end_hour(arrays: Arrays, slots: Slots, readings: Floats, times: Floats) -> None:
    """Add the mean of an hour to its day, compare it with those before, and end a trend that it has left."""
    mean, hours = arrays["total"][slots] / readings, arrays["hours"][slots]
    first = hours == 0
    arrays["lowest"][slots] = np.where(first, mean, np.minimum(arrays["lowest"][slots], mean))
    arrays["highest"][slots] = np.where(first, mean, np.maximum(arrays["highest"][slots], mean))
    arrays["sum"][slots] = arrays["sum"][slots] + mean
    arrays["hours"][slots] = hours + 1.0
    score, until = arrays["score"][slots], arrays["until"][slots]
    rises = arrays["after"][slots] > arrays["before"][slots]
    left = (score > 0) & np.where(rises, mean < until, mean > until)
    arrays["score"][slots] = np.where(left, 0.0, score)
    passed = np.floor(times / HOUR_S) + 1.0 - np.round(arrays["hour_ends"][slots] / HOUR_S)
    with np.errstate(all="ignore"):
        slopes.end_hours(arrays, Trend.floor, slots, np.clip(mean, -LARGEST, LARGEST), passed)


def _end_days(arrays: Arrays, fewest_days: float, slots: Slots, passed: Floats) -> None:
    """Keep a completed day, which stands for the days without a reading after it as well, and look for trends."""
    kept = arrays["days"][slots].reshape(len(slots), len(SIDES), KEPT).astype(np.float64)
    mean = arrays["sum"][slots] / arrays["hours"][slots]
    today = np.stack([arrays["lowest"][slots], mean, arrays["highest"][slots]], axis=1)
    today = np.clip(today, -LARGEST, LARGEST)
    for day in range(int(min(passed.max(), KEPT))):
        pushed = np.concatenate([today[:, :, None], kept[:, :, :-1]], axis=2)
        kept = np.where((passed > day)[:, None, None], pushed, kept)
    known = np.minimum(arrays["known"][slots] + passed, KEPT)
    arrays["days"][slots] = kept.reshape(len(slots), -1)
    arrays["known"][slots] = known
    kept = kept.astype(np.float32).astype(np.float64)
    kept[np.broadcast_to((np.arange(KEPT) >= known[:, None])[:, None], kept.shape)] = np.nan
    told, about = np.maximum(arrays["score"][slots], 0.0), arrays["about"][slots]
    found = {name: arrays[name][slots] for name in ("about", *FOUND)}
    found["score"] = np.where(known >= SPEAKS, 0.0, NO_SCORE)
    for place in range(len(SIDES) * len(LAGS)):
        side, lag = divmod(place, len(LAGS))
        goes_on = np.where(about // len(LAGS) == side, told, 0.0)
        with np.errstate(all="ignore"):
            movement = movement_of(kept[:, side], LAGS[lag], goes_on)
        better = (movement.score > found["score"]) & (known >= fewest_days)
        found["about"] = np.where(better, float(place), found["about"])
        for name, values in movement._asdict().items():
            found[name] = np.where(better, values, found[name])
    for name, values in found.items():
        arrays[name][slots] = values
    week = kept[:, :, :WEEK]
    moved = found["after"] - found["before"]
    until = np.where(moved > 0, week[:, 0].min(axis=1), week[:, -1].max(axis=1)) - SETBACK * moved
    arrays["until"][slots] = np.where(found["score"] > 0, until, 0.0)
