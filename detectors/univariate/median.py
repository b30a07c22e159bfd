"""Streaming median: distance from the median, on a scale that outliers can't stretch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.base import Detector, Field, Scores, State
from detectors.noise import noise_layout, noise_of
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import bounded, maximum, where
from detectors.parameters import parameter

NORMAL = 1.4826
"""Standard deviation of normal noise, in median absolute deviations."""

LEAST_SHARE = 0.7
"""Minimum of the scale as a share of the standard deviation: for a sensor that mostly rests, the median absolute
deviation is 0."""


@dataclass(frozen=True)
class StreamingMedian(Detector):
    """Finds values far from the median, measured in median absolute deviations.

    Catches: spikes and dropouts, even frequent ones; changed units.
    Blind to: slow drift, which the median follows; a change of the noise alone.
    Contamination: a reading moves the median by one step, whatever its distance.
    Warm-up: 30 readings.
    State: 80 bytes per sensor.
    Cost: about 150 array operations per round.
    Source: H. Robbins and S. Monro, "A stochastic approximation method", Annals of Mathematical Statistics 22 (3),
        1951, doi:10.1214/aoms/1177729586, for the quantiles; Q. Ma and others, "Frugal streaming for estimating
        quantiles", 2013, doi:10.1007/978-3-642-40273-9_7, for doing it in one word of memory.
    Differs: the step is a share of the present deviation, so that it fits any unit; the first readings are averaged.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(StreamingMedian(), rows=1)
    >>> for time in range(300):
    ...     scores = table.update(np.array([0]), np.array([5 + time % 11 / 10]), np.array([float(time)]))
    >>> bool(table.update(np.array([0]), np.array([-20.0]), np.array([300.0])).score[0] > 6)
    True
    """

    step: float = parameter(
        0.05, "How far one reading moves the median, as a share of the deviation.", above=0, at_most=1
    )
    spread_memory: float = parameter(
        2000.0, "Readings that the tail's weight is learned from.", unit="readings", at_least=10, at_most=1e7
    )

    name: ClassVar[str] = "median"
    kind: ClassVar[str] = "spike"
    catches: ClassVar[frozenset[str]] = frozenset({"spike", "dropout", "unit_jump", "level_shift"})
    relearns: ClassVar[bool] = True
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {"median": Field(), "deviation": Field(), **noise_layout()}

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:  # noqa: ARG002
        """See `Detector`."""
        noise = noise_of(state, slots, self.spread_memory)
        median, deviation = state["median"][slots], state["deviation"][slots]
        first = noise.count == 0
        residual = where(first, 0.0, values - median)
        spread = maximum(NORMAL * deviation, LEAST_SHARE * noise.spread)
        scores = noise.scores(residual, median, spread)
        believed = noise.learn(residual)
        away = abs(residual)
        early = 1.0 / (noise.count + 1.0)
        warming = noise.count < 30
        step = self.step * maximum(deviation, LEAST_SHARE * noise.spread)
        moved = where(warming, median + early * believed, median + bounded(residual, -step, step))
        widened = where(
            warming,
            deviation + early * (abs(believed) - deviation),
            maximum(deviation + bounded(away - deviation, -step, step), 0.0),
        )
        state["median"][slots] = where(first, values, moved)
        state["deviation"][slots] = widened
        return scores
