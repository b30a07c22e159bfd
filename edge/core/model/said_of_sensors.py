"""What payloads and inputs say of each sensor: it is kept, and the journal is told what is new."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from edge.core.model.encoding import decode, encode

T = TypeVar("T")


class SaidOfSensors(Generic[T]):
    """What was said of each sensor last, by slot.

    Args:
        kind: The type of all of it, `dict[int, T]`, as msgspec decodes it.

    Attributes:
        new: Slots and what was said of them since the journal was last told.
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._said: dict[int, T] = {}
        self.new: list[tuple[int, T]] = []

    def said(self, slot: int, default: T) -> T:
        """What was said of a sensor, or the default if nothing was."""
        return self._said.get(slot, default)

    def note(self, slot: int, said: T) -> None:
        """Take note of what is said of a sensor."""
        if self._said.get(slot) != said:
            self._said[slot] = said
            self.new.append((slot, said))

    def note_all(self, told: Iterable[tuple[int, T]]) -> None:
        """Take note again of what the journal was told."""
        for slot, said in told:
            self.note(slot, said)

    def told(self) -> list[tuple[int, T]]:
        """What the journal is to be told."""
        new, self.new = self.new, []
        return new

    def forget(self, slot: int) -> None:
        """Forget what was said of a sensor."""
        self._said.pop(slot, None)

    def state(self) -> bytes:
        """All of it, for `load()`."""
        return encode(self._said)

    def load(self, state: bytes) -> None:
        """Go on with this.

        Raises:
            StateError: It can't be read.
        """
        self._said = decode(state, self._kind)
