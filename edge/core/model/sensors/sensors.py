"""The sensor table: assigns a bounded number of slots to sensors and devices.

A forgotten sensor vacates its slot, which is reused later, see `vacancies.py`. Devices are monitored like sensors, so
they have slots too. A device's name ends in a slash, unlike any sensor's.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from edge.core.model.sensors.vacancies import Vacancies, is_vacant, vacant_name


def is_device(name: str) -> bool:
    """Whether a name in the table belongs to a device."""
    return name.endswith("/")


class Repetition(Enum):
    """When a sensor sends a value, which determines what a repeated value means.

    Silence is a fault only if values are expected at intervals. An unchanged value is evidence of a stuck sensor or a
    small variance only if it was measured again.
    """

    PERIODIC = "periodic"
    """Measurements are expected at intervals: silence is a fault, an unchanged value is a measurement."""

    ON_CHANGE = "on_change"
    """Values are sent when they change: silence means no change."""

    FULL_REPEAT = "full_repeat"
    """Messages are sent when any of their values changes: silence isn't a fault, and an unchanged value carries no
    information. It isn't learned from, because it would make the variance too small and a healthy sensor look stuck."""


class SensorFacts(NamedTuple):
    """Event fields of a sensor that don't depend on its readings.

    Attributes:
        name: Its name.
        topic: Its name encoded as the end of a topic.
        unit: Unit of its values; may be empty.
        labels: Labels configured by the operator.
    """

    name: str
    topic: str
    unit: str
    labels: Mapping[str, str]


class SensorTable:
    """Names of sensors, indexed by slot.

    Args:
        limit: Maximum number of sensors, and of vacant slots; devices aren't counted.

    Attributes:
        names: Names by slot.
        devices: Number of devices among them.
        vacancies: The vacant slots.
        refilled: Vacant slots reused since the consumer last emptied this list.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.names: list[str] = []
        self.devices = 0
        self.vacancies = Vacancies()
        self.refilled: list[int] = []
        self._slots: dict[str, int] = {}
        self._below: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """Number of slots in use."""
        return len(self.names)

    @property
    def sensors(self) -> int:
        """Number of sensors among them."""
        return len(self.names) - self.devices - len(self.vacancies)

    def slot(self, name: str, *, always: bool = False) -> int | None:
        """The slot of a sensor or device, allocated if it is new; None if there is no room for a new sensor.

        Args:
            name: Its name.
            always: Whether to allocate a slot beyond the limit, as for a sensor known before the limit was lowered.
        """
        known = self._slots.get(name)
        if known is not None:
            return known
        if is_vacant(name):
            self.names.append(name)
            self.vacancies.unknown([len(self.names) - 1])
            return len(self.names) - 1
        of_device = is_device(name)
        if not of_device and self.sensors >= self.limit and not always:
            return None
        slot = self.vacancies.take()
        if slot is None and not (of_device or always) and len(self.names) - self.devices >= 2 * self.limit:
            return None
        self.devices += of_device
        self.vacancies.came_back(name)
        if slot is None:
            slot = len(self.names)
            self.names.append(name)
            self._enter(slot, name)
        else:
            self._refill(slot, name)
        return slot

    def still_there(self, slots: Iterable[int]) -> list[int]:
        """Those of the slots that belong to sensors, not to devices, and aren't vacant."""
        return [each for each in slots if not is_device(self.names[each]) and not is_vacant(self.names[each])]

    def refill(self, slot: int, name: str) -> None:
        """Assign a vacant slot to a new sensor or device, as before a restart."""
        self.vacancies.occupied(slot)
        self.vacancies.came_back(name)
        self.devices += is_device(name)
        self._refill(slot, name)

    def vacate(self, slot: int, time: float) -> None:
        """Vacate the slot of a forgotten sensor or device at a time in seconds since the epoch."""
        name = self.names[slot]
        self.devices -= is_device(name)
        del self._slots[name]
        for prefix in self._prefixes(name):
            self._below[prefix].remove(slot)
            if not self._below[prefix]:
                del self._below[prefix]
        self.names[slot] = vacant_name(slot, name)
        self.vacancies.add(slot, name, time)

    def _refill(self, slot: int, name: str) -> None:
        self.names[slot] = name
        self._enter(slot, name)
        self.refilled.append(slot)

    def _enter(self, slot: int, name: str) -> None:
        self._slots[name] = slot
        for prefix in self._prefixes(name):
            insort(self._below.setdefault(prefix, []), slot)

    def devices_above(self, sensors: Iterable[int]) -> list[int]:
        """Ascending slots of the devices whose names are prefixes of the sensors' names."""
        found = {self._slots.get(prefix) for slot in sensors for prefix in self._prefixes(self.names[slot])}
        return sorted(each for each in found if each is not None)

    @staticmethod
    def _prefixes(name: str) -> list[str]:
        """The prefixes of a sensor's name, up to each slash; none for a device."""
        return [] if is_device(name) else [name[: place + 1] for place, each in enumerate(name) if each == "/"]

    def find(self, name: str) -> int | None:
        """The slot of a known sensor, or None."""
        return self._slots.get(name)

    def below(self, device: str) -> Sequence[int]:
        """Ascending slots of the sensors whose names begin with the device's."""
        return self._below.get(device, ())
