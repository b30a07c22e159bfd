"""A model of a sensor's noise: for a round of readings, and for a single one."""

from __future__ import annotations

from detectors.base import State
from detectors.noise.lone_noise import LoneNoise
from detectors.noise.noise import (
    SELDOM,
    WINSOR,
    Noise,
    faded,
    noise_layout,
    seen_before,
    taken_in,
    with_what_was_seen,
)
from detectors.numeric.arrays import Rows


def noise_of(state: State, slots: Rows, memory: float) -> Noise:
    """The noise of the sensors in some rows of a detector's state, or in a single one.

    Args:
        state: The detector's state.
        slots: Rows, shape (n,), or an int.
        memory: Memory of the spread, in readings.
    """
    return LoneNoise(state, slots, memory) if type(slots) is int else Noise(state, slots, memory)


__all__ = [
    "SELDOM",
    "WINSOR",
    "Noise",
    "faded",
    "noise_layout",
    "noise_of",
    "seen_before",
    "taken_in",
    "with_what_was_seen",
]
