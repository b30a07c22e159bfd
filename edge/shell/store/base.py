"""The interface of a store, and its data types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from edge.core.incidents.events.event import Event
from edge.core.incidents.events.gaps import Gap
from edge.core.model.readings.messages import DeadLetter
from edge.core.persistence.snapshot import Part


class StoreError(Exception):
    """The store's file can't be used; the message names the file and the reason.

    Attributes:
        temporary: Whether a retry may help: the disk is full, read-only or slow.
        damaged: Whether the file's content can't be trusted.
    """

    def __init__(self, words: str, *, temporary: bool = False, damaged: bool = False) -> None:
        super().__init__(words)
        self.temporary = temporary
        self.damaged = damaged


class OutboxRow(NamedTuple):
    """An unconfirmed event for the publisher."""

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
        size: Size of their payloads in bytes.
        oldest: Storage time of the oldest, seconds since the epoch, UTC; None if there is none.
    """

    events: int
    size: int
    oldest: float | None


class StoredState(NamedTuple):
    """The stored state at a restart.

    Attributes:
        state: The newest snapshot, or None.
        since: Later journal entries in order; for a snapshot written in steps, those after its first part.
        last_arrival: Time of the last entry, in seconds since the epoch, UTC; None if there is none.
        complete: Whether the journal still contains every reading.
        digest: Digest of the configuration at the time of the snapshot.
        pruned: The last time passed to `prune()`, or that of the oldest entry if later; None if it was never called.
    """

    state: bytes | None
    since: list[bytes]
    last_arrival: float | None
    complete: bool = True
    digest: str = ""
    pruned: float | None = None


class Overflow(NamedTuple):
    """Undelivered events that exceed a limit.

    Attributes:
        gap: The gap event about them.
        sequences: Sequences of these events.
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
"""Number of recent events whose retained topics may not have reached the broker before the process was killed."""


class StoreLimits(NamedTuple):
    """The retention limits.

    Attributes:
        events_days: Maximum age of delivered events in days, from the time of their PUBACK.
        events_bytes: Maximum size of all payloads, above which delivered events are deleted, oldest first.
        outbox_events: Maximum number of events waiting for delivery.
        outbox_bytes: Maximum size of their payloads.
        outbox_days: Maximum age of a waiting event in days.
        dead_letters: Maximum number of dead letters.
        journal_days: Maximum age of journal entries covered by a snapshot in days, by arrival.
        journal_bytes: Maximum size of the journal, above which covered entries are deleted, oldest first.
        free_disk_bytes: Free disk space to preserve.
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
    """The methods of a store in the order in which the service calls them.

    `append()` is called once per commit, before its messages are acknowledged; `pending()` and `confirm()` as the
    broker accepts events; `prune()` from time to time. Every method either succeeds completely or raises `StoreError`.

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
        positions: Mapping[str, int] | None = None,
    ) -> bool:
        """Store the outcome of steps in one transaction. Events with a known ID are ignored.

        Args:
            events: In order of sequence.
            dead_letters: The refused input.
            journal: Journal entry of the steps.
            now: Seconds since the epoch, UTC.
            instead_of: Sequences of undelivered events that these replace; those still needed by a sink are kept, but
                aren't pending any more.
            positions: The offset of the last message that was read of each log.

        Returns:
            Whether no event was ignored: the outbox has them all, as they were given.
        """

    def remember(self, state: bytes, digest: str, now: float) -> None:
        """Store a complete snapshot valid after the last journal entry, replacing the previous one."""

    def begin_snapshot(self) -> None:
        """Begin a snapshot written in steps; an unfinished one is abandoned."""

    def add_parts(self, parts: Sequence[Part]) -> None:
        """Store parts of it, valid after the last journal entry, in one transaction."""

    def complete_snapshot(self, state: bytes, digest: str, now: float) -> None:
        """Complete the snapshot with its remaining state, replacing the previous one."""

    def forget_parts(self, most: int) -> bool:
        """Delete parts of replaced or abandoned snapshots, up to a maximum number; returns whether there were any."""

    def parts(self) -> Iterator[tuple[int, Part]]:
        """The separately stored parts of the newest snapshot, each with the number of later entries it includes.

        Raises:
            SnapshotError: A part is damaged.
        """

    def recall(self) -> StoredState:
        """The newest snapshot, and the journal entries since."""

    def past(self, *, newest_first: bool = False) -> Iterator[bytes]:
        """The journal entries before the newest snapshot, in order or from the newest on."""

    def journal_begins(self) -> float | None:
        """Arrival time of the oldest journal entry, in seconds since the epoch; None if there is none."""

    def pending(self, after: int, most: int, up_to: int | None = None) -> list[OutboxRow]:
        """Unconfirmed events with sequences above `after` up to `up_to` in order, at most `most`."""

    def pending_open(self, after: int, most: int, up_to: int) -> list[OutboxRow]:
        """Pending events of incidents that haven't ended; see `pending()`."""

    def pending_before(self, sequence: int, most: int) -> list[OutboxRow]:
        """Pending events of an event's incident with lower sequences in order, at most `most`."""

    def confirm(self, sequences: Sequence[int], now: float) -> None:
        """Record the broker's confirmation of events."""

    def events_after(self, after: int) -> Iterator[Event]:
        """All events with a sequence above `after` in order, except damaged ones."""

    def ended(self) -> dict[str, float]:
        """End times of incidents by sensor, from the outbox and the last `LATELY` events, seconds since the epoch."""

    def backlog(self) -> Backlog:
        """The backlog."""

    def last_sequence(self) -> int:
        """Sequence of the last event; 0 if there is none."""

    def sinks(self) -> dict[str, SinkPosition]:
        """The position of each sink, by name."""

    def note_sinks(self, positions: Mapping[str, SinkPosition]) -> None:
        """Store the positions of the sinks. Sinks not listed no longer exist, and no events are kept for them."""

    def positions(self) -> dict[str, int]:
        """The offset of the last message that was read of each log, by the log's name."""

    def note_positions(self, positions: Mapping[str, int]) -> None:
        """Keep positions in logs, apart from any step."""

    def journal_ends(self) -> int:
        """Number of the last row of the journal; 0 if there is none."""

    def prune(self, now: float) -> None:
        """Delete data that was delivered or is covered by a snapshot, as far as the limits require.

        Events still needed by a sink are kept.

        The time used for ages is stored, see `StoredState.pruned`.
        """

    def surplus(self, now: float, keep: Sequence[int] = ()) -> list[Overflow]:
        """Undelivered events that exceed the limits; they are kept until `append()` stores the gap event.

        Args:
            now: Seconds since the epoch, UTC.
            keep: Sequences of events in flight, or in a surplus that is yet to be appended.
        """

    def close(self) -> None:
        """Close the file."""
