"""Vacancies: slots of forgotten sensors, and names whose retained topics must be cleared.

A slot is reused only after its release, once no stored data such as the journal refers to its former sensor. Until then
its row stays empty.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable

import msgspec

from edge.core.model.packing.encoding import decode, encode

_MARK = "\x00"
"""Prefix of the name of a vacant slot, which can't occur in a topic and therefore in no sensor's name."""

MOST_NAMES = 10_000
"""Maximum number of forgotten names kept, the latest ones."""


def vacant_name(slot: int, before: str) -> str:
    """The name of a vacant slot in the sensor table; `before` is the sensor that had it last."""
    return f"{_MARK}{slot}{_MARK}{before}"


def is_vacant(name: str) -> bool:
    """Whether a name in the sensor table marks a vacant slot."""
    return name.startswith(_MARK)


def had_it_last(name: str) -> str:
    """The sensor that last had a vacant slot, from the slot's name in the sensor table."""
    return name.rpartition(_MARK)[2]


class _VacanciesState(msgspec.Struct):
    since: dict[int, float]
    names: list[str] = []


class Vacancies:
    """The vacant slots.

    Attributes:
        since: Time at which each became vacant, in seconds since the epoch, by slot.
        names: Names of forgotten sensors that haven't returned, the latest last.
    """

    def __init__(self) -> None:
        self.since: dict[int, float] = {}
        self.names: dict[str, None] = {}
        self._released: list[int] = []

    def __len__(self) -> int:
        """Number of vacant slots."""
        return len(self.since)

    def add(self, slot: int, name: str, time: float) -> None:
        """Record that the sensor with this slot and name was forgotten at a time."""
        self.since[slot] = time
        self.names.pop(name, None)
        self.names[name] = None
        while len(self.names) > MOST_NAMES:
            del self.names[next(iter(self.names))]

    def release(self, before: float) -> None:
        """Release the slots vacated before a time for reuse."""
        self._released = sorted(slot for slot, since in self.since.items() if since < before)

    def take(self) -> int | None:
        """Allocate the lowest released slot; None if there is none."""
        while self._released:
            slot = heapq.heappop(self._released)
            if self.since.pop(slot, None) is not None:
                return slot
        return None

    def occupied(self, slot: int) -> None:
        """Record that a slot is in use again."""
        self.since.pop(slot, None)

    def came_back(self, name: str) -> None:
        """Record that a sensor of this name exists again."""
        self.names.pop(name, None)

    def unknown(self, slots: Iterable[int]) -> None:
        """Record vacant slots whose time of vacancy is unknown."""
        self.since.update(dict.fromkeys(slots, math.inf))

    def state(self) -> bytes:
        """The vacant slots, for `load()`."""
        return encode(_VacanciesState(dict(sorted(self.since.items())), list(self.names)))

    def load(self, state: bytes) -> None:
        """Load vacant slots; for slots that are still vacant, only the time is loaded.

        Raises:
            StateError: It can't be read.
        """
        saved = decode(state, _VacanciesState)
        self.since.update({slot: since for slot, since in saved.since.items() if slot in self.since})
        self.names = dict.fromkeys(saved.names)
