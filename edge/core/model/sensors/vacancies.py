"""Vacancies: the slots of forgotten sensors, and the names whose retained topics are to be cleared.

A slot is given to another sensor only when it was released: when nothing that is kept, such as the journal, speaks of
the sensor that had it. Until then its row stays empty.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable

import msgspec

from edge.core.model.packing.encoding import decode, encode

_MARK = "\x00"
"""Prefix of the name of a vacant slot; no sensor's name has it, as no topic can contain it."""

MOST_NAMES = 10_000
"""Names that are remembered as forgotten, the latest."""


def vacant_name(slot: int, before: str) -> str:
    """The name of a vacant slot in the sensor table; the sensor `before` had it last."""
    return f"{_MARK}{slot}{_MARK}{before}"


def is_vacant(name: str) -> bool:
    """Whether a name in the sensor table stands for a slot that nobody has."""
    return name.startswith(_MARK)


def had_it_last(name: str) -> str:
    """The sensor that had a vacant slot last, by what stands for it in the sensor table."""
    return name.rpartition(_MARK)[2]


class _VacanciesState(msgspec.Struct):
    since: dict[int, float]
    names: list[str] = []


class Vacancies:
    """The slots that nobody has.

    Attributes:
        since: Time at which each became vacant, in seconds since the epoch, by slot.
        names: Of sensors that were forgotten and haven't come back, the latest last.
    """

    def __init__(self) -> None:
        self.since: dict[int, float] = {}
        self.names: dict[str, None] = {}
        self._released: list[int] = []

    def __len__(self) -> int:
        """Number of vacant slots."""
        return len(self.since)

    def add(self, slot: int, name: str, time: float) -> None:
        """Note that the sensor with this slot and name was forgotten at a time."""
        self.since[slot] = time
        self.names.pop(name, None)
        self.names[name] = None
        while len(self.names) > MOST_NAMES:
            del self.names[next(iter(self.names))]

    def release(self, before: float) -> None:
        """Let the slots be used again that became vacant before a time."""
        self._released = sorted(slot for slot, since in self.since.items() if since < before)

    def take(self) -> int | None:
        """The lowest slot that may be used again, which is nobody's no more; None if there is none."""
        while self._released:
            slot = heapq.heappop(self._released)
            if self.since.pop(slot, None) is not None:
                return slot
        return None

    def occupied(self, slot: int) -> None:
        """Note that a slot is somebody's again."""
        self.since.pop(slot, None)

    def came_back(self, name: str) -> None:
        """Note that there is a sensor of this name."""
        self.names.pop(name, None)

    def unknown(self, slots: Iterable[int]) -> None:
        """Note vacant slots of which nobody says since when."""
        self.since.update(dict.fromkeys(slots, math.inf))

    def state(self) -> bytes:
        """The vacant slots, for `load()`."""
        return encode(_VacanciesState(dict(sorted(self.since.items())), list(self.names)))

    def load(self, state: bytes) -> None:
        """Continue with this; of slots that are vacant only when they became so.

        Raises:
            StateError: It can't be read.
        """
        saved = decode(state, _VacanciesState)
        self.since.update({slot: since for slot, since in saved.since.items() if slot in self.since})
        self.names = dict.fromkeys(saved.names)
