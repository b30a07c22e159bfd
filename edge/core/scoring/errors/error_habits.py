"""Habits of error values: which of them come as usual, such as each night while an analyser calibrates itself.

An error value is usual if on several of the last days one began at about this time of day, more than chance explains,
and if the sensor sends no more of them in a day than twice what it usually does. So what comes a first time, at another
hour, longer, or more often is told, and what a person knows by now isn't. Error values that come all day are usual by
the same rule.

Days and hours are UTC; `WITHIN_S` is the precision of a habit, so that a change to daylight saving time is news.
"""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Slots
from edge.core.model.sensors.sensor_arrays import SensorArrays

DAY_S = 86_400.0

WITHIN_S = 1_800.0
"""Times of day this far apart are the same to a habit, or up to twice as far."""

BINS = int(DAY_S / WITHIN_S)

DAYS = 15
HABITUAL = 4
"""A habit has begun at about this time of day on so many of the last `DAYS` days."""

CHANCE = 3.0
MOST_DAYS = 12
"""And on so many times as many days as if those of all times of day came by chance, but on no more than `MOST_DAYS`."""

MORE = 2
"""A day has more error values than usual from so many times as many as on the days of a habit."""


class ErrorHabits(SensorArrays):
    """Times and numbers of error values of each sensor in the last days; one row per sensor.

    State: 193 bytes a sensor.

    Attributes:
        day: The day on which an error value last began, since the epoch.
        begun: On which days error values have begun in each part of the day: a bit a day, the lowest is `day`; shape
            (n, `BINS`).
        counts: Error values of `day` and of those before it, shape (n, `DAYS` + 1).
        began: Time of the first of those in a row with the last error value.
        last: Time of the last error value.
        usual: Whether it was a usual one, and so were those in a row before it.
    """

    def __init__(self) -> None:
        self.day = np.zeros(0, dtype=np.int64)
        self.begun = np.zeros((0, BINS), dtype=np.uint16)
        self.counts = np.zeros((0, DAYS + 1), dtype=np.uint32)
        self.began = np.zeros(0)
        self.last = np.zeros(0)
        self.usual = np.zeros(0, dtype=bool)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, began=np.nan, last=np.nan)

    def is_usual(self, slot: int, time: float, before: float) -> bool:
        """Record an error value; whether it comes as usual.

        Args:
            slot: Its sensor.
            time: Its time, seconds since the epoch.
            before: Time of the sensor's reading before it, of whichever kind.
        """
        begins = self.last[slot] != before
        if begins:
            self._turn(slot, int(time // DAY_S))
            self.began[slot] = time
        self.last[slot] = time
        place = int(time % DAY_S // WITHIN_S)
        counts = self.counts[slot]
        counts[0] = min(int(counts[0]) + 1, 2**31)
        if begins:
            self.usual[slot] = self._is_habit(slot, place)
            self.begun[slot, place] |= 1
        mostly = int(np.sort(counts[1:])[-HABITUAL])
        self.usual[slot] = self.usual[slot] and int(counts[0]) <= MORE * mostly
        return bool(self.usual[slot])

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by so many seconds: the clock that stamps their readings was set."""
        self.began[slots] += by
        self.last[slots] += by

    def _is_habit(self, slot: int, place: int) -> bool:
        """Whether error values have begun in this part of the day, or in those beside it, on days enough."""
        earlier = self.begun[slot] >> 1
        near = [place - 1, place, (place + 1) % BINS]
        by_chance = len(near) / BINS * sum(each.bit_count() for each in earlier.tolist())
        days = int(np.bitwise_or.reduce(earlier[near])).bit_count()
        return bool(days >= min(max(HABITUAL, CHANCE * by_chance), MOST_DAYS))

    def _turn(self, slot: int, day: int) -> None:
        """Begin another day, if it is one. Days without a real value say nothing of a habit, and don't pass."""
        stayed = self.last[slot] - self.began[slot]
        passed = day - int(self.day[slot]) - (int(stayed // DAY_S) if stayed > 0 else 0)
        if passed <= 0:
            return
        self.day[slot] = day
        if passed > DAYS:
            self.begun[slot], self.counts[slot] = 0, 0
            return
        self.begun[slot] = (self.begun[slot].astype(np.uint32) << passed).astype(np.uint16)
        counts = self.counts[slot]
        counts[passed:] = counts[:-passed].copy()
        counts[:passed] = 0
