"""Habits: what a sensor does each week, or each day, at the same hour, or again and again at any, and is no news.

A filter is washed on Saturdays at eleven, an analyser calibrates itself on Wednesdays, a battery is tested on Tuesday
nights. Four times a month is too seldom for anything that learns from single readings to find it usual. An incident
that looks like one that ended by itself a week or two ago, or like those of the last two days, is therefore not
reported while it does: no earlier, for no longer, no farther away, no faster, and of the same kind. A single one two
weeks ago is thin evidence, so it must begin when that began, too, and go hardly farther. It is an incident
nevertheless, so nothing is learned of it, and it is reported as soon as it looks otherwise.

What goes beyond the usual range isn't a habit so soon: a burst pipe shows in each morning's run, too, until somebody
comes. It must have happened on more days in a row.

A batch, a defrost and a boiler's peak come when they are due, at any hour. They are a habit once several were alike and
ended by themselves within four weeks, without anyone acting, and as long as they come no more often than before: a pump
that trips daily is reported again when it trips several times a day.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Slots
from edge.core.incidents.lasting.course import Course
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.consequence import IncidentExtent
from edge.core.scoring.opinions import OF_LEVELS

DAY_S = 86_400.0

REPEATED = ((7.0,), (14.0, 28.0))
THIN = 14.0
"""It is a habit if it happened each of so many days ago, by any of these, or if it happened so many days ago, which is
thin evidence, and began at the same hour.
"""

IN_A_ROW, MORE_IN_A_ROW, FAR_WIDTHS = 2, 3, 0.25
"""It is one if it happened on so many days before; on so many more if it went so many widths of the usual range beyond
that, or farther, and on some more if less."""

SEVERAL, AS_MUCH, RECENT_S = 4, 2, 28 * DAY_S
"""At any hour it is one if so many were alike within this time, and so many of them lasted as long and went as far, as
if the evidence were thin; as many more are needed as in a row."""

SPANNED, OFTEN = 3, 2 / 5
"""It comes more often than before if it follows the third one before it within this share of the usual time."""

REMEMBERED = 8
"""Number of incidents remembered of a sensor, the latest ones."""

LONGEST_S = 3 * DAY_S
"""What lasts longer is no habit; a rest over a weekend is shorter, from Friday evening to Monday morning."""

SLACK_S, SLACK_SHARE = 1800.0, 0.1
"""It may begin so much earlier and end so much later than before, in seconds and in shares of its duration; it may
begin at most twice the seconds earlier."""

OF_ITS_REACH, OF_USUAL = 1 / 4, 1 / 8
"""It may go so much farther than before, in shares of the values that exceeded and of the usual range."""

THINLY = 1 / 4
"""Share of that by which it may go farther than before if the evidence is thin."""

FASTER = 2.0
"""It may go away this many times as fast as before."""

CLASSES = ("level", "variance", "flatline", "state", "swing")
"""Kinds that are alike are one class: what is washed away has jumped, has shifted or is unusual, as may be."""

ACTED = 1 << 7
"""Bit of what somebody has acknowledged."""


class Habits(SensorArrays):
    """Arrays with one row per sensor and a column for each remembered incident. State: 296 bytes per sensor.

    Attributes:
        began: When each of them began, seconds since the epoch; NaN for unused columns.
        ended: When it last showed.
        low: The lowest value that exceeded.
        high: The highest one.
        first: The first one; NaN in states of versions that didn't know it.
        reached_s: Seconds until it had gone nearly as far as it went.
        beyond: How far it went beyond the usual range before it, in widths of that, as far as that was known.
        classes: The classes of its kinds, one bit for each, and `ACTED`.
    """

    LATER: ClassVar = {"first": np.nan, "reached_s": 0.0, "beyond": 0.0}

    def __init__(self) -> None:
        self.began = np.zeros((0, REMEMBERED))
        self.ended = np.zeros((0, REMEMBERED))
        self.low = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.high = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.first = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.reached_s = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.beyond = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.classes = np.zeros((0, REMEMBERED), dtype=np.uint8)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, began=np.nan, ended=np.nan, first=np.nan)

    def end(
        self,
        slot: int,
        began: float,
        ended: float,
        extent: IncidentExtent,
        course: Course,
        kinds: Iterable[str],
        *,
        acted: bool = False,
    ) -> None:
        """Record an incident that has ended by itself.

        Args:
            slot: The sensor.
            began: When it began.
            ended: When it last showed.
            extent: How far it went.
            course: What the value has done meanwhile; says how far if all that exceeded may have been error values.
            kinds: All kinds that it has shown.
            acted: Whether somebody has acknowledged it, and may have acted.
        """
        which = extent if extent.lowest <= extent.highest else course
        if ended - began > LONGEST_S or (classes := _classes(kinds)) is None or not which.lowest <= which.highest:
            return
        free = np.isnan(self.began[slot])
        place = int(free.argmax() if free.any() else self.began[slot].argmin())
        self.began[slot, place], self.ended[slot, place] = began, ended
        self.low[slot, place], self.high[slot, place] = which.lowest, which.highest
        self.first[slot, place], self.reached_s[slot, place] = extent.first_value, extent.reached_s
        self.beyond[slot, place] = extent.yardstick.sure * extent.beyond
        self.classes[slot, place] = classes | (ACTED if acted else 0)

    def covers(
        self, slot: int, began: float, time: float, value: float, kinds: Iterable[str], extent: IncidentExtent
    ) -> bool:
        """Whether what a sensor shows now is a habit.

        Args:
            slot: The sensor.
            began: When its incident began.
            time: Now.
            value: Its value.
            kinds: All kinds that its incident has shown.
            extent: How far that has gone.
        """
        if np.isnan(self.began[slot]).all() or (classes := _classes(kinds)) is None:
            return False
        same = (classes & ~self.classes[slot]) == 0
        alike = same & self._reaches(slot, time - began, value, extent, 1.0)
        late = SLACK_S + SLACK_SHARE * (self.ended[slot] - self.began[slot])
        early = np.minimum(late, 2 * SLACK_S)

        def was(days: float) -> NDArray[np.bool_]:
            """Which of those that look alike were open so many days ago, or nearly."""
            then = time - days * DAY_S
            found: NDArray[np.bool_] = alike & (self.began[slot] - early <= then) & (then <= self.ended[slot] + late)
            return found

        began_alike = np.abs(began - THIN * DAY_S - self.began[slot]) <= early
        as_far = self._reaches(slot, time - began, value, extent, THINLY)
        if (was(THIN) & began_alike & as_far).any() or any(all(was(days).any() for days in ago) for ago in REPEATED):
            return True
        if not alike.any():
            return False
        far = min(float(self.beyond[slot][alike].max()) / FAR_WIDTHS, 1.0)
        more = round(far * MORE_IN_A_ROW)
        if all(was(days).any() for days in range(1, IN_A_ROW + more + 1)):
            return True
        return self._comes_again(slot, began, time, alike, as_far, SEVERAL + more)

    def _comes_again(
        self, slot: int, began: float, time: float, alike: NDArray[np.bool_], as_far: NDArray[np.bool_], fewest: int
    ) -> bool:
        """Whether so many were alike, at whatever hour, and this one is no larger or longer, nor comes more often."""
        starts, lasted = self.began[slot], self.ended[slot] - self.began[slot]
        alike = alike & (starts < began) & (began - starts <= RECENT_S) & (self.classes[slot] < ACTED)
        as_long = time - began <= lasted + SLACK_S + SLACK_SHARE * lasted
        if alike.sum() < fewest or (alike & as_far & as_long).sum() < AS_MUCH:
            return False
        starts = np.sort(starts[starts < began])
        usual = float(np.median(starts[SPANNED:] - starts[:-SPANNED]))
        return bool(began - starts[-SPANNED] >= OFTEN * usual)

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by a number of seconds: the clock that stamps their readings was set."""
        self.began[slots] += by
        self.ended[slots] += by

    def _reaches(
        self, slot: int, passed: float, value: float, extent: IncidentExtent, share: float
    ) -> NDArray[np.bool_]:
        """Which incidents went as far as a value, and as far within the time that has passed since this one began.

        It may be farther by a `share` of what is allowed at most. Until they had gone nearly as far as they went, a
        straight line from the first value says how far they were.
        """
        usual = extent.yardstick
        low, high, first = (each[slot].astype(float) for each in (self.low, self.high, self.first))
        reach = share * (OF_ITS_REACH * (high - low) + OF_USUAL * (usual.width if usual.width > 0 else 0.0))
        risen = np.minimum(1.0, (FASTER * max(passed, 0.0) + SLACK_S) / np.maximum(self.reached_s[slot], 1.0))
        low, lower = np.fmin(low, usual.low), np.fmin(first, usual.low)
        high, upper = np.fmax(high, usual.high), np.fmax(first, usual.high)
        lowest, highest = lower + risen * (low - lower), upper + risen * (high - upper)
        within: NDArray[np.bool_] = (lowest - reach <= value) & (value <= highest + reach)
        return within


def _classes(kinds: Iterable[str]) -> int | None:
    """The classes of kinds, one bit for each; None if one of them is never a habit."""
    found = {"level" if each in OF_LEVELS else each for each in kinds}
    if not found or not found <= set(CLASSES):
        return None
    return sum(1 << CLASSES.index(each) for each in found)
