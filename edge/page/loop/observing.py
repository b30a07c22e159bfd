"""Observing: readings and scores of a few sensors, collected while a page shows them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.incidents.observer import ScoredRound
from edge.core.pipeline import Pipeline

MOST_ROWS = 20_000
"""Maximum number of readings collected between two turns; beyond it the oldest are dropped, and the page reads the
store."""

SensorRows = list[list[float | None]]
"""For each reading: time in milliseconds since the epoch, value, score, level, lower and upper end of the band."""


class ObservedRows(NamedTuple):
    """A round's rows of the observed sensors."""

    names: list[str]
    rows: Floats


class SensorObserver:
    """An observer of some sensors.

    Args:
        names: Names of the sensors.
        pipeline: The observed pipeline.
    """

    def __init__(self, names: frozenset[str], pipeline: Pipeline) -> None:
        self.names = names
        self._pipeline = pipeline
        self._slots: dict[int, str] = {}
        self._wanted = np.zeros(0, dtype=np.intp)
        self._known = -1
        self._rounds: list[ObservedRows] = []
        self._count = 0

    def scored(self, scored: ScoredRound) -> None:
        """Record a round."""
        if self._known != len(self._pipeline.sensors):
            self._look_up()
        places = np.flatnonzero(np.isin(scored.slots, self._wanted))
        if not len(places) or self._count >= MOST_ROWS:
            return
        agree = scored.floor <= scored.ceiling
        lower, upper = np.where(agree, scored.floor, np.nan), np.where(agree, scored.ceiling, np.nan)
        columns = (1000 * scored.times, scored.values, scored.score, scored.level, lower, upper)
        rows = np.array([each[places] for each in columns]).T
        self._rounds.append(ObservedRows([self._slots[each] for each in scored.slots[places].tolist()], rows))
        self._count += len(places)

    def take(self) -> dict[str, SensorRows]:
        """Readings gathered since the last call, by sensor, in order of arrival."""
        rounds, self._rounds, self._count = self._rounds, [], 0
        found: dict[str, SensorRows] = {}
        for names, rows in rounds:
            for name, row in zip(names, rows, strict=True):
                found.setdefault(name, []).append([float(each) if np.isfinite(each) else None for each in row])
        return found

    def _look_up(self) -> None:
        slots = {slot: name for name in self.names if (slot := self._pipeline.sensors.find(name)) is not None}
        self._slots, self._wanted = slots, np.array(sorted(slots), dtype=np.intp)
        self._known = len(self._pipeline.sensors)
