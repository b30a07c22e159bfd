"""Rarity: converts evidence to decades of surprise by how often this sensor has shown as much.

Evidence is a weighted sum of decades from streams that are neither independent nor Gaussian, so it isn't a probability.
The prior is the average frequency of so much evidence over many kinds of noise: once in 10 ** (`BASE` + `SLOPE` *
evidence) steps. The sensor's own history corrects it: the excursions above each of several levels of evidence are
counted, and the prior counts as `PRIOR_STEPS` steps in addition. Between two levels the frequency is interpolated;
below the first, surprise grows with evidence from 0. The surprise of a naturally erratic sensor therefore falls to what
its excursions are worth, and a sensor that stays calm for long is trusted to be calm.

Excursions are counted rather than steps, because an incident is one alert however long it lasts: the level decays from
the crest of an excursion before the next one counts. Surprise about a young sensor is limited to one in ten times its
age, except for evidence so strong that noise of any kind shows it no more than once or twice.
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
"""Number of counted levels: evidence of 1, 2, ... `LEVELS`."""

PRIOR_STEPS = 10_000.0
MOST_STEPS = 50_000.0
"""Number of counted steps at which all counts are halved."""

BASE = 1.6
SLOPE = 0.25
"""Prior decades of surprise per unit of evidence, from 1 on."""

BEYOND_AGE = 1.0
"""Decades by which surprise may exceed the age in steps."""

ROUNDING = 1e-9
"""Maximum difference in decades between two ways of computing a logarithm."""

DOUBT = 16.0
"""Evidence above this counts however young a sensor is."""

EBB = 0.95
"""Share of an excursion's crest that remains one step later."""

_LEVEL = np.arange(1.0, LEVELS + 1.0)
_PRIOR = PRIOR_STEPS * 10.0 ** -(BASE + SLOPE * _LEVEL)


def rarity_layout() -> dict[str, Field]:
    """The state fields of the correction."""
    return {"steps": Field(), "excursions": Field(width=LEVELS, by_element=True), "crest": Field(learned=False)}


def rarity(state: State, slots: Rows, evidence: Numbers, age: Age) -> Numbers:
    """Decades of surprise of evidence, monotonic in it, then learn; shape (m,).

    Args:
        state: The detector's state.
        slots: Rows, shape (m,).
        evidence: Weighted decades, at least 0, shape (m,).
        age: Age of the sensors; steps are counted after the warm-up.
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
    """The prior of each level."""
    return float(_PRIOR[at]) if type(at) is int else _PRIOR.take(at)


def _count(excursions: Any, slots: Rows, evidence: Numbers, crest: Numbers, rising: Any) -> None:
    """Count the levels of evidence above what the current excursions had reached."""
    if rising is not True:
        chosen = np.flatnonzero(rising)
        slots, evidence, crest = slots.take(chosen), evidence.take(chosen)[:, None], crest.take(chosen)[:, None]
    excursions[slots] += (evidence >= _LEVEL) & (crest < _LEVEL)
