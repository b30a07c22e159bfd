"""Vacancies: places outside of a machine's states where no reading has ever been.

A meter that gives 2.5 where it gave 42 or nothing is between its states, as it is for a moment whenever it starts, and
for twenty minutes at 48 when its filter is flushed. How long it was elsewhere says nothing about 2.5: the bins of the
histogram around it are empty. How long it stays there is therefore compared with a moment, and the evidence is all the
time in which it never was there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field
from detectors.numeric.arrays import Arrays, Floats, Slots
from detectors.states.levels import BINS
from detectors.states.spells import BETWEEN_SPREAD, beyond_record

BESIDE = np.array([-1, 0, 1])
"""The bins that must be empty, relative to that of the value."""

KNOWN_S = 8 * 86_400.0
"""Minimum observed time, so that what is done once a week has been seen."""

FAMILIAR, VACANT = 1.0, 2.0
"""Whether somebody has been at the place where a sensor is outside of its states."""

OF_PLACES = ("place", "place_at", "place_since")


def vacancies_layout() -> dict[str, Field]:
    """The state fields of vacancies: 24 bytes per sensor."""
    return {name: Field(learned=False, later=True, moment=name == "place_since") for name in OF_PLACES}


def follow_vacancies(
    arrays: Arrays, slots: Slots, values: Floats, times: Floats, is_between: NDArray[np.bool_], moment: Floats
) -> Floats:
    """Decades of surprise at the time that sensors have stayed at a vacant place, shape (n,).

    Args:
        arrays: The detector's state, before the readings are counted.
        slots: Rows, shape (n,).
        values: Values, shape (n,).
        times: Times of the readings, shape (n,).
        is_between: Whether the sensors are outside of their states, shape (n,).
        moment: For how long they may be anywhere, in seconds, shape (n,).
    """
    width, low = arrays["width"][slots], arrays["low"][slots]
    near = (arrays["place"][slots] > 0) & (np.abs(values - arrays["place_at"][slots]) <= width)
    arrives = np.flatnonzero(is_between & ~near)
    if len(arrives):
        here = np.floor((values - low)[arrives] / np.maximum(width[arrives], 1e-300))
        around = np.clip(here, -2.0, BINS + 1.0)[:, None].astype(np.intp) + BESIDE
        inside = (around >= 0) & (around < BINS)
        counts = np.where(inside, arrays["bins"][slots[arrives][:, None], np.clip(around, 0, BINS - 1)], 0.0)
        arrays["place"][slots[arrives]] = np.where(counts.any(axis=1), FAMILIAR, VACANT)
        arrays["place_at"][slots[arrives]], arrays["place_since"][slots[arrives]] = values[arrives], times[arrives]
    arrays["place"][slots] = np.where(is_between, arrays["place"][slots], 0.0)
    watched = arrays["watched"][slots]
    counts = (arrays["place"][slots] == VACANT) & (watched >= KNOWN_S)
    stayed = (times - arrays["place_since"][slots]) / moment
    return np.where(counts, beyond_record(watched / 3600.0, stayed, BETWEEN_SPREAD), 0.0)
