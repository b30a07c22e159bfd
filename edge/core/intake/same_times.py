"""Same times: several readings that a sender stamps with one time, as clocks do that only know seconds.

Such a reading is taken a microsecond after the one before it if its value is another one; with the same value it is the
same reading once more.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.core.model.sensor_arrays import SensorArrays

APART_S = 1e-6
"""So far apart are readings of one time; a float of today's times knows a quarter of it."""


class SameTimes(SensorArrays):
    """What each sensor said last.

    Attributes:
        said: The time, as it was said.
        value: The value.
    """

    def __init__(self) -> None:
        self.said = np.full(0, -np.inf)
        self.value = np.zeros(0)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, said=-np.inf)

    def shift(self, slots: NDArray[np.intp], by: float) -> None:
        """Move times by `by` seconds: the clock that stamps them was set."""
        self.said[slots] += by

    def note(self, slots: NDArray[np.intp], values: NDArray[np.float64], times: NDArray[np.float64]) -> None:
        """Note what was taken, no sensor twice."""
        self.said[slots] = times
        self.value[slots] = values

    def are_others(
        self, slots: NDArray[np.intp], values: NDArray[np.float64], times: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Whether readings have the time of the one before them, and another value."""
        others: NDArray[np.bool_] = (times == self.said[slots]) & (values != self.value[slots])
        return others
