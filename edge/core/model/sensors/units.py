"""Units from payloads: `{"value": 21.5, "unit": "Cel"}`, `21.5 °C`. The unit in a rule takes precedence.

A sensor keeps its first unit; values in another one are converted, since 1.2 kW and 980 W aren't a fall by 99 %.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.core.model.notation.units_of_measure import converted, unit_of
from edge.core.model.sensors.facts_by_sensor import FactsBySensor


class Units(FactsBySensor[str]):
    """The unit from each sensor's payloads, by slot."""

    def __init__(self) -> None:
        super().__init__(dict[int, str])

    def note_known(self, units: Mapping[str, str], slots: Mapping[str, int]) -> None:
        """Record units by path for the sensors with known slots, unless they have a unit of measure already."""
        for path, unit in units.items():
            if path in slots and unit and unit_of(self.of(slots[path])) is None:
                self.note(slots[path], unit)

    def of(self, slot: int) -> str:
        """The unit of a sensor; empty if its payloads contain none."""
        return self.known(slot, "")


def in_unit(value: float, unit: str, own: str) -> float | None:
    """A value in a sensor's unit; None if it can't be converted.

    If the sensor's unit is no unit of measure, it is a mere label, and so is what it changes to.
    """
    return value if unit == own or unit_of(own) is None else converted(value, unit, own)
