"""Arithmetic for one reading and for many: a detector is written once, and both give the same result to the last bit.

An array operation takes half a microsecond for a single number, Python's own a twentieth of that. The single readings
of a quiet plant are therefore processed as scalars, and rounds of many readings as arrays. Each function here accepts
both, and decides by its first argument.

Logarithms and exponentials of scalars also use numpy, whose vector units may round differently from the C library.
Divisors must not be 0, which numpy tolerates and Python doesn't; `quotient()` accepts any.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

NOTHING = math.nan
NO, YES = b"\0", b"\1"
"""Elements of a condition as bytes: searching for one takes a third of the time that numpy needs to count them."""

LOG10_OF_E = math.log10(math.e)


def where(condition: Any, one: Any, other: Any) -> Any:
    """`one` where the condition holds, else `other`."""
    if condition is True:
        return one
    if condition is False:
        return other
    return np.where(condition, one, other)


def everywhere(condition: Any) -> Any:
    """The condition, or the scalar True if it holds for all: `where()` then returns its first choice at no cost."""
    if type(condition) is bool or NO in condition.tobytes():
        return condition
    return True


def nowhere(condition: Any) -> Any:
    """The condition, or the scalar False if it holds for none: `where()` then returns its last choice at no cost."""
    if type(condition) is bool or YES in condition.tobytes():
        return condition
    return False


def corrected(values: Any, condition: Any, correct: Callable[..., Any], *others: Any) -> Any:
    """The values, with `correct(values, *others)` where a condition holds; an array is modified in place."""
    if type(condition) is bool:
        return correct(values, *others) if condition else values
    chosen = np.flatnonzero(condition)
    if len(chosen) > 0:
        values[chosen] = correct(values.take(chosen), *(each.take(chosen) for each in others))
    return values


def minimum(one: Any, other: Any) -> Any:
    """The smaller; NaN if either is."""
    if type(one) is float:
        return one if one < other or one != one else other  # noqa: PLR0124 - NaN isn't itself
    return np.minimum(one, other)


def maximum(one: Any, other: Any) -> Any:
    """The larger; NaN if either is."""
    if type(one) is float:
        return one if one > other or one != one else other  # noqa: PLR0124
    return np.maximum(one, other)


def widened_down(low: Any, values: Any) -> Any:
    """The lower end of a range that includes the values; like Python's own minimum, it keeps the sign of a zero."""
    return where(values < low, values, low)


def widened_up(high: Any, values: Any) -> Any:
    """The upper end, likewise."""
    return where(values > high, values, high)


def known_minimum(one: Any, other: Any) -> Any:
    """The smaller; NaN only if both are."""
    if type(one) is float:
        return one if one < other or other != other else other  # noqa: PLR0124
    return np.fmin(one, other)


def known_maximum(one: Any, other: Any) -> Any:
    """The larger; NaN only if both are."""
    if type(one) is float:
        return one if one > other or other != other else other  # noqa: PLR0124
    return np.fmax(one, other)


def bounded(values: Any, low: Any, high: Any) -> Any:
    """The values clamped to two bounds; NaN stays NaN."""
    if type(values) is float:
        within = low if values <= low else values  # noqa: FURB136 - a quarter of the time of max()
        return high if within >= high else within  # noqa: FURB136
    return np.minimum(np.maximum(values, low), high)


def quotient(one: Any, other: Any) -> Any:
    """`one` divided by `other`, and 0 where `other` isn't above 0."""
    if type(other) is float:
        return one / other if other > 0 else 0.0
    return where(everywhere(other > 0), one / other, 0.0)


def sqrt(values: Any) -> Any:
    """The square root; NaN for negative values."""
    if type(values) is float:
        return math.sqrt(values) if values >= 0 else NOTHING
    return np.sqrt(values)


def log(values: Any) -> Any:
    """The natural logarithm."""
    return float(np.log(values)) if type(values) is float else np.log(values)


def log10(values: Any) -> Any:
    """The decimal logarithm; `numpy.log10` takes twice as long."""
    return log(values) * LOG10_OF_E


def exp(values: Any) -> Any:
    """E to a power."""
    return float(np.exp(values)) if type(values) is float else np.exp(values)


def floor(values: Any) -> Any:
    """The largest integer not above the value, as a float."""
    if type(values) is float:
        whole_part = values // 1.0  # NaN for an infinity
        return whole_part if whole_part == whole_part else values  # noqa: PLR0124
    return np.floor(values)


def whole(values: Any) -> Any:
    """Integers as indices."""
    return int(values) if type(values) is float else values.astype(np.intp)


def remainder(values: Any, divisor: int) -> Any:
    """The remainder of integers, 0 to `divisor` - 1, as indices; `numpy.mod` takes four times as long."""
    return whole(values - divisor * floor(values / divisor))


def common(values: Any) -> Any:
    """The values, or a scalar if all are equal."""
    if type(values) is float:
        return values
    first = float(values[0])
    return first if all_of(values == first) else values


def least(values: Any) -> float:
    """The smallest value."""
    return values if type(values) is float else float(np.minimum.reduce(values))


def any_of(mask: Any) -> bool:
    """Whether a condition holds anywhere."""
    return mask if type(mask) is bool else YES in mask.tobytes()


def all_of(mask: Any) -> bool:
    """Whether a condition holds everywhere."""
    return mask if type(mask) is bool else NO not in mask.tobytes()


def constant_like(values: Any, number: float) -> Any:
    """A number, repeated for each value."""
    if type(values) is float:
        return number
    constant = np.empty(len(values))
    constant.fill(number)
    return constant


def pick(values: Any, index: int) -> float:
    """The value at an index, or the scalar itself."""
    return values if type(values) is float else float(values[index])
