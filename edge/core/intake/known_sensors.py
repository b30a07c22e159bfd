"""Known sensors: what the intake knows of each, by its slot."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edge.core.intake.last_values import LastValues
from edge.core.intake.times.admission import Admission
from edge.core.model.sensors.newcomers import Newcomers
from edge.core.model.sensors.no_values import NoValues
from edge.core.model.sensors.sensors import Repetition, SensorTable
from edge.core.model.sensors.units import Units

HeardOn = tuple[str, str]
"""The topic filter of an input, and the topic; empty for a file's."""


class KnownSensors:
    """The sensors that were heard.

    Args:
        sensors: The sensor table; new sensors are added to it.
        on_new_sensor: Called with the slot of each new sensor, and what a repetition of its value means.
        newcomers: Is told of those that were never heard before.

    Attributes:
        admission: The last admitted reading of each.
        last_values: Of those that repeat what hasn't changed.
        units: Facts from their payloads.
        no_values: The error values that their inputs name.
        repeating: Slots of those that repeat what hasn't changed.
        timed_by_arrival: Of each, whether arrival gives its times.
        owners: The identity of each one's sender, for senders that may have the same name.
    """

    def __init__(
        self, sensors: SensorTable, on_new_sensor: Callable[[int, Repetition], None], newcomers: Newcomers
    ) -> None:
        self._sensors = sensors
        self._on_new_sensor = on_new_sensor
        self._newcomers = newcomers
        self.admission = Admission()
        self.last_values = LastValues()
        self.units, self.no_values = Units(), NoValues()
        self.repeating: set[int] = set()
        self.timed_by_arrival: list[bool] = []
        self.owners: dict[int, int] = {}

    def slot(
        self, name: str, repetition: Repetition, heard_on: HeardOn | None, *, timed_by_arrival: bool
    ) -> int | None:
        """The slot of a sensor, given out now if it is new; None if there is no room, see `SensorTable.slot()`.

        Args:
            name: Its name.
            repetition: The meaning of a repeated value.
            heard_on: Where it is heard, now; None if it was known before a restart, or is a device: it has a slot in
                any case then.
            timed_by_arrival: Whether arrival gives its times.
        """
        known = self._sensors.find(name)
        if known is not None:
            return known
        slot = self._sensors.slot(name, always=heard_on is None)
        if slot is not None:
            self._take_in(slot, repetition, timed_by_arrival=timed_by_arrival)
            if heard_on is not None:
                self._newcomers.note(slot, *heard_on)
        return slot

    def refill(self, slot: int, name: str, repetition: Repetition, *, timed_by_arrival: bool) -> None:
        """Give a vacant slot to a sensor or device, as was done before a restart."""
        self._sensors.refill(slot, name)
        self._take_in(slot, repetition, timed_by_arrival=timed_by_arrival)

    def forget(self, slots: Iterable[int]) -> None:
        """Know nothing of sensors any more."""
        for slot in slots:
            self.owners.pop(slot, None)
            self.repeating.discard(slot)
            self.timed_by_arrival[slot] = False
            self.admission.clear_row(slot)
            self.last_values.forget(slot)
            self.units.forget(slot)
            self.no_values.forget(slot)

    def _take_in(self, slot: int, repetition: Repetition, *, timed_by_arrival: bool) -> None:
        if repetition is Repetition.FULL_REPEAT:
            self.repeating.add(slot)
        self.timed_by_arrival[slot : slot + 1] = [timed_by_arrival]
        self._on_new_sensor(slot, repetition)
        self.admission.grow(slot + 1)
