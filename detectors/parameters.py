"""Detector parameters: each has a default, a range, a unit and a description.

A detector is a frozen dataclass, and each of its fields is declared with `parameter`. Ranges are checked when a
detector is created, the configuration's schema is generated from them, and `edgewarden detectors` prints them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

Value = TypeVar("Value", int, float, bool)


class ParameterError(ValueError):
    """A detector was given a parameter outside of its range.

    Attributes:
        parameter: Name of the parameter.
    """

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"{parameter}: {problem}")
        self.parameter = parameter


@dataclass(frozen=True)
class Range:
    """The range of a parameter; None means unbounded."""

    above: float | None = None
    below: float | None = None
    at_least: float | None = None
    at_most: float | None = None

    def problem(self, value: float) -> str | None:
        """The problem with `value`, as the end of a sentence, or None."""
        if self.above is not None and not value > self.above:
            return f"must be above {self.above:g}, is {value:g}"
        if self.below is not None and not value < self.below:
            return f"must be below {self.below:g}, is {value:g}"
        if self.at_least is not None and not value >= self.at_least:
            return f"must be at least {self.at_least:g}, is {value:g}"
        if self.at_most is not None and not value <= self.at_most:
            return f"must be at most {self.at_most:g}, is {value:g}"
        return None


def parameter(
    default: Value,
    doc: str,
    *,
    unit: str = "",
    above: float | None = None,
    below: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Value:
    """Declare a detector's parameter as a dataclass field.

    Args:
        default: Value for a sensor without configuration. NaN means "not set".
        doc: One sentence for the operator.
        unit: Unit of the value, as a word or symbol; empty for counts and ratios.
        above: The value must be greater than this.
        below: The value must be less than this.
        at_least: The value must be this or greater.
        at_most: The value must be this or less.
    """
    allowed = Range(above=above, below=below, at_least=at_least, at_most=at_most)
    made: Value = field(default=default, metadata={"doc": doc, "unit": unit, "range": allowed, "words": ()})
    return made


def choice(default: str, doc: str, words: tuple[str, ...]) -> str:
    """Declare a detector's parameter that is one of several words, as a dataclass field.

    Args:
        default: Word for a sensor without configuration.
        doc: One sentence for the operator.
        words: All allowed words.
    """
    made: str = field(default=default, metadata={"doc": doc, "unit": "", "range": Range(), "words": words})
    return made


@dataclass(frozen=True)
class ParameterInfo:
    """A parameter as shown to users and in schemas."""

    name: str
    kind: type
    default: Any
    doc: str
    unit: str
    range: Range
    words: tuple[str, ...] = ()


def parameters_of(detector: type) -> tuple[ParameterInfo, ...]:
    """The parameters of a detector class, in the order in which they are declared."""
    return tuple(
        ParameterInfo(
            name=each.name,
            kind=type(each.default),
            default=each.default,
            doc=each.metadata["doc"],
            unit=each.metadata["unit"],
            range=each.metadata["range"],
            words=each.metadata["words"],
        )
        for each in fields(detector)
    )


def check_parameters(detector: Any) -> None:
    """Check a detector's own values against the declared ranges.

    Raises:
        ParameterError: A value is outside of its range, isn't a number although the default is one, or isn't one of the
            words.
    """
    for each in parameters_of(type(detector)):
        value = getattr(detector, each.name)
        if each.words:
            if value not in each.words:
                raise ParameterError(each.name, f"must be {' or '.join(each.words)}, is {value}")
            continue
        if isinstance(value, float) and math.isnan(value):
            if not math.isnan(each.default):
                raise ParameterError(each.name, "must be a number, is nan")
            continue
        problem = each.range.problem(value)
        if problem:
            raise ParameterError(each.name, problem)
