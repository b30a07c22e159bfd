"""Habits: what a sensor does each week, or each day, at the same hour, and what is news only once.

A filter is washed on Saturdays at eleven, an analyser calibrates itself on Wednesdays, a battery is tested on Tuesday
nights. Four times a month is too seldom for anything that learns from single readings to find it usual. An incident
that looks like one that ended by itself at this hour a week or two ago, or like those of the last two days, is
therefore not reported while it does: at the same hour, for no longer, no farther away, and of the same kind. It is an
incident nevertheless, so nothing is learned of it, and it is reported as soon as it looks otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detectors.numeric.arrays import Slots
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.opinions import OF_LEVELS

DAY_S = 86_400.0

REPEATED = ((7.0,), (14.0,), (1.0, 2.0))
"""It is a habit if it happened each of so many days ago, by any of these."""

REMEMBERED = 8
"""Number of incidents remembered of a sensor, the latest ones."""

LONGEST_S = 1.5 * DAY_S
"""What lasts longer is no habit; a rest over Sunday is shorter."""

SLACK_S, SLACK_SHARE = 1800.0, 0.1
"""It may begin so much earlier and end so much later than before, in seconds and in shares of its duration."""

OF_ITS_REACH, OF_USUAL = 1 / 4, 1 / 8
"""It may go so much farther than before, in shares of the values that it had and of the usual range."""

CLASSES = ("level", "variance", "flatline", "state")
"""Kinds that are alike are one class: what is washed away has jumped, has shifted or is unusual, as may be."""


class Habits(SensorArrays):
    """Arrays with one row per sensor and a column for each remembered incident. State: 200 bytes per sensor.

    Attributes:
        began: When each of them began, seconds since the epoch; NaN for unused columns.
        ended: When it last showed.
        low: The lowest value that it had.
        high: The highest one.
        classes: The classes of its kinds, one bit for each.
    """

    def __init__(self) -> None:
        self.began = np.zeros((0, REMEMBERED))
        self.ended = np.zeros((0, REMEMBERED))
        self.low = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.high = np.zeros((0, REMEMBERED), dtype=np.float32)
        self.classes = np.zeros((0, REMEMBERED), dtype=np.uint8)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, began=np.nan, ended=np.nan)

    def end(self, slot: int, began: float, ended: float, low: float, high: float, kinds: Iterable[str]) -> None:
        """Record an incident that has ended by itself.

        Args:
            slot: The sensor.
            began: When it began.
            ended: When it last showed.
            low: Lowest value.
            high: Highest value.
            kinds: All kinds that it has shown.
        """
        if ended - began > LONGEST_S or (classes := _classes(kinds)) is None:
            return
        free = np.isnan(self.began[slot])
        place = int(free.argmax() if free.any() else self.began[slot].argmin())
        self.began[slot, place], self.ended[slot, place] = began, ended
        self.low[slot, place], self.high[slot, place] = low, high
        self.classes[slot, place] = classes

    def covers(self, slot: int, time: float, value: float, kinds: Iterable[str], usual: Yardstick) -> bool:
        """Whether what a sensor shows now is a habit.

        Args:
            slot: The sensor.
            time: Now.
            value: Its value.
            kinds: All kinds that its incident has shown.
            usual: Its usual range before the incident.
        """
        if np.isnan(self.began[slot]).all() or (classes := _classes(kinds)) is None:
            return False
        low, high = self.low[slot].astype(float), self.high[slot].astype(float)
        width = usual.width if usual.width > 0 else 0.0
        reach = OF_ITS_REACH * (high - low) + OF_USUAL * width
        alike = (np.fmin(low, usual.low) - reach <= value) & (value <= np.fmax(high, usual.high) + reach)
        alike &= (classes & ~self.classes[slot]) == 0
        slack = SLACK_S + SLACK_SHARE * (self.ended[slot] - self.began[slot])
        return any(all(self._was(slot, time - days * DAY_S, slack, alike) for days in ago) for ago in REPEATED)

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by a number of seconds: the clock that stamps their readings was set."""
        self.began[slots] += by
        self.ended[slots] += by

    def _was(self, slot: int, time: float, slack: np.ndarray, alike: np.ndarray) -> bool:
        """Whether one of the incidents that look alike was open at a time, or nearly."""
        return bool((alike & (self.began[slot] - slack <= time) & (time <= self.ended[slot] + slack)).any())


def _classes(kinds: Iterable[str]) -> int | None:
    """The classes of kinds, one bit for each; None if one of them is never a habit."""
    found = {"level" if each in OF_LEVELS else each for each in kinds}
    if not found or not found <= set(CLASSES):
        return None
    return sum(1 << CLASSES.index(each) for each in found)
