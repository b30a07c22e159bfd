"""Admission: decides by its time whether a reading is accepted.

A sensor's times must advance. A reading that repeats a time is a duplicate, unless its value differs and there aren't
too many of them (see `same_times.py`); one that steps back is late. Both are refused and counted, and affect only their
own sensor. A reading that was accepted before, with the same time and value, is a duplicate however old it is. A sensor
whose clock was set back would be late forever, so its new clock is accepted after several late readings that prove it;
see `clock_evidence.py`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.core.intake.times.clock_evidence import AGAIN, ClockEvidence
from edge.core.intake.times.recent_readings import RecentReadings
from edge.core.intake.times.reorder import ORIGIN_UNKNOWN
from edge.core.intake.times.same_times import APART_S, MOST, SameTimes
from edge.core.model.readings.messages import Batch, Message
from edge.core.model.readings.rounds import FEW, rounds, runs_of
from edge.core.model.sensors.sensor_arrays import SensorArrays

TAKEN, LATE, DUPLICATE, CROWDED = 0, 1, 2, 3

REFUSED = {LATE: "late", DUPLICATE: "duplicate", CROWDED: "crowded_time"}
"""Reason of refusal, by verdict."""

Verdicts = NDArray[np.int8]


class Arrivals(Protocol):
    """Provides arrival times of late readings."""

    def of(self, slot: int, origin: int) -> float:
        """Arrival time of a sensor's next late reading, in seconds since the epoch; NaN if unknown.

        `AGAIN` if the broker has marked it as redelivered.
        """


class ObservedArrivals:
    """Arrivals of messages; those requested are recorded for use after a restart.

    Args:
        arrived: Returns the arrival time of an origin.
    """

    def __init__(self, arrived: Callable[[int], float]) -> None:
        self._arrived = arrived
        self.noted: list[tuple[int, float]] = []

    def of(self, slot: int, origin: int) -> float:
        """See `Arrivals`."""
        arrival = self._arrived(origin)
        self.noted.append((slot, arrival))
        return arrival


def arrivals_of(messages: Sequence[Message]) -> ObservedArrivals:
    """The arrivals of messages that readings refer to by index."""

    def arrived(origin: int) -> float:
        if origin == ORIGIN_UNKNOWN:
            return math.nan
        message = messages[origin]
        return AGAIN if message.redelivered else message.arrived

    return ObservedArrivals(arrived)


class RecordedArrivals:
    """Recorded slots and arrival times of late readings, in order for each sensor."""

    def __init__(self, noted: Iterable[tuple[int, float]] = ()) -> None:
        self._arrivals: dict[int, deque[float]] = {}
        for slot, arrival in noted:
            self._arrivals.setdefault(slot, deque()).append(arrival)

    def of(self, slot: int, origin: int) -> float:  # noqa: ARG002 - nobody has the messages any more
        """See `Arrivals`."""
        arrivals = self._arrivals.get(slot)
        return arrivals.popleft() if arrivals else math.nan


class Admission(SensorArrays):
    """The last admitted reading of each sensor.

    Attributes:
        last_time: Time of each sensor's last reading.
        recent: Recently taken readings.
        evidence: Late readings since the last taken one.
        same: The last value of each sensor.
        clock_steps: Number of accepted backward clock steps.
        same_times: Number of readings with the time of the previous one and another value.
        moved: Indices of such readings in the last batch, and the times assigned to them.
    """

    def __init__(self) -> None:
        self.last_time = np.full(0, -np.inf)
        self.recent = RecentReadings()
        self.evidence = ClockEvidence()
        self.same = SameTimes()
        self.clock_steps = self.same_times = 0
        self.moved: dict[int, float] = {}

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, last_time=-np.inf)
        self.recent.grow(rows)
        self.evidence.grow(rows)
        self.same.grow(rows)

    def shift(self, slots: NDArray[np.intp], by: float) -> None:
        """Shift the recorded times of sensors by `by` seconds after a step of the clock that timestamps them."""
        self.last_time[slots] += by
        self.same.shift(slots, by)
        self.evidence.clear(slots)

    def clear_row(self, slot: int) -> None:
        """See `SensorArrays`."""
        super().clear_row(slot)
        for each in (self.recent, self.evidence, self.same):
            each.clear_row(slot)

    def admit(self, batch: Batch, arrivals: Arrivals | None = None) -> tuple[Batch, Verdicts | None]:
        """The batch with equal times separated, and the verdict of `judge()` for each reading; None if all are taken.

        The same batch object is returned if no times are equal.
        """
        self.moved = {}
        if len(batch) == 0 or self._take_all(batch):
            return batch, None
        verdicts = self._judge_by_rounds(batch, arrivals)
        if self.moved:
            times = batch.times.copy()
            times[list(self.moved)] = list(self.moved.values())
            batch = replace(batch, times=times)
        return batch, verdicts

    def judge(self, batch: Batch, arrivals: Arrivals | None = None) -> Verdicts:
        """Decide for each reading whether it is accepted, and record the times of those that are.

        Args:
            batch: The readings.
            arrivals: Arrival times of late readings; None if unknown, in which case any pace is accepted.

        Returns:
            `TAKEN`, `LATE`, `DUPLICATE` or `CROWDED` for each reading, shape (n,).
        """
        self.moved = {}
        if len(batch) == 0 or self._take_all(batch):
            return np.zeros(len(batch), dtype=np.int8)
        return self._judge_by_rounds(batch, arrivals)

    def _judge_by_rounds(self, batch: Batch, arrivals: Arrivals | None) -> Verdicts:
        verdicts = np.zeros(len(batch), dtype=np.int8)
        for positions in rounds(batch.slots):
            verdicts[positions] = self._judge_round(batch.take(positions), positions, arrivals or RecordedArrivals())
        return verdicts

    def _take_all(self, batch: Batch) -> bool:
        """Take a batch in which every sensor's times advance, the usual case; returns whether it is one."""
        if len(batch) <= FEW:
            return self._take_few(batch)
        runs = runs_of(batch.slots)
        slots, times = batch.slots[runs.order], batch.times[runs.order]
        before = np.empty(len(times))
        before[1:] = times[:-1]
        firsts = slots[runs.starts]
        before[runs.starts] = self.last_time[firsts]
        if not (times > before).all():
            return False
        self.recent.note_runs(runs, slots, batch.values[runs.order], times, before)
        ends = runs.starts + runs.lengths - 1
        self.last_time[firsts] = times[ends]
        self.same.note(firsts, batch.values[runs.order[ends]], times[ends])
        self.evidence.clear(firsts)
        return True

    def _take_few(self, batch: Batch) -> bool:
        """Take a small batch in the same way, one reading at a time."""
        slots = batch.slots.tolist()
        known, last = self.at(slots[0])["last_time"], dict[int, float]()
        before = []
        for slot, time in zip(slots, batch.times.tolist(), strict=True):
            before.append(last.get(slot, known[slot]))
            if not time > before[-1]:
                return False
            last[slot] = time
        self.recent.note_few(slots, batch.values, batch.times, before)
        for slot, time in last.items():
            known[slot] = time
            self.evidence.clear(slot)
        rows = self.same.at(slots[0])
        for slot, value, time in zip(slots, batch.values.tolist(), batch.times.tolist(), strict=True):
            rows["said"][slot], rows["value"][slot] = time, value
        return True

    def _judge_round(self, batch: Batch, positions: NDArray[np.intp], arrivals: Arrivals) -> Verdicts:
        slots, values, times = batch.slots, batch.values, batch.times
        last = self.last_time[slots]
        taken = times > last
        late = crowded = np.zeros(len(slots), dtype=bool)
        moved = times
        if not taken.all():
            same, crowded = self._same(~taken & self.same.are_others(slots, values, times), slots, values)
            moved = np.where(same, last + APART_S, times)
            self.moved |= dict(zip(positions[same].tolist(), moved[same].tolist(), strict=True))
            self.same_times += int(same.sum())
            taken |= same
            behind = (times < last) & ~taken & (times != self.same.said[slots])
            late = behind & ~self.recent.knows(slots, values, times)
            telling = late & self.recent.stands_out(slots, times, self.evidence.late_time[slots])
            self.evidence.late_time[slots[behind]] = times[behind]
            for position in np.flatnonzero(telling).tolist():
                slot, time = int(slots[position]), float(times[position])
                arrived = arrivals.of(slot, int(batch.origins[position]))
                if self.evidence.shows_step(slot, time, arrived):
                    taken[position] = True
                    self.same.of_one_time.forget(slot)
                    self.clock_steps += 1
        self.recent.note(slots[taken], values[taken], times[taken], last[taken])
        self.last_time[slots[taken]] = moved[taken]
        self.same.note(slots[taken], values[taken], times[taken])
        self.evidence.clear(slots[taken])
        return np.select([taken, late, crowded], [TAKEN, LATE, CROWDED], DUPLICATE).astype(np.int8)

    def _same(
        self, others: NDArray[np.bool_], slots: NDArray[np.intp], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which readings with the previous time and another value are accepted, and which exceed the limit."""
        same, crowded = np.zeros((2, len(slots)), dtype=bool)
        for at in np.flatnonzero(others).tolist():
            known, value = self.same.of_one_time.of(int(slots[at])), float(values[at])
            if value in known:
                continue
            if len(known) < MOST:
                known.append(value)
                same[at] = True
            else:
                crowded[at] = True
        return same, crowded
