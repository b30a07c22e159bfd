"""Units of measure: which are known, and how values are converted."""

from __future__ import annotations

import math

import pytest

from edge.core.model.notation.units_of_measure import converted, unit_of


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (980, "W", "kW", 0.98), (1.2, "kW", "W", 1200), (1, "KW", "W", 1000), (3.6, "MJ", "kWh", 1),
        (1, "MWh", "kWh", 1000),
        (212, "°F", "°C", 100), (20, "C", "F", 68), (20, "degC", "K", 293.15), (300, "K", "Cel", 26.85),
        (5, "celsius", "℃", 5),
        (1, "bar", "hPa", 1000), (1, "psi", "kPa", 6.894757293168361), (1013.25, "mbar", "atm", 1),
        (1000, "mmHg", "hPa", 1333.22387415),
        (1, "m3", "l", 1000), (60, "l/min", "m³/h", 3.6), (5, "GPM", "L/min", 18.92705892),
        (1, "gal", "l", 3.785411784),
        (1, "km", "m", 1000), (1, "in", "mm", 25.4), (1, "mi", "km", 1.609344), (2, "ft2", "m2", 0.18580608),
        (3, "mA", "A", 0.003), (4, "MΩ", "kohm", 4000), (1.5, "kVAr", "var", 1500),
        (2, "h", "min", 120), (5, "m", "s", 300), (1, "day", "h", 24), (90, "seconds", "minutes", 1.5),
        (0.04, "%", "ppm", 400), (5, "ppm", "ppb", 5000), (55, "%RH", "%", 55),
        (5, "µg/m³", "mg/m3", 0.005), (10, "m/s", "km/h", 36), (10, "kn", "km/h", 18.52),
        (1413, "µS/cm", "mS/cm", 1.413),
        (1, "KiB", "B", 1024), (1, "Mbit/s", "kbps", 1000), (1, "t", "kg", 1000), (16, "oz", "lb", 1),
        (12, "°C/h", "K/min", 0.2),
    ],
)  # fmt: skip
def test_values_are_converted_within_a_quantity(value: float, unit: str, to: str, expected: float) -> None:
    found = converted(value, unit, to)
    assert found is not None
    assert math.isclose(found, expected, rel_tol=1e-9)
    back = converted(found, to, unit if unit != "m" else "min")
    assert back is not None
    assert math.isclose(back, value, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("unit", "to"),
    [("W", "V"), ("kWh", "kW"), ("%", "°C"), ("VA", "W"), ("m", "m2"), ("l", "l/min"),
     ("pcs", "W"), ("W", ""), ("m/s", "m"), ("mw", "W")],
)  # fmt: skip
def test_other_quantities_and_unknown_units_have_no_conversion(unit: str, to: str) -> None:
    assert converted(1, unit, to) is None
    assert converted(1, to, unit) is None


@pytest.mark.parametrize(
    "text", ["", "x" * 33, "/", "W/", "/h", "W/m2/K", "a/b/c", "items", "dB", "pH", "€", "M", "m°", "K/K/"]
)
def test_other_texts_are_no_units(text: str) -> None:
    assert unit_of(text) is None


def test_a_unit_with_a_prefix_is_not_mistaken_for_another() -> None:
    names = {
        "mW": 1e-3,
        "MW": 1e6,
        "min": 60,
        "m": 1,
        "Pa": 1,
        "pA": 1e-12,
        "d": 86400,
        "kn": 1852 / 3600,
        "ppm": 1e-6,
        "S": 1,
        "T": 1000,
    }
    for name, size in names.items():
        found = unit_of(name)
        assert found is not None
        assert math.isclose(found.size, size, rel_tol=1e-12), name
