"""Runs: how long a sensor is active without a rest.

A softener's valve that stays in rinse, a toilet that runs: the flow is as usual, but it never stops. The longest run so
far is a record, and being clearly beyond it is scored as a busy hour beyond the busiest one is. What interrupts the
readings also ends a run, as nobody knows whether there was a rest. A run that was surprising extends the record only up
to another one as long: what occurs twice is a habit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field
from detectors.numeric.arrays import Arrays, Floats, Slots
from detectors.states.busy_hours import SPREAD
from detectors.states.spells import FADING, USUAL, beyond_record
from detectors.states.timetable import HOUR_S

SHORTEST_S = 1800.0
"""The record of runs is taken for at least this."""

LONGER = 1.5
"""One that is surprising must be longer than the record by this factor: people choose how long they use something."""

LONGEST_GAP_S = 2.0 * HOUR_S
"""Maximum time between readings within a run."""

KNOWN_H = 192.0
"""Minimum number of observed hours, so that what is done once a week has been seen."""


def runs_layout() -> dict[str, Field]:
    """The state fields of runs: 32 bytes per sensor."""
    names = ("run_since", "run_worst", "run_longest", "run_rival")
    return {name: Field(learned=False, later=True, moment=name == "run_since") for name in names}


def follow_runs(
    arrays: Arrays,
    slots: Slots,
    was_active: NDArray[np.bool_],
    active: NDArray[np.bool_],
    before: Floats,
    times: Floats,
) -> tuple[Floats, Floats]:
    """Decades of surprise at how long sensors have been active, and when that is surprising next, shape (n,).

    Args:
        arrays: The detector's state.
        slots: Rows, shape (n,).
        was_active: Whether the sensors were active before, shape (n,); not so at their first reading.
        active: Whether they are, shape (n,).
        before: Times of the readings before, shape (n,).
        times: Times of the readings, shape (n,).
    """
    unseen = times - before > LONGEST_GAP_S
    over = was_active & (~active | unseen)
    length = np.where(unseen, before, times) - arrays["run_since"][slots]
    longest, rival = arrays["run_longest"][slots], arrays["run_rival"][slots]
    fades = 1.0 - FADING * np.clip((times - before) / HOUR_S, 0.0, 1.0)
    believed = np.where(arrays["run_worst"][slots] <= USUAL, length, np.minimum(length, rival))
    hours = arrays["starts_hours"][slots]
    longest = np.maximum(longest * np.where(active, 1.0, fades), np.where(over, believed, 0.0))
    arrays["run_longest"][slots] = longest
    arrays["run_rival"][slots] = np.maximum(rival * fades, np.where(over, length, 0.0))
    begins = active & (~was_active | unseen)
    since = np.where(begins, times, arrays["run_since"][slots])
    arrays["run_since"][slots] = since
    most = LONGER * np.maximum(longest, SHORTEST_S)
    scored = active & (hours >= KNOWN_H)
    score = np.where(scored, beyond_record(hours, (times - since) / most, SPREAD), 0.0)
    worst = np.where(begins, 0.0, arrays["run_worst"][slots])
    arrays["run_worst"][slots] = np.where(active, np.maximum(worst, score), 0.0)
    return score, np.where(scored, since + most, np.inf)
