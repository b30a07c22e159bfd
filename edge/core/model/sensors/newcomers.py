"""Newcomers: sensors that were found, told in packs so that many of them don't drown whoever is told.

A sensor is found with its first reading that is taken. A pack goes when it is full, or when any sensor has reported
twice since its first one was found: by then, most of those that appear together are in it. So packs follow from the
order of the readings alone, however these are cut into batches and whatever time passes between them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from edge.core.model.packing.encoding import decode, encode
from edge.core.model.readings.messages import Batch

MOST = 100
"""Sensors in a pack."""

LONGEST_TOPIC = 256
"""Characters of a topic that are kept."""

Heard = tuple[int, str, str]
"""The slot of a sensor, and the topic filter of the input and the topic that it was heard on; empty for a file's."""


class Newcomer(NamedTuple):
    """A sensor that was found.

    Attributes:
        slot: Its slot.
        input: Topic filter of the input that reads it; empty for a file's.
        topic: Topic that it was heard on.
        value: Its first value.
        time: Time of that, seconds since the epoch.
    """

    slot: int
    input: str
    topic: str
    value: float
    time: float


class Discovery(NamedTuple):
    """A pack of sensors that were found.

    Attributes:
        sensors: In the order in which they were.
        clock: The stream clock when the pack went.
    """

    sensors: tuple[Newcomer, ...]
    clock: float


class _NewcomersState(msgspec.Struct):
    unheard: dict[int, tuple[str, str]]
    pack: list[Newcomer]
    reported: list[int]


class Newcomers:
    """The sensors that nobody was told of.

    Attributes:
        is_told: Whether anybody is told of sensors that are found; nothing is noted otherwise.
        new: News since the last journal entry.
    """

    def __init__(self, *, is_told: bool) -> None:
        self.is_told = is_told
        self.new: list[Heard] = []
        self._unheard: dict[int, tuple[str, str]] = {}
        self._pack: list[Newcomer] = []
        self._reported: set[int] = set()
        self._is_due = False

    def note(self, slot: int, topic_filter: str, topic: str) -> None:
        """Note a new slot; its sensor is found with the first reading that is taken."""
        if self.is_told:
            self.new.append((slot, topic_filter, topic[:LONGEST_TOPIC]))
            self._unheard[slot] = topic_filter, topic[:LONGEST_TOPIC]

    def note_all(self, heard: Iterable[Heard]) -> None:
        """Note again what the journal was told."""
        for each in heard:
            self.note(*each)
        self.new = []

    def told(self) -> list[Heard]:
        """The news for the journal."""
        new, self.new = self.new, []
        return new

    def meet(self, batch: Batch) -> int:
        """Find the newcomers in a batch, up to the reading with which a pack goes.

        Returns:
            How many readings that are: all if no pack goes.
        """
        if not self._unheard and not self._pack:
            return len(batch)
        for place, slot in enumerate(batch.slots.tolist()):
            if (heard := self._unheard.pop(slot, None)) is not None:
                value, time = float(batch.values[place]), float(batch.times[place])
                self._pack.append(Newcomer(slot, *heard, value, time))
                self._is_due = len(self._pack) >= MOST
            elif self._pack:
                self._is_due = slot in self._reported
            if self._is_due:
                return place + 1
            if self._pack:
                self._reported.add(slot)
            elif not self._unheard:
                break
        return len(batch)

    def met(self, clock: float) -> list[Discovery]:
        """The readings of the last `meet()` were taken, and the stream clock has come so far: the pack, if it goes."""
        return self.pack(clock) if self._is_due else []

    def pack(self, clock: float) -> list[Discovery]:
        """Let the pack go as it is, unless it is empty."""
        found = [Discovery(tuple(self._pack), clock)] if self._pack else []
        self._pack, self._is_due = [], False
        self._reported.clear()
        return found

    def is_unheard(self, slot: int) -> bool:
        """Whether nobody was told of a sensor, and it isn't in the pack."""
        return slot in self._unheard

    def forget(self, slot: int) -> None:
        """Forget a sensor whose pack has gone."""
        self._unheard.pop(slot, None)

    def state(self) -> bytes:
        """The sensors not yet reported as found, for `load()`."""
        return encode(_NewcomersState(self._unheard, self._pack, sorted(self._reported)))

    def load(self, state: bytes) -> None:
        """Load what `state()` returned.

        Raises:
            StateError: It can't be read.
        """
        saved = decode(state, _NewcomersState)
        self._unheard, self._pack, self._reported = saved.unheard, saved.pack, set(saved.reported)
