"""Readings to steps: what is close in time is averaged, so that context means minutes and hours at any rate.

A reading ends a step once the step is long enough: a thousandth of the time that the sensor has been watched, and
`step_s` at most. So a sensor that reports every minute or more rarely has a step for each reading, and one that reports
a hundred times a second begins with each reading and slows down as it comes to know more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from detectors.base import Field, State
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import all_of, any_of, everywhere, maximum, minimum, nowhere, where

MEMORY = 5000.0
"""Steps that what is believed of a sensor remembers."""

WARM_UP = 150.0
"""Steps before there is an opinion."""

RECENT = 100
"""Steps that are kept one by one. A sensor that has seen so many is settled."""

AGE_IN_STEPS = 1000.0
LONGEST_GAP = 3.0
"""A gap counts as this many usual ones at most, so that an outage doesn't change the usual interval."""

INTERVAL_MEMORY = 200.0


class StepStatistics(NamedTuple):
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


class Age(NamedTuple):
    """How long sensors have been known; arrays of shape (m,), or plain numbers.

    Attributes:
        learned: Steps learned before.
        seen: Steps seen before, learned or not.
        share: A step's share in what is believed of a sensor: 1 / `MEMORY`, more while it has learned fewer steps.
        settled: Whether all of them have seen `RECENT` steps, these among them.
        warm: Where `WARM_UP` steps were learned before; plainly True if everywhere.
    """

    learned: Numbers
    seen: Numbers
    share: Numbers
    settled: bool
    warm: Any

    def beyond(self, steps: float) -> Any:
        """Where so many steps or more were learned before, `WARM_UP` at most; plainly True if everywhere."""
        return True if self.warm is True else everywhere(self.learned >= steps)

    def share_of(self, share: Any) -> Any:
        """A step's share in a quick mean: `share`, 1 / `RECENT` or more; more while fewer steps were seen."""
        return share if self.settled else maximum(1.0 / (self.seen + 1.0), share)


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
        "count": Field(),
        "place": Field(learned=False),
    }


def take_steps(state: State, slots: Rows, values: Numbers, times: Numbers, step_s: float) -> tuple[StepStatistics, Any]:
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
    """How long some sensors have been known."""
    learned, seen = state["count"][slots], state["place"][slots]
    return Age(
        learned,
        seen,
        share=maximum(1.0 / (learned + 1.0), 1.0 / MEMORY),
        settled=all_of(seen >= RECENT - 1.0),
        warm=everywhere(learned >= WARM_UP),
    )


def learn_interval(state: State, step: StepStatistics) -> None:
    """Learn how long steps usually are, from some that have ended."""
    usual = state["interval"][step.slots]
    known = everywhere(usual > 0)
    gap = minimum(maximum(step.elapsed, 0.0), where(known, LONGEST_GAP * usual, 1e7))
    state["interval"][step.slots] = where(known, usual + (gap - usual) / INTERVAL_MEMORY, gap)
    state["stepped"][step.slots] = step.time
