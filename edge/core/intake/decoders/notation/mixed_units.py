"""Mixed units: values of one sensor in several units, which become values in its first one."""

from __future__ import annotations

from math import isfinite

from edge.core.model.notation.units_of_measure import LONGEST
from edge.core.model.readings.messages import Refusal
from edge.core.model.sensors.units import in_unit

REMEDY = "`sensor` of the input tells two sensors apart; `edgewarden tell forget` lets one begin anew"
"""What an operator may do about values that can't be converted."""


class UnitsInPayload:
    """The units in one payload.

    Attributes:
        first: The first unit at each path.
        beside: Units of the next values by path, from fields next to them.
    """

    __slots__ = ("beside", "first")

    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.beside: dict[str, str] = {}

    def note_beside(self, path: str, unit: str) -> None:
        """Take the unit of the next values at a path, from a field next to them; empty if there is none."""
        if unit:
            self.beside[path] = unit
        elif self.beside:
            self.beside.pop(path, None)

    def in_first(self, path: str, value: float, unit: str) -> float | Refusal:
        """A value in the first unit at its path, or why it can't be converted.

        Args:
            path: Path of the value.
            value: A finite number.
            unit: The unit written behind it; empty if there is none.
        """
        unit = unit or self.beside.get(path, "")
        own = self.first.setdefault(path, unit) if unit else ""
        return value if own == unit else in_own_unit(value, unit, own)


def in_own_unit(value: float, unit: str, own: str) -> float | Refusal:
    """A value in its sensor's unit, or why it can't be converted.

    Args:
        value: A finite number.
        unit: Its unit.
        own: The sensor's, which was its first.
    """
    found = in_unit(value, unit, own)
    if found is None:
        return Refusal("other_unit", "", f"in {unit}, and the sensor in {own}: {REMEDY}")
    return found if isfinite(found) else Refusal("not_finite", "", f"too large in {own}")


def is_unit(unit: object) -> bool:
    """Whether a field that should hold a unit does."""
    return isinstance(unit, str) and 0 < len(unit) <= LONGEST and unit.isprintable()
