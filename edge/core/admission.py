"""Admission: which readings are taken, by their times.

A sensor's readings must move forward in time. What repeats a time is a duplicate, what steps back is late; both are
refused and counted, and hurt only their own sensor. A sensor whose clock was set back would be late for ever, so after
`STEP` late readings in a row that move forward among themselves the new clock is believed. Readings that were taken
before and come once more don't count among them: a broker or a sender that repeats itself sets no clock back. Nor do
readings that arrive much faster than their own times go on, as an old queue does that is delivered once more.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.core.columns import Columns
from edge.core.messages import Batch
from edge.core.rounds import FEW, rounds, runs_of

STEP = 5
"""Late readings in a row, each later than the one before, after which a sensor's clock was set back for good."""

REMEMBERED = 64
"""The last readings of a sensor that are recognised when they come once more."""

PACE = 0.5
"""A new clock's readings arrive over at least this share of the time by which they differ."""

PACED_OVER = 64
"""The pace is measured over at most so many late readings; beyond it, anew."""

TAKEN, LATE, DUPLICATE = 0, 1, 2

Verdicts = NDArray[np.int8]


class Arrivals(Protocol):
    """Knows when late readings arrived."""

    def of(self, slot: int, origin: int) -> float:
        """When the next late reading of a sensor arrived, seconds since the epoch; NaN if nobody knows."""


class ArrivalsNoted:
    """The arrivals of messages; those that are asked for are noted, so that they can be told after a restart.

    Args:
        arrived: Gives the arrival of an origin.
    """

    def __init__(self, arrived: Callable[[int], float]) -> None:
        self._arrived = arrived
        self.noted: list[tuple[int, float]] = []

    def of(self, slot: int, origin: int) -> float:
        """See `Arrivals`."""
        arrival = self._arrived(origin)
        self.noted.append((slot, arrival))
        return arrival


class ArrivalsTold:
    """What was noted, told once more: slots and arrivals of late readings, those of a sensor in their order."""

    def __init__(self, noted: Iterable[tuple[int, float]] = ()) -> None:
        self._told: dict[int, deque[float]] = {}
        for slot, arrival in noted:
            self._told.setdefault(slot, deque()).append(arrival)

    def of(self, slot: int, origin: int) -> float:  # noqa: ARG002 - nobody has the messages any more
        """See `Arrivals`."""
        told = self._told.get(slot)
        return told.popleft() if told else math.nan


class Admission(Columns):
    """What was last taken of each sensor, and the late readings in a row since."""

    def __init__(self) -> None:
        self.last_time = np.full(0, -np.inf)
        self.late_time = np.full(0, -np.inf)
        self.late_run = np.zeros(0, dtype=np.int64)
        self.run_time = np.full(0, np.nan)
        self.run_arrived = np.full(0, np.nan)
        self.recent = np.zeros((0, REMEMBERED), dtype=np.uint64)
        self.count = np.zeros(0, dtype=np.int64)
        self.clock_steps = 0

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, last_time=-np.inf, late_time=-np.inf, run_time=np.nan, run_arrived=np.nan)

    def shift(self, slots: NDArray[np.intp], by: float) -> None:
        """Move what is known of some sensors' times by `by` seconds: the clock that stamps them was set."""
        self.last_time[slots] += by
        self.late_run[slots] = 0

    def judge(self, batch: Batch, arrivals: Arrivals | None = None) -> Verdicts:
        """Say of each reading whether it is taken, and remember the times of those that are.

        Args:
            batch: The readings.
            arrivals: Of the late ones among them; None if nobody knows any, and every pace is believed.

        Returns:
            `TAKEN`, `LATE` or `DUPLICATE` for each reading, shape (n,).
        """
        verdicts = np.zeros(len(batch), dtype=np.int8)
        if len(batch) == 0 or self._take_all(batch):
            return verdicts
        for positions in rounds(batch.slots):
            verdicts[positions] = self._judge_round(batch.take(positions), arrivals or ArrivalsTold())
        return verdicts

    def _take_all(self, batch: Batch) -> bool:
        """Take a batch in which each sensor's times move forward, as they mostly do; returns whether that is so."""
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
        count = self.count[slots] + runs.turns
        self.recent[slots, count % REMEMBERED] = _fingerprints(batch.values[runs.order], times)
        self.last_time[firsts] = times[runs.starts + runs.lengths - 1]
        self.late_run[firsts] = 0
        self.count[firsts] += runs.lengths
        return True

    def _take_few(self, batch: Batch) -> bool:
        """The same, one by one."""
        slots, times = batch.slots.tolist(), batch.times.tolist()
        known, last = self.at(slots[0]), dict[int, float]()
        for slot, time in zip(slots, times, strict=True):
            if not time > last.get(slot, known["last_time"][slot]):
                return False
            last[slot] = time
        for slot, fingerprint in zip(slots, _fingerprints(batch.values, batch.times), strict=True):
            count = known["count"][slot]
            known["recent"][slot, count % REMEMBERED] = fingerprint
            known["last_time"][slot] = last[slot]
            known["late_run"][slot] = 0
            known["count"][slot] = count + 1
        return True

    def _judge_round(self, batch: Batch, arrivals: Arrivals) -> Verdicts:
        slots, times = batch.slots, batch.times
        last = self.last_time[slots]
        forward = times > last
        fingerprints = _fingerprints(batch.values, times)
        if forward.all():
            self.last_time[slots] = times
            self.late_run[slots] = 0
            self._remember(slots, fingerprints)
            return np.zeros(len(slots), dtype=np.int8)
        known = (self.recent[slots] == fingerprints[:, np.newaxis]).any(axis=-1) & ~forward
        late = (times < last) & ~known
        stepped = np.zeros(len(slots), dtype=bool)
        for position in np.flatnonzero(late).tolist():
            slot, time = int(slots[position]), float(times[position])
            stepped[position] = self._is_step(slot, time, arrivals.of(slot, int(batch.origins[position])))
        taken = forward | stepped
        self.clock_steps += int(stepped.sum())
        self.last_time[slots] = np.where(taken, times, last)
        self.late_run[slots[taken]] = 0
        self._remember(slots[taken], fingerprints[taken])
        return np.where(taken, TAKEN, np.where(late, LATE, DUPLICATE)).astype(np.int8)

    def _is_step(self, slot: int, time: float, arrived: float) -> bool:
        """Whether a late reading is the one after which a sensor's clock is taken to have been set back."""
        run = int(self.late_run[slot])
        if run == 0 or run >= PACED_OVER or time <= self.late_time[slot]:
            run = 0
            self.run_time[slot], self.run_arrived[slot] = time, arrived
        self.late_time[slot] = time
        self.late_run[slot] = run + 1
        too_fast = arrived - self.run_arrived[slot] < PACE * (time - self.run_time[slot])
        return run + 1 >= STEP and not too_fast

    def _remember(self, slots: NDArray[np.intp], fingerprints: NDArray[np.uint64]) -> None:
        count = self.count[slots]
        self.recent[slots, count % REMEMBERED] = fingerprints
        self.count[slots] = count + 1


def _fingerprints(values: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.uint64]:
    """64 bits that tell readings of a sensor apart; 0 stands for no reading."""
    return _mixed(_mixed(times.view(np.uint64)) ^ values.view(np.uint64)) | np.uint64(1)


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each bit spread over all of them, so that those of round numbers, the highest few, don't cancel out."""
    mixed: NDArray[np.uint64] = (bits ^ (bits >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(32))
