"""Readings to steps: what is close in time is averaged, so that context means minutes and hours at any rate.

A reading ends a step once the step is long enough: a thousandth of the time that the sensor has been watched, and
`step_s` at most. So a sensor that reports every minute or more rarely has a step for each reading, and one that reports
a hundred times a second begins with each reading and slows down as it comes to know more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field, Floats, Slots, State

AGE_IN_STEPS = 1000.0
LONGEST_GAP = 3.0
"""A gap counts as this many usual ones at most, so that an outage doesn't change the usual interval."""

INTERVAL_MEMORY = 200.0


class Step(NamedTuple):
    """Steps that end with this round; all arrays have shape (m,).

    Attributes:
        slots: Rows.
        value: Mean of the step's readings, less the sensor's first value.
        top: The largest of them, less the first value.
        bottom: The smallest.
        time: Time of the last of them.
        origin: The first value.
        readings: How many readings it is made of.
    """

    slots: Slots
    value: Floats
    top: Floats
    bottom: Floats
    time: Floats
    origin: Floats
    readings: Floats


def steps_layout() -> dict[str, Field]:
    """The fields that steps need in a detector's state."""
    return {
        "readings": Field(learned=False),
        "origin": Field(learned=False),
        "born": Field(learned=False, moment=True),
        "stepped": Field(learned=False, moment=True),
        "pending": Field(learned=False),
        "sum": Field(learned=False),
        "top": Field(learned=False),
        "bottom": Field(learned=False),
        "interval": Field(),
    }


def take_steps(
    state: State, slots: Slots, values: Floats, times: Floats, step_s: float
) -> tuple[Step, NDArray[np.bool_]]:
    """Take readings in; returns the steps that end, and a mask of the readings that end one, shape (n,).

    Args:
        state: The detector's state.
        slots: Rows, shape (n,).
        values: Values, shape (n,).
        times: Seconds since the epoch, shape (n,).
        step_s: Length of a step, once the sensor is known.
    """
    readings = state["readings"][slots]
    first = readings == 0
    origin = np.where(first, values, state["origin"][slots])
    born = np.where(first, times, state["born"][slots])
    elapsed = times - state["stepped"][slots]
    length = np.minimum((times - born) / AGE_IN_STEPS, step_s)
    ends = first | (elapsed >= length) | (elapsed < 0)
    state["readings"][slots] = readings + 1.0
    if first.any():
        state["origin"][slots] = origin
        state["born"][slots] = born
    value = values - origin
    pending = state["pending"][slots]
    top = bottom = value
    if pending.any() or not ends.all():
        more = pending > 0
        top = np.where(more, np.maximum(state["top"][slots], value), value)
        bottom = np.where(more, np.minimum(state["bottom"][slots], value), value)
        total = np.where(more, state["sum"][slots] + value, value)
        value = total / (pending + 1.0)
        state["pending"][slots] = np.where(ends, 0.0, pending + 1.0)
        state["sum"][slots], state["top"][slots], state["bottom"][slots] = total, top, bottom
    if ends.all():
        step = Step(slots, value, top, bottom, times, origin, pending + 1.0)
    else:
        step = Step(slots[ends], value[ends], top[ends], bottom[ends], times[ends], origin[ends], pending[ends] + 1.0)
        elapsed, first = elapsed[ends], first[ends]
    _learn_interval(state, step, np.where(first, 0.0, elapsed))
    return step, ends


def remainder(whole: Floats, divisor: int) -> Slots:
    """The remainder of whole numbers, 0 to `divisor` - 1; as `numpy.mod`, in a quarter of its time."""
    left: Slots = (whole - divisor * np.floor(whole / divisor)).astype(np.intp)
    return left


def _learn_interval(state: State, step: Step, elapsed: Floats) -> None:
    known = state["interval"][step.slots]
    gap = np.minimum(np.maximum(elapsed, 0.0), np.where(known > 0, LONGEST_GAP * known, 1e7))
    state["interval"][step.slots] = np.where(known > 0, known + (gap - known) / INTERVAL_MEMORY, gap)
    state["stepped"][step.slots] = step.time
