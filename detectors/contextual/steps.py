"""Readings to steps: what is close in time is averaged, so that context means minutes and hours at any rate.

A reading ends a step once the step is long enough: a thousandth of the time that the sensor has been watched, and
`step_s` at most. So a sensor that reports every minute or more rarely has a step for each reading, and one that reports
a hundred times a second begins with each reading and slows down as it comes to know more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from detectors.arithmetic import all_of, any_of, everywhere, maximum, minimum, nowhere, where
from detectors.base import Field, Numbers, Rows, State

MEMORY = 5000.0
"""Steps that what is believed of a sensor remembers."""

AGE_IN_STEPS = 1000.0
LONGEST_GAP = 3.0
"""A gap counts as this many usual ones at most, so that an outage doesn't change the usual interval."""

INTERVAL_MEMORY = 200.0


class Step(NamedTuple):
    """Steps; all arrays have shape (m,), or are plain numbers.

    Attributes:
        slots: Rows.
        value: Mean of the step's readings, less the sensor's first value.
        top: The largest of them, less the first value.
        bottom: The smallest.
        time: Time of the last of them.
        origin: The first value.
        readings: How many readings it is made of.
        elapsed: Seconds since the step before; 0 of the first.
    """

    slots: Rows
    value: Numbers
    top: Numbers
    bottom: Numbers
    time: Numbers
    origin: Numbers
    readings: Numbers
    elapsed: Numbers


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


def take_steps(state: State, slots: Rows, values: Numbers, times: Numbers, step_s: float) -> tuple[Step, Any]:
    """Take readings in; returns the steps that they belong to so far, and which of them end theirs, shape (n,).

    Args:
        state: The detector's state.
        slots: Rows, shape (n,).
        values: Values, shape (n,).
        times: Seconds since the epoch, shape (n,).
        step_s: Length of a step, once the sensor is known.
    """
    readings = state["readings"][slots]
    first = nowhere(readings == 0)
    origin = where(first, values, state["origin"][slots])
    born = where(first, times, state["born"][slots])
    elapsed = times - state["stepped"][slots]
    length = minimum((times - born) / AGE_IN_STEPS, step_s)
    ends = first | (elapsed >= length) | (elapsed < 0)
    state["readings"][slots] = readings + 1.0
    if first is not False:
        state["origin"][slots] = origin
        state["born"][slots] = born
    value = values - origin
    pending = state["pending"][slots]
    top = bottom = value
    if any_of(pending > 0) or not all_of(ends):
        more = pending > 0
        top = where(more, maximum(state["top"][slots], value), value)
        bottom = where(more, minimum(state["bottom"][slots], value), value)
        total = where(more, state["sum"][slots] + value, value)
        value = total / (pending + 1.0)
        state["pending"][slots] = where(ends, 0.0, pending + 1.0)
        for name, value_so_far in (("sum", total), ("top", top), ("bottom", bottom)):
            state[name][slots] = where(ends, 0.0, value_so_far)
    return Step(slots, value, top, bottom, times, origin, pending + 1.0, where(first, 0.0, elapsed)), ends


def learn_interval(state: State, step: Step) -> None:
    """Learn how long steps usually are, from some that have ended."""
    usual = state["interval"][step.slots]
    known = everywhere(usual > 0)
    gap = minimum(maximum(step.elapsed, 0.0), where(known, LONGEST_GAP * usual, 1e7))
    state["interval"][step.slots] = where(known, usual + (gap - usual) / INTERVAL_MEMORY, gap)
    state["stepped"][step.slots] = step.time
