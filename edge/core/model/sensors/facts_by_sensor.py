"""Facts about each sensor from payloads and inputs; changes go into the journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from edge.core.model.packing.encoding import decode, encode

T = TypeVar("T")


class FactsBySensor(Generic[T]):
    """The latest fact about each sensor, by slot.

    Args:
        kind: The type of the whole mapping, `dict[int, T]`, for decoding by msgspec.

    Attributes:
        new: Slots and facts that changed since the last journal entry.
    """

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._facts: dict[int, T] = {}
        self.new: list[tuple[int, T]] = []

    def known(self, slot: int, default: T) -> T:
        """The fact about a sensor, or the default if there is none."""
        return self._facts.get(slot, default)

    def note(self, slot: int, fact: T) -> None:
        """Record a fact about a sensor."""
        if self._facts.get(slot) != fact:
            self._facts[slot] = fact
            self.new.append((slot, fact))

    def note_all(self, changes: Iterable[tuple[int, T]]) -> None:
        """Restore journaled facts."""
        for slot, fact in changes:
            self.note(slot, fact)

    def take_changes(self) -> list[tuple[int, T]]:
        """The facts to be journaled."""
        new, self.new = self.new, []
        return new

    def forget(self, slot: int) -> None:
        """Forget the fact about a sensor."""
        self._facts.pop(slot, None)

    def state(self) -> bytes:
        """All facts, for `load()`."""
        return encode(self._facts)

    def load(self, state: bytes) -> None:
        """Load what `state()` returned.

        Raises:
            StateError: It can't be read.
        """
        self._facts = decode(state, self._kind)
