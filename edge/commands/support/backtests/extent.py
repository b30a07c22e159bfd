"""Extent: which sensors recorded readings are of, and which time they cover."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Extent:
    """The contents of a source.

    Attributes:
        sensors: Names of the sensors.
        first: Time of the first reading, in seconds since the epoch, UTC; infinite without readings.
        last: Time of the last reading; negative infinity without readings.
    """

    sensors: set[str] = field(default_factory=set)
    first: float = math.inf
    last: float = -math.inf

    def take(self, sensor: str, time: float) -> None:
        """Record a reading."""
        self.sensors.add(sensor)
        self.first, self.last = min(self.first, time), max(self.last, time)
