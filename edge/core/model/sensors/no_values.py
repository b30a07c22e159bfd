"""Named error values: numbers that aren't readings, configured by a sensor's rule or by its input."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.model.sensors.facts_by_sensor import FactsBySensor

NONE: frozenset[float] = frozenset()


class NoValues(FactsBySensor[list[float]]):
    """The error values of each sensor by slot: from inputs, in ascending lists, and from rules.

    Attributes:
        all: Error values of any sensor.
        sorted: The same as an ascending array.
    """

    def __init__(self) -> None:
        super().__init__(dict[int, list[float]])
        self._by_rule: dict[int, frozenset[float]] = {}
        self.all = NONE
        self.sorted: Floats = np.zeros(0)

    def of(self, slot: int) -> frozenset[float]:
        """The error values of a sensor."""
        return self._by_rule.get(slot, NONE) | frozenset(self.known(slot, []))

    def rule(self, slot: int, values: Iterable[float]) -> None:
        """Apply the error values of a sensor's rule."""
        if chosen := frozenset(values):
            self._by_rule[slot] = chosen
            self._gather(chosen)

    def note(self, slot: int, values: list[float]) -> None:
        """Record the error values of a sensor's input; an empty list is ignored if there never were any."""
        if values or self.known(slot, []):
            super().note(slot, values)
            self._gather(frozenset(values))

    def forget(self, slot: int) -> None:
        """See `FactsBySensor`; the error values of the sensor's rule are forgotten, too."""
        super().forget(slot)
        self._by_rule.pop(slot, None)

    def load(self, state: bytes) -> None:
        """See `FactsBySensor`."""
        super().load(state)
        for values in self._facts.values():
            self._gather(frozenset(values))

    def _gather(self, values: frozenset[float]) -> None:
        if not values <= self.all:
            self.all |= values
            self.sorted = np.array(sorted(self.all))
