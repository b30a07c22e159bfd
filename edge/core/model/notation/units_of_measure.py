"""Units of measure: which quantity a unit measures, and how large it is, so that values can be converted exactly.

Sizes are those of the SI brochure (9th edition, tables 2 to 8) and NIST SP 811 (appendix B.8). Of US and imperial units
only those are read that have one meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache, lru_cache
from typing import NamedTuple

LONGEST = 32
"""Maximum length of a unit in characters; longer texts aren't units."""

PREFIXES: Mapping[str, Fraction] = {
    "p": Fraction(1, 10**12), "n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
    "c": Fraction(1, 100), "d": Fraction(1, 10), "h": Fraction(100), "k": Fraction(1000), "M": Fraction(10**6),
    "G": Fraction(10**9), "T": Fraction(10**12), "K": Fraction(1000),
    "Ki": Fraction(2**10), "Mi": Fraction(2**20), "Gi": Fraction(2**30), "Ti": Fraction(2**40),
}  # fmt: skip
"""SI prefixes (`u` is micro, `K` a misspelt kilo), and the binary ones of IEC 80000-13."""


class Unit(NamedTuple):
    """A unit of measure.

    Attributes:
        quantity: What it measures, such as `power`; units of one quantity can be converted.
        size: One of it, in the base unit of its quantity.
        zero: Its zero, in its own steps above the base unit's; 0 except for temperatures.
    """

    quantity: str
    size: Fraction
    zero: Fraction = Fraction(0)


_BASES: tuple[tuple[str, str, Fraction | int, str], ...] = (
    ("W", "power", 1, "numkMGTK"),
    ("Wh", "energy", 3600, "mkMGTK"),
    ("J", "energy", 1, "mkMGTK"),
    ("cal", "energy", Fraction(4184, 1000), "k"),
    ("VA", "apparent power", 1, "mkMGK"),
    ("var", "reactive power", 1, "mkMGK"),
    ("VAh", "apparent energy", 1, "kMGK"),
    ("varh", "reactive energy", 1, "kMGK"),
    ("A", "current", 1, "pnumk"),
    ("Ah", "charge", 1, "mk"),
    ("V", "voltage", 1, "numkMK"),
    ("ohm", "resistance", 1, "mkMGK"),
    ("S", "conductance", 1, "num"),
    ("T", "flux density", 1, "num"),
    ("Hz", "frequency", 1, "mkMGK"),
    ("Pa", "pressure", 1, "mhkMGK"),
    ("bar", "pressure", 10**5, "m"),
    ("m", "length", 1, "numcdk"),
    ("g", "mass", Fraction(1, 1000), "numk"),
    ("t", "mass", 1000, ""),
    ("N", "force", 1, "mkMK"),
    ("Nm", "torque", 1, "mkK"),
    ("l", "volume", Fraction(1, 1000), "umcdhk"),
    ("s", "time", 1, "num"),
    ("lx", "illuminance", 1, "mk"),
    ("lm", "luminous flux", 1, "k"),
    ("Sv", "dose", 1, "num"),
    ("Gy", "absorbed dose", 1, "num"),
    ("Bq", "activity", 1, "mkMK"),
    ("mol", "amount", 1, "um"),
    ("B", "data", 8, "kKMGT"),
    ("bit", "data", 1, "kKMGT"),
)
"""Units that take prefixes, with their quantities, sizes and prefixes; cubes and squares of lengths are added."""

_POUND = Fraction(45359237, 10**8)
_FOOT = Fraction(3048, 10**4)
_PSI = _POUND * Fraction(980665, 10**5) / (_FOOT / 12) ** 2
_ALONE: Mapping[str, tuple[str, Fraction | int]] = {
    "min": ("time", 60), "h": ("time", 3600), "d": ("time", 86400),
    "in": ("length", _FOOT / 12), "ft": ("length", _FOOT), "yd": ("length", _FOOT * 3), "mi": ("length", _FOOT * 5280),
    "ha": ("area", 10**4), "lb": ("mass", _POUND), "oz": ("mass", _POUND / 16),
    "gal": ("volume", Fraction(3785411784, 10**12)),
    "psi": ("pressure", _PSI), "atm": ("pressure", 101325), "mmHg": ("pressure", Fraction(133322387415, 10**9)),
    "inHg": ("pressure", Fraction(338638864, 10**5)),
    "%": ("ratio", Fraction(1, 100)), "‰": ("ratio", Fraction(1, 1000)), "ppm": ("ratio", Fraction(1, 10**6)),
    "ppb": ("ratio", Fraction(1, 10**9)),
    "rpm": ("rotation", 1), "rps": ("rotation", 60),
}  # fmt: skip

_SCALES = {
    "°C": Unit("temperature", Fraction(1)),
    "K": Unit("temperature", Fraction(1), Fraction(-27315, 100)),
    "°F": Unit("temperature", Fraction(5, 9), Fraction(-32)),
}
"""Scales of temperature, whose zeros differ; degrees Celsius are the base, so that they are converted most exactly."""

_SPOKEN: Mapping[str, str] = {
    "c": "°C", "cel": "°C", "degc": "°C", "celsius": "°C", "℃": "°C", "°c": "°C",
    "degreescelsius": "°C", "degreecelsius": "°C",
    "f": "°F", "far": "°F", "degf": "°F", "fahrenheit": "°F", "℉": "°F", "°f": "°F", "degreesfahrenheit": "°F",
    "k": "K", "kelvin": "K", "°k": "K", "degk": "K",
    "watt": "W", "watts": "W", "w": "W", "kilowatt": "kW", "kilowatts": "kW", "kw": "kW", "kwh": "kWh",
    "wh": "Wh", "mwh": "MWh",
    "kilowatthours": "kWh", "kilowatthour": "kWh", "watthours": "Wh", "watthour": "Wh",
    "joule": "J", "joules": "J", "kva": "kVA", "va": "VA", "kvar": "kvar", "varh": "varh", "kvarh": "kvarh",
    "volt": "V", "volts": "V", "v": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A", "a": "A", "ma": "mA",
    "ohms": "ohm", "hertz": "Hz", "hz": "Hz", "khz": "kHz", "mhz": "MHz",
    "pa": "Pa", "hpa": "hPa", "kpa": "kPa", "pascal": "Pa", "millibar": "mbar", "mb": "mbar", "psig": "psi",
    "percent": "%", "pct": "%", "percentage": "%", "%rh": "%", "rh%": "%", "%r.h.": "%",
    "liter": "l", "liters": "l", "litre": "l", "litres": "l", "ltr": "l", "gallon": "gal", "gallons": "gal",
    "metre": "m", "metres": "m", "meter": "m", "meters": "m", "inch": "in", "inches": "in", "feet": "ft",
    "foot": "ft", "mile": "mi",
    "miles": "mi", "kilometers": "km", "kilometres": "km",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "mins": "min",
    "s": "s", "h": "h", "hour": "h", "hours": "h", "hr": "h", "hrs": "h", "d": "d", "t": "t", "day": "d", "days": "d",
    "lux": "lx",
    "gram": "g", "grams": "g", "kilogram": "kg", "kilograms": "kg", "kgs": "kg", "lbs": "lb",
    "kmh": "km/h", "kph": "km/h", "mph": "mi/h", "mps": "m/s", "lpm": "l/min", "lph": "l/h", "lps": "l/s",
    "gpm": "gal/min",
    "cfm": "ft3/min", "cbm": "m3", "r/min": "rpm", "u/min": "rpm",
    "bytes": "B", "byte": "B", "bits": "bit", "bps": "bit/s", "kbps": "kbit/s", "mbps": "Mbit/s",
}  # fmt: skip
"""Spellings in small letters, for what isn't a unit as it is spelled."""

_LETTERS = str.maketrans(
    {"µ": "u", "\u03bc": "u", "²": "2", "³": "3", "\u03a9": "ohm", "\u2126": "ohm", "º": "°", "^": "", " ": "", "_": ""}
)


@cache
def _units() -> Mapping[str, Unit]:
    """All units by their names, which only payloads with units need."""
    table = {name: Unit(quantity, Fraction(size)) for name, (quantity, size) in _ALONE.items()}
    for name, quantity, size, prefixes in _BASES:
        for prefix in ("", *prefixes):
            table.setdefault(prefix + name, Unit(quantity, PREFIXES[prefix] * size))
    for name in [each for each, unit in table.items() if unit.quantity == "length"]:
        table[f"{name}2"] = Unit("area", table[name].size ** 2)
        table[f"{name}3"] = Unit("volume", table[name].size ** 3)
    for name, size in (("B", 8), ("bit", 1)):
        table |= {each + name: Unit("data", PREFIXES[each] * size) for each in ("Ki", "Mi", "Gi", "Ti")}
    for small, large in (("l", "L"), ("var", "VAr"), ("varh", "VArh")):
        table |= {f"{each}{large}": table[f"{each}{small}"] for each in PREFIXES if f"{each}{small}" in table}
    table |= dict.fromkeys(("kn", "kt", "kts", "knots"), Unit("length/time", Fraction(1852, 3600)))
    for name in ("S", "T"):
        del table[name]  # rather seconds and tonnes in capital letters
    return table | _SCALES


@lru_cache(maxsize=1024)
def unit_of(text: str) -> Unit | None:
    """The unit that a text names; None if it names none, or isn't clear."""
    if not text or len(text) > LONGEST:
        return None
    plain = text.translate(_LETTERS)
    if plain.count("/") != 1 or plain.lower() in _SPOKEN:
        return _simple(plain)
    above, below = map(_simple, plain.split("/"))
    if above is None or below is None or below.zero:
        return None
    return Unit(f"{above.quantity}/{below.quantity}", above.size / below.size)


def _simple(text: str) -> Unit | None:
    small, units = text.lower(), _units()
    if text not in units and (spoken := _SPOKEN.get(small)) is not None:
        return units.get(spoken) or unit_of(spoken)
    return units.get(text) or (units.get(small) if (text.isupper() and len(text) > 1) or text[:1] != "M" else None)


@lru_cache(maxsize=1024)
def _factors(unit: str, to: str) -> tuple[float, float, float, float] | None:
    source, target = unit_of(unit), unit_of(to)
    if target is not None and target.quantity == "time" and unit == "m":
        source = _units()["min"]
    if source is None or target is None or source.quantity != target.quantity:
        return None
    ratio = source.size / target.size
    return float(source.zero), float(ratio.numerator), float(ratio.denominator), float(target.zero)


def converted(value: float, unit: str, to: str) -> float | None:
    """A value in another unit of the same quantity; None if there is no conversion, or no unit of that name.

    Args:
        value: A finite number.
        unit: Its unit, in any spelling.
        to: The other unit.
    """
    factors = _factors(unit, to)
    if factors is None:
        return None
    above, numerator, denominator, below = factors
    return (value + above) * numerator / denominator - below
