"""Newcomers: new sensors, reported in packs so that large numbers don't flood subscribers.

A sensor counts as new with its first taken reading. A pack is reported when it is full, or when any sensor has reported
twice since the first one in the pack: by then it contains most sensors that appeared together. Packs thus depend only
on the order of the readings, not on batching or on time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from edge.core.model.packing.encoding import decode, encode
from edge.core.model.readings.messages import Batch

MOST = 100
"""Maximum number of sensors in a pack."""

LONGEST_TOPIC = 256
"""Maximum stored length of a topic, in characters."""

Heard = tuple[int, str, str]
"""Slot of a sensor, and the topic filter of the input and the topic that it was received on; both empty for a file."""


class Newcomer(NamedTuple):
    """A new sensor.

    Attributes:
        slot: Its slot.
        input: Topic filter of the input that reads it; empty for a file.
        topic: Topic that it was received on.
        value: Its first value.
        time: Time of its first value, seconds since the epoch.
    """

    slot: int
    input: str
    topic: str
    value: float
    time: float


class Discovery(NamedTuple):
    """A pack of new sensors.

    Attributes:
        sensors: In order of appearance.
        clock: The stream clock when the pack was reported.
    """

    sensors: tuple[Newcomer, ...]
    clock: float


class _NewcomersState(msgspec.Struct):
    unheard: dict[int, tuple[str, str]]
    pack: list[Newcomer]
    reported: list[int]


class Newcomers:
    """The sensors that haven't been reported yet.

    Attributes:
        is_told: Whether new sensors are reported; if not, nothing is recorded.
        new: Changes since the last journal entry.
    """

    def __init__(self, *, is_told: bool) -> None:
        self.is_told = is_told
        self.new: list[Heard] = []
        self._unheard: dict[int, tuple[str, str]] = {}
        self._pack: list[Newcomer] = []
        self._reported: set[int] = set()
        self._is_due = False

    def note(self, slot: int, topic_filter: str, topic: str) -> None:
        """Record a new slot; its sensor counts as new with the first taken reading."""
        if self.is_told:
            self.new.append((slot, topic_filter, topic[:LONGEST_TOPIC]))
            self._unheard[slot] = topic_filter, topic[:LONGEST_TOPIC]

    def note_all(self, heard: Iterable[Heard]) -> None:
        """Restore journaled changes."""
        for each in heard:
            self.note(*each)
        self.new = []

    def take_changes(self) -> list[Heard]:
        """The changes to be journaled."""
        new, self.new = self.new, []
        return new

    def meet(self, batch: Batch) -> int:
        """Collect the new sensors in a batch, up to the reading that completes a pack.

        Returns:
            The number of readings up to there; all if no pack is complete.
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
        """The pack completed by the readings of the last `meet()`, if any, with the stream clock at `clock`."""
        return self.pack(clock) if self._is_due else []

    def pack(self, clock: float) -> list[Discovery]:
        """The current pack although it isn't complete, unless it is empty."""
        found = [Discovery(tuple(self._pack), clock)] if self._pack else []
        self._pack, self._is_due = [], False
        self._reported.clear()
        return found

    def is_unheard(self, slot: int) -> bool:
        """Whether a sensor was neither reported nor added to the pack."""
        return slot in self._unheard

    def forget(self, slot: int) -> None:
        """Forget a sensor whose pack was reported."""
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
