"""Reporting preferences: which learned deviations are reported, and how important a sensor is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Direction = Literal["both", "high", "low"]


@dataclass(frozen=True)
class ReportingPreferences:
    """A rule's reporting preferences for its sensors.

    Attributes:
        direction: Side of the expected value on which deviations are reported.
        least: Minimum size of a reported deviation, in the sensor's unit; for a counter, in that of its pace.
        weight: Factor on the ratio of scores to their level, for severities.
    """

    direction: Direction = "both"
    least: float = 0.0
    weight: float = 1.0

    @property
    def filters(self) -> bool:
        """Whether any deviation isn't reported."""
        return self.direction != "both" or self.least > 0

    def as_plain(self) -> dict[str, Any]:
        """The preferences that were set, as plain values; empty if there are none."""
        made: dict[str, Any] = asdict(self)
        return {name: value for name, value in made.items() if value != getattr(NONE, name)}


NONE = ReportingPreferences()
