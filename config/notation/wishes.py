"""Wishes: which of the deviations that were learned an operator wants to be told of, and how much a sensor matters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Direction = Literal["both", "high", "low"]


@dataclass(frozen=True)
class Wishes:
    """What a rule says of the deviations of its sensors.

    Attributes:
        direction: Side of what is expected on which a value is told of.
        least: Deviations that are smaller aren't told of, in the sensor's unit; of a counter, in that of its pace.
        weight: Severities are those of scores so many times as far beyond their level.
    """

    direction: Direction = "both"
    least: float = 0.0
    weight: float = 1.0

    @property
    def filters(self) -> bool:
        """Whether there is anything that isn't told of."""
        return self.direction != "both" or self.least > 0

    def as_plain(self) -> dict[str, Any]:
        """Those that were made, as plain values; empty if none was."""
        made: dict[str, Any] = asdict(self)
        return {name: value for name, value in made.items() if value != getattr(NONE, name)}


NONE = Wishes()
