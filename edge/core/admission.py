"""Admission: which readings are taken, by their times.

A sensor's readings must move forward in time. What repeats a time is a duplicate, what steps back is late; both are
refused and counted, and hurt only their own sensor. A sensor whose clock was set back would be late for ever, so after
`STEP` late readings in a row that move forward among themselves the new clock is believed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.messages import Batch
from edge.core.rounds import rounds

STEP = 5
"""Late readings in a row, each later than the one before, after which a sensor's clock was set back for good."""

TAKEN, LATE, DUPLICATE = 0, 1, 2

Verdicts = NDArray[np.int8]


class Admission:
    """What was last taken of each sensor."""

    def __init__(self) -> None:
        self.last_time = np.full(0, -np.inf)
        self.late_time = np.full(0, -np.inf)
        self.late_run = np.zeros(0, dtype=np.int64)
        self.clock_steps = 0

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all."""
        more = rows - len(self.last_time)
        if more > 0:
            self.last_time = np.append(self.last_time, np.full(more, -np.inf))
            self.late_time = np.append(self.late_time, np.full(more, -np.inf))
            self.late_run = np.append(self.late_run, np.zeros(more, dtype=np.int64))

    def judge(self, batch: Batch) -> Verdicts:
        """Say of each reading whether it is taken, and remember the times of those that are.

        Returns:
            `TAKEN`, `LATE` or `DUPLICATE` for each reading, shape (n,).
        """
        verdicts = np.zeros(len(batch), dtype=np.int8)
        for positions in rounds(batch.slots):
            verdicts[positions] = self._judge_round(batch.slots[positions], batch.times[positions])
        return verdicts

    def _judge_round(self, slots: NDArray[np.intp], times: NDArray[np.float64]) -> Verdicts:
        last = self.last_time[slots]
        forward = times > last
        if forward.all():
            self.last_time[slots] = times
            self.late_run[slots] = 0
            return np.zeros(len(slots), dtype=np.int8)
        late = times < last
        run = np.where(late, np.where(times > self.late_time[slots], self.late_run[slots] + 1, 1), 0)
        run = np.where(times == last, self.late_run[slots], run)
        stepped = late & (run >= STEP)
        taken = forward | stepped
        self.clock_steps += int(stepped.sum())
        self.last_time[slots] = np.where(taken, times, last)
        self.late_time[slots] = np.where(late & ~stepped, times, np.where(taken, -np.inf, self.late_time[slots]))
        self.late_run[slots] = np.where(taken, 0, run)
        return np.where(taken, TAKEN, np.where(late, LATE, DUPLICATE)).astype(np.int8)
