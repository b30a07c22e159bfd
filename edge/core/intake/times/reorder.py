"""Reordering: sorts readings that arrive out of order within a configured time.

Each reading is held until the stream clock has advanced by that time since its arrival and has passed the reading's
time by as much; then it is released together with earlier readings of the same sensor. The stream clock may lag, so a
reading ahead of it waits for it, but not one ahead by more than the configured time, whose clock is wrong. Later
arrivals are refused as late by admission. With the default of 0 nothing is held, since the wait delays alerts.
"""

from __future__ import annotations

import heapq

import numpy as np

from edge.core.model.packing.encoding import decode, encode
from edge.core.model.readings.messages import Batch
from edge.core.model.readings.pauses import NO_PAUSE
from edge.core.model.readings.stream_clock import StreamClock

MOST_HELD = 200_000
"""Maximum number of held readings; beyond it the ones due first are released early."""

ORIGIN_UNKNOWN = -1

Held = tuple[float, int, float, float]
"""A held reading: its due time on the stream clock, slot, time and value."""


class Reorder:
    """Holds readings and releases them in time order for each sensor.

    Args:
        wait_s: How long to hold readings.
    """

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        self.clock = StreamClock()
        self._queue: list[tuple[float, int, int, float]] = []
        self._waiting: dict[int, list[tuple[float, int, float]]] = {}
        self._due: dict[int, float] = {}
        self._arrived = 0
        self._quiet = NO_PAUSE  # what has passed before the next that is released

    def __len__(self) -> int:
        return len(self._due)

    def pass_on(self, batch: Batch) -> Batch:
        """Take readings in order of arrival; returns those due by now."""
        if len(batch) == 0 or (self.wait_s <= 0 and not self._due):
            return batch
        clock = self.clock.advance(batch.slots, batch.times)
        released: list[Held] = []
        passed: list[tuple[int, float]] = []
        columns = (batch.slots.tolist(), batch.times.tolist(), batch.values.tolist(), batch.quiet_times())
        for now, slot, time, value, quiet in zip(clock.tolist(), *columns, strict=True):
            if quiet > NO_PAUSE:
                self._release(quiet, released)
                passed.append((len(released), quiet - self.wait_s))
            self._hold(now + self.wait_s, slot, time, value)
            self._release(now, released)
        return self._after_quiet(_batch(released), passed) if batch.quiet_until is not None else _batch(released)

    @property
    def next_due(self) -> float:
        """The stream clock's time at which the next reading is due or re-examined; infinity if none is held."""
        while self._queue and self._queue[0][1] not in self._due:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else np.inf

    def is_due(self, clock: float) -> bool:
        """Whether `pass_time()` would release a reading or postpone it."""
        return bool(self._queue) and self.next_due <= clock

    def pass_time(self, clock: float) -> Batch:
        """The readings due once the stream clock has reached `clock`."""
        released: list[Held] = []
        self._release(clock, released)
        return self._after_quiet(_batch(released), []) if self._quiet > NO_PAUSE else _batch(released)

    def state(self) -> bytes:
        """The clock and the held readings, for `load()`."""
        return encode((self.clock.state(), self.held()))

    def load(self, state: bytes) -> None:
        """Load the clock and the held readings.

        Raises:
            StateError: It can't be read.
        """
        clock, held = decode(state, tuple[bytes, list[Held]])
        self.clock.load(clock)
        self._queue, self._waiting, self._due = [], {}, {}
        self.hold_again(held)

    def held(self) -> list[Held]:
        """The held readings in order of arrival, for `hold_again()`."""
        of = {each[1]: (slot, each) for slot, heap in self._waiting.items() for each in heap}
        return [(due, of[arrived][0], of[arrived][1][0], of[arrived][1][2]) for arrived, due in self._due.items()]

    def hold_again(self, held: list[Held]) -> None:
        """Restore readings held before a restart."""
        for due, slot, time, value in held:
            self._hold(due, slot, time, value)

    def forget(self, slot: int) -> None:
        """Discard the held readings of a sensor."""
        self.clock.forget(slot)
        for _, arrived, _ in self._waiting.pop(slot, ()):
            del self._due[arrived]

    def _after_quiet(self, batch: Batch, passed: list[tuple[int, float]]) -> Batch:
        """Record the time that had passed before each released reading; later times go to the next batch."""
        quiet = np.full(len(batch) + 1, NO_PAUSE)
        quiet[0] = self._quiet
        for place, until in passed:
            quiet[place] = max(quiet[place], until)
        self._quiet = float(quiet[-1])
        batch.quiet_until = quiet[:-1]
        return batch

    def _hold(self, due: float, slot: int, time: float, value: float) -> None:
        self._arrived += 1
        self._due[self._arrived] = due
        heapq.heappush(self._waiting.setdefault(slot, []), (time, self._arrived, value))
        heapq.heappush(self._queue, (due, self._arrived, slot, time))
        if len(self._queue) > 2 * MOST_HELD:
            self._queue = [each for each in self._queue if each[1] in self._due]
            heapq.heapify(self._queue)

    def _release(self, now: float, released: list[Held]) -> None:
        wait = self.wait_s
        while self._queue and (self._queue[0][0] <= now or len(self._due) > MOST_HELD):
            due, arrived, slot, until = heapq.heappop(self._queue)
            if arrived not in self._due:
                continue
            if due <= now < until + wait and until <= now + wait:
                self._due[arrived] = until + wait
                heapq.heappush(self._queue, (until + wait, arrived, slot, until))
                continue
            heap = self._waiting[slot]
            while heap and heap[0][0] <= until:
                time, its_arrival, value = heapq.heappop(heap)
                released.append((self._due.pop(its_arrival), slot, time, value))
            if not heap:
                del self._waiting[slot]


def _batch(released: list[Held]) -> Batch:
    return Batch(
        np.array([each[1] for each in released], dtype=np.intp),
        np.array([each[3] for each in released], dtype=np.float64),
        np.array([each[2] for each in released], dtype=np.float64),
        np.full(len(released), ORIGIN_UNKNOWN, dtype=np.intp),
    )
