"""Error values: numbers that a sensor sends in place of a reading, such as 85 or -127 of a DS18B20, 65535 or -999.

Some are configured. Others are detected: they lie far outside of all other values, appear and disappear abruptly, are
always exactly equal, and have no other values near them. A reading far outside is first *strange*: it is scored and
reported, but not learned from. If more than `MOST` follow, it isn't a pulse and they are learned like any others. A
value that formed `TIMES` strange pulses is an error value from then on. Values near each other belong to a region that
the sensor really visits and are never error values.

The usual range of a sensor is kept for two blocks of time, the current and the previous one. Blocks grow with the
sensor's age up to `LONGEST_S`, so that its first days don't count for long. A sensor that repeats one value, or whose
first block hasn't ended, has no strange readings.

The classification depends only on a sensor's readings, not on incidents.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from detectors.numeric.elementwise import widened_down, widened_up
from edge.core.model.sensors.no_values import NoValues
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.errors.error_habits import ErrorHabits

ORDINARY, STRANGE, ERROR = 0, 1, 2
"""Classes of a reading: ordinary, possibly an error value, an error value."""

FAR = 3.0
"""Minimum distance from the usual range of a reading far outside, in widths of that range."""

MOST = 5
"""Maximum number of consecutive readings in a pulse."""

TIMES = 3
"""Number of separate pulses that identify an error value."""

FEWEST = 100
"""Minimum number of readings for a usual range."""

LASTING_S = 6 * 3_600.0
"""A value far outside that is repeated for this long is a real one."""

SHORTEST_S = 86_400.0
LONGEST_S = 14 * SHORTEST_S

CANDIDATES = 4
"""Number of candidate error values kept for each sensor."""

REAL = -1
"""Pulse count that marks a real value."""


class ErrorValues(SensorArrays):
    """The usual range of each sensor and the values beyond it; one row per sensor.

    State: 185 bytes per sensor.

    Args:
        named: Configured error values.

    Attributes:
        habits: Regular error values.
        low, high: Usual range in the current block.
        low_before, high_before: Usual range in the previous block.
        born: Time of the first reading, seconds since the epoch.
        due: End of the current block.
        count: Number of readings in the ranges, up to `FEWEST`.
        calm_low, calm_high: Readings within these bounds change nothing here, and need no further checks.
        near: Whether the last reading that wasn't far outside was close to the usual range.
        run: Number of consecutive readings far outside, up to `MOST` + 1.
        run_value: The last of them.
        run_from: Time of the first of them.
        run_gap: Seconds between the first of them and the previous reading.
        time: Time of the last reading.
        candidates: Values of pulses so far, NaN for unused entries; shape (n, `CANDIDATES`).
        seen: Number of pulses of each candidate, or `REAL`.
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
        """Grow to `rows` sensors, with some spare capacity."""
        empty = {"low": np.inf, "high": -np.inf, "low_before": np.inf, "high_before": -np.inf}
        calm = {"calm_low": np.inf, "calm_high": -np.inf}
        self.grow_to(rows, born=np.nan, near=True, run_value=np.nan, candidates=np.nan, **empty, **calm)
        self.habits.grow(rows)

    def clear_row(self, slot: int) -> None:
        """See `SensorArrays`."""
        super().clear_row(slot)
        self.habits.clear_row(slot)

    def stand_out(self, slots: Rows, values: Numbers, times: Numbers) -> tuple[Any, Numbers]:
        """Whether each reading needs further checks, shape (n,), or a single one.

        And the times of the previous readings.
        """
        state = self.at(slots)
        before = state["time"][slots]
        state["time"][slots] = times
        calm = (values >= state["calm_low"][slots]) & (values <= state["calm_high"][slots])
        calm = calm & (times < state["due"][slots])
        if not self.named.all:
            return calm ^ True, before
        is_named = values in self.named.all if type(values) is float else np.isin(values, self.named.sorted)
        return (calm ^ True) | is_named, before

    def learn_near(self, slots: Slots, values: Floats, times: Floats, stand_out: NDArray[np.bool_]) -> None:
        """Do at once what `look()` does with readings near the usual range, and with all in the first block.

        Args:
            slots: Distinct sensors, shape (n,).
            values: Their values, shape (n,).
            times: Their times, seconds since the epoch, shape (n,).
            stand_out: The readings that need further checks, shape (n,); those learned here no longer do.
        """
        which = np.flatnonzero(stand_out)
        slots, values, times = slots[which], values[which], times[which]
        low_before, high_before, count = self.low_before[slots], self.high_before[slots], self.count[slots]
        low, high = np.minimum(self.low[slots], low_before), np.maximum(self.high[slots], high_before)
        near = (low_before == np.inf) | (np.maximum(low - values, values - high) <= high - low)
        near &= (self.run[slots] == 0) & ((times < self.due[slots]) | (count == 0))
        if self.named.all:
            near &= ~np.isin(values, self.named.sorted)
        chosen = np.flatnonzero(near)
        if not len(chosen):
            return
        stand_out[which[chosen]] = False
        slots, values, times = slots[chosen], values[chosen], times[chosen]
        is_first = self.count[slots] == 0
        self.born[slots] = np.where(is_first, times, self.born[slots])
        self.due[slots] = np.where(is_first, times + SHORTEST_S, self.due[slots])
        self.low[slots] = low = widened_down(self.low[slots], values)
        self.high[slots] = high = widened_up(self.high[slots], values)
        self.count[slots] = count = np.minimum(self.count[slots] + 1, FEWEST)
        self.near[slots] = True
        self.calm_low[slots] = np.where(count >= FEWEST, low, np.inf)
        self.calm_high[slots] = np.where(count >= FEWEST, high, -np.inf)

    def look(self, slot: int, value: float, time: float, before: float) -> int:
        """Classify a reading far outside: `ORDINARY`, `STRANGE` or `ERROR`.

        Args:
            slot: Its sensor.
            value: Its value.
            time: Its time, seconds since the epoch.
            before: Time of the previous reading.
        """
        if value in self.named.of(slot):
            return ERROR
        low = float(min(self.low[slot], self.low_before[slot]))
        high = float(max(self.high[slot], self.high_before[slot]))
        width, beyond = high - low, max(low - value, value - high)
        is_known = width > 0 and math.isfinite(self.low_before[slot]) and self.count[slot] >= FEWEST
        if is_known and beyond > FAR * width:
            if self.is_found(slot, value):
                self._interrupt(slot, FAR * width)
                return ERROR
            found, learns = self._go_on(slot, value, time, before, FAR * width)
        else:
            self._end(slot, time, FAR * width, abrupt=beyond <= width)
            self.near[slot] = beyond <= width or not is_known
            found, learns = ORDINARY, True
        if learns:
            self._learn(slot, value, time)
        is_calm = self.count[slot] >= FEWEST and self.near[slot] and not self.run[slot]
        self.calm_low[slot] = self.low[slot] if is_calm else np.inf
        self.calm_high[slot] = self.high[slot] if is_calm else -np.inf
        return found

    def is_found(self, slot: int, value: float) -> bool:
        """Whether a value was detected as an error value of a sensor."""
        return bool(((self.candidates[slot] == value) & (self.seen[slot] >= TIMES)).any())

    def pardon(self, slot: int, value: float) -> None:
        """Mark a detected error value as real."""
        self.seen[slot, self.candidates[slot] == value] = REAL
        self.run[slot] = MOST + 1

    def found(self, slot: int) -> list[float]:
        """The detected error values of a sensor, ascending."""
        return sorted(self.candidates[slot, self.seen[slot] >= TIMES].tolist())

    def shift(self, slots: Slots, by: float) -> None:
        """Shift the times of sensors by `by` seconds after a step of the clock that timestamps them."""
        for each in (self.born, self.due, self.run_from, self.time):
            each[slots] += by
        self.habits.shift(slots, by)

    def _go_on(self, slot: int, value: float, time: float, before: float, far: float) -> tuple[int, bool]:
        """Record a reading far outside; returns its class, and whether it is a real value."""
        run, last = int(self.run[slot]), float(self.run_value[slot])
        is_real, leaps = False, 0 < run <= MOST and abs(value - last) > far
        if leaps:
            self._count(slot, last, far)
            run = 0 if (self.candidates[slot] == value).any() else run  # it alternates between two
        if run == 0:
            self.run_from[slot], self.run_gap[slot] = time, time - before
            is_real = not self.near[slot]
        elif not leaps and value != last:
            is_real = True
            self._is_real(slot, [last, value] if run <= MOST else [value])
        self.run[slot] = run = MOST + 1 if is_real else min(run, MOST) + 1
        self.run_value[slot] = value
        is_lasting = run > MOST and time - self.run_from[slot] >= LASTING_S
        return (ORDINARY if run > MOST else STRANGE), is_real or is_lasting

    def _interrupt(self, slot: int, far: float) -> None:
        """Record an error value, which ends a pulse of another one: a sensor may alternate between two."""
        if 0 < self.run[slot] <= MOST:
            self._count(slot, float(self.run_value[slot]), far)
            self.run[slot] = 0

    def _end(self, slot: int, time: float, far: float, *, abrupt: bool) -> None:
        """Record a reading that isn't far outside, which ends a pulse if there was one."""
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
        """Mark values near each other as real."""
        for value in values:
            place = np.flatnonzero(self.candidates[slot] == value)
            if len(place):
                self.seen[slot, place[0]] = REAL
            else:
                self._remember(slot, value, REAL)

    def _remember(self, slot: int, value: float, seen: int) -> None:
        """Store a candidate in place of the one with the least evidence."""
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
