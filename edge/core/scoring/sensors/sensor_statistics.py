"""Sensor statistics: the engine's own facts about every sensor, separate from what detectors have learned."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import everywhere, known_minimum, least, maximum, minimum, nowhere, where
from detectors.numeric.gather import put_element
from edge.core.model.readings.stream_clock import Skip
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.sensors.due_hours import (
    HOUR_S,
    HOURS,
    begin_absence,
    due_deadline,
    due_end,
    end_absence,
    soonest_within,
    suspend,
    take_arrival,
)
from edge.core.scoring.sensors.sensor_summary import SensorSummary

RECENT = 16
"""Number of recent readings of a sensor in its events."""

LONGEST_GAP = 10.0
"""Maximum contribution of a gap to the learned interval, in intervals."""

INTERRUPTION_S = 5.0
"""After an interruption of the service, a leap of the stream clock beyond this many seconds isn't counted as
silence."""

USUAL_GAPS = 2.0
"""The same applies to a leap longer than this many gaps of the most frequent sensor affected: one of its readings is
missing then."""


class SensorStatistics(SensorArrays):
    """Arrays with one row per sensor, in the order of the sensor table.

    Attributes:
        count: Readings taken so far.
        time: Time of the last reading.
        value: Value of the last reading.
        interval: Learned seconds between two readings; 0 while unknown.
        level: Raising level at the last reading, in decades.
        exceeding: Number of consecutive readings at or above the raising level.
        seen: Stream clock at the last reading.
        waited: Sum of the stream-clock time between its readings in seconds, without interruptions of the service.
        deadline: Stream clock at which the sensor's silence becomes too long.
        gap_deadline: The same by its own gaps alone, without due hours; 0 if unknown.
        lowest: The lowest value of any reading; minus infinity if unknown.
        silences: Number of deadlines passed since the last reading.
        hour: Hour of the stream clock at the last reading, since the epoch; 0 before the first. See `due_hours` for
            absences of the service.
        days: Number of days in a row on which it has reported in each hour of the day, see `due_hours`.
        due_until: Stream clock at the end of the due hours that follow the last reading; 0 if there are none.
        due_gap: Longest time between two readings within due hours, in seconds.
        recent_times: Times of recent readings, a ring buffer of `RECENT` per row.
        recent_values: Values of recent readings, in the same layout.
        soonest: Lower bound of all deadlines; minus infinity if it must be recomputed. Code that moves a deadline
            earlier other than by `expect()` has to reset it.
    """

    LATER: ClassVar[dict[str, float]] = {
        "lowest": -math.inf,
        "waited": 0.0,
        "hour": 0.0,
        "days": 0.0,
        "due_until": 0.0,
        "due_gap": 0.0,
        "gap_deadline": 0.0,
    }

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
        self.gap_deadline = np.zeros(0)
        self.silences = np.zeros(0, dtype=np.int64)
        self.lowest = np.zeros(0)
        self.hour = np.zeros(0)
        self.days = np.zeros((0, HOURS), dtype=np.uint8)
        self.due_until = np.zeros(0)
        self.due_gap = np.zeros(0)
        self.recent_times = np.zeros((0, RECENT))
        self.recent_values = np.zeros((0, RECENT))

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, deadline=np.inf, lowest=np.inf)

    def record(self, slots: Rows, values: Numbers, times: Numbers, clock: Numbers) -> None:
        """Record a round of readings of distinct slots; arrays of shape (n,), or scalars."""
        state = self.at(slots)
        unknown = nowhere(state["hour"][slots] < 0)
        take_arrival(state, slots, clock)
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
        waited = where(unknown, 0.0, waited)
        state["waited"][slots] = state["waited"][slots] + waited
        state["seen"][slots] = clock
        state["silences"][slots] = 0

    def record_apart(self, slot: int, value: float, time: float, clock: float, *, is_value: bool) -> None:
        """Record a reading that nothing is learned from; unless `is_value`, the last value is kept."""
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
        """Set the deadlines of distinct slots; arrays of shape (n,), or scalars."""
        self.at(slots)["deadline"][slots] = deadlines
        self.soonest = min(self.soonest, least(deadlines))

    def expect_within(self, slots: Rows, clock: Numbers, patience: Numbers) -> None:
        """Set the deadlines of distinct slots that may be silent for `patience`, or for less within their due hours."""
        state = self.at(slots)
        state["gap_deadline"][slots] = clock + patience
        due = due_deadline(state, slots, clock)
        self.expect(slots, where(patience < math.inf, minimum(clock + patience, due), math.inf))

    def overdue(self, until: float) -> list[int]:
        """Ascending slots of the sensors whose deadline lies before `until`.

        All deadlines are checked only when the earliest one of the last check has passed, so checks are no more
        frequent than the most sensitive sensor's deadlines, however many readings arrive.
        """
        if until <= self.soonest:
            return []
        slots: list[int] = np.flatnonzero(self.deadline < until).tolist()
        self.soonest = -math.inf if slots or not len(self.deadline) else float(self.deadline.min())
        return slots

    def shift_deadlines(self, by: float) -> None:
        """Shift all deadlines and the recorded stream-clock times by `by` seconds."""
        self.deadline += by
        self.gap_deadline += by
        self.seen += by
        if abs(by) >= HOUR_S:  # the hours were those of another clock
            self.hour[:] = 0.0
            self.days[:] = 0
            self.due_until[:] = 0.0
        self.soonest = -math.inf

    def begin_absence(self, before: float) -> None:
        """Note that readings may be missing from stream clock `before` on: hours that a sensor misses don't count."""
        begin_absence(self.arrays, before)

    def extend_absence(self, now: float) -> None:
        """Continue an absence at stream clock `now`, also for sensors that have reported meanwhile."""
        suspend(self.arrays, np.floor(now / HOUR_S))

    def end_absence(self, after: float) -> None:
        """Note that no readings are missing from stream clock `after` on."""
        end_absence(self.arrays, after)

    def put_off(self, chosen: NDArray[Any], by: Numbers, now: Numbers) -> None:
        """Postpone the deadlines of distinct sensors for which no time has passed until now.

        Args:
            chosen: A mask or an index that selects the sensors.
            by: Seconds to postpone by, shape (n,), or a common number.
            now: The stream clock until which no time has passed, shape (n,), or a common one.
        """
        self._move_deadlines(chosen, by, now)
        self.seen[chosen] += by

    def bring_forward(self, by: float) -> None:
        """Undo a postponement of all deadlines by `by` seconds."""
        self.deadline -= by
        self.gap_deadline -= by
        self.seen -= by
        self.soonest = -math.inf

    def _move_deadlines(self, chosen: NDArray[Any], by: Numbers, now: Numbers) -> None:
        """Postpone deadlines. If other hours are due now, the one by due hours begins again, or doesn't count."""
        deadline, until = self.deadline[chosen], self.due_until[chosen]
        moved, gap, end = deadline + by, self.gap_deadline[chosen] + by, due_end(self.days[chosen], now)
        again = soonest_within(np.floor(now / HOUR_S), now, self.due_gap[chosen], end)
        due = np.where((end == until) & (moved <= until), moved, again)
        checked = np.where(self.gap_deadline[chosen] > 0, np.minimum(gap, due), moved)
        is_silent = (self.silences[chosen] > 0) | (deadline == np.inf)
        self.deadline[chosen] = np.where(np.asarray(by) > 0, np.where(is_silent, moved, checked), deadline)
        self.gap_deadline[chosen] = gap
        self.soonest = min(self.soonest, float(np.min(self.deadline[chosen], initial=np.inf)))

    def put_off_until(self, now: float, since: float) -> None:
        """Count no silence from a time of the stream clock until now, or from a sensor's last reading if that is later.

        Of those who have reported meanwhile, only the deadlines are put off: they were seen at their times.
        """
        absent = (self.seen <= since) | (self.hour < 0)
        self._move_deadlines(~absent, np.maximum(0.0, now - self.seen[~absent]), now)
        self.put_off(absent, np.maximum(0.0, now - np.maximum(since, self.seen[absent])), now)

    def forgive(self, before: float, leap: float) -> None:
        """Postpone the deadlines of sensors last seen up to `before`, if the stream clock then leapt too far."""
        absent = (self.seen <= before) | (self.hour < 0)
        known = self.interval[absent & (self.interval > 0)]
        usual = USUAL_GAPS * float(known.min()) if len(known) else 0.0
        if np.isfinite(leap) and leap > max(INTERRUPTION_S, usual):
            missed = np.maximum(0.0, before + leap - np.maximum(before, self.seen[absent]))
            self.put_off(absent, missed, before + leap)

    def forgive_leap(self, before: float, leap: float, stood: float) -> None:
        """Postpone the deadlines of sensors last seen up to `before`, when the stream clock steps because of a leap.

        Args:
            before: The clock before the step.
            leap: Seconds of the step in which no time passed.
            stood: The same for the sensors that reported while the clock stood still, because the first leaping sensor
                waited for another to confirm it.
        """
        self.put_off(self.seen < before, leap, before + leap)
        self.put_off(self.seen == before, stood, before + stood)

    def skip_leads(self, skips: Iterable[Skip], before: float) -> float:
        """Exclude the leads that the clock has skipped since `before` from silence.

        Returns the seconds common to all sensors.

        For sensors that reported while the clock stood still only the deadlines are postponed, since they were seen at
        its time.
        """
        skipped = 0.0
        for skip in skips:
            if skip.of_all:
                skipped = skip.lead
                self.put_off(self.seen <= before, skip.lead, before + skip.lead)
            else:
                self._move_deadlines(self.seen == before, skip.lead, before + skip.lead)
        return skipped

    def last_gap(self, slot: int) -> float:
        """Seconds between the last two readings of a sensor; 0 before the second."""
        count = int(self.count[slot])
        return float(self.time[slot] - self.recent_times[slot, (count - 2) % RECENT]) if count > 1 else 0.0

    def summary(self, slot: int) -> SensorSummary:
        """Facts about a sensor other than its recent readings."""
        return SensorSummary(float(self.interval[slot]), float(self.lowest[slot]), float(self.seen[slot]))

    def recent(self, slot: int) -> list[tuple[float, float]]:
        """The recent readings of a sensor as (time, value), oldest first."""
        count = int(self.count[slot])
        order = [each % RECENT for each in range(max(0, count - RECENT), count)]
        times, values = self.recent_times[slot, order], self.recent_values[slot, order]
        return list(zip(times.tolist(), values.tolist(), strict=True))
