"""The sensor table: a row number, its slot, for each sensor and for each device; bounded.

A sensor that is forgotten leaves its slot, which is given to another one later, see `vacancies.py`. A device is watched
like a sensor, so it has a slot too. Its name ends in a slash, as no sensor's does.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from edge.core.model.sensors.vacancies import Vacancies, is_vacant, vacant_name


def is_device(name: str) -> bool:
    """Whether a name in the table is that of a device."""
    return name.endswith("/")


class Repetition(Enum):
    """When a sensor sends a value, and so what a repeated value means.

    Only where a value is due from time to time is silence a fault. Only where a value that is sent was also
    measured may an unchanged one count as evidence of a stuck sensor, or of a small variance.
    """

    PERIODIC = "periodic"
    """A measurement is due: silence is a fault, an unchanged value is a measurement."""

    ON_CHANGE = "on_change"
    """It has changed: silence means that it hasn't."""

    FULL_REPEAT = "full_repeat"
    """Something in the message has changed: silence is no fault, and an unchanged value says nothing. It is
    not learned, as it would make the variance too small and a healthy sensor look stuck."""


class SensorFacts(NamedTuple):
    """Fields of a sensor's events besides its readings.

    Attributes:
        name: Its name.
        topic: Its name as the end of a topic.
        unit: Unit of its values, may be empty.
        labels: Labels that the operator gave it.
    """

    name: str
    topic: str
    unit: str
    labels: Mapping[str, str]


class SensorTable:
    """Names of sensors; a slot is an index into them.

    Args:
        limit: Maximum number of sensors, and of vacant slots; devices are not counted.

    Attributes:
        names: By slot.
        devices: Number of devices among them.
        vacancies: The slots that nobody has.
        refilled: Vacant slots that were given out since somebody emptied this list.
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
        """The slot of a sensor or device, given out now if it is new; None if there is no room for a new sensor.

        Args:
            name: Its name.
            always: Whether it gets a slot in any case, as a sensor does that was known before the limit was.
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
        """Those of some slots that are sensors', and neither devices' nor nobody's."""
        return [each for each in slots if not is_device(self.names[each]) and not is_vacant(self.names[each])]

    def refill(self, slot: int, name: str) -> None:
        """Give a vacant slot to a sensor or device that is new, as was done before a restart."""
        self.vacancies.occupied(slot)
        self.vacancies.came_back(name)
        self.devices += is_device(name)
        self._refill(slot, name)

    def vacate(self, slot: int, time: float) -> None:
        """Forget the sensor or device that has a slot, at a time in seconds since the epoch."""
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
        """Slots of the devices whose names some sensors' names begin with, ascending."""
        found = {self._slots.get(prefix) for slot in sensors for prefix in self._prefixes(self.names[slot])}
        return sorted(each for each in found if each is not None)

    @staticmethod
    def _prefixes(name: str) -> list[str]:
        """The prefixes of a sensor's name, up to each slash; none for a device."""
        return [] if is_device(name) else [name[: place + 1] for place, each in enumerate(name) if each == "/"]

    def find(self, name: str) -> int | None:
        """The slot of a sensor that is known already, or None."""
        return self._slots.get(name)

    def below(self, device: str) -> Sequence[int]:
        """The slots of the sensors whose names begin with a device's, ascending."""
        return self._below.get(device, ())
