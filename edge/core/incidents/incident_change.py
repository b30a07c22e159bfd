"""Incident changes: what the engine has found, before it becomes an event."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from edge.core.incidents.incident import Incident
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.opinions import Observation
from edge.core.scoring.sensors.sensor_summary import SensorSummary


@dataclass(slots=True, frozen=True)
class OneCause:
    """That several incidents have one cause, of which one is told.

    Attributes:
        kind: What they have in common: `missing`, `flatline` or `jump`.
        slots: Sensors and devices of those that are open.
        ended: Of those that have ended.
    """

    kind: str
    slots: list[int]
    ended: list[int]


@dataclass(slots=True)
class IncidentChange:
    """A transition of a sensor's incident, as things stood at that moment.

    Attributes:
        slot: The sensor.
        transition: What happened.
        incident: A copy of the incident.
        number: Of the transition within the incident, from 0.
        observation: The reading or silence behind it.
        clock: The stream clock.
        recent: The sensor's last readings, oldest first: (time, value).
        summary: What is known of the sensor's readings, for sentences.
        order: Where it belongs among the findings of a batch.
        sensors: Slots of the sensors that it is about, if these are several.
        passed: How far time had passed when it was found; minus infinity if `clock` says it.
        one_cause: Of which others it tells as well; None if of none.
        cause: The slot whose incident tells of what this one follows from, and when that began; None if none does.
        shelved: Whether the sensor is quiet by the operator's word.
        remark: Who of the operators said so and why, where one did.
        is_forgotten: Whether the incident ends as its sensor is forgotten.
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
    one_cause: OneCause | None = None
    cause: tuple[int, float] | None = None
    shelved: bool = False
    remark: tuple[str, str] = ("", "")
    is_forgotten: bool = False
