"""Rarity: from evidence to decades of surprise, by how often this sensor has shown as much.

Evidence is a weighted sum of decades, and its streams are neither independent nor Gaussian, so that it is no
probability by itself. What is believed at first is how often so much evidence comes on average over many kinds of
noise: once in 10 ** (`BASE` + `SLOPE` * evidence) steps. What a sensor shows corrects that: at each of some levels of
evidence, the excursions above it are counted, and the belief counts as `PRIOR_STEPS` steps beside them; between two
levels lie the frequencies between theirs, and below the first, surprise grows with evidence from nothing. So the
surprise of a sensor that is wild by nature falls to what its excursions are worth, and a sensor that is calm for long
is believed in its calm.

Excursions are counted, not steps, since an incident is one alarm however long it lasts: the level decays from the crest
of an excursion before the next one counts. And what happens to a young sensor can't be called rarer than one in ten
times its age, but for evidence that is beyond doubt, which noise of no kind shows more than once or twice.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from detectors.base import Field, State
from detectors.contextual.steps import Age
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import any_of, floor, least, log10, maximum, minimum, whole
from detectors.numeric.gather import element_at

LEVELS = 16
"""Evidence of 1, 2, ... `LEVELS`."""

PRIOR_STEPS = 10_000.0
MOST_STEPS = 50_000.0
"""When so many have been counted, all counts are halved."""

BASE = 1.6
SLOPE = 0.25
"""Decades of surprise that one unit of evidence is worth at first, from 1 on."""

BEYOND_AGE = 1.0
"""Decades by which surprise may exceed the age in steps."""

ROUNDING = 1e-9
"""Decades by which two ways of taking a logarithm differ at most."""

DOUBT = 16.0
"""Evidence above this counts however young a sensor is."""

EBB = 0.95
"""Share of an excursion's crest that is left a step later."""

_LEVEL = np.arange(1.0, LEVELS + 1.0)
_PRIOR = PRIOR_STEPS * 10.0 ** -(BASE + SLOPE * _LEVEL)


def rarity_layout() -> dict[str, Field]:
    """The fields that the correction needs in a detector's state."""
    return {"steps": Field(), "excursions": Field(width=LEVELS, by_element=True), "crest": Field(learned=False)}


def rarity(state: State, slots: Rows, evidence: Numbers, age: Age) -> Numbers:
    """Decades of surprise of evidence, rising with it, then learn; shape (m,).

    Args:
        state: The detector's state.
        slots: Rows, shape (m,).
        evidence: Weighted decades, 0 or more, shape (m,).
        age: How long the sensors have been known; steps are counted once they are warm.
    """
    steps, crest = state["steps"][slots], state["crest"][slots]
    total = steps + PRIOR_STEPS
    reached = floor(evidence)
    below = minimum(reached, LEVELS - 1.0)
    at, under = whole(below), whole(maximum(below - 1.0, 0.0))
    excursions = state["excursions"]
    upper = element_at(excursions, slots, at) + _prior(at)
    lower = element_at(excursions, slots, under) + _prior(under)
    beyond = evidence - below
    shown = lower + (upper - lower) * minimum(beyond, 1.0)
    surprise = log10(total / shown) * minimum(evidence, 1.0) + maximum(beyond - 1.0, 0.0) * SLOPE
    rising = reached > crest if age.warm is True else age.warm & (reached > crest)
    if any_of(rising):
        _count(excursions, slots, evidence, crest, rising)
    state["crest"][slots] = maximum(evidence, crest * EBB)
    steps = steps + (1.0 if age.warm is True else age.warm)
    state["steps"][slots] = steps
    old = steps >= MOST_STEPS
    if any_of(old):
        rows = slots if old is True else slots[old]
        excursions[rows] *= 0.5
        state["steps"][rows] *= 0.5
    surprise = maximum(surprise, 0.0)
    if any_of(surprise > BEYOND_AGE + math.log10(least(age.learned) + 1.0) - ROUNDING):
        most = log10(age.learned + 1.0) + BEYOND_AGE + maximum(evidence - DOUBT, 0.0) * SLOPE
        surprise = minimum(surprise, most)
    return surprise


def _prior(at: Rows) -> Numbers:
    """What is believed of levels before anything was counted."""
    return float(_PRIOR[at]) if type(at) is int else _PRIOR.take(at)


def _count(excursions: Any, slots: Rows, evidence: Numbers, crest: Numbers, rising: Any) -> None:
    """Count the levels of evidence that rise above what their excursions had reached."""
    if rising is not True:
        chosen = np.flatnonzero(rising)
        slots, evidence, crest = slots.take(chosen), evidence.take(chosen)[:, None], crest.take(chosen)[:, None]
    excursions[slots] += (evidence >= _LEVEL) & (crest < _LEVEL)
