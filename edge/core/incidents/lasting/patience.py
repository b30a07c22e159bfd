"""Patience: how long a condition must last until it is adopted as normal.

For a sensor that has hardly been seen new behaviour may well be normal, so a level is adopted after a share of its
life, and what isn't a level when it has lasted for as long as the sensor was known otherwise. The time of one doesn't
count for the other: a fan that has stood still for two days and runs again hasn't been at that speed for two days.
"""

from __future__ import annotations

from config.schema import IncidentSettings
from edge.core.incidents.lasting.course import STEADY_S
from edge.core.incidents.state_machine import StateMachine
from edge.core.incidents.state_table import State
from edge.core.scoring.opinions import Observation

LEAST_PATIENCE_S = 3600.0
LIFE_SHARE = 1 / 6
"""Share of a sensor's life after which a level is adopted, at least an hour and at most `adopt_after_s`."""

ENDURING_SHARE = 1 / 2
"""Share of a sensor's life after which a lasting condition that isn't a level, such as a stuck value, is adopted."""


def has_lasted(tracker: StateMachine, observation: Observation, known_s: float, settings: IncidentSettings) -> bool:
    """Whether an incident, or the learning of its level, has lasted for so long that its level is adopted.

    Args:
        tracker: The state machine of its sensor.
        observation: The reading.
        known_s: Seconds for which the sensor has been observed.
        settings: The longest time that a level must last.
    """
    if tracker.state is State.NORMAL:
        return False
    incident, lasted = tracker.incident, observation.time - tracker.steady_since
    is_slide = incident is not None and incident.is_slide
    most = max(settings.adopt_after_s, STEADY_S) if is_slide else settings.adopt_after_s
    patience = min(most, max(LEAST_PATIENCE_S, LIFE_SHARE * known_s))
    if observation.endures or not tracker.is_level:
        patience = max(patience, ENDURING_SHARE * known_s)
    elif incident is not None:
        lasted -= incident.course.no_level_s
    if lasted < max(patience, tracker.least_steady_s):
        return False
    extent = None if incident is None else incident.extent
    return incident is None or extent is None or not incident.course.is_left(observation.value, extent.yardstick)
