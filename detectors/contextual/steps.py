"""Steps: averages readings that are close in time, so that context means minutes and hours at any rate.

A reading ends a step once the step is long enough: a thousandth of the sensor's observed time, at most `step_s`. A
sensor that reports every minute or less often therefore has one step per reading; one that reports a hundred times a
second starts the same way and gets longer steps with age.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from detectors.base import Field, State
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import all_of, any_of, everywhere, maximum, minimum, nowhere, where

MEMORY = 5000.0
"""Memory of the learned state, in steps."""

WARM_UP = 150.0
"""Number of steps before there is an opinion."""

RECENT = 100
"""Number of steps kept individually; a sensor with this many is settled."""

AGE_IN_STEPS = 1000.0
LONGEST_GAP = 3.0
"""Maximum contribution of a gap to the usual interval, in intervals, so that an outage doesn't change it."""

INTERVAL_MEMORY = 200.0


class StepStatistics(NamedTuple):
    """Steps; all arrays have shape (m,), or are scalars.

    Attributes:
        slots: Rows.
        value: Mean of the step's readings minus the sensor's first value.
        top: Largest reading minus the first value.
        bottom: Smallest reading minus the first value.
        time: Time of the last reading.
        origin: The first value.
        readings: Number of readings in the step.
        elapsed: Seconds since the previous step; 0 for the first.
    """

    slots: Rows
    value: Numbers
    top: Numbers
    bottom: Numbers
    time: Numbers
    origin: Numbers
    readings: Numbers
    elapsed: Numbers


class Age(NamedTuple):
    """Age of sensors; arrays of shape (m,), or scalars.

    Attributes:
        learned: Number of steps learned before.
        seen: Number of steps seen before, learned or not.
        share: Weight of a step in the learned state: 1 / `MEMORY`, more while fewer steps are learned.
        settled: Whether all of them have seen `RECENT` steps, including these.
        warm: Where `WARM_UP` steps were learned before; the scalar True if everywhere.
    """

    learned: Numbers
    seen: Numbers
    share: Numbers
    settled: bool
    warm: Any

    def beyond(self, steps: float) -> Any:
        """Where at least `steps` steps were learned before, at most `WARM_UP`; the scalar True if everywhere."""
        return True if self.warm is True else everywhere(self.learned >= steps)

    def share_of(self, share: Any) -> Any:
        """Weight of a step in a fast mean: `share`, at least 1 / `RECENT`; more while fewer steps were seen."""
        return share if self.settled else maximum(1.0 / (self.seen + 1.0), share)


def steps_layout() -> dict[str, Field]:
    """The state fields of steps."""
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
        "count": Field(),
        "place": Field(learned=False),
    }


def take_steps(state: State, slots: Rows, values: Numbers, times: Numbers, step_s: float) -> tuple[StepStatistics, Any]:
    """Add readings; returns the steps that they belong to so far, and which of them end theirs, shape (n,).

    Args:
        state: The detector's state.
        slots: Rows, shape (n,).
        values: Values, shape (n,).
        times: Seconds since the epoch, shape (n,).
        step_s: Length of a step in seconds once the sensor is known.
    """
    readings = state["readings"][slots]
    first = nowhere(readings == 0)
    origin = where(first, values, state["origin"][slots])
    elapsed = times - state["stepped"][slots]
    state["readings"][slots] = readings + 1.0
    if first is not False:
        state["origin"][slots] = origin
        state["born"][slots] = where(first, times, state["born"][slots])
    ends = everywhere(elapsed >= step_s)
    if ends is not True:
        length = minimum((times - state["born"][slots]) / AGE_IN_STEPS, step_s)
        ends = everywhere(first | (elapsed >= length) | (elapsed < 0))
    value = values - origin
    pending = state["pending"][slots]
    top = bottom = value
    count: Numbers = 1.0
    if ends is not True or any_of(pending > 0):
        more = pending > 0
        top = where(more, maximum(state["top"][slots], value), value)
        bottom = where(more, minimum(state["bottom"][slots], value), value)
        total = where(more, state["sum"][slots] + value, value)
        count = pending + 1.0
        value = total / count
        state["pending"][slots] = where(ends, 0.0, count)
        for name, value_so_far in (("sum", total), ("top", top), ("bottom", bottom)):
            state[name][slots] = where(ends, 0.0, value_so_far)
    return StepStatistics(slots, value, top, bottom, times, origin, count, where(first, 0.0, elapsed)), ends


def age_of(state: State, slots: Rows) -> Age:
    """The age of sensors."""
    learned, seen = state["count"][slots], state["place"][slots]
    return Age(
        learned,
        seen,
        share=maximum(1.0 / (learned + 1.0), 1.0 / MEMORY),
        settled=all_of(seen >= RECENT - 1.0),
        warm=everywhere(learned >= WARM_UP),
    )


def learn_interval(state: State, step: StepStatistics) -> None:
    """Learn the usual duration of steps from completed ones."""
    usual = state["interval"][step.slots]
    known = everywhere(usual > 0)
    gap = minimum(maximum(step.elapsed, 0.0), where(known, LONGEST_GAP * usual, 1e7))
    state["interval"][step.slots] = where(known, usual + (gap - usual) / INTERVAL_MEMORY, gap)
    state["stepped"][step.slots] = step.time
