"""Range break: how far beyond everything seen so far."""

from __future__ import annotations

import math

from detectors.base import Field, State
from detectors.contextual.steps import Age, StepStatistics
from detectors.numeric.arrays import Numbers
from detectors.numeric.elementwise import any_of, everywhere, maximum, minimum, quotient, sqrt, where

WARM_UP = 101.0
"""Steps before the range means anything."""

STRETCH = 2.0
"""One step widens the range by this many widths at most, so that a reading in a wrong unit doesn't blind the stream."""


def range_layout() -> dict[str, Field]:
    """The fields that the stream needs in a detector's state."""
    return {"low": Field(), "high": Field()}


def range_break(state: State, step: StepStatistics, age: Age) -> Numbers:
    """Score steps by the root of overshoot / width of the range, then widen it; shape (m,).

    A range never shrinks: one that did would be broken by what is merely rare.

    Args:
        state: The detector's state.
        step: The steps.
        age: How long the sensors have been known.
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
