"""Spread: readings that scatter more or less than usual, and the distance of the level from the long-run level."""

from __future__ import annotations

import math

import numpy as np

from detectors.base import Field, State
from detectors.contextual.running import taken_in
from detectors.contextual.steps import MEMORY, RECENT, Age, StepStatistics
from detectors.numeric.arrays import Floats, Numbers, Rows
from detectors.numeric.elementwise import any_of, everywhere, log, maximum, quotient, remainder, sqrt, where
from detectors.numeric.gather import as_one, exchange, rows_at

WARM_UP = 50.0
LEAST_SHARE = 1e-3
"""The scatter is measured as a logarithm after adding this share of the first scatter, so that a scatter of 0 isn't
extreme."""

ROUNDING = 1e-6
"""When the sums over the recent steps fall below this share of their former size, they may be mostly rounding error."""

LEVEL_STEPS = 20.0


def spread_layout() -> dict[str, Field]:
    """The state fields of the stream."""
    return {
        "recent": Field(width=RECENT, learned=False, by_element=True),
        "recent_sum": Field(learned=False, later=True),
        "recent_squares": Field(learned=False, later=True),
        "recent_most": Field(math.inf, learned=False, later=True),
        "scatters": Field(),
        "least": Field(),
        "log_mean": Field(),
        "log_variance": Field(),
    }


def spread(state: State, step: StepStatistics, age: Age) -> Numbers:
    """Score steps by how unusual the scatter of the last `RECENT` steps is, then learn; shape (m,).

    Args:
        state: The detector's state; the step is added to `recent`.
        step: The completed steps.
        age: Age of the sensors in steps.
    """
    slots = step.slots
    gone = exchange(state["recent"], slots, remainder(age.seen, RECENT), step.value)
    scatter = sqrt(variance_of_recent(state, slots, step.value, gone))
    scatters, least = state["scatters"][slots], state["least"][slots]
    known = everywhere(scatters >= WARM_UP)
    begun = True
    if known is not True:
        least = where(least > 0, least, LEAST_SHARE * scatter)
        begun = everywhere((age.seen >= RECENT - 1) & (least > 0))
        state["least"][slots] = where(begun, least, 0.0)
    mean, variance = state["log_mean"][slots], state["log_variance"][slots]
    off = log(maximum(scatter + least, 1e-300)) - mean
    away = where(known, abs(off) / maximum(sqrt(variance), 1e-6), 0.0)
    share = where(begun, maximum(1.0 / (scatters + 1.0), 1.0 / MEMORY), 0.0)
    state["scatters"][slots] = scatters + begun
    state["log_mean"][slots], state["log_variance"][slots] = taken_in(mean, variance, off, share)
    return away


def level_layout() -> dict[str, Field]:
    """The state fields of the distance from the long-run level."""
    return {"mean": Field(), "variance": Field(), "level": Field(learned=False)}


def level_away(state: State, step: StepStatistics, age: Age) -> tuple[Numbers, Numbers]:
    """Distance of the present level from the long-run one in standard deviations, and the variance including this step.

    The distance doesn't decay while the level stays away, because nothing is learned during an incident.

    Args:
        state: The detector's state.
        step: The completed steps.
        age: Age of the sensors in steps.
    """
    slots = step.slots
    mean, variance, level = state["mean"][slots], state["variance"][slots], state["level"][slots]
    level = level + age.share_of(2.0 / (LEVEL_STEPS + 1.0)) * (step.value - level)
    away = quotient(abs(level - mean), sqrt(variance))
    mean, variance = taken_in(mean, variance, step.value - mean, age.share)
    state["level"][slots], state["mean"][slots], state["variance"][slots] = level, mean, variance
    return away, variance


def variance_of_recent(state: State, slots: Rows, value: Numbers, gone: Numbers) -> Numbers:
    """The variance of the last `RECENT` steps, shape (m,), from an updated sum and sum of squares.

    They are recomputed when they have shrunk so much that rounding errors would show.

    Args:
        state: The detector's state; `recent` already holds the value.
        slots: Rows, shape (m,).
        value: The new value, shape (m,).
        gone: The value that it replaces, shape (m,).
    """
    total = state["recent_sum"][slots] + (value - gone)
    squares = state["recent_squares"][slots] + (value * value - gone * gone)
    most = maximum(state["recent_most"][slots], squares)
    mean = total / RECENT
    variance = squares / RECENT - mean * mean
    doubtful = variance * RECENT < ROUNDING * most
    if any_of(doubtful):
        rows = slots if doubtful is True else slots[doubtful]
        anew = _worked_out(rows_at(state["recent"], rows))
        if doubtful is True:
            total, squares, variance = (as_one(each, slots) for each in anew)
            most = squares
        else:
            total[doubtful], squares[doubtful], variance[doubtful] = anew
            most[doubtful] = anew[1]
    state["recent_sum"][slots] = total
    state["recent_squares"][slots] = squares
    state["recent_most"][slots] = most
    return variance


def _worked_out(recent: Floats) -> tuple[Floats, Floats, Floats]:
    """Sum, sum of squares and variance of each row."""
    total = np.einsum("ij->i", recent)
    off = recent - total[:, None] / RECENT
    return total, np.einsum("ij,ij->i", recent, recent), np.einsum("ij,ij->i", off, off) / RECENT
