"""Columns of readings, collected before they form a batch."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np

from edge.core.model.readings.messages import Batch


class ReadingColumns:
    """Readings being collected."""

    __slots__ = ("origins", "slots", "times", "values")

    def __init__(self) -> None:
        self.slots = array("q")
        self.values = array("d")
        self.times = array("d")
        self.origins = array("q")

    def add_row(self, slots: array[int], values: list[float], times: list[float], origin: int) -> None:
        """Add the readings of one message."""
        self.slots.extend(slots)
        self.values.fromlist(values)
        self.times.fromlist(times)
        self.end_message(origin)

    def end_message(self, origin: int) -> None:
        """Note the message that all readings since the last one came with."""
        self.origins.extend(array("q", [origin]) * (len(self.slots) - len(self.origins)))

    def as_batch(self) -> Batch:
        """The collected readings."""
        return batch_of(self.slots, self.values, self.times, self.origins)


def batch_of(slots: Sequence[int], values: Sequence[float], times: Sequence[float], origins: Sequence[int]) -> Batch:
    """Create a batch from lists or arrays."""
    return Batch(
        np.array(slots, dtype=np.intp),
        np.array(values, dtype=np.float64),
        np.array(times, dtype=np.float64),
        np.array(origins, dtype=np.intp),
    )
