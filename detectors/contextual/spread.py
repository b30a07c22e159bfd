"""Spread: readings that scatter more, or less, than they usually do; and how far the level is from the long-run one."""

from __future__ import annotations

import numpy as np

from detectors.base import Field, Floats, State
from detectors.contextual.steps import Step, remainder

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


def spread(state: State, step: Step, place: Floats) -> Floats:
    """Score steps by how unusual the scatter of the last `RECENT` is, then learn; shape (m,).

    Args:
        state: The detector's state; `recent` takes in the step.
        step: The steps.
        place: Steps seen before, learned or not.
    """
    slots = step.slots
    state["recent"][slots, remainder(place, RECENT)] = step.value
    scatter = np.sqrt(variances(state["recent"].take(slots, axis=0)))
    scatters, least = state["scatters"][slots], state["least"][slots]
    least = np.where(least > 0, least, LEAST_SHARE * scatter)
    begun = (place >= RECENT - 1) & (least > 0)
    mean, variance = state["log_mean"][slots], state["log_variance"][slots]
    off = np.log(np.maximum(scatter + least, 1e-300)) - mean
    known = begun & (scatters >= WARM_UP)
    away = np.where(known, np.abs(off) / np.maximum(np.sqrt(variance), 1e-6), 0.0)
    share = np.where(begun, np.maximum(1.0 / (scatters + 1.0), 1.0 / MEMORY), 0.0)
    state["scatters"][slots] = scatters + begun
    state["least"][slots] = np.where(begun, least, 0.0)
    state["log_mean"][slots] = mean + share * off
    state["log_variance"][slots] = (1.0 - share) * (variance + share * off * off)
    return away


def level_layout() -> dict[str, Field]:
    """The fields that the distance from the long-run level needs in a detector's state."""
    return {"mean": Field(), "variance": Field(), "level": Field(learned=False)}


def level_away(state: State, step: Step, count: Floats, place: Floats) -> tuple[Floats, Floats]:
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
    level = level + np.maximum(2.0 / (LEVEL_STEPS + 1.0), 1.0 / (place + 1.0)) * (step.value - level)
    known = (variance > 0) & (count > RECENT)
    away = np.where(known, np.abs(level - mean) / np.sqrt(np.maximum(variance, 1e-300)), 0.0)
    share = np.maximum(1.0 / (count + 1.0), 1.0 / MEMORY)
    off = step.value - mean
    state["level"][slots] = level
    state["mean"][slots] = mean + share * off
    variance = (1.0 - share) * (variance + share * off * off)
    state["variance"][slots] = variance
    return away, variance


def variances(recent: Floats) -> Floats:
    """The variance of each row: by the mean of squares, where rounding would show by that of deviations; shape (m,)."""
    mean = np.einsum("ij->i", recent) / RECENT
    variance: Floats = np.einsum("ij,ij->i", recent, recent) / RECENT - mean * mean
    doubtful = np.flatnonzero(variance < ROUNDING * mean * mean)
    if len(doubtful):
        off = recent[doubtful] - mean[doubtful, None]
        variance[doubtful] = np.einsum("ij,ij->i", off, off) / RECENT
    return variance
