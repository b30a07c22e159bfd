"""Regular error values: recognises those that come as usual, such as each night while an analyser calibrates itself.

An error value is usual if one began at about this time of day on several of the last days, or on each of the last two,
and more often than by chance, and if the sensor has sent at most twice as many today as it usually does in a day. An
error value that is new, comes at another hour, lasts longer or comes more often is therefore reported, and a familiar
one isn't. Error values that occur all day become usual by the same rule.

Days and hours are UTC. `WITHIN_S` is the precision, so a change to daylight saving time is reported.
"""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Slots
from edge.core.model.sensors.sensor_arrays import SensorArrays

DAY_S = 86_400.0

WITHIN_S = 1_800.0
"""Resolution of the time of day in seconds; times up to twice as far apart may count as equal."""

BINS = int(DAY_S / WITHIN_S)

DAYS = 15
HABITUAL = 4
"""Minimum number of the last `DAYS` days on which an error value began at about this time of day."""

IN_A_ROW = 2
"""Sufficient number of days if they are the last ones: a sensor that is new has no others."""

CHANCE = 3.0
MOST_DAYS = 12
"""Minimum ratio of that number to the number expected by chance, which never requires more than `MOST_DAYS`."""

MORE = 2
"""A day is unusual if it has this many times as many error values as the usual days."""


class ErrorHabits(SensorArrays):
    """Times and counts of each sensor's error values in the last days; one row per sensor.

    State: 193 bytes per sensor.

    Attributes:
        day: The day on which an error value last began, in days since the epoch.
        begun: Bit mask of the days on which error values began in each part of the day; the lowest bit is `day`; shape
            (n, `BINS`).
        counts: Number of error values on `day` and the days before it, shape (n, `DAYS` + 1).
        began: Time of the first error value of the last run.
        last: Time of the last error value.
        usual: Whether the last run of error values is usual.
    """

    def __init__(self) -> None:
        self.day = np.zeros(0, dtype=np.int64)
        self.begun = np.zeros((0, BINS), dtype=np.uint16)
        self.counts = np.zeros((0, DAYS + 1), dtype=np.uint32)
        self.began = np.zeros(0)
        self.last = np.zeros(0)
        self.usual = np.zeros(0, dtype=bool)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, began=np.nan, last=np.nan)

    def is_usual(self, slot: int, time: float, before: float) -> bool:
        """Record an error value; returns whether it is usual.

        Args:
            slot: Its sensor.
            time: Its time, seconds since the epoch.
            before: Time of the sensor's previous reading, whether an error value or not.
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
        mostly = max(int(np.sort(counts[1:])[-HABITUAL]), int(counts[1 : 1 + IN_A_ROW].min()))
        self.usual[slot] = self.usual[slot] and int(counts[0]) <= MORE * mostly
        return bool(self.usual[slot])

    def shift(self, slots: Slots, by: float) -> None:
        """Shift the times of sensors by `by` seconds after a step of the clock that timestamps them."""
        self.began[slots] += by
        self.last[slots] += by

    def _is_habit(self, slot: int, place: int) -> bool:
        """Whether error values began in this or an adjacent part of the day on enough days."""
        earlier = self.begun[slot] >> 1
        near = [place - 1, place, (place + 1) % BINS]
        by_chance = len(near) / BINS * sum(each.bit_count() for each in earlier.tolist())
        begun = int(np.bitwise_or.reduce(earlier[near]))
        last_days = (1 << IN_A_ROW) - 1
        fewest = IN_A_ROW if begun & last_days == last_days else HABITUAL
        return bool(begun.bit_count() >= min(max(fewest, CHANCE * by_chance), MOST_DAYS))

    def _turn(self, slot: int, day: int) -> None:
        """Advance to another day. Days without a real value are no evidence and aren't counted."""
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
