"""Passage: how far time has passed at each reading of a batch, for the silence of the sensors."""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.model.readings.messages import Batch


class Passage:
    """The stream clock at each reading, and the time that had passed before its arrival.

    Args:
        batch: The readings; `quiet_until` is as many calls of `Engine.tick()`, each before its reading.
        clock: The stream clock after each reading, shape (n,).

    Attributes:
        latest: No deadline that lies at or behind it has passed at a reading, shape (n,).
    """

    def __init__(self, batch: Batch, clock: Floats) -> None:
        self._batch = batch
        quiet = batch.quiet_until
        self._reached = clock if quiet is None else np.maximum(clock, quiet)
        self.latest: Floats = clock if quiet is None else np.maximum.accumulate(self._reached)

    def place(self, slot: int, deadline: float, last: int) -> int | None:
        """Position of the reading at which a sensor's deadline passes, or None if it doesn't.

        Args:
            slot: The sensor.
            deadline: As its reading before `last` has set it.
            last: Position of the last reading to look at.
        """
        if self._batch.quiet_until is None:
            return int(np.searchsorted(self._reached, deadline, side="right"))
        mine = np.flatnonzero(self._batch.slots[:last] == slot)
        first = int(mine[-1]) + 1 if len(mine) else 0
        passed = self._reached[first : last + 1] > deadline
        return first + int(np.argmax(passed)) if passed.any() else None
