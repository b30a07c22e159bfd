"""Units from payloads: `{"value": 21.5, "unit": "Cel"}`, `21.5 °C`. The unit in a rule takes precedence."""

from __future__ import annotations

from collections.abc import Mapping

from edge.core.model.sensors.facts_by_sensor import FactsBySensor


class Units(FactsBySensor[str]):
    """The unit from each sensor's payloads, by slot."""

    def __init__(self) -> None:
        super().__init__(dict[int, str])

    def note(self, slot: int, unit: str) -> None:
        """Record a sensor's unit; an empty one is ignored."""
        if unit:
            super().note(slot, unit)

    def note_known(self, units: Mapping[str, str], slots: Mapping[str, int]) -> None:
        """Record units by path for the sensors with known slots."""
        for path, unit in units.items():
            if path in slots:
                self.note(slots[path], unit)

    def of(self, slot: int) -> str:
        """The unit of a sensor; empty if its payloads contain none."""
        return self.known(slot, "")
