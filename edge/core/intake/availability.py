"""Devices that say whether they are there: how such a word becomes a reading of the device.

The word of a device of which no sensor is known is passed over: nobody has heard of it, so nobody misses it. Its time
is that of its arrival, also if the broker had kept it: it says what is so now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from edge.core.model.counters import Counters
from edge.core.model.readings.reading_columns import ReadingColumns
from edge.core.model.sensors.sensors import Repetition, SensorTable


class Presence(NamedTuple):
    """That a device is there, or that it is gone.

    Attributes:
        device: Prefix of its sensors' paths, before a slash. Empty if the topic identifies the device.
        is_there: Whether it is there.
    """

    device: str
    is_there: bool


DeviceAt = Callable[[str], str | None]
"""See `Resolved.device_at()`."""


class GivesSlots(Protocol):
    """See `KnownSensors.slot()`."""

    def __call__(self, name: str, repetition: Repetition, heard_on: None, *, timed_by_arrival: bool) -> int | None:
        """The slot of a sensor or device."""


class DeviceWords:
    """Takes what devices say of themselves.

    Args:
        sensors: The sensor table.
        slot_of: Gives a device its slot.
        counters: The counter for words of unknown devices.
    """

    def __init__(self, sensors: SensorTable, slot_of: GivesSlots, counters: Counters) -> None:
        self._sensors = sensors
        self._slot_of = slot_of
        self._counters = counters

    def take(
        self, words: Iterable[Presence], device_at: DeviceAt, columns: ReadingColumns, time: float, origin: int
    ) -> None:
        """Add what devices say to the readings: 1 for each that is there, 0 for each that is gone.

        Args:
            words: Their words.
            device_at: Gives the name of the device at a path.
            columns: Gets the readings.
            time: Arrival time of the message.
            origin: Its place among the messages.
        """
        for said in words:
            device = device_at(said.device) or ""
            if self._sensors.find(device) is None and not self._sensors.below(device):
                self._counters.devices_unknown += 1
                continue
            slot = self._slot_of(device, Repetition.ON_CHANGE, None, timed_by_arrival=True)
            assert slot is not None  # noqa: S101 - devices come on top of what sensors there may be
            columns.add_row([slot], [float(said.is_there)], [time], origin)
