"""Brief spells: a state is left sooner than ever before, several times in a row.

A pump that runs for two minutes each hour instead of twenty starts as often as usual and never runs for too long. A
single short spell is nothing: somebody switched it off. So the longest of the last few spells of a state is compared
with the shortest that this ever was, and the surprise beyond that record is the one of a spell that is too long
(`spells.py`), with the ratio reversed. Where the other states are short, too, the number of changes tells it.

While it goes on, the record hardly moves; what has changed for good is learned over some hundred spells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field, Measure
from detectors.numeric.arrays import Arrays, Floats, Slots
from detectors.states.spells import BETWEEN, FADING, MOST_SPELLS, STATES, beyond_record, spread_of

IN_A_ROW = 3
"""Number of spells of a state that must have been short, one after the other."""

FEWEST = 24.0
"""Minimum number of spells of a state before short ones are scored."""

SHORTER = 1.5
"""The spells must be shorter than the shortest so far by this factor."""

PAUSE = 3.0
"""A rest between them that is longer than the longest normal one by this factor isn't part of them."""

YIELDS = 5e-3
"""Share by which the record gives way with each spell that is surprisingly short."""


def brief_layout() -> dict[str, Field]:
    """The state fields of brief spells: 96 bytes per sensor."""
    return {
        "recent": Field(width=STATES * IN_A_ROW, dtype="f4", learned=False, later=True),
        "briefest": Field(width=STATES, dtype="f4", learned=False, later=True),
        "brief_score": Field(learned=False, later=True),
        "brief_state": Field(-1.0, learned=False, later=True),
    }


def end_brief_spells(arrays: Arrays, slots: Slots, times: Floats, least_s: float) -> None:
    """Judge the spells of sensors that end at these times, then learn from them; before `end_spells()`.

    Args:
        arrays: The detector's state.
        slots: Rows, shape (n,).
        times: When the spells end, shape (n,).
        least_s: Seconds that a sensor must have been watched for.
    """
    state = arrays["state"][slots].astype(np.intp)
    columns = state[:, None] * IN_A_ROW + np.arange(IN_A_ROW)
    recent = arrays["recent"][slots[:, None], columns]
    recent = np.concatenate([recent[:, 1:], np.maximum(times - arrays["since"][slots], 0.0)[:, None]], axis=1)
    arrays["recent"][slots[:, None], columns] = recent
    longest = np.maximum(recent.max(axis=1), 1.0)
    spells, briefest = arrays["spells"][slots, state], arrays["briefest"][slots, state].astype(np.float64)
    chances = np.minimum(spells, MOST_SPELLS) / IN_A_ROW
    short = (briefest >= SHORTER * longest) & (spells >= FEWEST) & (arrays["watched"][slots] >= least_s)
    judged = short & (arrays["known"][slots] > 0) & (state != BETWEEN) & ~_is_hurried(arrays, slots, state)
    score = np.where(judged, beyond_record(chances, briefest / longest, spread_of(arrays, slots, state, spells)), 0.0)
    goes_on = (arrays["brief_score"][slots] > 0) & (arrays["brief_state"][slots] != state)
    arrays["brief_score"][slots] = np.where((score > 0) | ~goes_on, score, arrays["brief_score"][slots])
    arrays["brief_state"][slots] = np.where((score > 0) | ~goes_on, state, arrays["brief_state"][slots])
    usual = np.where(briefest > 0, np.minimum(briefest * (1.0 + FADING), longest), longest)
    learned = np.where(short, briefest * (1.0 - YIELDS), usual)
    arrays["briefest"][slots, state] = np.where(spells >= IN_A_ROW - 1, learned, 0.0)


def _is_hurried(arrays: Arrays, slots: Slots, state: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Whether the other states are left too soon, too: then the sensor changes too often, which is told as such."""
    is_other = (np.arange(STATES) != state[:, None]) & (np.arange(STATES) != BETWEEN)
    last = arrays["recent"][slots][:, IN_A_ROW - 1 :: IN_A_ROW]
    usual = (arrays["briefest"][slots] * is_other).sum(axis=1)
    hurried: NDArray[np.bool_] = SHORTER * (last * is_other).sum(axis=1) < usual
    return hurried


def brief_spells(arrays: Arrays, slots: Slots, current: NDArray[np.intp], length: Floats, longest: Floats) -> Floats:
    """Decades of surprise at the last spells, until one is as long as usual, or the rest between them is too long.

    Args:
        arrays: The detector's state.
        slots: Rows, shape (n,).
        current: The present states, shape (n,).
        length: Seconds for which these have lasted, shape (n,).
        longest: The longest normal spell of each, shape (n,).
    """
    score = arrays["brief_score"][slots]
    if not score.any():
        return score
    is_its_own = arrays["brief_state"][slots] == current
    over = length > np.where(is_its_own, arrays["briefest"][slots, current], PAUSE * longest)
    score = np.where(over, 0.0, score)
    arrays["brief_score"][slots] = score
    return score


def measure_of_brief_spells(row: Mapping[str, Any]) -> Measure:
    """How long the last spells were at most, with the values of their state unless the sensor is there now.

    Args:
        row: The state of one sensor.
    """
    state = int(row["brief_state"])
    recent = row["recent"][state * IN_A_ROW : (state + 1) * IN_A_ROW]
    now, usual = float(np.max(recent)), float(row["briefest"][state])
    if state == int(row["state"]):
        return Measure(now, usual, about="brief")
    reach, center = 3.0 * float(row["scale"][state]), float(row["center"][state])
    return Measure(now, usual, about="brief", lower=center - reach, upper=center + reach)
