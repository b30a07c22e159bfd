"""Sensor life: reports sensors found and forgotten, and forgets them throughout the core."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from edge.core.incidents.events.event import timestamp
from edge.core.incidents.events.sensor_events import KindOfSensor, SensorData
from edge.core.intake.intake import Intake
from edge.core.intake.times.reorder import Reorder
from edge.core.model.sensors.newcomers import Discovery, Newcomers
from edge.core.model.sensors.sensors import SensorTable
from edge.core.operator.suppression import Suppression
from edge.core.scoring.sensors.sensor_registry import SensorRegistry


class SensorLife:
    """Describes sensors for events, and removes them from all components.

    Args:
        sensors: Names of the sensors.
        registry: The sensor registry.
        intake: Finds the sensors.
        newcomers: Sensors not yet reported as found.
        reorder: Held readings.
        watch: The engine with suppression applied.
    """

    def __init__(
        self,
        sensors: SensorTable,
        registry: SensorRegistry,
        intake: Intake,
        newcomers: Newcomers,
        reorder: Reorder,
        watch: Suppression,
    ) -> None:
        self._sensors = sensors
        self._registry = registry
        self._intake = intake
        self._newcomers = newcomers
        self._reorder = reorder
        self._watch = watch

    def found(self, discovery: Discovery) -> list[SensorData]:
        """The event data of new sensors."""
        return [
            self._described(each.slot, each.value, each.time, each.input or None, each.topic or None, is_new=True)
            for each in discovery.sensors
        ]

    def to_forget(self, slots: Sequence[int]) -> list[SensorData]:
        """The event data of sensors forgotten now, except those never reported as found."""
        known = [(slot, self._watch.last(slot)) for slot in slots if not self._newcomers.is_unheard(slot)]
        return [self._described(slot, *last, None, None, is_new=False) for slot, last in known]

    def _described(
        self, slot: int, value: float, time: float, heard_by: str | None, topic: str | None, *, is_new: bool
    ) -> SensorData:
        facts = self._registry.facts(slot)
        return SensorData(
            name=facts.name,
            topic=facts.topic,
            unit=facts.unit,
            kind=cast("KindOfSensor", self._registry.repetitions[slot]) if is_new else None,
            device=self._registry.device_of(slot),
            input=heard_by,
            source_topic=topic,
            value=value if math.isfinite(value) else None,
            time=timestamp(time) if math.isfinite(time) else None,
        )

    def emptied(self, slots: Sequence[int]) -> list[int]:
        """Ascending slots of the devices left without sensors when these are removed."""
        gone, sensors = set(slots), self._sensors
        devices = {*self._watch.devices_of(slots), *sensors.devices_above(slots)}
        left = {each: {*self._watch.members_of(each), *sensors.below(sensors.names[each])} for each in devices}
        return sorted(each for each in devices if left[each] <= gone)

    def forget(self, slots: Sequence[int], time: float) -> list[int]:
        """Forget sensors, and devices left without any.

        Their packs of new sensors must have been reported, and their incidents must have ended.

        Args:
            slots: Slots of the sensors.
            time: The current time, in seconds since the epoch.

        Returns:
            The vacated slots.
        """
        devices = {each: self._sensors.names[each] for each in self.emptied(slots)}
        vacant = [*slots, *devices]
        for slot in vacant:
            self._newcomers.forget(slot)
            self._sensors.vacate(slot, time)
            self._reorder.forget(slot)
        self._registry.forget(vacant)
        self._watch.forget(slots, devices)
        self._intake.forget(vacant)
        self._watch.rename(vacant, self._sensors.names)
        return vacant
