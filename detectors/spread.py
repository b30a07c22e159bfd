"""Spread: a signal that has become noisier, or quieter, than it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import Detector, Field, Floats, Scores, Slots, State, no_opinion
from detectors.noise import Noise, noise_layout
from detectors.parameters import parameter

LEAST_SHARE = 0.1
"""A spread below this share of the usual one counts as this share, so that a rest isn't infinitely quiet."""


CUT = 8.0
"""A difference counts as so many usual ones at most, so that one jump is no noise."""


@dataclass(frozen=True)
class Spread(Detector):
    """Finds stretches in which readings differ from one another far more than they usually do.

    Catches: bursts of noise, a loose contact, cavitation.
    Blind to: single spikes, which one reading of many doesn't show; a signal that becomes quieter or has hardly moved.
    Contamination: a stretch counts as 6 spreads of the logarithm at most; nothing is learned while an incident is open.
    Warm-up: 30 readings.
    State: 96 bytes a sensor.
    Cost: about 45 array operations a round.
    Source: J. von Neumann, "Distribution of the ratio of the mean square successive difference to the variance", Annals
        of Mathematical Statistics 12, 1941, doi:10.1214/aoms/1177731677, for the spread of successive differences.
    Differs: the mean absolute difference over a window, as a logarithm, judged by its own history.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Spread(), rows=1)
    >>> noise = np.random.default_rng(1).normal(size=640)
    >>> for time in range(640):
    ...     louder = noise[time] * (10 if time >= 600 else 1)
    ...     score = table.update(np.array([0]), np.array([louder]), np.array([float(time)])).score[0]
    ...     most = max(most, score) if time >= 600 else 0.0
    >>> bool(most > 6)
    True
    """

    window: float = parameter(12.0, "Readings that the spread is taken over.", unit="readings", at_least=2, at_most=1e5)
    memory: float = parameter(
        3000.0, "Readings that the usual spread remembers.", unit="readings", at_least=50, at_most=1e7
    )

    name: ClassVar[str] = "spread"
    kind: ClassVar[str] = "variance"
    catches: ClassVar[frozenset[str]] = frozenset({"noise_burst"})

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "value": Field(learned=False),
            "readings": Field(learned=False),
            "difference": Field(learned=False),
            "usual": Field(),
            "level": Field(),
            **noise_layout(),
        }

    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:  # noqa: ARG002
        """See `Detector`."""
        noise = Noise(state, slots, self.memory)
        readings, usual, level = state["readings"][slots], state["usual"][slots], state["level"][slots]
        first = readings == 0
        change = np.where(first, 0.0, np.abs(values - state["value"][slots]))
        difference = state["difference"][slots]
        cut = np.where(usual > 0, np.minimum(change, CUT * usual), change)
        difference = difference + (cut - difference) / np.minimum(np.maximum(readings, 1.0), self.window)
        floor = np.maximum(LEAST_SHARE * usual, 1e-200)
        known = (readings >= self.window) & (usual > 0)
        stretch = np.where(known, np.log(np.maximum(difference, floor)), 0.0)
        begins = known & (noise.count == 0)
        residual = np.where(known & ~begins, stretch - level, 0.0)
        scores = noise.score(np.maximum(residual, 0.0))
        scores = np.where(known, scores, np.nan)
        believed = noise.learn(residual, 1.0 / self.window)
        rate = 1.0 / np.minimum(noise.count + 1.0, self.memory)
        state["level"][slots] = np.where(begins, stretch, level + rate * believed)
        state["count"][slots] = np.where(known, noise.count + 1.0, 0.0)
        state["usual"][slots] = usual + (cut - usual) / np.minimum(np.maximum(readings, 1.0), self.memory)
        state["difference"][slots] = difference
        state["value"][slots] = values
        state["readings"][slots] = readings + 1.0
        return no_opinion(len(slots))._replace(score=scores)
