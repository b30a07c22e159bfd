"""Unit keys: fields that hold the unit of the value next to them, `{"value": 21.5, "unit": "Cel"}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge.core.intake.decoders.notation.mixed_units import is_unit

UNIT_KEYS = frozenset(
    {
        "unit", "Unit", "units", "Units", "uom", "UoM", "UOM", "unit_of_measurement", "unitOfMeasurement",
        "unitofmeasurement", "unit_of_measure", "unitOfMeasure", "engUnit", "engUnits", "eng_unit", "eng_units",
        "engineeringUnit", "engineeringUnits", "engineering_unit", "engineering_units", "valueUnit", "value_unit",
    }
)  # fmt: skip
"""As Home Assistant, openHAB, Sparkplug, OPC UA and others call it."""

VALUE_KEYS = ("value", "Value", "val", "v")
"""Fields whose unit it is, as Fronius, openHAB and others call them."""


def unit_key(keys: Iterable[str]) -> str | None:
    """The first key that holds a unit."""
    return next((each for each in keys if each in UNIT_KEYS), None)


def unit_in(fields: Mapping[str, Any]) -> str:
    """The unit that an object gives for its value; empty if there is none."""
    if UNIT_KEYS.isdisjoint(fields):
        return ""
    unit = fields[unit_key(fields) or ""]
    return unit if is_unit(unit) else ""
