"""Numbers formatted for people."""

from __future__ import annotations

import math
from collections.abc import Sequence

MOST_DIGITS = 17
"""Number of significant digits that distinguishes any two floats."""

ROUNDING = 1e-9
"""Width of a range, relative to its larger end, up to which it is a single value that was rounded."""


def quantity(value: float, unit: str, digits: int = 4) -> str:
    """Format a value with its unit."""
    return f"{number(value, digits)} {unit}" if unit else number(value, digits)


def number(value: float, digits: int = 4) -> str:
    """Format a value with `digits` significant digits, avoiding an exponent where possible."""
    value += 0.0  # no -0
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.{digits - 1}e}"
    places = digits - 1 - math.floor(math.log10(abs(value))) if value else 1
    text = f"{value:.{min(digits + 4, max(0, places))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded_alike(values: Sequence[float], digits: int = 4) -> list[float]:
    """Round values of one quantity to `digits` significant digits of the largest, so that noise about 0 is 0."""
    largest = max(map(abs, values), default=0.0)
    places = digits - 1 - math.floor(math.log10(largest)) if largest else 0
    return [round(each, places) + 0.0 for each in values]  # + 0.0 makes -0.0 positive


def digits_apart(value: float, *others: float, least: int) -> int:
    """Number of significant digits that distinguishes a value from unequal others, at least `least`."""
    digits = least
    for other in others:
        while digits < MOST_DIGITS and value != other and number(value, digits) == number(other, digits):
            digits += 1
    return digits


def ends_of(lower: float, upper: float, value: float, least: int = 3) -> tuple[str, str]:
    """The ends of a range, rounded to two or three significant digits of its width.

    There are more digits where a value beside the range would seem to lie within it otherwise.

    Args:
        lower: Lower end.
        upper: Upper end.
        value: The value beside it.
        least: Least number of significant digits of both where the range has no width but that of rounding.

    >>> ends_of(0.00116, 3.4812, 25.0)
    ('0', '3.5')
    >>> ends_of(9.5951, 10.4312, 10.434)
    ('9.6', '10.43')
    """
    width = upper - lower
    if not ROUNDING * max(abs(lower), abs(upper)) < width < math.inf:
        digits = digits_apart(value, lower, upper, least=least)
        return number(lower, digits), number(upper, digits)
    places = 1 - math.floor(math.log10(width / 2))
    low, high = round(lower, places) + 0.0, round(upper, places) + 0.0
    for more in range(1, MOST_DIGITS):
        if low < high and (low <= value) <= (lower <= value) and (value <= high) <= (value <= upper):
            break
        low, high = round(lower, places + more) + 0.0, round(upper, places + more) + 0.0
    else:
        low, high = lower, upper
    return _exactly(low), _exactly(high)


def range_text(lower: str, upper: str) -> str:
    """The range between two ends as text, or the one value that both are.

    >>> range_text("9.6", "10.43"), range_text("1", "1")
    ('9.6 to 10.43', '1')
    """
    return lower if lower == upper else f"{lower} to {upper}"


def _exactly(value: float) -> str:
    """A value that was rounded, with all its digits."""
    return next(text for digits in range(1, MOST_DIGITS + 1) if float(text := number(value, digits)) == value)


def duration(seconds: float) -> str:
    """Format a duration for people."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{number(round(seconds / size, 1))} {unit}"
    return f"{number(round(seconds, 1))} s"


def counted(count: int, noun: str) -> str:
    """Format a number with its noun: `1 event`, `2 events`, `no events`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else f"no {noun}s"
