"""Plants whose sensors have a common cause."""

from __future__ import annotations

import json

from edge.core.incidents.events.event import Event
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Message
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.sensors.sensor_summary import SensorSummary
from tests.edge.core.pipelines import (
    START,
    plant,
)

QUIET = START + 600.0
"""When something stops."""


def merged(*parts: list[Message]) -> list[Message]:
    return sorted((each for part in parts for each in part), key=lambda each: each.arrived)


def every(seconds: float, first: float, last: float) -> list[float]:
    return [first + seconds * each for each in range(round((last - first) / seconds))]


CLOCK = plant(every(10.0, START, QUIET + 3600.0), "now/other/clock")
"""A sensor that continues, so that time passes."""


def data(event: Event) -> dict[str, object]:
    said: dict[str, object] = json.loads(event.payload)["data"]
    return said


def found(slot: int, time: float, *kinds: str, transition: Transition = Transition.RAISED) -> IncidentChange:
    """A finding about a sensor that reports every ten minutes."""
    observation = Observation(time, 60.0, 4.0, [Opinion("x", each, 9.0, 2.0, level=4.0, now=9.0) for each in kinds])
    incident = Incident.from_observation(observation)
    order = (0, 1, 0.0, slot)
    return IncidentChange(slot, transition, incident, 0, observation, time, [], order, SensorSummary(600.0, 0.0, time))
