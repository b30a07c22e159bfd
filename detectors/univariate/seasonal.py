"""Seasonal residual: unusual for the time of day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from detectors.base import Detector, Field, Scores, State
from detectors.noise import noise_layout, noise_of
from detectors.numeric.arrays import Floats, Slots
from detectors.numeric.elementwise import bounded
from detectors.parameters import parameter

BINS = 48
"""Half hours of a day."""

DAY_S = 86_400.0

ROUNDING = 1e-12
"""Maximum relative rounding error of a mean of equal values."""


@dataclass(frozen=True)
class Seasonal(Detector):
    """Finds values that are unusual for the time of day, although they may be usual at another.

    Catches: a season that is lost, level shifts, drift.
    Blind to: single spikes, which the mean over several readings hides; days of the week; the first days.
    Contamination: a visit to a bin moves its mean by `blend` of the difference; while an incident is open, nothing is
        learned.
    Warm-up: two visits of a bin on different days.
    State: 864 bytes per sensor.
    Cost: about 100 array operations a round.
    Source: S. Hochenbaum, O. Vallis and A. Kejariwal, "Automatic anomaly detection in the cloud via statistical
        learning", 2017, arXiv:1704.07706, for residuals of a seasonal profile.
    Differs: the profile is an exponential mean of each half hour, learned as it goes, and the tail is Student's, as
        `detectors.noise` explains.

    >>> import numpy as np
    >>> from detectors.state import StateTable
    >>> table = StateTable(Seasonal(), rows=1)
    >>> def reading(minute, value):
    ...     return table.update(np.array([0]), np.array([value]), np.array([60.0 * minute])).score[0]
    >>> scores = [reading(minute, np.sin(minute / 1440 * 2 * np.pi) + minute % 7 / 50) for minute in range(0, 6000, 5)]
    >>> bool(max(reading(minute, -1.0) for minute in range(6000, 6100, 5)) > 6)
    True
    """

    window: float = parameter(
        12.0, "Readings that the residual is averaged over.", unit="readings", at_least=1, at_most=1e4
    )
    blend: float = parameter(
        0.2, "Share of a new visit in the mean of a half hour; the first visits count alike.", above=0, at_most=1
    )
    spread_memory: float = parameter(
        5000.0, "Readings that the residual's spread remembers.", unit="readings", at_least=10, at_most=1e7
    )

    name: ClassVar[str] = "seasonal"
    kind: ClassVar[str] = "contextual"
    catches: ClassVar[frozenset[str]] = frozenset({"lost_season", "level_shift", "drift"})

    def layout(self) -> dict[str, Field]:
        """See `Detector`."""
        return {
            "mean": Field(width=BINS),
            "visits": Field(width=BINS),
            "bin": Field(-1.0),
            "sum": Field(),
            "number": Field(),
            "smooth": Field(learned=False),
            **noise_layout(),
        }

    def judge(self, state: State, slots: Slots, values: Floats, times: Floats) -> Scores:
        """See `Detector`."""
        here = np.floor(np.mod(times, DAY_S) / (DAY_S / BINS))
        here = bounded(np.where(np.isfinite(here), here, 0.0), 0, BINS - 1)
        self._finish_visits(state, slots, here)
        column = here.astype(np.intp)
        expected = state["mean"][slots, column]
        known = state["visits"][slots, column] >= 2
        noise = noise_of(state, slots, self.spread_memory)
        residual = values - expected
        residual = np.where(np.abs(residual) <= ROUNDING * np.abs(expected), 0.0, residual)
        smooth = state["smooth"][slots]
        smooth = np.where(known, smooth + (residual - smooth) / self.window, 0.0)
        scores = noise.scores(smooth, expected)
        nothing = ~known
        for each in scores:
            each[nothing] = np.nan
        state["smooth"][slots] = smooth
        if known.any():
            followed = np.where(noise.variance > 0, smooth, residual)  # the first change is seen at its full size
            noise_of(state, slots[known], self.spread_memory).learn(followed[known], 1.0 / self.window)
        state["sum"][slots] += values
        state["number"][slots] += 1.0
        return scores

    def _finish_visits(self, state: State, slots: Slots, here: Floats) -> None:
        """Add the mean of completed visits to the profile."""
        before = state["bin"][slots]
        left = before != here
        ended = left & (before >= 0)
        if ended.any():
            rows, column = slots[ended], before[ended].astype(np.intp)
            visits, mean = state["visits"][rows, column], state["mean"][rows, column]
            visit = state["sum"][rows] / np.maximum(state["number"][rows], 1.0)
            share = np.maximum(self.blend, 1.0 / (visits + 1.0))
            state["mean"][rows, column] = mean + share * (visit - mean)
            state["visits"][rows, column] = visits + 1.0
        if left.any():
            rows = slots[left]
            state["bin"][rows] = here[left]
            state["sum"][rows] = 0.0
            state["number"][rows] = 0.0
