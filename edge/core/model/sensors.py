"""The sensor table: a row number, its slot, for each sensor and for each device; bounded.

A device is watched like a sensor, so it has a slot too. Its name ends in a slash, as no sensor's does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple


def is_device(name: str) -> bool:
    """Whether a name in the table is that of a device."""
    return name.endswith("/")


class Repetition(Enum):
    """What it means that a sensor sends a value, above all the same value once more.

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
    """What events say of a sensor beside its readings.

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
    """Names of sensors, in the order in which they were first seen; a slot is an index into it.

    Args:
        limit: How many sensors there may be; devices come on top.

    Attributes:
        names: By slot.
        devices: How many of them are devices.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.names: list[str] = []
        self.devices = 0
        self._slots: dict[str, int] = {}
        self._below: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """How many slots are given out."""
        return len(self.names)

    @property
    def sensors(self) -> int:
        """How many of them are sensors."""
        return len(self.names) - self.devices

    def slot(self, name: str, *, always: bool = False) -> int | None:
        """The slot of a sensor or device, given out now if it is new; None if there is no room for a new sensor.

        Args:
            name: Its name.
            always: Whether it gets a slot in any case, as a sensor does that was known before the limit was.
        """
        known = self._slots.get(name)
        if known is not None:
            return known
        if is_device(name):
            self.devices += 1
        elif self.sensors >= self.limit and not always:
            return None
        slot = len(self.names)
        self.names.append(name)
        self._slots[name] = slot
        if not is_device(name):
            for place, character in enumerate(name):
                if character == "/":
                    self._below.setdefault(name[: place + 1], []).append(slot)
        return slot

    def find(self, name: str) -> int | None:
        """The slot of a sensor that is known already, or None."""
        return self._slots.get(name)

    def below(self, device: str) -> Sequence[int]:
        """The slots of the sensors whose names begin with a device's, ascending."""
        return self._below.get(device, ())
