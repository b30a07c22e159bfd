"""Known sensors: the intake's facts about each sensor, by slot."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edge.core.intake.decoders.documents.keys.time_keys import is_time_beside
from edge.core.intake.decoders.documents.paths import shown
from edge.core.intake.decoders.notation.mixed_units import in_own_unit
from edge.core.intake.last_values import LastValues
from edge.core.intake.routes import UNUSABLE, Resolved
from edge.core.intake.times.admission import Admission
from edge.core.model.readings.messages import Refusal
from edge.core.model.sensors.newcomers import Newcomers
from edge.core.model.sensors.no_values import NoValues
from edge.core.model.sensors.sensors import Repetition, SensorTable
from edge.core.model.sensors.units import Units
from edge.core.model.sensors.vacancies import is_vacant

HeardOn = tuple[str, str]
"""The topic filter of an input, and the topic; both empty for a file."""


class KnownSensors:
    """The sensors received so far.

    Args:
        sensors: The sensor table, to which new sensors are added.
        on_new_sensor: Called with the slot of each new sensor and the meaning of a repeated value.
        newcomers: Notified of sensors never received before.

    Attributes:
        admission: The last admitted reading of each sensor.
        last_values: Last values of the sensors that resend unchanged values.
        units: Units from payloads.
        no_values: Error values configured for the sensors' inputs.
        repeating: Slots of the sensors that resend unchanged values.
        timed_by_arrival: Whether each sensor is timestamped on arrival.
        owners: Identity of each sensor's sender, because different senders may use the same name.
        on_first_message: Called with the name and the topic of each sensor received for the first time.
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
        self.on_first_message: Callable[[str, str], None] = lambda *_: None

    def slot(
        self, name: str, repetition: Repetition, heard_on: HeardOn | None, *, timed_by_arrival: bool
    ) -> int | None:
        """The slot of a sensor, allocated if it is new; None if the table is full, see `SensorTable.slot()`.

        Args:
            name: The sensor's name.
            repetition: The meaning of a repeated value.
            heard_on: Current input and topic; None for a sensor known before a restart, and for a device, which always
                gets a slot.
            timed_by_arrival: Whether the sensor is timestamped on arrival.
        """
        known = self._sensors.find(name)
        if known is not None:
            return known
        slot = self._sensors.slot(name, always=heard_on is None)
        if slot is not None:
            self._take_in(slot, repetition, timed_by_arrival=timed_by_arrival)
            if heard_on is not None:
                self._newcomers.note(slot, *heard_on)
                self.on_first_message(name, heard_on[1])
        return slot

    def find(self, path: str, value: float, resolved: Resolved, *, timed_by_arrival: bool) -> int | Refusal | None:
        """The slot of a sensor that is new on a topic, or why it can't have one; None for a time on its own topic.

        Args:
            path: Path of its value in the payload.
            value: Its value.
            resolved: The topic.
            timed_by_arrival: Whether the sensor is timestamped on arrival.
        """
        if not path and is_time_beside(resolved.topic, value):
            return None
        if (name := resolved.sensor(path)) is None:
            return Refusal("bad_name", shown(path), UNUSABLE)
        heard_on = resolved.route.filter, resolved.topic
        slot = self.slot(name, resolved.route.repetition, heard_on, timed_by_arrival=timed_by_arrival)
        if slot is None:
            return Refusal("too_many_sensors", shown(path))
        owner = resolved.owner(path)
        if self.owners.setdefault(slot, owner) != owner:
            return Refusal("name_clash", shown(path), "sensor or ignore of the input tells them apart")
        return slot

    def in_own_unit(self, slot: int, value: float, unit: str) -> float | Refusal:
        """A value in its sensor's unit, which is the first that it has; else why it can't be converted."""
        own = self.units.of(slot)
        if own == unit or not unit:
            return value
        if not own:
            self.units.note(slot, unit)
            return value
        return in_own_unit(value, unit, own)

    def refill(self, slot: int, name: str, repetition: Repetition, *, timed_by_arrival: bool) -> None:
        """Assign a vacant slot to a sensor or device, as before a restart."""
        self._sensors.refill(slot, name)
        self._take_in(slot, repetition, timed_by_arrival=timed_by_arrival)

    def refill_all(self, refilled: Iterable[tuple[int, str, str, bool]]) -> None:
        """Assign vacant slots to sensors, as recorded in the journal; those that have one already are left."""
        for slot, name, repetition, by_arrival in refilled:
            if is_vacant(self._sensors.names[slot]):
                self.refill(slot, name, Repetition(repetition), timed_by_arrival=by_arrival)

    def forget(self, slots: Iterable[int]) -> None:
        """Forget sensors."""
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
