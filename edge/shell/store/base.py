"""The interface of a store, and its data types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from edge.core.incidents.events.event import Event
from edge.core.incidents.events.gaps import Gap
from edge.core.model.readings.messages import DeadLetter
from edge.core.persistence.snapshot import Part


class StoreError(Exception):
    """The store's file can't be used; says which and why.

    Attributes:
        temporary: Whether trying again may help: the disk is full, read-only or slow.
        damaged: Whether the file's content can't be trusted.
    """

    def __init__(self, words: str, *, temporary: bool = False, damaged: bool = False) -> None:
        super().__init__(words)
        self.temporary = temporary
        self.damaged = damaged


class OutboxRow(NamedTuple):
    """An unconfirmed event, as the publisher needs it."""

    sequence: int
    topic: str
    transition: str
    kind: str
    severity: int
    sensor: str
    payload: bytes


class Backlog(NamedTuple):
    """The backlog of the outbox.

    Attributes:
        events: Number of events.
        size: Bytes of their payloads.
        oldest: Time of the one that has waited longest, seconds since the epoch, UTC; None if there is none.
    """

    events: int
    size: int
    oldest: float | None


class Recollection(NamedTuple):
    """The stored state that a restart begins with.

    Attributes:
        state: The newest snapshot, or None.
        since: The journal entries after it, in order; if it was written bit by bit, after its first part.
        last_arrival: Time of the last entry, in seconds since the epoch, UTC; None if there is none.
        complete: Whether the journal holds every reading still, from the very first on.
        digest: Of the configuration that the snapshot was taken with.
        pruned: The time that `prune()` was called with last, or that of the oldest entry if it is later; None if it
            never was.
    """

    state: bytes | None
    since: list[bytes]
    last_arrival: float | None
    complete: bool = True
    digest: str = ""
    pruned: float | None = None


class Surplus(NamedTuple):
    """Undelivered events that a limit doesn't allow for.

    Attributes:
        gap: The gap event about them.
        sequences: Which they are.
    """

    gap: Gap
    sequences: list[int]


class SinkPosition(NamedTuple):
    """The position of a sink in the events.

    Attributes:
        passed: Events up to this sequence were delivered, set aside or filtered out.
        skipped: Events up to this sequence, except gap events, were dropped by a limit.
    """

    passed: int = 0
    skipped: int = 0


LATELY = 10_000
"""So many events back, what a retained topic says may not have reached the broker before the process was killed."""


class StoreLimits(NamedTuple):
    """The retention limits.

    Attributes:
        events_days: Delivered events older than this are deleted, by the time of their PUBACK.
        events_bytes: Delivered events are deleted, oldest first, while all payloads together are larger than this.
        outbox_events: So many events may wait for delivery.
        outbox_bytes: Total size of their payloads, at most.
        outbox_days: How long an event may wait, in days.
        dead_letters: So many are kept.
        journal_days: Journal entries older than this are deleted, by arrival, if a snapshot covers them.
        journal_bytes: Likewise the oldest, while all together are larger than this.
        free_disk_bytes: So much of the disk is left free by us.
    """

    events_days: float = 30.0
    events_bytes: int = 256 * 2**20
    outbox_events: int = 200_000
    outbox_bytes: int = 512 * 2**20
    outbox_days: float = 30.0
    dead_letters: int = 1000
    journal_days: float = 7.0
    journal_bytes: int = 128 * 2**20
    free_disk_bytes: int = 64 * 2**20


class Store(Protocol):
    """The methods of a store, in the order in which the service calls them.

    `append()` once a commit, before its messages are acknowledged. `pending()` and `confirm()` as the broker takes
    events. `prune()` now and then. Every method either happens as a whole or raises `StoreError`.

    Attributes:
        limits: The retention limits; may be changed at any time.
    """

    limits: StoreLimits

    def append(
        self,
        events: Sequence[Event],
        dead_letters: Sequence[DeadLetter],
        journal: bytes | None = None,
        *,
        now: float = 0.0,
        instead_of: Sequence[int] = (),
    ) -> None:
        """Keep the outcome of some steps, as one transaction. An event whose id is known already is left as it is.

        Args:
            events: In order of sequence.
            dead_letters: The refused input.
            journal: The steps' journal entry.
            now: Seconds since the epoch, UTC.
            instead_of: Sequences of undelivered events that go when these come; what a sink needs still stays for it,
                but isn't pending any more.
        """

    def remember(self, state: bytes, digest: str, now: float) -> None:
        """Keep a whole snapshot as of the last journal entry, instead of the one before."""

    def begin_snapshot(self) -> None:
        """Begin to write a snapshot bit by bit; one that was begun before is given up."""

    def add_parts(self, parts: Sequence[Part]) -> None:
        """Keep some of its parts, which hold as of the last journal entry, as one transaction."""

    def complete_snapshot(self, state: bytes, digest: str, now: float) -> None:
        """Keep the snapshot, its parts and what isn't in parts, instead of the one before."""

    def forget_parts(self, most: int) -> bool:
        """Delete parts of replaced or abandoned snapshots, up to a maximum number; returns whether there were any."""

    def parts(self) -> Iterator[tuple[int, Part]]:
        """The newest snapshot's parts that were kept bit by bit, and how many entries since it each comes after.

        Raises:
            SnapshotError: One is damaged.
        """

    def recall(self) -> Recollection:
        """The newest snapshot, and the journal entries since."""

    def past(self, *, newest_first: bool = False) -> Iterator[bytes]:
        """The journal entries before the newest snapshot, in order or from the newest on."""

    def journal_begins(self) -> float | None:
        """Arrival time of the oldest journal entry, in seconds since the epoch; None if there is none."""

    def pending(self, after: int, most: int, up_to: int | None = None) -> list[OutboxRow]:
        """Unconfirmed events with a sequence above `after` and not above `up_to`, in order, at most `most`."""

    def pending_open(self, after: int, most: int, up_to: int) -> list[OutboxRow]:
        """Likewise, but only those of incidents that haven't ended."""

    def confirm(self, sequences: Sequence[int], now: float) -> None:
        """Note that the broker has taken these events."""

    def told(self, after: int) -> Iterator[Event]:
        """All events with a sequence above `after`, in order, but for those that aren't what was stored."""

    def ended(self) -> dict[str, float]:
        """When incidents ended, by sensor, of the outbox and of the last `LATELY` events, seconds since the epoch."""

    def backlog(self) -> Backlog:
        """The backlog."""

    def last_sequence(self) -> int:
        """Number of the last event, 0 if there is none."""

    def sinks(self) -> dict[str, SinkPosition]:
        """The position of each sink, by name."""

    def note_sinks(self, positions: Mapping[str, SinkPosition]) -> None:
        """Keep how far each sink has come. There are these and no others: events are kept for no other one."""

    def prune(self, now: float) -> None:
        """Delete what was delivered or is covered by a snapshot, as far as the limits don't allow for it.

        No event is deleted that a sink needs still.

        The time that ages are counted by is kept, see `Recollection.pruned`.
        """

    def surplus(self, now: float, keep: Sequence[int] = ()) -> list[Surplus]:
        """The undelivered events that the limits don't allow for; they stay until `append()` puts a gap's event there.

        Args:
            now: Seconds since the epoch, UTC.
            keep: Sequences of events that are on their way, or in a surplus that is to be appended still.
        """

    def close(self) -> None:
        """Close the file."""
