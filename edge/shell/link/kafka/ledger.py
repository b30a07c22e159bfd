"""The ledger: which partitions are ours, and how far each was handed over and stored.

Offsets are committed to Kafka only behind what the store holds. The store itself keeps the position of each partition
in the transaction that keeps the readings, so that after a crash in between nothing is taken twice: a partition begins
behind the position or the committed offset, whichever is further. The latter is where another worker has read on.

The service hands over and acknowledges in its loop, the network thread assigns and commits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.core.model.readings.messages import NO_CONNECTION, Message

Place = tuple[str, int]
"""A topic and a partition of it."""

REMEMBERED = 10_000
"""The names of so many assigned partitions are known, also after they have left."""


@dataclass
class OwnedPartition:
    """A partition that is ours.

    Attributes:
        place: Which it is.
        log: Its name in the store, which no later topic of the same name has.
        taken: Offset behind the last record that was handed over.
        stored: Offset behind the last record that was stored.
        committed: The offset that Kafka knows.
        leaving: Whether nothing of it is handed over any more.
    """

    place: Place
    log: str
    taken: int
    stored: int
    committed: int
    leaving: bool = False


class PartitionLedger:
    """Keeps the positions of one consumer; its methods may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owned: dict[int, OwnedPartition] = {}
        self._last_number = NO_CONNECTION
        self._known: dict[str, int] = {}
        self._logs: dict[int, str] = {}

    def resume(self, positions: Mapping[str, int]) -> None:
        """Know the offset of the last record of each log that the store holds."""
        with self._changed:
            self._known = {**positions, **self._known}

    def known(self) -> dict[str, int]:
        """The offset of the last record that was handed over or is stored, of each log."""
        with self._changed:
            return dict(self._known)

    def assign(self, place: Place, log: str, start: int) -> int:
        """Note that a partition is ours from an offset on; returns the number that its messages have as receipt."""
        with self._changed:
            self._last_number += 1
            self._owned[self._last_number] = OwnedPartition(place, log, start, start, -1)
            self._logs[self._last_number] = log
            self._logs.pop(self._last_number - REMEMBERED, None)
            return self._last_number

    def take(self, messages: Iterable[Message]) -> list[Message]:
        """The messages to hand over: those of partitions that are still ours, and our own."""
        with self._changed:
            given = []
            for each in messages:
                if each.receipt != NO_CONNECTION:
                    owned = self._owned.get(each.receipt)
                    if owned is None or owned.leaving:
                        continue
                    owned.taken = each.packet + 1
                    self._known[owned.log] = each.packet
                given.append(each)
            return given

    def positions(self, messages: Sequence[Message]) -> dict[str, int]:
        """The offset of the last message of each log, to be stored with what came of them.

        It is stored also where the partition was lost meanwhile: what was taken of it mustn't be taken again.
        """
        latest = {each.receipt: each.packet for each in messages if each.receipt != NO_CONNECTION}
        with self._changed:
            return {self._logs[number]: offset for number, offset in latest.items() if number in self._logs}

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Note that messages are stored, all of a partition in their order."""
        latest = {each.receipt: each.packet for each in messages if each.receipt != NO_CONNECTION}
        with self._changed:
            for number, offset in latest.items():
                owned = self._owned.get(number)
                if owned is not None:
                    owned.stored = offset + 1
            self._changed.notify_all()

    def to_commit(self, numbers: Iterable[int] | None = None) -> list[tuple[Place, int]]:
        """The offsets that Kafka doesn't know yet, which it is about to; of some partitions, or of all."""
        with self._changed:
            chosen = self._owned if numbers is None else numbers
            found = []
            for number in chosen:
                owned = self._owned[number]
                if owned.stored != owned.committed:
                    owned.committed = owned.stored
                    found.append((owned.place, owned.stored))
            return found

    def numbers(self, places: Iterable[Place]) -> list[int]:
        """The numbers of partitions that are ours."""
        wanted = set(places)
        with self._changed:
            return [number for number, each in self._owned.items() if each.place in wanted]

    def leave(self, numbers: Sequence[int], timeout_s: float) -> bool:
        """Hand over no more of partitions, and wait until what was handed over is stored; whether it is."""
        with self._changed:
            leaving = [self._owned[number] for number in numbers]
            for each in leaving:
                each.leaving = True
            return self._changed.wait_for(lambda: all(each.stored >= each.taken for each in leaving), timeout_s)

    def forget(self, numbers: Iterable[int]) -> None:
        """Note that partitions are ours no more."""
        with self._changed:
            for number in numbers:
                self._owned.pop(number, None)
