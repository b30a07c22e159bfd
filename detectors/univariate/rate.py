"""Rate of change: a jump larger than the sensor's usual jumps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from detectors.base import TOGETHER_S, Detector, Field, Limit, Measure, Scores, State
from detectors.noise import noise_layout, noise_of
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import known_maximum, known_minimum, maximum, minimum, nowhere, where
from detectors.parameters import parameter
from detectors.univariate.kept_steps import steps_layout, with_kept_steps

CERTAIN = 12.0
"""Decades of surprise of a change beyond the operator's limit; twice the limit scores twice as much."""


@dataclass(frozen=True)
class RateOfChange(Detector):
    """Finds changes between consecutive readings that are larger than usual, or than a limit.

    Catches: spikes, steps, dropouts, changed units.
    Blind to: slow drift; levels after a jump, because only the jump itself stands out; on a sensor whose first
        steps stayed, a step of up to three times the largest known one that stays too, as `kept_steps` explains.
    Contamination: an outlier widens the spread by 6 spreads at most; a jump seen once is soon normal.
    Warm-up: 31 readings; none for the limit.
    State: 136 bytes per sensor.
    Cost: about 130 array operations per round, 25 more where a sensor steps.
    Source: W. A. Shewhart, "Economic Control of Quality of Manufactured Product", 1931, for the chart; its moving-range
        form in D. C. Montgomery, "Introduction to Statistical Quality Control", section 6.4.
    Differs: the tail is Student's, as `detectors.noise` explains; the learned change is per reading, the limited one
        per second, which doesn't apply to readings of equal time.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(RateOfChange(most_per_s=2.0), rows=1)
    >>> for time, value in enumerate([1.0, 2.0, 1.5, 9.0]):
    ...     scores = table.update(np.array([0]), np.array([value]), np.array([float(time)]))
    >>> bool(scores.score[0] >= 12)
    True
    """

    most_per_s: float = parameter(
        float("nan"), "Largest change that is possible; without it, only what was learned counts.", unit="1/s", above=0
    )
    spread_memory: float = parameter(
        2000.0, "Readings that the usual change is learned from.", unit="readings", at_least=10, at_most=1e7
    )

    name: ClassVar[str] = "rate"
    kind: ClassVar[str] = "rate"
    catches: ClassVar[frozenset[str]] = frozenset({"spike", "dropout", "unit_jump"})
    takes_one: ClassVar[bool] = True

    @property
    def follows_pace(self) -> bool:
        """See `Detector`; a limit applies to the change of the value."""
        return math.isnan(self.most_per_s)

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "value": Field(learned=False),
            "time": Field(learned=False, moment=True),
            "readings": Field(learned=False),
            **noise_layout(),
            **steps_layout(),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:
        """See `Detector`."""
        noise = noise_of(state, slots, self.spread_memory)
        last, readings = state["value"][slots], state["readings"][slots]
        first = nowhere(readings == 0)
        change = where(first, 0.0, values - last)
        score = with_kept_steps(state, slots, noise, noise.score(change), change, last, self.spread_memory)
        scores = noise.banded(score, last)
        if not math.isnan(self.most_per_s):
            elapsed = times - state["time"][slots]
            possible = self.most_per_s * maximum(elapsed, 0.0)
            known = (readings > 0) & (elapsed > TOGETHER_S)
            ratio = abs(change) / maximum(possible, 1e-200)
            ruled = where(known, where(ratio > 1.0, minimum(CERTAIN * ratio, 300.0), 0.0), math.nan)
            scores = Scores(
                known_maximum(scores.score, ruled),
                where(known, last, scores.expected),
                where(known, known_maximum(last - possible, scores.lower), scores.lower),
                where(known, known_minimum(last + possible, scores.upper), scores.upper),
                learned=scores.score,
                ruled=ruled,
            )
        noise.learn(change)
        state["count"][slots] = where(first, 0.0, noise.count + 1.0)
        state["value"][slots] = values
        state["time"][slots] = times
        state["readings"][slots] = readings + 1.0
        return scores

    def measure(self, state: State, slot: int) -> Measure:
        """The last step, and the largest one known before it or the step that it takes back; 0 if none is."""
        return Measure(abs(float(state["last_residual"][slot])), float(state["usual"][slot]))

    def broken(self, state: State, slot: int, score: float) -> list[Limit]:  # noqa: ARG002
        """See `Detector`."""
        return [Limit("most_per_s", self.most_per_s, score)]
