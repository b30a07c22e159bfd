"""Passage: the time that had passed at each reading of a batch, for detecting silence."""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.model.readings.messages import Batch


class ElapsedTime:
    """The stream clock at each reading, and the time that had passed before it arrived.

    Args:
        batch: The readings; each `quiet_until` is equivalent to a call of `Engine.tick()` before that reading.
        clock: The stream clock after each reading, shape (n,).

    Attributes:
        latest: Exclusive upper bound of the deadlines that have passed at each reading, shape (n,).
    """

    def __init__(self, batch: Batch, clock: Floats) -> None:
        self._batch = batch
        quiet = batch.quiet_until
        self._reached = clock if quiet is None else np.maximum(clock, quiet)
        self.latest: Floats = clock if quiet is None else np.maximum.accumulate(self._reached)

    def place(self, slot: int, deadline: float, last: int) -> int | None:
        """Position of the reading at which a sensor's deadline passes; None if it doesn't.

        Args:
            slot: Slot of the sensor.
            deadline: The deadline set by its reading before `last`.
            last: Position of the last reading to examine.
        """
        if self._batch.quiet_until is None:
            return int(np.searchsorted(self._reached, deadline, side="right"))
        mine = np.flatnonzero(self._batch.slots[:last] == slot)
        first = int(mine[-1]) + 1 if len(mine) else 0
        passed = self._reached[first : last + 1] > deadline
        return first + int(np.argmax(passed)) if passed.any() else None
