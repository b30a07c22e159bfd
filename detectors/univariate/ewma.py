"""EWMA z-score: far from a moving average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.base import Detector, Field, Scores, State
from detectors.noise import noise_layout, noise_of
from detectors.numeric.arrays import Numbers, Rows
from detectors.numeric.elementwise import minimum, nowhere, where
from detectors.parameters import parameter

COUNTED = 50.0
RARELY = 50.0


@dataclass(frozen=True)
class EwmaZScore(Detector):
    """Finds values far from an exponentially weighted moving average.

    Catches: spikes, level shifts, dropouts, changed units.
    Blind to: slow drift, which the average follows; values that are usual only at other times of day.
    Contamination: one reading moves the average by at most 6 spreads / `memory`; while an incident is open, nothing is
        learned at all.
    Warm-up: 30 readings.
    State: 96 bytes per sensor.
    Cost: about 140 array operations per round.
    Source: S. W. Roberts, "Control chart tests based on geometric moving averages", Technometrics 1 (3), 1959,
        doi:10.1080/00401706.1959.10489860.
    Differs: the spread is that of the residuals, learned over `spread_memory` readings, and the tail is Student's, as
        `detectors.noise` explains. The average of a counter, recognised after `COUNTED` rises and `RARELY` times as
        many rises as falls, follows it when it is reset; jumps are left to `rate`.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(EwmaZScore(), rows=1)
    >>> for time in range(200):
    ...     scores = table.update(np.array([0]), np.array([20 + time % 7 / 10]), np.array([float(time)]))
    >>> bool(scores.score[0] < 2)
    True
    >>> bool(table.update(np.array([0]), np.array([29.0]), np.array([200.0])).score[0] > 6)
    True
    """

    memory: float = parameter(50.0, "Readings that the average remembers.", unit="readings", at_least=2, at_most=1e6)
    spread_memory: float = parameter(
        2000.0,
        "Readings that the spread remembers; many more than the average.",
        unit="readings",
        at_least=10,
        at_most=1e7,
    )

    name: ClassVar[str] = "ewma"
    kind: ClassVar[str] = "spike"
    catches: ClassVar[frozenset[str]] = frozenset({"spike", "level_shift", "dropout", "unit_jump"})
    relearns: ClassVar[bool] = True
    takes_one: ClassVar[bool] = True

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "mean": Field(),
            "last": Field(learned=False, later=True),
            "rises": Field(later=True),
            "falls": Field(later=True),
            **noise_layout(),
        }

    def judge(self, state: State, slots: Rows, values: Numbers, times: Numbers) -> Scores:  # noqa: ARG002
        """See `Detector`."""
        noise = noise_of(state, slots, self.spread_memory)
        mean = state["mean"][slots]
        first = nowhere(noise.count == 0)
        moved = where(first, 0.0, values - state["last"][slots])
        rises, falls = state["rises"][slots], state["falls"][slots]
        starts_anew = nowhere((moved < 0) & (rises >= COUNTED) & (falls * RARELY <= rises))
        level = where(starts_anew, mean + moved, mean)
        residual = where(first, 0.0, values - level)
        scores = noise.scores(residual, mean)
        believed = noise.learn(residual)
        rate = 1.0 / minimum(noise.count + 1.0, self.memory)
        state["mean"][slots] = where(first, values, level + rate * believed)
        state["last"][slots] = values
        state["rises"][slots] = rises + (moved > 0)
        state["falls"][slots] = falls + (moved < 0)
        return scores
