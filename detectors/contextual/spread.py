"""Spread: readings that scatter more, or less, than they usually do; and how far the level is from the long-run one."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.arithmetic import any_of, as_one, log, maximum, remainder, rows_at, sqrt, where
from detectors.base import Field, Numbers, Rows, State
from detectors.contextual.steps import Step

RECENT = 100
"""Steps whose scatter is looked at."""

MEMORY = 5000.0
WARM_UP = 50.0
LEAST_SHARE = 1e-3
"""The scatter is measured as a logarithm, with this share of the first scatter added: no scatter is no catastrophe."""

ROUNDING = 1e-4
"""Share of the squared mean below which a variance isn't the difference of the two."""

LEVEL_STEPS = 20.0


def spread_layout() -> dict[str, Field]:
    """The fields that the stream needs in a detector's state."""
    return {
        "recent": Field(width=RECENT, learned=False),
        "scatters": Field(),
        "least": Field(),
        "log_mean": Field(),
        "log_variance": Field(),
    }


def spread(state: State, step: Step, place: Numbers) -> Numbers:
    """Score steps by how unusual the scatter of the last `RECENT` is, then learn; shape (m,).

    Args:
        state: The detector's state; `recent` takes in the step.
        step: The steps.
        place: Steps seen before, learned or not.
    """
    slots = step.slots
    state["recent"][slots, remainder(place, RECENT)] = step.value
    scatter = sqrt(variance_of(rows_at(state["recent"], slots), slots))
    scatters, least = state["scatters"][slots], state["least"][slots]
    least = where(least > 0, least, LEAST_SHARE * scatter)
    begun = (place >= RECENT - 1) & (least > 0)
    mean, variance = state["log_mean"][slots], state["log_variance"][slots]
    off = log(maximum(scatter + least, 1e-300)) - mean
    known = begun & (scatters >= WARM_UP)
    away = where(known, abs(off) / maximum(sqrt(variance), 1e-6), 0.0)
    share = where(begun, maximum(1.0 / (scatters + 1.0), 1.0 / MEMORY), 0.0)
    state["scatters"][slots] = scatters + begun
    state["least"][slots] = where(begun, least, 0.0)
    state["log_mean"][slots] = mean + share * off
    state["log_variance"][slots] = (1.0 - share) * (variance + share * off * off)
    return away


def level_layout() -> dict[str, Field]:
    """The fields that the distance from the long-run level needs in a detector's state."""
    return {"mean": Field(), "variance": Field(), "level": Field(learned=False)}


def level_away(state: State, step: Step, count: Numbers, place: Numbers) -> tuple[Numbers, Numbers]:
    """How many standard deviations the present level is from the long-run one, and the variance with this step.

    It doesn't fade while the level stays away, as nothing is learned during an incident.

    Args:
        state: The detector's state.
        step: The steps.
        count: Steps learned before.
        place: Steps seen before, learned or not.
    """
    slots = step.slots
    mean, variance, level = state["mean"][slots], state["variance"][slots], state["level"][slots]
    level = level + maximum(1.0 / (place + 1.0), 2.0 / (LEVEL_STEPS + 1.0)) * (step.value - level)
    known = (variance > 0) & (count > RECENT)
    away = where(known, abs(level - mean) / sqrt(maximum(variance, 1e-300)), 0.0)
    share = maximum(1.0 / (count + 1.0), 1.0 / MEMORY)
    off = step.value - mean
    state["level"][slots] = level
    state["mean"][slots] = mean + share * off
    variance = (1.0 - share) * (variance + share * off * off)
    state["variance"][slots] = variance
    return away, variance


def variance_of(recent: Any, slots: Rows) -> Numbers:
    """The variance of each row: by the mean of squares, where rounding would show by that of deviations; shape (m,).

    Args:
        recent: What `rows_at()` says of `slots`, shape (m, `RECENT`).
        slots: Rows.
    """
    mean = as_one(np.einsum("ij->i", recent), slots) / RECENT
    variance = as_one(np.einsum("ij,ij->i", recent, recent), slots) / RECENT - mean * mean
    doubtful = variance < ROUNDING * mean * mean
    if any_of(doubtful):
        if doubtful is True:
            off = recent - mean
            return as_one(np.einsum("ij,ij->i", off, off), slots) / RECENT
        off = recent[doubtful] - mean[doubtful, None]
        variance[doubtful] = np.einsum("ij,ij->i", off, off) / RECENT
    return variance
