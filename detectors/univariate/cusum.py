"""Two-sided CUSUM: small lasting shifts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from detectors.base import Detector, Field, Scores, State
from detectors.noise import SELDOM, noise_layout, noise_of, taken_in, with_what_was_seen
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import (
    NOTHING,
    bounded,
    corrected,
    everywhere,
    maximum,
    minimum,
    nowhere,
    quotient,
    where,
)
from detectors.numeric.surprise import exponential_tail
from detectors.parameters import parameter

RECENTLY = 1 / 3
"""Weight of the newest reading in the recent level."""

SUPPORT = 0.5
"""A sum is supported while the recent level is off by this share of the allowance in its direction."""

FADE = 0.5
"""Share of a sum forgotten at each reading while it isn't supported."""

MOST_DECADES = 12.0
"""Maximum of a sum, in decades, so that it decays soon after the shift has ended."""

BLOCK = 50.0
"""Number of readings per block; the means of blocks are compared with the level, to measure how far they wander."""

FEWEST_BLOCKS = 8.0
"""Number of blocks before there is an opinion."""

CLIP = 4.0
"""Maximum size of a reading in spreads, so that a single spike isn't a shift."""


@dataclass(frozen=True)
class Cusum(Detector):
    """Finds small but lasting shifts of the level, in either direction.

    Catches: level shifts, even below the noise; drift, once it has left the old level.
    Blind to: single spikes; shifts of a sensor that wanders anyway, because its autocorrelation makes long excursions
        usual.
    Contamination: readings are clipped to 4 spreads; the level follows with `memory`, so a shift that isn't found
        within that becomes normal.
    Warm-up: 400 readings.
    State: 144 bytes per sensor.
    Cost: about 150 array operations per round.
    Source: E. S. Page, "Continuous inspection schemes", Biometrika 41, 1954, doi:10.1093/biomet/41.1-2.100; the tail
        exp(-2 k h) of the sums is from D. Siegmund, "Sequential Analysis", 1985, chapter 2.
    Differs: level and spread are learned; the exponent is divided by the long-run variance, that of autocorrelated
        noise or that of means over 50 readings, whichever is larger; a sum halves at each reading while the recent
        level doesn't support it, so that it decays as soon as the sensor has returned.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Cusum(), rows=1)
    >>> noise = np.random.default_rng(1).normal(size=600)
    >>> for time in range(600):
    ...     shifted = noise[time] + (2.5 if time >= 560 else 0.0)
    ...     scores = table.update(np.array([0]), np.array([shifted]), np.array([float(time)]))
    >>> bool(scores.score[0] > 6)
    True
    """

    allowance: float = parameter(0.5, "Half of the shift to look for, in spreads.", unit="spreads", above=0, at_most=3)
    memory: float = parameter(2000.0, "Readings that the level remembers.", unit="readings", at_least=50, at_most=1e7)

    name: ClassVar[str] = "cusum"
    kind: ClassVar[str] = "level_shift"
    catches: ClassVar[frozenset[str]] = frozenset({"level_shift", "drift", "unit_jump"})
    relearns: ClassVar[bool] = True
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "level": Field(),
            "highest": Field(),
            "excursion": Field(),
            "blocks": Field(),
            "wandering": Field(),
            "block_sum": Field(),
            "block_readings": Field(),
            "recent": Field(learned=False, later=True),
            "above": Field(learned=False),
            "below": Field(learned=False),
            **noise_layout(),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:  # noqa: ARG002
        """See `Detector`."""
        noise = noise_of(state, slots, self.memory)
        level, highest = state["level"][slots], state["highest"][slots]
        first = nowhere(noise.count == 0)
        residual = where(first, 0.0, values - level)
        z = bounded(quotient(residual, noise.spread), -CLIP, CLIP)
        blocks, wandering = state["blocks"][slots], state["wandering"][slots]
        ready = everywhere(blocks >= FEWEST_BLOCKS)
        long_run = maximum((1.0 + noise.rho) / (1.0 - noise.rho), BLOCK * wandering)
        exponent = 2.0 * self.allowance / maximum(long_run, 1.0)
        most = MOST_DECADES * math.log(10.0) / exponent
        recent = state["recent"][slots]
        recent = recent + RECENTLY * (z - recent)
        state["recent"][slots] = recent
        above = where(ready, _sum(state["above"][slots], z, recent, self.allowance, most), 0.0)
        below = where(ready, _sum(state["below"][slots], -z, -recent, self.allowance, most), 0.0)
        largest = maximum(above, below)
        score = exponential_tail(exponent * largest)
        score = corrected(score, score > SELDOM, with_what_was_seen, largest, noise.count, highest)
        scores = noise.banded(where(ready, score, NOTHING), level)
        believed = noise.learn(residual)
        rate = 1.0 / minimum(noise.count + 1.0, self.memory)
        state["level"][slots] = where(first, values, level + rate * believed)
        state["above"][slots] = above
        state["below"][slots] = below
        peak = state["excursion"][slots]
        state["highest"][slots] = taken_in(highest, (largest <= 0) * peak, 4.0, self.memory)
        state["excursion"][slots] = (largest > 0) * maximum(peak, largest)
        self._learn_wandering(state, slots, z)
        return scores

    def _learn_wandering(self, state: State, slots: Rows, z: Numbers) -> None:
        """Update the average squared mean of blocks of `BLOCK` readings, in spreads."""
        total = state["block_sum"][slots] + z
        readings = state["block_readings"][slots] + 1.0
        full = nowhere(readings >= BLOCK)
        if full is not False:
            blocks, wandering = state["blocks"][slots], state["wandering"][slots]
            square = (total / BLOCK) * (total / BLOCK)
            rate = 1.0 / minimum(blocks + 1.0, self.memory / BLOCK)
            state["wandering"][slots] = where(full, wandering + rate * (square - wandering), wandering)
            state["blocks"][slots] = blocks + full
        state["block_sum"][slots] = where(full, 0.0, total)
        state["block_readings"][slots] = where(full, 0.0, readings)


def _sum(before: Numbers, z: Numbers, recent: Numbers, allowance: float, most: Numbers) -> Numbers:
    """A sum one reading later, in spreads."""
    kept = before * (1.0 - FADE * (recent < SUPPORT * allowance))
    return minimum(maximum(kept + z - allowance, 0.0), most)
