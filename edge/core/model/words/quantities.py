"""Numbers as a person reads them."""

from __future__ import annotations

import math

MOST_DIGITS = 17
"""So many significant digits tell any two floats apart."""


def quantity(value: float, unit: str, digits: int = 4) -> str:
    """A value with its unit."""
    return f"{number(value, digits)} {unit}" if unit else number(value, digits)


def number(value: float, digits: int = 4) -> str:
    """A value with so many significant digits, without an exponent where it can be read without one."""
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}"
    places = digits - 1 - math.floor(math.log10(abs(value))) if value else 1
    text = f"{value:.{min(digits + 4, max(0, places))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def digits_apart(value: float, *others: float, least: int) -> int:
    """How many significant digits it takes to tell a value from others that aren't equal to it, at least `least`."""
    digits = least
    for other in others:
        while digits < MOST_DIGITS and value != other and number(value, digits) == number(other, digits):
            digits += 1
    return digits


def duration(seconds: float) -> str:
    """A duration as a person says it."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{number(round(seconds / size, 1))} {unit}"
    return f"{number(round(seconds, 1))} s"


def counted(count: int, noun: str) -> str:
    """A number with its noun: `1 event`, `2 events`, `no events`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else f"no {noun}s"
