"""Columns of readings, collected before they form a batch."""

from __future__ import annotations

import numpy as np

from edge.core.model.readings.messages import Batch


class ReadingColumns:
    """Readings being collected."""

    __slots__ = ("origins", "slots", "times", "values")

    def __init__(self) -> None:
        self.slots: list[int] = []
        self.values: list[float] = []
        self.times: list[float] = []
        self.origins: list[int] = []

    def add_row(self, slots: list[int], values: list[float], times: list[float], origin: int) -> None:
        """Add the readings of one message."""
        self.slots += slots
        self.values += values
        self.times += times
        self.origins += [origin] * len(slots)

    def as_batch(self) -> Batch:
        """The collected readings."""
        return batch_of(self.slots, self.values, self.times, self.origins)


def batch_of(slots: list[int], values: list[float], times: list[float], origins: list[int]) -> Batch:
    """Create a batch from lists."""
    return Batch(
        np.array(slots, dtype=np.intp),
        np.array(values, dtype=np.float64),
        np.array(times, dtype=np.float64),
        np.array(origins, dtype=np.intp),
    )
