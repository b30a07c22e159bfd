"""Means: the position and spread of each level of a sensor, which determine the state of a value.

Readings that change nothing are only added to sums, with few operations; results are computed from the sums when
something happens. A machine that stays in its state therefore costs little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field, State
from detectors.numeric.arrays import Arrays, Floats, Numbers, Rows, Slots
from detectors.states.levels import MOST, NO_CUT
from detectors.states.spells import BETWEEN

AWAY, SLACK = 6.0, 0.02
"""A value belongs to a state up to this many spreads from its level, plus this share of the distance to the next
one."""

STRANGE = 3.0
"""A value outside of all states counts as this many spreads from the nearest level, so that spreads can grow."""

FEW = 8.0
"""Number of readings of a level up to which any value belongs to its state."""

MEMORY = 2000.0
"""Memory of the position and spread of a level, in readings."""


def means_layout() -> dict[str, Field]:
    """The state fields of levels: 152 bytes per sensor."""
    return {
        "center": Field(width=MOST),
        "scale": Field(width=MOST),
        "readings": Field(width=MOST),
        "between": Field(),
        "number": Field(),
        "sum": Field(),
        "squares": Field(),
        "least": Field(NO_CUT, learned=False),
        "most": Field(-NO_CUT, learned=False),
        "middle_value": Field(learned=False),
    }


def gather_quiet(state: State, slots: Rows, values: Numbers, times: Numbers) -> None:
    """Sum up readings of sensors that stay in their state, for a round or a single reading."""
    aside = values - state["middle_value"][slots]
    state["number"][slots] = state["number"][slots] + 1.0
    state["sum"][slots] = state["sum"][slots] + aside
    state["squares"][slots] = state["squares"][slots] + aside * aside
    state["last"][slots] = times


def learn_means(arrays: Arrays, slots: Slots) -> None:
    """Learn from the sums for the states that sensors are in."""
    number = arrays["number"][slots]
    some = number > 0
    if not some.any():
        return
    slots, number = slots[some], number[some]
    level = np.clip(arrays["near"][slots], 0.0, MOST - 1.0).astype(np.intp)
    count, center, scale = (arrays[name][slots, level] for name in ("readings", "center", "scale"))
    rate = number / np.minimum(count + number, MEMORY + number)
    mean = arrays["sum"][slots] / number
    variance = np.maximum(arrays["squares"][slots] / number - mean * mean, 0.0)
    aside = arrays["middle_value"][slots] + mean - center
    spread = scale * scale
    spread = spread + rate * (variance + (1.0 - rate) * aside * aside - spread)
    arrays["center"][slots, level] = np.where(count > 0, center + rate * aside, center + aside)
    arrays["scale"][slots, level] = np.sqrt(np.maximum(np.where(count > 0, spread, variance), 0.0))
    arrays["readings"][slots, level] = count + number
    for name in ("number", "sum", "squares"):
        arrays[name][slots] = 0.0


def state_of(arrays: Arrays, slots: Slots, values: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The states of values, `BETWEEN` if they belong to none, and the nearest levels."""
    level = (values[:, None] > arrays["cuts"][slots]).sum(axis=1)
    reach = _reach(arrays, slots, level)
    near = np.abs(values - arrays["center"][slots, level]) <= reach
    return np.where(near | (arrays["readings"][slots, level] < FEW), level, float(BETWEEN)), level


def take_value(arrays: Arrays, slots: Slots, values: Floats, state: Floats, level: NDArray[np.intp]) -> None:
    """Record a value that may have changed the state, and update the quiet range."""
    is_in = state != BETWEEN
    center, reach = arrays["center"][slots, level], _reach(arrays, slots, level)
    known = arrays["readings"][slots, level] >= FEW
    most = np.where(is_in, reach, reach * STRANGE / AWAY)
    aside = np.where(known, np.clip(values - center, -most, most), values - center)
    arrays["middle_value"][slots] = center
    arrays["number"][slots], arrays["sum"][slots], arrays["squares"][slots] = 1.0, aside, aside * aside
    arrays["between"][slots] = arrays["between"][slots] * (1.0 - 1.0 / (MOST * MEMORY)) + ~is_in
    quiet = is_in & known
    cuts, each = arrays["cuts"][slots], np.arange(len(slots))
    above = np.where(level < MOST - 1, cuts[each, np.minimum(level, MOST - 2)], NO_CUT)
    below = np.where(level > 0, np.nextafter(cuts[each, np.maximum(level - 1, 0)], NO_CUT), -NO_CUT)
    arrays["least"][slots] = np.where(quiet, np.maximum(center - reach, below), NO_CUT)
    arrays["most"][slots] = np.where(quiet, np.minimum(center + reach, above), -NO_CUT)


def distance(arrays: Arrays, slots: Slots) -> Floats:
    """The smallest distance between two levels of each sensor, shape (n,); 0 if unknown."""
    center, readings = arrays["center"][slots], arrays["readings"][slots]
    real = (readings[:, 1:] > 0) & (readings[:, :-1] > 0)
    least = np.where(real, np.diff(center, axis=1), np.inf).min(axis=1)
    return np.where(np.isfinite(least), np.maximum(least, 0.0), 0.0)


def _reach(arrays: Arrays, slots: Slots, level: NDArray[np.intp]) -> Floats:
    """Maximum distance from its level of a value that belongs to a state."""
    reach: Floats = AWAY * arrays["scale"][slots, level] + SLACK * distance(arrays, slots)
    return reach
