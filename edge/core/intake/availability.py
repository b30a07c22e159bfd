"""Device availability: converts online/offline messages into readings of the device.

A message about a device without known sensors is ignored and counted. Its time is the arrival time, even if the broker
retained the message: it describes the present state.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from edge.core.model.counters import Counters
from edge.core.model.readings.reading_columns import ReadingColumns
from edge.core.model.sensors.sensors import Repetition, SensorTable


class Presence(NamedTuple):
    """The availability that a device reports: online or gone.

    Attributes:
        device: Prefix of its sensors' paths, before a slash. Empty if the topic identifies the device.
        Whether the device is online.
    """

    device: str
    is_there: bool


DeviceAt = Callable[[str], str | None]
"""See `Resolved.device_at()`."""


class SlotSource(Protocol):
    """See `KnownSensors.slot()`."""

    def __call__(self, name: str, repetition: Repetition, heard_on: None, *, timed_by_arrival: bool) -> int | None:
        """The slot of a sensor or device."""


class DeviceAvailability:
    """Adds availability messages of devices to the readings.

    Args:
        sensors: The sensor table.
        slot_of: Gives a device its slot.
        counters: Counts messages about unknown devices.
    """

    def __init__(self, sensors: SensorTable, slot_of: SlotSource, counters: Counters) -> None:
        self._sensors = sensors
        self._slot_of = slot_of
        self._counters = counters

    def take(
        self, words: Iterable[Presence], device_at: DeviceAt, columns: ReadingColumns, time: float, origin: int
    ) -> None:
        """Add availability to the readings: 1 for each device that is online, 0 for each that is gone.

        Args:
            words: The availability of each device.
            device_at: Gives the name of the device at a path.
            columns: Receives the readings.
            time: Arrival time of the message.
            origin: Index of the message in the batch.
        """
        for presence in words:
            device = device_at(presence.device) or ""
            if self._sensors.find(device) is None and not self._sensors.below(device):
                self._counters.devices_unknown += 1
                continue
            slot = self._slot_of(device, Repetition.ON_CHANGE, None, timed_by_arrival=True)
            assert slot is not None  # noqa: S101 - devices come on top of what sensors there may be
            columns.add_row(array("q", [slot]), [float(presence.is_there)], [time], origin)
