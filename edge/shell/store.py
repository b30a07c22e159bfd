"""The store: one SQLite file with the events and what could not be read; `store_format.py` describes its tables.

One connection writes. The write-ahead log lets any number of readers look on, with `sqlite-utils` or Datasette too.
Durability `power` syncs each commit to the disk (synchronous FULL); `process` survives a crash of the process but may
lose the last commits in a power cut (NORMAL). No other file imports sqlite3.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from edge.core.events import Event
from edge.core.messages import DeadLetter

VERSION = 1
BUSY_TIMEOUT_S = 5.0
FREED_PAGES = 256


class StoreError(Exception):
    """The store's file can't be used; says which and why."""


class OutboxRow(NamedTuple):
    """An event that nobody has confirmed yet, as the publisher needs it."""

    sequence: int
    topic: str
    transition: str
    kind: str
    severity: int
    sensor: str
    payload: bytes


class Backlog(NamedTuple):
    """How much is waiting in the outbox."""

    events: int
    oldest: float | None


class Recollection(NamedTuple):
    """What a restart begins with: a snapshot, if there is one, and the journal entries after it."""

    state: bytes | None
    entries: list[bytes]


class Store(Protocol):
    """What the service needs of a store, in the order in which it calls.

    `append()` once a step, before the step's messages are acknowledged. `pending()` and `confirm()` as the broker
    takes events. `prune()` now and then. Every method either happens as a whole or raises `StoreError`.
    """

    def append(
        self, events: Sequence[Event], dead_letters: Sequence[DeadLetter], journal: tuple[float, bytes] | None = None
    ) -> None:
        """Keep the outcome of a step, as one transaction. An event whose id is known already is left as it is.

        Args:
            events: In order of sequence.
            dead_letters: What was refused.
            journal: When the step's readings arrived, and its journal entry.
        """

    def remember(self, state: bytes, digest: str, now: float) -> None:
        """Keep a snapshot as of the last journal entry, instead of the one before."""

    def recall(self) -> Recollection:
        """The newest snapshot, and the journal entries since."""

    def pending(self, after: int, most: int) -> list[OutboxRow]:
        """Unconfirmed events with a sequence above `after`, in order, at most `most`."""

    def confirm(self, sequences: Sequence[int], now: float) -> None:
        """Note that the broker has taken these events."""

    def backlog(self) -> Backlog:
        """How much is waiting."""

    def last_sequence(self) -> int:
        """Number of the last event, 0 if there is none."""

    def prune(self, now: float) -> int:
        """Delete confirmed events and dead letters beyond the limits; returns how many rows went."""

    def close(self) -> None:
        """Let go of the file."""


class Limits(NamedTuple):
    """How much is kept.

    Attributes:
        events_days: Confirmed events older than this are deleted, by the time of their PUBACK.
        events_bytes: Confirmed events are deleted, oldest first, while all payloads together are larger than this.
        dead_letters: So many are kept.
        journal_days: Journal entries older than this are deleted, by arrival, if a snapshot covers them.
        journal_bytes: Likewise the oldest, while all together are larger than this.
    """

    events_days: float = 30.0
    events_bytes: int = 256 * 2**20
    dead_letters: int = 1000
    journal_days: float = 7.0
    journal_bytes: int = 128 * 2**20


class SqliteStore:
    """The store on disk.

    Args:
        path: The file; it is made if it isn't there, its folder isn't.
        durability: `power` or `process`, as above.
        limits: How much is kept.

    Raises:
        StoreError: The file can't be opened, is no database, is damaged, or is of a later version.
    """

    def __init__(
        self, path: Path, durability: Literal["power", "process"] = "power", limits: Limits | None = None
    ) -> None:
        self.path = path
        self.limits = limits or Limits()
        with _explained(path):
            self._connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'power' else 'NORMAL'}")
            self._migrate()

    def append(
        self, events: Sequence[Event], dead_letters: Sequence[DeadLetter], journal: tuple[float, bytes] | None = None
    ) -> None:
        """See `Store`."""
        with self._transaction() as connection:
            if journal is not None:
                connection.execute("INSERT INTO journal (arrived, entry) VALUES (?, ?)", journal)
            connection.executemany(
                "INSERT OR IGNORE INTO events (sequence, id, sensor, topic, time, incident, transition, kind, severity,"
                " message, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*each[:10], each.payload.decode()) for each in events],
            )
            if events:
                connection.execute("UPDATE last SET number = max(number, ?)", (events[-1].sequence,))
            connection.executemany(
                "INSERT INTO dead_letter (arrived, topic, reason, path, detail, beginning, size)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [_dead_letter_row(each) for each in dead_letters],
            )

    def pending(self, after: int, most: int) -> list[OutboxRow]:
        """See `Store`."""
        with _explained(self.path):
            rows = self._connection.execute(
                "SELECT sequence, topic, transition, kind, severity, sensor, payload FROM events"
                " WHERE confirmed IS NULL AND sequence > ? ORDER BY sequence LIMIT ?",
                (after, most),
            ).fetchall()
        return [OutboxRow._make((*row[:6], row[6].encode())) for row in rows]

    def confirm(self, sequences: Sequence[int], now: float) -> None:
        """See `Store`."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE events SET confirmed = ? WHERE sequence = ?", [(now, each) for each in sequences]
            )

    def backlog(self) -> Backlog:
        """See `Store`."""
        with _explained(self.path):
            count, oldest = self._connection.execute(
                "SELECT count(*), min(time) FROM events WHERE confirmed IS NULL"
            ).fetchone()
        return Backlog(count, oldest)

    def last_sequence(self) -> int:
        """See `Store`."""
        with _explained(self.path):
            row = self._connection.execute("SELECT number FROM last WHERE name = 'sequence'").fetchone()
        return int(row[0])

    def prune(self, now: float) -> int:
        """See `Store`."""
        with self._transaction() as connection:
            gone = connection.execute(
                "DELETE FROM events WHERE confirmed < ?", (now - 86_400 * self.limits.events_days,)
            ).rowcount
            gone += connection.execute(
                "DELETE FROM events WHERE confirmed IS NOT NULL AND sequence <= (SELECT max(sequence) FROM (SELECT"
                " sequence, sum(length(payload)) OVER (ORDER BY sequence DESC) AS size FROM events) WHERE size > ?)",
                (self.limits.events_bytes,),
            ).rowcount
            gone += connection.execute(
                "DELETE FROM dead_letter WHERE number <= (SELECT max(number) FROM dead_letter) - ?",
                (self.limits.dead_letters,),
            ).rowcount
            gone += connection.execute(
                "DELETE FROM journal WHERE number < (SELECT max(journal) FROM snapshot) AND (arrived < ? OR number <="
                " (SELECT max(number) FROM (SELECT number, sum(length(entry)) OVER (ORDER BY number DESC) AS size"
                " FROM journal) WHERE size > ?))",
                (now - 86_400 * self.limits.journal_days, self.limits.journal_bytes),
            ).rowcount
        with _explained(self.path):
            if gone:
                self._connection.executescript(f"PRAGMA incremental_vacuum({FREED_PAGES})")
        return gone

    def remember(self, state: bytes, digest: str, now: float) -> None:
        """See `Store`."""
        with self._transaction() as connection:
            last = connection.execute("SELECT coalesce(max(number), 0) FROM journal").fetchone()[0]
            connection.execute("DELETE FROM snapshot")
            connection.execute(
                "INSERT INTO snapshot (journal, taken, digest, state) VALUES (?, ?, ?, ?)", (last, now, digest, state)
            )

    def recall(self) -> Recollection:
        """See `Store`."""
        with _explained(self.path):
            row = self._connection.execute("SELECT journal, state FROM snapshot ORDER BY number DESC").fetchone()
            after, state = row or (0, None)
            entries = self._connection.execute(
                "SELECT entry FROM journal WHERE number > ? ORDER BY number", (after,)
            ).fetchall()
        return Recollection(state, [entry for (entry,) in entries])

    def close(self) -> None:
        """See `Store`."""
        with _explained(self.path):
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:  # whatever happened, half a step must not stay
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise StoreError(f"{self.path}: written by a later Edgewarden (format {version}, this one knows {VERSION})")
        if self._connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise StoreError(f"{self.path}: the database is damaged")
        if version == VERSION:
            return
        if version == 0 and self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StoreError(f"{self.path}: a database, but not one of Edgewarden's")
        from sqlite_utils import Database  # noqa: PLC0415 - a third of a second, for a new or old file only

        from edge.shell.store_format import migrations  # noqa: PLC0415 - likewise

        migrations.apply(Database(self._connection))


class EventFilter(NamedTuple):
    """Which events to read; None means any.

    Attributes:
        sensor: Glob on the sensor's name.
        kinds: Kinds of incident.
        transitions: What happened.
        severity: At least this.
        since: Not before this time, seconds since the epoch, UTC.
        until: Before this time.
    """

    sensor: str | None = None
    kinds: tuple[str, ...] = ()
    transitions: tuple[str, ...] = ()
    severity: int = 1
    since: float | None = None
    until: float | None = None


def read_events(path: Path, chosen: EventFilter, after: int = 0, last: int | None = None) -> list[dict[str, Any]]:
    """Read events from a store that a service may be writing to, without ever writing.

    Args:
        path: The store's file.
        chosen: Which events.
        after: Only those with a greater sequence.
        last: Only so many, the latest; None for all.

    Returns:
        The columns of the table `events`, in order of sequence.

    Raises:
        StoreError: There is no such file, or it is no store.
    """
    if not path.is_file():
        raise StoreError(f"{path}: no such file")
    wanted: list[tuple[str, Iterable[Any]]] = [("sequence > ?", [after]), ("severity >= ?", [chosen.severity])]
    if chosen.sensor is not None:
        wanted.append(("sensor GLOB ?", [chosen.sensor]))
    for column, words in (("kind", chosen.kinds), ("transition", chosen.transitions)):
        if words:
            wanted.append((f"{column} IN ({', '.join('?' * len(words))})", words))
    if chosen.since is not None:
        wanted.append(("time >= ?", [chosen.since]))
    if chosen.until is not None:
        wanted.append(("time < ?", [chosen.until]))
    where = " AND ".join(condition for condition, _ in wanted)
    values = [value for _, bound in wanted for value in bound]
    with _explained(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
        try:
            connection.row_factory = sqlite3.Row
            query = f"SELECT * FROM events WHERE {where} ORDER BY sequence DESC LIMIT ?"  # noqa: S608 - columns are ours
            rows = connection.execute(query, [*values, -1 if last is None else last]).fetchall()
        finally:
            connection.close()
    return [dict(row) for row in reversed(rows)]


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error


def _dead_letter_row(letter: DeadLetter) -> tuple[object, ...]:
    topic = letter.topic.encode("utf-8", "replace").decode()
    refusal = letter.refusal
    detail = refusal.detail[:200].encode("utf-8", "replace").decode()
    path = refusal.path[:200].encode("utf-8", "replace").decode()
    return (letter.arrived, topic, refusal.reason, path, detail, letter.beginning, letter.size)
