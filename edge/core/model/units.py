"""Units that payloads say: `{"value": 21.5, "unit": "Cel"}`, `21.5 °C`. The operator's rule beats them."""

from __future__ import annotations

from edge.core.model.encoding import decode, encode


class Units:
    """The unit of each sensor whose payloads say one, by slot.

    Attributes:
        new: Slots and units that were learned since the journal was last told.
    """

    def __init__(self) -> None:
        self._units: dict[int, str] = {}
        self.new: list[tuple[int, str]] = []

    def note(self, slot: int, unit: str) -> None:
        """Take note of a sensor's unit; an empty one says nothing."""
        if unit and self._units.get(slot) != unit:
            self._units[slot] = unit
            self.new.append((slot, unit))

    def of(self, slot: int) -> str:
        """The unit of a sensor; empty if its payloads say none."""
        return self._units.get(slot, "")

    def told(self) -> list[tuple[int, str]]:
        """What the journal is to be told."""
        new, self.new = self.new, []
        return new

    def state(self) -> bytes:
        """The units, for `load()`."""
        return encode(self._units)

    def load(self, state: bytes) -> None:
        """Go on with these units.

        Raises:
            StateError: They can't be read.
        """
        self._units = decode(state, dict[int, str])
