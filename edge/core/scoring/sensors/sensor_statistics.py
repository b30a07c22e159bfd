"""Sensor statistics: what the engine itself knows of every sensor, apart from what the detectors have learned."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import everywhere, known_minimum, least, maximum, minimum, where
from detectors.numeric.gather import put_element
from edge.core.model.readings.stream_clock import Skip
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.sensors.sensor_summary import SensorSummary

RECENT = 16
"""Readings of a sensor that its events show."""

LONGEST_GAP = 10.0
"""In the learned interval, a gap counts as at most this many intervals."""

INTERRUPTION_S = 5.0
"""After an interruption of our own, a leap of the stream clock by more than this was no sensor's silence."""

USUAL_GAPS = 3.0
"""Nor is it one if it is longer than so many gaps of the sensor that reports most often, of those that it concerns."""


class SensorStatistics(SensorArrays):
    """Arrays with one row a sensor; rows follow the sensor table.

    Attributes:
        count: Readings taken so far.
        time: Time of the last reading.
        value: Value of the last reading.
        interval: Seconds between two readings, learned; 0 while unknown.
        level: Raising level at the last reading, in decades.
        exceeding: Readings in a row at or above the raising level.
        seen: Stream clock at the last reading.
        waited: Seconds by the stream clock between its readings, added up, but for interruptions of our own.
        deadline: Stream clock at which the sensor's silence becomes too long.
        lowest: The lowest value of any reading; minus infinity if it isn't known.
        silences: Number of deadlines passed since the last reading.
        recent_times: Times of the last readings, a ring of `RECENT` a row.
        recent_values: Their values.
        soonest: No deadline lies before this; minus infinity while nobody has looked. Whoever changes deadlines
            otherwise than by `expect()`, and not to later ones only, has to set it to that.
    """

    LATER: ClassVar[dict[str, float]] = {"lowest": -math.inf, "waited": 0.0}

    def __init__(self) -> None:
        self.soonest = -math.inf
        self.count = np.zeros(0, dtype=np.int64)
        self.time = np.zeros(0)
        self.value = np.zeros(0)
        self.interval = np.zeros(0)
        self.level = np.zeros(0)
        self.exceeding = np.zeros(0, dtype=np.int64)
        self.seen = np.zeros(0)
        self.waited = np.zeros(0)
        self.deadline = np.zeros(0)
        self.silences = np.zeros(0, dtype=np.int64)
        self.lowest = np.zeros(0)
        self.recent_times = np.zeros((0, RECENT))
        self.recent_values = np.zeros((0, RECENT))

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, deadline=np.inf, lowest=np.inf)

    def record(self, slots: Rows, values: Numbers, times: Numbers, clock: Numbers) -> None:
        """Record one round of readings, no slot twice; arrays of shape (n,), or plain numbers."""
        state = self.at(slots)
        count, known = state["count"][slots], state["interval"][slots]
        gap = times - state["time"][slots]
        is_known = everywhere(known > 0)
        capped = where(is_known, minimum(gap, LONGEST_GAP * known), gap)
        rate = maximum(1.0 / maximum(count + 0.0, 1.0), 1 / 50)
        learned = where(is_known, known + rate * (capped - known), gap)
        state["interval"][slots] = where(everywhere((count > 0) & (gap > 0)), learned, known)
        at = count % RECENT
        put_element(state["recent_times"], slots, at, times)
        put_element(state["recent_values"], slots, at, values)
        state["count"][slots] = count + 1
        state["time"][slots] = times
        state["value"][slots] = values
        state["lowest"][slots] = known_minimum(state["lowest"][slots], values + 0.0)  # no -0.0
        waited = where(everywhere(count > 0), maximum(clock - state["seen"][slots], 0.0), 0.0)
        state["waited"][slots] = state["waited"][slots] + waited
        state["seen"][slots] = clock
        state["silences"][slots] = 0

    def record_apart(self, slot: int, value: float, time: float, clock: float, *, is_value: bool) -> None:
        """Record a reading that nothing is learned from; unless `is_value`, the last value stays what it was."""
        lowest, before = self.lowest[slot], self.value[slot]
        self.record(slot, value, time, clock)
        self.lowest[slot] = lowest
        if not is_value:
            self.value[slot] = before

    def replace(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """See `SensorArrays`."""
        super().replace(arrays)
        self.soonest = -math.inf

    def load(self, first: int, state: bytes) -> None:
        """See `SensorArrays`."""
        super().load(first, state)
        self.soonest = -math.inf

    def expect(self, slots: Rows, deadlines: Numbers) -> None:
        """Set the deadlines of some sensors, no slot twice; arrays of shape (n,), or plain numbers."""
        self.at(slots)["deadline"][slots] = deadlines
        self.soonest = min(self.soonest, least(deadlines))

    def overdue(self, until: float) -> list[int]:
        """Slots of the sensors whose deadline lies before a moment, ascending.

        All deadlines are looked at only when the soonest that there was at the last look has passed: not more often
        than the most impatient sensor could fall silent, however many readings come meanwhile.
        """
        if until <= self.soonest:
            return []
        slots: list[int] = np.flatnonzero(self.deadline < until).tolist()
        self.soonest = -math.inf if slots or not len(self.deadline) else float(self.deadline.min())
        return slots

    def shift_deadlines(self, by: float) -> None:
        """Move all deadlines, and what the stream clock was at the last readings, by so many seconds."""
        self.deadline += by
        self.seen += by
        self.soonest = -math.inf

    def put_off(self, chosen: NDArray[Any], by: Numbers) -> None:
        """Put off the silence of sensors that a mask or an index chooses, no slot twice, by so many seconds each."""
        self.deadline[chosen] += by
        self.seen[chosen] += by

    def forgive(self, before: float, leap: float) -> None:
        """Put off the silence of sensors that were last seen up to a time, if the stream clock then leapt too far."""
        absent = self.seen <= before
        known = self.interval[absent & (self.interval > 0)]
        usual = USUAL_GAPS * float(known.min()) if len(known) else 0.0
        if np.isfinite(leap) and leap > max(INTERRUPTION_S, usual):
            self.put_off(absent, leap)

    def skip_leads(self, skips: Iterable[Skip], before: float) -> float:
        """Count no lead that the clock has skipped since it stood at `before` as silence; its seconds, if it is all's.

        Of those who reported while it stood still, only the deadlines are put off: they were seen at its time.
        """
        skipped = 0.0
        for skip in skips:
            if skip.of_all:
                skipped = skip.lead
                self.put_off(self.seen <= before, skip.lead)
            else:
                self.deadline[self.seen == before] += skip.lead
        return skipped

    def summary(self, slot: int) -> SensorSummary:
        """Facts about a sensor besides its last readings."""
        return SensorSummary(float(self.interval[slot]), float(self.lowest[slot]), float(self.seen[slot]))

    def recent(self, slot: int) -> list[tuple[float, float]]:
        """The last readings of a sensor, oldest first: (time, value)."""
        count = int(self.count[slot])
        order = [each % RECENT for each in range(max(0, count - RECENT), count)]
        times, values = self.recent_times[slot, order], self.recent_values[slot, order]
        return list(zip(times.tolist(), values.tolist(), strict=True))
