"""Error values that are named: readings of these are no readings. By the rule of a sensor, or by its input."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.model.encoding import decode, encode

NONE: frozenset[float] = frozenset()


class NoValues:
    """The error values of each sensor, by slot.

    Attributes:
        new: Slots and what their inputs say, as it was learned since the journal was last told.
        all: What is an error value of any sensor.
        sorted: The same as an ascending array.
    """

    def __init__(self) -> None:
        self._by_rule: dict[int, frozenset[float]] = {}
        self._by_input: dict[int, frozenset[float]] = {}
        self.new: list[tuple[int, list[float]]] = []
        self.all = NONE
        self.sorted: Floats = np.zeros(0)

    def of(self, slot: int) -> frozenset[float]:
        """The error values of a sensor."""
        return self._by_rule.get(slot, NONE) | self._by_input.get(slot, NONE)

    def rule(self, slot: int, values: Iterable[float]) -> None:
        """Take over what the rule of a sensor says."""
        if chosen := frozenset(values):
            self._by_rule[slot] = chosen
            self._gather(chosen)

    def note(self, slot: int, values: frozenset[float]) -> None:
        """Take note of what the input of a sensor says."""
        if self._by_input.get(slot, NONE) != values:
            self.new.append((slot, sorted(values)))
            self._set(slot, values)

    def tell_all(self, told: Iterable[tuple[int, list[float]]]) -> None:
        """Take over what the journal says of inputs."""
        for slot, values in told:
            self._set(slot, frozenset(values))

    def told(self) -> list[tuple[int, list[float]]]:
        """What the journal is to be told."""
        new, self.new = self.new, []
        return new

    def state(self) -> bytes:
        """What inputs have said, for `load()`."""
        return encode({slot: sorted(values) for slot, values in self._by_input.items()})

    def load(self, state: bytes) -> None:
        """Go on with these.

        Raises:
            StateError: They can't be read.
        """
        self.tell_all(decode(state, dict[int, list[float]]).items())

    def _set(self, slot: int, values: frozenset[float]) -> None:
        self._by_input[slot] = values
        self._gather(values)

    def _gather(self, values: frozenset[float]) -> None:
        if not values <= self.all:
            self.all |= values
            self.sorted = np.array(sorted(self.all))
