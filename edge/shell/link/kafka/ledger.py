"""The ledger: the assigned partitions, and how much of each has been delivered and stored.

Only stored offsets are committed to Kafka. The store also saves the position of each partition in the same transaction
as the readings, so that a crash between the two causes no duplicates: a partition begins at the stored position or the
committed offset, whichever is further. The committed offset is further if another worker has read on.

The service's loop delivers and acknowledges messages; the network thread assigns partitions and commits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge.core.model.readings.messages import NO_CONNECTION, Message

Place = tuple[str, int]
"""A topic and the number of a partition."""

REMEMBERED = 10_000
"""Maximum number of assigned partitions whose names are remembered, including earlier ones."""


@dataclass
class OwnedPartition:
    """An assigned partition.

    Attributes:
        place: The topic and the partition's number.
        log: Its name in the store, unique even if the topic is deleted and created again.
        taken: Offset after the last delivered record.
        stored: Offset after the last stored record.
        committed: The committed offset.
        leaving: Whether delivery has stopped because the partition is being reassigned.
    """

    place: Place
    log: str
    taken: int
    stored: int
    committed: int
    leaving: bool = False


class PartitionLedger:
    """Records the positions of a consumer; all methods are thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._owned: dict[int, OwnedPartition] = {}
        self._last_number = NO_CONNECTION
        self._known: dict[str, int] = {}
        self._logs: dict[int, str] = {}

    def resume(self, positions: Mapping[str, int]) -> None:
        """Set the positions in the store: the offset of the last record of each log."""
        with self._changed:
            self._known = {**positions, **self._known}

    def known(self) -> dict[str, int]:
        """The offset of the last record that was delivered or is stored, by log."""
        with self._changed:
            return dict(self._known)

    def assign(self, place: Place, log: str, start: int) -> int:
        """Add a partition, read from an offset; returns the number that its messages carry as `receipt`."""
        with self._changed:
            self._last_number += 1
            self._owned[self._last_number] = OwnedPartition(place, log, start, start, -1)
            self._logs[self._last_number] = log
            self._logs.pop(self._last_number - REMEMBERED, None)
            return self._last_number

    def take(self, messages: Iterable[Message]) -> list[Message]:
        """The messages to deliver: those of partitions that are still assigned, and internal ones."""
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
        """The offset of the last message of each log, to be stored in the same transaction as its results.

        It is stored even if the partition was lost meanwhile, so that delivered messages aren't processed again.
        """
        latest = {each.receipt: each.packet for each in messages if each.receipt != NO_CONNECTION}
        with self._changed:
            return {self._logs[number]: offset for number, offset in latest.items() if number in self._logs}

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Mark messages as stored; those of a partition must be in order."""
        latest = {each.receipt: each.packet for each in messages if each.receipt != NO_CONNECTION}
        with self._changed:
            for number, offset in latest.items():
                owned = self._owned.get(number)
                if owned is not None:
                    owned.stored = offset + 1
            self._changed.notify_all()

    def to_commit(self, numbers: Iterable[int] | None = None) -> list[tuple[Place, int]]:
        """The offsets to commit now, of some partitions or of all; they then count as committed."""
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
        """The numbers of assigned partitions."""
        wanted = set(places)
        with self._changed:
            return [number for number, each in self._owned.items() if each.place in wanted]

    def leave(self, numbers: Sequence[int], timeout_s: float) -> bool:
        """Stop delivery from partitions, and wait until delivered messages are stored; returns whether they are."""
        with self._changed:
            leaving = [self._owned[number] for number in numbers]
            for each in leaving:
                each.leaving = True
            return self._changed.wait_for(lambda: all(each.stored >= each.taken for each in leaving), timeout_s)

    def forget(self, numbers: Iterable[int]) -> None:
        """Remove partitions that are no longer assigned."""
        with self._changed:
            for number in numbers:
                self._owned.pop(number, None)
