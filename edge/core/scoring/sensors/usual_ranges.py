"""The usual range of each sensor, and the usual duration of its incidents: the measure of the next one's severity.

A range holds every value that was no part of an incident and exceeded no level. Each day its ends move a two-hundredth
of the way to the ends of that day, so that what hasn't come for half a year is forgotten: a refill once a month stays
within it. With each incident that was cleared they move half of the way to where it went, by at most two widths of the
range: repeated deviations become usual, and yesterday's fault is still a fault today.

A fault has often begun before it is found. What came within the last hours is therefore held back: it is a part of the
range once it is six to twelve hours old, and never if an incident is raised before. In a sensor's first three days it
is a part of it at once, and where there was but one value before, as nothing could be measured by that.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import any_of, widened_down, widened_up
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.consequence import EPISODE_S, Yardstick

BLOCK_S = 86_400.0
FORGOTTEN = 1 / 200

HELD_BACK_S = BLOCK_S / 4
"""Values are held back for this long at least, and for twice as long at most."""

FOLLOWED, FOLLOWED_WIDTHS = 1 / 2, 2.0

KNOWN_AFTER_S = 3 * BLOCK_S
"""A range has full weight once the sensor has been observed for this long, and proportional weight before."""

EPISODE_RATE = 0.3
"""The weight of the last incident in the usual duration, as a logarithm; a duration counts as at most twice or half the
usual one, so that a single fault of two days makes no other seem short.
"""

EPISODE_INTERVALS = 10
"""An incident lasts for this many readings at least."""


class UsualRanges(SensorArrays):
    """Arrays with one row a sensor. State: 96 bytes a sensor.

    Attributes:
        low, high: The usual range up to the current day; infinite and reversed while there is none.
        day_low, day_high: The range of the current day, with the same convention.
        held_low, held_high: The range of the last hours, which is held back.
        new_low, new_high: The range of the hours that go on, likewise.
        ends: Their end, that of the current day at the latest.
        born: Time of the first reading, seconds since the epoch; NaN before it.
        due: End of the current day.
        episode: Usual duration of an incident, in seconds; 0 while it isn't known.
    """

    LATER: ClassVar = {
        "held_low": np.inf,
        "held_high": -np.inf,
        "new_low": np.inf,
        "new_high": -np.inf,
        "ends": -np.inf,
    }

    def __init__(self) -> None:
        self.low = np.zeros(0)
        self.high = np.zeros(0)
        self.day_low = np.zeros(0)
        self.day_high = np.zeros(0)
        self.held_low = np.zeros(0)
        self.held_high = np.zeros(0)
        self.new_low = np.zeros(0)
        self.new_high = np.zeros(0)
        self.ends = np.zeros(0)
        self.born = np.zeros(0)
        self.due = np.zeros(0)
        self.episode = np.zeros(0)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        nothing = {"low": np.inf, "day_low": np.inf, "high": -np.inf, "day_high": -np.inf}
        self.grow_to(rows, born=np.nan, due=-np.inf, **nothing, **self.LATER)

    def age(self, slot: int, time: float) -> float:
        """Seconds for which a sensor had been known at a time; NaN if it wasn't."""
        return float(time - self.born[slot])

    def stand_out(self, slots: Rows, values: Numbers, times: Numbers, apart: Any) -> Any:
        """Which readings `learn()` has to see, shape (n,), or whether a single one has to.

        Args:
            slots: Their sensors, shape (n,).
            values: Values, shape (n,).
            times: Times, shape (n,).
            apart: Which of them don't count as usual, shape (n,), or True for all.
        """
        if apart is True:
            return False
        state = self.at(slots)
        within = (values >= state["day_low"][slots]) & (values <= state["day_high"][slots])
        within = within | ((values >= state["new_low"][slots]) & (values <= state["new_high"][slots]))
        news = ((within & (times < state["ends"][slots])) | apart) ^ True
        return news if any_of(news) else False

    def learn_all(self, slots: Slots, values: Floats, times: Floats) -> None:
        """Learn values of distinct sensors, shape (n,)."""
        goes_on = times < self.ends[slots]
        rows, seen = slots[goes_on], values[goes_on]
        self.new_low[rows] = widened_down(self.new_low[rows], seen)
        self.new_high[rows] = widened_up(self.new_high[rows], seen)
        for each in np.flatnonzero(~goes_on).tolist():
            self.learn(int(slots[each]), float(values[each]), float(times[each]))

    def learn(self, slot: int, value: float, time: float) -> None:
        """Learn a value."""
        if math.isnan(self.born[slot]):
            self.born[slot], self.due[slot] = time, time + BLOCK_S
        if time >= self.ends[slot]:
            for _ in range(1 if time < self.ends[slot] + HELD_BACK_S else 2):
                self._let_in(slot)
            if time >= self.due[slot]:
                self._end_day(slot)
                self.due[slot] = time + BLOCK_S
            self.ends[slot] = min(time + HELD_BACK_S, self.due[slot])
        self.new_low[slot] = min(self.new_low[slot], value)
        self.new_high[slot] = max(self.new_high[slot], value)

    def doubt(self, slot: int) -> None:
        """Discard what is held back of a sensor: an incident has been found that may have begun before."""
        low, high = self._settled(slot)
        if not low < high:
            return
        self.held_low[slot] = self.new_low[slot] = np.inf
        self.held_high[slot] = self.new_high[slot] = -np.inf

    def learn_incident(self, slot: int, seconds: float, lowest: float, highest: float) -> None:
        """Learn from an incident that has ended.

        Args:
            slot: Its sensor.
            seconds: Its duration.
            lowest: Its lowest exceeding value; infinite if there was none.
            highest: Its highest one, likewise.
        """
        low, high = float(self.low[slot]), float(self.high[slot])
        if low <= high:
            most = FOLLOWED_WIDTHS * (high - low) or math.inf
            self.low[slot] = low - min(most, FOLLOWED * max(0.0, low - lowest))
            self.high[slot] = high + min(most, FOLLOWED * max(0.0, highest - high))
        before = float(self.episode[slot]) or EPISODE_S
        factor = min(2.0, max(0.5, seconds / before))
        self.episode[slot] = before * factor**EPISODE_RATE

    def yardstick(self, slot: int, time: float, interval: float, most: int, *, is_device: bool) -> Yardstick:
        """The properties of a sensor.

        Args:
            slot: The sensor's.
            time: Now.
            interval: Seconds between two of its readings, or 0.
            most: Highest severity of its learned conditions.
            is_device: Whether it is a device.
        """
        low, high = self._settled(slot)
        if not (low < high and self.age(slot, time) >= KNOWN_AFTER_S):
            low, high = (
                min(low, self.held_low[slot], self.new_low[slot]),
                max(high, self.held_high[slot], self.new_high[slot]),
            )
        episode = max(float(self.episode[slot]) or EPISODE_S, EPISODE_INTERVALS * interval)
        if not low <= high:
            return Yardstick(episode_s=episode, most=most, is_device=is_device)
        sure = min(1.0, max(0.0, float(time - self.born[slot]) / KNOWN_AFTER_S))
        return Yardstick(float(low), float(high), sure, episode, most, is_device)

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by a number of seconds: the clock that stamps their readings was set."""
        self.born[slots] += by
        self.due[slots] += by
        self.ends[slots] += by

    def _settled(self, slot: int) -> tuple[float, float]:
        """The range without what is held back."""
        return min(self.low[slot], self.day_low[slot]), max(self.high[slot], self.day_high[slot])

    def _let_in(self, slot: int) -> None:
        """Let what was held back for long enough become a part of the day."""
        self.day_low[slot] = min(self.day_low[slot], self.held_low[slot])
        self.day_high[slot] = max(self.day_high[slot], self.held_high[slot])
        self.held_low[slot], self.held_high[slot] = self.new_low[slot], self.new_high[slot]
        self.new_low[slot], self.new_high[slot] = np.inf, -np.inf

    def _end_day(self, slot: int) -> None:
        low, high = float(self.day_low[slot]), float(self.day_high[slot])
        if not low <= high:
            return
        is_first = not self.low[slot] <= self.high[slot]
        self.low[slot] = low if is_first else min(low, self.low[slot] + FORGOTTEN * (low - self.low[slot]))
        self.high[slot] = high if is_first else max(high, self.high[slot] + FORGOTTEN * (high - self.high[slot]))
        self.day_low[slot], self.day_high[slot] = np.inf, -np.inf
