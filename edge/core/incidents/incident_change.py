"""Incident changes: findings of the engine before they become events."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from edge.core.incidents.incident import Incident
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.opinions import SUDDEN, Observation
from edge.core.scoring.sensors.sensor_summary import SensorSummary


@dataclass(slots=True, frozen=True)
class CommonCause:
    """A common cause of several incidents, of which one is reported.

    Attributes:
        kind: The common property: `missing`, `flatline`, `error_value`, `peers` or `jump`.
        slots: Slots of the sensors and devices with open incidents.
        ended: Slots of those whose incidents ended.
        adopted: Slots of those among them whose level was taken as normal.
        worst: The last findings about some of them, the most severe first.
    """

    kind: str
    slots: list[int]
    ended: list[int]
    adopted: list[int] = field(default_factory=list)
    worst: list[IncidentChange] = field(default_factory=list)


@dataclass(slots=True)
class IncidentChange:
    """A transition of a sensor's incident, with the state at that moment.

    Attributes:
        slot: Slot of the sensor.
        transition: The transition.
        incident: A copy of the incident.
        number: Number of the transition within the incident, from 0.
        observation: The reading or silence that caused it.
        clock: The stream clock.
        recent: The sensor's recent readings as (time, value), oldest first.
        summary: Facts about the sensor's readings, for sentences.
        order: Its position among the findings of a batch.
        sensors: Slots of the sensors concerned, if there are several.
        passed: Time that had passed when it was found; minus infinity if `clock` gives it.
        one_cause: The other incidents that it also reports; None if there are none.
        cause: Slot and start of the incident that caused this one; None if there is none.
        shelved: Whether the operator has shelved the sensor.
        remark: The operator's name and remark, if given.
        is_forgotten: Whether the incident ends because its sensor is forgotten.
    """

    slot: int
    transition: Transition
    incident: Incident
    number: int
    observation: Observation
    clock: float
    recent: list[tuple[float, float]]
    order: tuple[int, int, float, int]
    summary: SensorSummary = field(default_factory=SensorSummary)
    sensors: list[int] = field(default_factory=list)
    passed: float = -math.inf
    one_cause: CommonCause | None = None
    cause: tuple[int, float] | None = None
    shelved: bool = False
    remark: tuple[str, str] = ("", "")
    is_forgotten: bool = False

    @property
    def is_return(self) -> bool:
        """Whether the sensor has just jumped to where it usually was before the incident."""
        incident, time = self.incident, self.observation.time
        if incident.extent is None or not any(incident.began_with(kind, time) for kind in SUDDEN):
            return False
        usual = incident.extent.yardstick
        return usual.low <= self.observation.value <= usual.high
