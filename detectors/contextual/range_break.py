"""Range break: distance beyond all values seen so far."""

from __future__ import annotations

import math

from detectors.base import Field, State
from detectors.contextual.steps import Age, StepStatistics
from detectors.numeric.arrays import Numbers
from detectors.numeric.elementwise import any_of, everywhere, maximum, minimum, quotient, sqrt, where

WARM_UP = 101.0
"""Number of steps before the range is meaningful."""

STRETCH = 2.0
"""Maximum widening of the range by one step, in widths, so that a reading in a wrong unit doesn't blind the stream."""


def range_layout() -> dict[str, Field]:
    """The state fields of the stream."""
    return {"low": Field(), "high": Field()}


def range_break(state: State, step: StepStatistics, age: Age) -> Numbers:
    """Score steps by the square root of overshoot / width of the range, then widen it; shape (m,).

    A range never shrinks, because merely rare values would then break it.

    Args:
        state: The detector's state.
        step: The completed steps.
        age: Age of the sensors in steps.
    """
    slots = step.slots
    low, high = state["low"][slots], state["high"][slots]
    beyond = maximum(maximum(step.top - high, low - step.bottom), 0.0)
    if not any_of(beyond > 0):
        return beyond
    width = high - low
    reach = where(everywhere(width > 0), STRETCH * width, math.inf)
    state["low"][slots] = maximum(minimum(low, step.bottom), low - reach)
    state["high"][slots] = minimum(maximum(high, step.top), high + reach)
    return where(age.beyond(WARM_UP), sqrt(quotient(beyond, width)), 0.0)
