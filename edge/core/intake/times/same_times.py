"""Same times: several readings that a sender stamps with one time, as clocks do that only know seconds.

Such a reading is taken a microsecond after the one before it if its value is another one; with a value that was taken
at this time before it is the same reading once more. A clock that stands still would say one time for ever, so no more
than `MOST` readings of one time are taken.
"""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from detectors.state import StateError
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.sensors.sensor_arrays import SensorArrays

APART_S = 1e-6
"""So far apart are readings of one time; a float of today's times knows a quarter of it."""

MOST = 256
"""Readings of one time that are taken of a sensor."""


class SameTimes(SensorArrays):
    """The last value of each sensor.

    Attributes:
        said: The time, as it was said.
        value: The value.
        of_one_time: The values that it said at that time.
    """

    def __init__(self) -> None:
        self.said = np.full(0, -np.inf)
        self.value = np.zeros(0)
        self.of_one_time = ValuesOfOneTime(self)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, said=-np.inf)

    def shift(self, slots: NDArray[np.intp], by: float) -> None:
        """Move times by `by` seconds: the clock that stamps them was set."""
        self.said[slots] += by
        self.of_one_time.shift(slots, by)

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


class ValuesOfOneTime:
    """All values that sensors have said at their last time, of the sensors that have said more than one.

    What is left of earlier times counts no more, and is written over.

    Args:
        last: The last value of each sensor.
    """

    def __init__(self, last: SameTimes) -> None:
        self._last = last
        self._values: dict[int, tuple[float, array[float]]] = {}

    def of(self, slot: int) -> array[float]:
        """The values of a sensor, its last one among them."""
        said = float(self._last.said[slot])
        time, values = self._values.get(slot, (np.nan, array("d")))
        if time != said:
            values = array("d", [self._last.value[slot]])
            self._values[slot] = said, values
        return values

    def forget(self, slot: int) -> None:
        """Forget the values of a sensor whose clock was set back."""
        self._values.pop(slot, None)

    def shift(self, slots: NDArray[np.intp], by: float) -> None:
        """See `SameTimes`."""
        for slot in self._values.keys() & set(slots.tolist()):
            time, values = self._values[slot]
            self._values[slot] = time + by, values

    def state(self, first: int, last: int) -> bytes:
        """The values of the sensors from `first` to before `last`, for `load()`."""
        said = self._last.said
        known = sorted(each for each in self._values.items() if first <= each[0] < last)
        values = [(slot - first, list(of)) for slot, (time, of) in known if time == said[slot] and len(of) > 1]
        return encode((last - first, values))

    def load(self, first: int, state: bytes) -> None:
        """Take over values, of the sensors from `first` on; the last times are known.

        Raises:
            StateError: It can't be read. Nothing has changed then.
        """
        rows, values = decode(state, tuple[int, list[tuple[int, list[float]]]])
        if any(not (0 <= row < rows and len(of) <= MOST) for row, of in values) or first + rows > len(self._last.said):
            raise StateError("values of one time of no sensor, or too many")
        self._values = {slot: each for slot, each in self._values.items() if not first <= slot < first + rows}
        for row, of in values:
            self._values[first + row] = float(self._last.said[first + row]), array("d", of)
