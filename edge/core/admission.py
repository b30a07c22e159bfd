"""Admission: which readings are taken, by their times.

A sensor's readings must move forward in time. What repeats a time is a duplicate, what steps back is late; both are
refused and counted, and hurt only their own sensor. A sensor whose clock was set back would be late for ever, so after
`STEP` late readings in a row that move forward among themselves the new clock is believed. Readings that were taken
before and come once more don't count among them: a broker or a sender that repeats itself sets no clock back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.messages import Batch
from edge.core.rounds import rounds

STEP = 5
"""Late readings in a row, each later than the one before, after which a sensor's clock was set back for good."""

REMEMBERED = 64
"""The last readings of a sensor that are recognised when they come once more."""

TAKEN, LATE, DUPLICATE = 0, 1, 2

Verdicts = NDArray[np.int8]


class Admission:
    """What was last taken of each sensor."""

    def __init__(self) -> None:
        self.last_time = np.full(0, -np.inf)
        self.late_time = np.full(0, -np.inf)
        self.late_run = np.zeros(0, dtype=np.int64)
        self.recent = np.zeros((0, REMEMBERED), dtype=np.uint64)
        self.count = np.zeros(0, dtype=np.int64)
        self.clock_steps = 0

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all."""
        more = rows - len(self.last_time)
        if more > 0:
            self.last_time = np.append(self.last_time, np.full(more, -np.inf))
            self.late_time = np.append(self.late_time, np.full(more, -np.inf))
            self.late_run = np.append(self.late_run, np.zeros(more, dtype=np.int64))
            self.recent = np.concatenate([self.recent, np.zeros((more, REMEMBERED), dtype=np.uint64)])
            self.count = np.append(self.count, np.zeros(more, dtype=np.int64))

    def shift(self, slots: NDArray[np.intp], by: float) -> None:
        """Move what is known of some sensors' times by `by` seconds: the clock that stamps them was set."""
        self.last_time[slots] += by
        self.late_run[slots] = 0

    def judge(self, batch: Batch) -> Verdicts:
        """Say of each reading whether it is taken, and remember the times of those that are.

        Returns:
            `TAKEN`, `LATE` or `DUPLICATE` for each reading, shape (n,).
        """
        verdicts = np.zeros(len(batch), dtype=np.int8)
        for positions in rounds(batch.slots):
            verdicts[positions] = self._judge_round(
                batch.slots[positions], batch.values[positions], batch.times[positions]
            )
        return verdicts

    def _judge_round(
        self, slots: NDArray[np.intp], values: NDArray[np.float64], times: NDArray[np.float64]
    ) -> Verdicts:
        last = self.last_time[slots]
        forward = times > last
        fingerprints = _fingerprints(values, times)
        if forward.all():
            self.last_time[slots] = times
            self.late_run[slots] = 0
            self._remember(slots, fingerprints)
            return np.zeros(len(slots), dtype=np.int8)
        known = (self.recent[slots] == fingerprints[:, np.newaxis]).any(axis=-1) & ~forward
        late = (times < last) & ~known
        run = np.where(late, np.where(times > self.late_time[slots], self.late_run[slots] + 1, 1), 0)
        run = np.where((times == last) | known, self.late_run[slots], run)
        stepped = late & (run >= STEP)
        taken = forward | stepped
        self.clock_steps += int(stepped.sum())
        self.last_time[slots] = np.where(taken, times, last)
        self.late_time[slots] = np.where(late & ~stepped, times, self.late_time[slots])
        self.late_run[slots] = np.where(taken, 0, run)
        self._remember(slots[taken], fingerprints[taken])
        return np.where(taken, TAKEN, np.where(late, LATE, DUPLICATE)).astype(np.int8)

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
