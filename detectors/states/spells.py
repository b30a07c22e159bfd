"""Spells: how long a sensor stays in a state.

A spell is surprising if it is longer than the longest normal one. The surprise depends on the number of shorter spells
and on how fast long ones become rare: beyond the record a Pareto tail is assumed, with the index of the logarithms of
all spells.

A surprising spell extends the normal length only up to another one as long: what occurs twice is a habit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field
from detectors.numeric.arrays import Arrays, Floats, Slots
from detectors.states.levels import MOST

BETWEEN = MOST
"""The state of values that belong to no level."""

STATES = MOST + 1

KINDS = 8.0
"""Number of records watched in parallel, each of which may be exceeded."""

MOST_SPELLS = 1000.0
"""Maximum number of spells that count as evidence for a record."""

FEWEST_SPELLS = 8.0
FEWEST_ALL = 24.0
"""Minimum number of spells of a state before their length is scored, and of all states before spells between levels
are."""

PRIOR_SPELLS, PRIOR_SPREAD = 4.0, 0.5
SMALLEST_SPREAD = 0.2
"""Prior weight in spells for the spread of the logarithms of lengths, the prior spread, and the minimum spread."""

BETWEEN_SPREAD = 0.5
"""Spread of the logarithms of the lengths of spells between levels."""

USUAL = 1.5
"""A spell up to this surprise counts in full."""

FADING = 1e-3
"""Share by which the longest spell decays each time that one ends."""


def spells_layout() -> dict[str, Field]:
    """The state fields of spells: 240 bytes per sensor."""
    return {
        "state": Field(-1.0, learned=False),
        "since": Field(learned=False, moment=True),
        "last": Field(learned=False, moment=True),
        "worst": Field(learned=False),
        "spells": Field(width=STATES, learned=False),
        "middle": Field(width=STATES),
        "spread": Field(width=STATES),
        "longest": Field(width=STATES, learned=False),
        "rival": Field(width=STATES, learned=False),
        "watched": Field(),
    }


def beyond_record(chances: Floats, ratio: Floats, spread: Floats | float) -> Floats:
    """Decades of surprise at a value `ratio` times the record of `chances` observations; 0 up to the record."""
    seen = np.log10(np.minimum(chances, MOST_SPELLS) + 1.0) - np.log10(KINDS)
    decades = seen + np.log10(np.maximum(ratio, 1.0)) / spread
    return np.where(ratio > 1.0, np.maximum(decades, 0.0), 0.0)


def spread_of(arrays: Arrays, slots: Slots, state: NDArray[np.intp], spells: Floats) -> Floats:
    """Spread of the logarithms of spell lengths, given the number of spells; shape (n,)."""
    seen = PRIOR_SPELLS * PRIOR_SPREAD**2 + spells * arrays["spread"][slots, state]
    of_states = np.maximum(np.sqrt(seen / (PRIOR_SPELLS + spells)), SMALLEST_SPREAD)
    return np.where(state == BETWEEN, BETWEEN_SPREAD, of_states)


def end_spells(arrays: Arrays, slots: Slots, times: Floats) -> None:
    """Learn from the spells of sensors that end at these times; shape (n,)."""
    state = arrays["state"][slots].astype(np.intp)
    length = np.maximum(times - arrays["since"][slots], 0.0)
    count = arrays["spells"][slots, state]
    logarithm = np.log(np.maximum(length, 1.0))
    middle, rate = arrays["middle"][slots, state], 1.0 / np.minimum(count + 1.0, 100.0)
    aside = np.where(count > 0, logarithm - middle, 0.0)
    aside = np.clip(aside, -4.0, 4.0)
    arrays["middle"][slots, state] = np.where(count > 0, middle + rate * aside, logarithm)
    spread = arrays["spread"][slots, state]
    arrays["spread"][slots, state] = spread + rate * (aside * aside * (1.0 - rate) - spread)
    arrays["spells"][slots, state] = count + 1.0
    rival, longest = arrays["rival"][slots, state], arrays["longest"][slots, state]
    believed = np.where(arrays["worst"][slots] <= USUAL, length, np.minimum(length, rival))
    arrays["longest"][slots, state] = np.maximum(longest * (1.0 - FADING), believed)
    arrays["rival"][slots, state] = np.maximum(rival * (1.0 - FADING), length)
