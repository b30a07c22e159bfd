"""Equal times: several readings that a sender stamps with the same time, as clocks with a resolution of one second do.

A reading with an equal time and a different value is accepted one microsecond after the previous one; if the value was
already accepted at this time, it is a duplicate. Since a stopped clock would repeat one time forever, at most `MOST`
readings of one time are accepted.
"""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from detectors.state import StateError
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.sensors.sensor_arrays import SensorArrays

APART_S = 1e-6
"""Distance between readings of equal time; a float resolves a quarter of it at today's times."""

MOST = 256
"""Maximum number of readings of one time taken from a sensor."""


class SameTimes(SensorArrays):
    """The last value of each sensor.

    Attributes:
        said: The time as sent.
        value: The value.
        of_one_time: The values received for that time.
    """

    def __init__(self) -> None:
        self.said = np.full(0, -np.inf)
        self.value = np.zeros(0)
        self.of_one_time = ValuesOfOneTime(self)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, said=-np.inf)

    def shift(self, slots: NDArray[np.intp], by: float) -> None:
        """Shift times by `by` seconds after a step of the clock that sets them."""
        self.said[slots] += by
        self.of_one_time.shift(slots, by)

    def note(self, slots: NDArray[np.intp], values: NDArray[np.float64], times: NDArray[np.float64]) -> None:
        """Record at most one taken reading of each sensor."""
        self.said[slots] = times
        self.value[slots] = values

    def are_others(
        self, slots: NDArray[np.intp], values: NDArray[np.float64], times: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Whether readings have the time of the previous one and a different value."""
        others: NDArray[np.bool_] = (times == self.said[slots]) & (values != self.value[slots])
        return others


class ValuesOfOneTime:
    """All values received for the latest time of each sensor that had more than one.

    Entries of earlier times are stale and get overwritten.

    Args:
        last: The last value of each sensor.
    """

    def __init__(self, last: SameTimes) -> None:
        self._last = last
        self._values: dict[int, tuple[float, array[float]]] = {}

    def of(self, slot: int) -> array[float]:
        """The values of a sensor, including its last."""
        sent = float(self._last.said[slot])
        time, values = self._values.get(slot, (np.nan, array("d")))
        if time != sent:
            values = array("d", [self._last.value[slot]])
            self._values[slot] = sent, values
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
        """The values of the sensors in the range `first` to `last` (exclusive), for `load()`."""
        sent = self._last.said
        known = sorted(each for each in self._values.items() if first <= each[0] < last)
        values = [(slot - first, list(of)) for slot, (time, of) in known if time == sent[slot] and len(of) > 1]
        return encode((last - first, values))

    def load(self, first: int, state: bytes) -> None:
        """Load the values of the sensors from `first` on; their last times must already be known.

        Raises:
            StateError: It can't be read. Nothing has changed.
        """
        rows, values = decode(state, tuple[int, list[tuple[int, list[float]]]])
        if any(not (0 <= row < rows and len(of) <= MOST) for row, of in values) or first + rows > len(self._last.said):
            raise StateError("values of one time of no sensor, or too many")
        self._values = {slot: each for slot, each in self._values.items() if not first <= slot < first + rows}
        for row, of in values:
            self._values[first + row] = float(self._last.said[first + row]), array("d", of)
