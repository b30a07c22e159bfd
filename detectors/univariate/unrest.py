"""Unrest: noise that grows, although the values stay where they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from detectors.base import Detector, Field, Measure, Scores, State, no_opinion
from detectors.noise import Noise, noise_layout
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import all_of, any_of, everywhere, log, maximum, minimum, where
from detectors.parameters import parameter

SMALL = 0.05
"""Share of the usual step that is added to each, so that a value which stays the same is a small step and no abyss."""

LARGEST_STEP = 6.0
"""A step counts as so many usual ones at most in what is usual."""

LARGEST_SEEN = 10.0
"""Likewise in the average: one leap, however large, is no noise."""

ORDINARY = 2.0
"""Steps up to so many usual ones are ordinary: nine of ten, if their noise is normal."""

CALM = 6.0
"""So many ordinary steps in a row say that a burst is over; the average then forgets it."""

LEAST = 1e-300

WORTH = 0.1
"""Share of a window's worth that an average says of how heavy the tail is: those of one burst all say the same."""


@dataclass(frozen=True)
class Unrest(Detector):
    """Finds noise that grows, although the values stay where they are.

    The sizes of the steps from one reading to the next are averaged as logarithms, over the last readings, and held
    against their own usual average. One large step hardly moves that, however large it is.

    Catches: bursts of noise, loose contacts, bearings that begin to rattle.
    Blind to: noise that vanishes; steps that come less often than once in five readings; a sensor that never moves.
    Contamination: as `detectors.noise` says.
    Warm-up: 30 readings that aren't all the same.
    State: 112 bytes a sensor.
    Cost: about 150 array operations a round.
    Source: S. V. Crowder and M. D. Hamilton, "An EWMA for monitoring a process standard deviation", Journal of Quality
        Technology 24 (1), 1992.
    Differs: the logarithms are those of single steps instead of sample variances, so that neither a level nor a season
        need be known; their spread is learned, with the tail that `detectors.noise` explains.
        Some ordinary steps in a row end a burst at once, as an average would take long to forget it.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table, noise = StateTable(Unrest(), rows=1), np.random.default_rng(1).normal(size=1000)
    >>> for time, value in enumerate(noise):
    ...     scores = table.update(np.array([0]), np.array([value]), np.array([float(time)]))
    >>> bool(scores.score[0] < 3)
    True
    >>> for time, value in enumerate(noise[:40], start=1000):
    ...     scores = table.update(np.array([0]), np.array([8 * value]), np.array([float(time)]))
    >>> bool(scores.score[0] > 4)
    True
    """

    window: float = parameter(20.0, "Readings whose steps are averaged.", unit="readings", at_least=2, at_most=1e6)
    memory: float = parameter(
        2000.0, "Readings that the usual unrest remembers.", unit="readings", at_least=100, at_most=1e7
    )

    name: ClassVar[str] = "unrest"
    kind: ClassVar[str] = "variance"
    catches: ClassVar[frozenset[str]] = frozenset({"noise_burst"})
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "last": Field(learned=False),
            "began": Field(learned=False),
            "average": Field(learned=False),
            "calm": Field(learned=False),
            "step": Field(),
            "usual": Field(),
            **noise_layout(),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:  # noqa: ARG002
        """See `Detector`."""
        last = state["last"][slots]
        step = where(everywhere(state["began"][slots] > 0), abs(values - last), 0.0)
        state["last"][slots], state["began"][slots] = values, 1.0
        usual, count = state["step"][slots], state["count"][slots]
        believed = where(everywhere(usual > 0), minimum(step, LARGEST_STEP * usual), step)
        known = usual + (believed - usual) / minimum(count + 1.0, self.memory)
        state["step"][slots] = known
        state["calm"][slots] = (step <= ORDINARY * usual) * (state["calm"][slots] + 1.0)
        moves = known > 0
        scores = no_opinion(values)
        if all_of(moves):
            return scores.with_score(self._surprise(state, slots, self._sizes(step, known)))
        if any_of(moves):
            scores.score[moves] = self._surprise(state, slots[moves], self._sizes(step[moves], known[moves]))
        return scores

    def measure(self, state: State, slot: int) -> Measure:
        """The geometric mean of the last steps from one reading to the next, and of the usual ones."""
        return Measure(math.exp(float(state["average"][slot])), math.exp(float(state["usual"][slot])))

    @staticmethod
    def _sizes(step: Numbers, usual: Numbers) -> Numbers:
        """Logarithms of steps."""
        return log(maximum(minimum(step, LARGEST_SEEN * usual) + SMALL * usual, LEAST))

    def _surprise(self, state: State, slots: Rows, size: Numbers) -> Numbers:
        """Decades of surprise at the logarithms of steps; what is known of them is learned."""
        noise = Noise(state, slots, self.memory)
        average = state["average"][slots]
        average = average + (size - average) / minimum(noise.count + 1.0, self.window)
        settled = everywhere(noise.count >= self.window)
        usual = where(settled, state["usual"][slots], average)
        average = where(settled & (state["calm"][slots] >= CALM), minimum(average, usual), average)
        state["average"][slots] = average
        residual = average - usual
        score = noise.score(residual)
        believed = noise.learn(residual, WORTH / self.window)
        state["usual"][slots] = usual + believed / minimum(maximum(noise.count - self.window, 1.0), self.memory)
        return (residual >= 0) * score
