"""Volatility (`unrest` in configurations and events): noise that grows although the level stays the same."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from detectors.base import Detector, Field, Measure, Scores, State, no_opinion
from detectors.noise import noise_layout, noise_of
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import all_of, any_of, everywhere, log, maximum, minimum, where
from detectors.parameters import parameter

SMALL = 0.05
"""Share of the usual step added to each step, so that an unchanged value is a small step instead of minus infinity."""

LARGEST_STEP = 6.0
"""Maximum size of a step in usual steps, for learning the usual step."""

LARGEST_SEEN = 10.0
"""Maximum size of a step in the average: one leap, however large, isn't noise."""

ORDINARY = 2.0
"""Steps up to this many usual ones are ordinary: nine of ten, if their noise is normal."""

CALM = 6.0
"""Number of consecutive ordinary steps that end a burst; the average then forgets it."""

LEAST = 1e-300

WORTH = 0.1
"""Weight of an average, relative to a window, as evidence for the tail: the averages of one burst carry the same
information."""


@dataclass(frozen=True)
class Volatility(Detector):
    """Finds noise that grows although the level stays the same.

    The logarithms of the sizes of the steps between consecutive readings are averaged over the last readings and
    compared with their usual average. A single step hardly affects it, however large it is.

    Catches: bursts of noise, loose contacts, bearings that begin to rattle.
    Blind to: noise that vanishes; steps rarer than once in five readings; a sensor that never moves.
    Contamination: as `detectors.noise` says.
    Warm-up: 30 readings that aren't all the same.
    State: 112 bytes per sensor.
    Cost: about 150 array operations per round.
    Source: S. V. Crowder and M. D. Hamilton, "An EWMA for monitoring a process standard deviation", Journal of Quality
        Technology 24 (1), 1992.
    Differs: the logarithms are those of single steps instead of sample variances, so neither a level nor a season needs
        to be known; their spread is learned, with the tail that `detectors.noise` explains. Several consecutive
        ordinary steps end a burst at once, because an average would take long to forget it.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table, noise = StateTable(Volatility(), rows=1), np.random.default_rng(1).normal(size=1000)
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
        2000.0, "Readings that the usual volatility remembers.", unit="readings", at_least=100, at_most=1e7
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
        """The geometric mean of the last steps between consecutive readings, and of the usual steps."""
        return Measure(math.exp(float(state["average"][slot])), math.exp(float(state["usual"][slot])))

    @staticmethod
    def _sizes(step: Numbers, usual: Numbers) -> Numbers:
        """Logarithms of step sizes."""
        return log(maximum(minimum(step, LARGEST_SEEN * usual) + SMALL * usual, LEAST))

    def _surprise(self, state: State, slots: Rows, size: Numbers) -> Numbers:
        """Decades of surprise at the logarithms of steps, which are then learned."""
        noise = noise_of(state, slots, self.memory)
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
