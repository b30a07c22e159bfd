"""State machines of a sensor, and observations for them."""

from __future__ import annotations

import math

from config.schema import IncidentSettings
from edge.core.incidents.incident import Incident
from edge.core.incidents.state_machine import StateMachine
from edge.core.incidents.state_table import MachineInput
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.opinions import Observation, Opinion

SETTINGS = IncidentSettings(update_s=60.0)


def surprising(time: float, score: float = 8.0, value: float = 9.0, kind: str = "spike") -> Observation:
    return Observation(time, value, 4.0, [Opinion("ewma", kind, score, 5.0, 4.0, 6.0)])


def calm(time: float) -> Observation:
    return Observation(time, 5.0, 4.0, [Opinion("ewma", "spike", 0.2, 5.0, 4.0, 6.0)])


def raised() -> StateMachine:
    tracker = StateMachine()
    tracker.step(MachineInput.EXCEEDS, surprising(0.0), SETTINGS)
    return tracker


def bounded_by(most: int) -> tuple[StateMachine, Incident]:
    """A sensor with an incident of class INFO that doesn't become more severe, and of which every value was told."""
    tracker = StateMachine()
    young = Yardstick(low=4.0, high=6.0, most=most)
    tracker.step(MachineInput.EXCEEDS, surprising(0.0, value=6.2), SETTINGS, yardstick=young)
    assert tracker.incident is not None
    assert tracker.incident.extent is not None
    tracker.incident.publish(0.0)
    tracker.incident.extent.told_over = math.inf
    return tracker, tracker.incident
