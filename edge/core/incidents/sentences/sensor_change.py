"""What a sentence about one sensor is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from edge.core.incidents.incident import ERROR_KIND, Incident
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.grids import places_of
from edge.core.model.notation.quantities import duration
from edge.core.scoring.consequence import UNKNOWN
from edge.core.scoring.opinions import Observation, Opinion


class SensorChange(NamedTuple):
    """A transition of a sensor's incident.

    Attributes:
        sensor: Name of the sensor.
        unit: Unit of its values; may be empty.
        transition: The transition of the incident.
        incident: The incident as it stands now.
        observation: The reading or silence that caused it.
        band: The opinion whose band is shown, or None.
        opinion: The reported opinion, or None.
        interval: Seconds between two readings; 0 if unknown.
        recent: Its recent values.
        seen: Stream clock at its last reading; minus infinity if unknown.
    """

    sensor: str
    unit: str
    transition: Transition
    incident: Incident
    observation: Observation
    band: Opinion | None
    opinion: Opinion | None = None
    interval: float = 0.0
    recent: Sequence[float] = ()
    seen: float = -math.inf

    @property
    def places(self) -> int | None:
        """Decimal places of the sensor's values; None if they are continuous, or a counter's paces."""
        return None if self.observation.per else places_of([*self.recent, self.observation.value])

    @property
    def is_switch(self) -> bool:
        """Whether the sensor is either on or off, at 1 or 0."""
        usual = UNKNOWN if self.incident.extent is None else self.incident.extent.yardstick
        values = {*self.recent, self.observation.value}
        return usual.low == 0 and usual.high == 1 and {0.0, 1.0}.issuperset(values)

    @property
    def is_silence(self) -> bool:
        """Whether readings are missing."""
        return self.incident.kind == "missing" or (self.opinion is not None and self.opinion.kind == "missing")

    @property
    def is_return(self) -> bool:
        """Whether a silent sensor reports again while its incident, which began with something else, continues."""
        observation, incident = self.observation, self.incident
        is_bare = incident.last is observation and not (observation.opinions or observation.broken)
        return is_bare and self.transition is Transition.UPDATED and incident.kind != ERROR_KIND

    @property
    def joins(self) -> bool:
        """Whether the reported opinion is of a kind that the open incident hasn't shown before."""
        opinion = self.opinion
        is_new = opinion is not None and self.incident.began_with(opinion.kind, self.observation.time)
        return is_new and self.transition is Transition.UPDATED

    @property
    def silent(self) -> str:
        """For how long nothing has come from the sensor, as text; empty if unknown."""
        passed = self.observation.time - self.seen
        return duration(passed) if 0 < passed < math.inf else ""

    @property
    def lasted(self) -> str:
        """The duration of the incident as text."""
        return duration(max(0.0, self.observation.time - self.incident.started))
