"""Error values: numbers that a sensor sends instead of a reading, such as 85 or -127 of a DS18B20, 65535 or -999.

Some are named by the operator. Others show themselves: they lie far outside of everything else, come and go abruptly,
are always exactly the same, and nothing else lies near them. A reading far outside is *strange* at first: it is scored
and told, but nothing is learned from it. If more than `MOST` follow, it is no pulse, and they are learned like any
others. A value that was a strange pulse `TIMES` times is an error value from then on. Values that lie near each other
are a place where the sensor really goes, and none is an error value.

How far a sensor usually reaches is remembered over two blocks of time, the present one and the one before. Blocks
become longer as a sensor becomes older, up to `LONGEST_S`, so that what happened in its first days doesn't count for
long. A sensor that repeats one value, or whose first block hasn't ended, has no strange readings.

All this follows from a sensor's readings alone, whatever incidents there are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from edge.core.model.sensors.no_values import NoValues
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.errors.error_habits import ErrorHabits

ORDINARY, STRANGE, ERROR = 0, 1, 2
"""Classes of a reading: ordinary, possibly an error value, an error value."""

FAR = 3.0
"""Far outside is farther from the usual range than so many times its width."""

MOST = 5
"""Readings in a row of a pulse, at most."""

TIMES = 3
"""So many separate pulses show that a value is an error value."""

FEWEST = 100
"""Readings, before there is a usual range."""

LASTING_S = 6 * 3_600.0
"""A value far outside that is repeated for so long is one that the sensor really has."""

SHORTEST_S = 86_400.0
LONGEST_S = 14 * SHORTEST_S

CANDIDATES = 4
"""Values of a sensor that are remembered as strange."""

REAL = -1
"""Pulses of a value at which the sensor really is at times."""


class ErrorValues(SensorArrays):
    """The usual range of each sensor, and the values beyond it; one row per sensor.

    State: 185 bytes a sensor.

    Args:
        named: The error values that the operator has named.

    Attributes:
        habits: The habits of error values.
        low, high: The usual range in the present block of time.
        low_before, high_before: In the one before.
        born: Time of the first reading, seconds since the epoch.
        due: End of the current block.
        count: Readings that the ranges were learned from, up to `FEWEST`.
        calm_low, calm_high: A reading within these needs no closer look.
        near: Whether the last reading that wasn't far outside lay close to the usual range.
        run: Readings in a row that were far outside, up to more than `MOST`.
        run_value: The last of them.
        run_from: Time of the first of them.
        run_gap: Seconds between that and the reading before.
        time: Time of the last reading.
        candidates: Values of pulses so far, NaN where there is none; shape (n, `CANDIDATES`).
        seen: Number of pulses of each, or `REAL`.
    """

    def __init__(self, named: NoValues) -> None:
        self.named = named
        self.habits = ErrorHabits()
        self.low = np.zeros(0)
        self.high = np.zeros(0)
        self.low_before = np.zeros(0)
        self.high_before = np.zeros(0)
        self.born = np.zeros(0)
        self.due = np.zeros(0)
        self.count = np.zeros(0, dtype=np.int64)
        self.calm_low = np.zeros(0)
        self.calm_high = np.zeros(0)
        self.near = np.zeros(0, dtype=bool)
        self.run = np.zeros(0, dtype=np.int64)
        self.run_value = np.zeros(0)
        self.run_from = np.zeros(0)
        self.run_gap = np.zeros(0)
        self.time = np.zeros(0)
        self.candidates = np.zeros((0, CANDIDATES))
        self.seen = np.zeros((0, CANDIDATES), dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        empty = {"low": np.inf, "high": -np.inf, "low_before": np.inf, "high_before": -np.inf}
        calm = {"calm_low": np.inf, "calm_high": -np.inf}
        self.grow_to(rows, born=np.nan, near=True, run_value=np.nan, candidates=np.nan, **empty, **calm)
        self.habits.grow(rows)

    def clear_row(self, slot: int) -> None:
        """See `SensorArrays`."""
        super().clear_row(slot)
        self.habits.clear_row(slot)

    def stand_out(self, slots: Rows, values: Numbers, times: Numbers) -> tuple[Any, Numbers]:
        """Which readings need a closer look, shape (n,), or whether a single one does; and the times before."""
        state = self.at(slots)
        before = state["time"][slots]
        state["time"][slots] = times
        calm = (values >= state["calm_low"][slots]) & (values <= state["calm_high"][slots])
        calm = calm & (times < state["due"][slots])
        if not self.named.all:
            return calm ^ True, before
        is_named = values in self.named.all if type(values) is float else np.isin(values, self.named.sorted)
        return (calm ^ True) | is_named, before

    def look(self, slot: int, value: float, time: float, before: float) -> int:
        """The class of a reading far outside: `ORDINARY`, `STRANGE` or `ERROR`.

        Args:
            slot: Its sensor.
            value: Its value.
            time: Its time, seconds since the epoch.
            before: Time of the reading before it.
        """
        if value in self.named.of(slot):
            return ERROR
        low = float(min(self.low[slot], self.low_before[slot]))
        high = float(max(self.high[slot], self.high_before[slot]))
        width, beyond = high - low, max(low - value, value - high)
        is_known = width > 0 and math.isfinite(self.low_before[slot]) and self.count[slot] >= FEWEST
        if is_known and beyond > FAR * width:
            if self.is_found(slot, value):
                return ERROR
            found, learns = self._go_on(slot, value, time, before, FAR * width)
        else:
            self._end(slot, time, FAR * width, abrupt=beyond <= width)
            self.near[slot] = beyond <= width or not is_known
            found, learns = ORDINARY, True
        if learns:
            self._learn(slot, value, time)
        is_calm = is_known and self.near[slot] and not self.run[slot]
        self.calm_low[slot] = self.low[slot] if is_calm else np.inf
        self.calm_high[slot] = self.high[slot] if is_calm else -np.inf
        return found

    def is_found(self, slot: int, value: float) -> bool:
        """Whether a value has shown itself to be an error value of a sensor."""
        return bool(((self.candidates[slot] == value) & (self.seen[slot] >= TIMES)).any())

    def pardon(self, slot: int, value: float) -> None:
        """Take a value that was found as one that the sensor really has."""
        self.seen[slot, self.candidates[slot] == value] = REAL
        self.run[slot] = MOST + 1

    def found(self, slot: int) -> list[float]:
        """The error values that were found of a sensor, ascending."""
        return sorted(self.candidates[slot, self.seen[slot] >= TIMES].tolist())

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by so many seconds: the clock that stamps their readings was set."""
        for each in (self.born, self.due, self.run_from, self.time):
            each[slots] += by
        self.habits.shift(slots, by)

    def _go_on(self, slot: int, value: float, time: float, before: float, far: float) -> tuple[int, bool]:
        """Record a reading far outside: what it is, and whether the sensor really goes there."""
        run, last = int(self.run[slot]), float(self.run_value[slot])
        is_real = False
        if run == 0:
            self.run_from[slot], self.run_gap[slot] = time, time - before
            is_real = not self.near[slot]
        elif run <= MOST and abs(value - last) > far:
            self._count(slot, last, far)
        elif value != last:
            is_real = True
            self._is_real(slot, [last, value] if run <= MOST else [value])
        self.run[slot] = run = MOST + 1 if is_real else min(run, MOST) + 1
        self.run_value[slot] = value
        is_lasting = run > MOST and time - self.run_from[slot] >= LASTING_S
        return (ORDINARY if run > MOST else STRANGE), is_real or is_lasting

    def _end(self, slot: int, time: float, far: float, *, abrupt: bool) -> None:
        """Record a reading that isn't far outside: a pulse ends, if there was one."""
        run = int(self.run[slot])
        if 0 < run <= MOST and abrupt and time - self.run_from[slot] <= (MOST + 1) * self.run_gap[slot]:
            self._count(slot, float(self.run_value[slot]), far)
        self.run[slot] = 0

    def _count(self, slot: int, value: float, far: float) -> None:
        """Count a pulse of a value."""
        known, seen = self.candidates[slot], self.seen[slot]
        others: Floats = known[(np.abs(known - value) <= far) & (known != value)]
        if len(others):
            self._is_real(slot, [value, *others.tolist()])
            return
        place = np.flatnonzero(known == value)
        if len(place):
            seen[place[0]] += seen[place[0]] != REAL
        else:
            self._remember(slot, value, 1)

    def _is_real(self, slot: int, values: list[float]) -> None:
        """Values that lie near each other are no error values."""
        for value in values:
            place = np.flatnonzero(self.candidates[slot] == value)
            if len(place):
                self.seen[slot, place[0]] = REAL
            else:
                self._remember(slot, value, REAL)

    def _remember(self, slot: int, value: float, seen: int) -> None:
        """Remember a value in the place of the one that has shown the least."""
        weight = np.where(np.isnan(self.candidates[slot]), 0, np.where(self.seen[slot] == REAL, 1, self.seen[slot]))
        place = int(weight.argmin())
        if weight[place] < TIMES:
            self.candidates[slot, place], self.seen[slot, place] = value, seen

    def _learn(self, slot: int, value: float, time: float) -> None:
        if math.isnan(self.born[slot]):
            self.born[slot], self.due[slot] = time, time + SHORTEST_S
        if time >= self.due[slot] and self.low[slot] <= self.high[slot]:
            self.low_before[slot], self.high_before[slot] = self.low[slot], self.high[slot]
            self.low[slot], self.high[slot] = np.inf, -np.inf
            age = float(time - self.born[slot])
            self.due[slot] = time + min(max(age, SHORTEST_S), LONGEST_S)
        self.low[slot] = min(self.low[slot], value)
        self.high[slot] = max(self.high[slot], value)
        self.count[slot] = min(self.count[slot] + 1, FEWEST)
