"""The store on disk; `format.py` describes its tables."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import DeadLetter
from edge.core.persistence.snapshot import Part
from edge.shell.store.base import (
    LATELY,
    Backlog,
    OutboxRow,
    Overflow,
    SinkPosition,
    StoredState,
    StoreError,
    StoreLimits,
)
from edge.shell.store.database import Database
from edge.shell.store.positions import note_positions, read_positions
from edge.shell.store.retention import give_up, prune, pruned_at, surplus
from edge.shell.store.salvage import SalvagedRows
from edge.shell.store.sinks import note_sinks, read_sinks
from edge.shell.store.snapshots import StoredSnapshots, newest, parts_of

VERSION = 3

COLUMNS = {
    "events": "sequence, id, sensor, topic, time, incident, transition, kind, severity, message, payload, confirmed,"
    " stored, size, checksum",
    "dead_letter": "number, arrived, topic, reason, path, detail, beginning, size",
    "journal": "number, arrived, entry",
    "snapshot": "number, journal, taken, digest, state",
    "snapshot_part": "number, snapshot, journal, component, version, first, state",
    "last": "name, number",
}

FIRST_TABLES = {"events", "dead_letter", "journal", "snapshot", "last"}
"""Tables in files of every format."""

_WAITING = (
    "SELECT sequence, transition, severity, size, count(*) FROM events {} WHERE confirmed IS NULL GROUP BY 1, 2, 3, 4"
)
MISPLACED = " UNION ALL ".join(
    f"SELECT * FROM ({_WAITING.format(one)} EXCEPT {_WAITING.format(other)})"  # noqa: S608 - ours
    for one, other in (("INDEXED BY outbox", "NOT INDEXED"), ("NOT INDEXED", "INDEXED BY outbox"))
)
"""The differences between the outbox's index and its table."""

ADD_EVENT = (
    "INSERT INTO events (sequence, id, sensor, topic, time, incident, transition, kind, severity, message, payload,"
    " stored, size, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
ENTRIES = "SELECT CAST(entry AS BLOB) FROM journal WHERE"
"""Values are cast because damage could change their type."""

OUTBOX_COLUMNS = "sequence, topic, transition, kind, severity, sensor, payload, checksum"
OUTBOX_KINDS = (int, str, str, str, int, str, str)


class SqliteStore:
    """The store on disk.

    Args:
        path: Path of the file, which is created if missing; its directory isn't.
        durability: What a commit survives: a `power` cut, or only a crash of the `process`.
        limits: The retention limits.
        connection: A different connection to the file, for tests.

    Raises:
        StoreError: The file can't be opened, isn't a database, is damaged, or has a later format.
    """

    def __init__(
        self,
        path: Path,
        durability: Literal["power", "process"] = "power",
        limits: StoreLimits | None = None,
        connection: Any = None,
    ) -> None:
        self.path = path
        self.limits = limits or StoreLimits()
        self._database = Database(path, connection)
        self._snapshots = StoredSnapshots(self._database)
        try:
            with _opening():
                version = self._version()
            self._refuse_later(version)
            with _opening():
                self._database.prepare(durability)
                self._bring_up(version)
        except StoreError:
            self._database.close()
            raise

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
        """See `Store`."""
        database, stored = self._database, 0
        with database.transaction():
            if positions:
                note_positions(database, positions)
            if journal is not None:
                database.execute(
                    "INSERT INTO journal (number, arrived, entry) SELECT 1 + max(coalesce((SELECT max(number) FROM"
                    " journal), 0), coalesce((SELECT max(journal) FROM snapshot), 0)), ?, ?",
                    (now, journal),
                )
            if instead_of:
                give_up(database, instead_of)
            if events:
                rows = (_event_row(each, now) for each in events)  # one at a time, for memory
                stored = database.execute_each(ADD_EVENT, rows)
                database.execute("UPDATE last SET number = max(number, ?)", (events[-1].sequence,))
            if dead_letters:
                database.execute_each(
                    "INSERT INTO dead_letter (arrived, topic, reason, path, detail, beginning, size)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [_dead_letter_row(each) for each in dead_letters],
                )
        return stored == len(events)

    def remember(self, state: bytes, digest: str, now: float) -> None:
        """See `Store`."""
        self._snapshots.begin()
        self._snapshots.complete(state, digest, now)

    def begin_snapshot(self) -> None:
        """See `Store`."""
        self._snapshots.begin()

    def add_parts(self, parts: Sequence[Part]) -> None:
        """See `Store`."""
        self._snapshots.add(parts)

    def complete_snapshot(self, state: bytes, digest: str, now: float) -> None:
        """See `Store`."""
        self._snapshots.complete(state, digest, now)

    def forget_parts(self, most: int) -> bool:
        """See `Store`."""
        return self._snapshots.forget(most)

    def parts(self) -> Iterator[tuple[int, Part]]:
        """See `Store`."""
        stored = newest(self._database)
        if stored is None:
            return
        since = self._database.execute("SELECT number FROM journal WHERE number > ? ORDER BY number", (stored.journal,))
        for journal, part in parts_of(self._database, stored.number):
            yield bisect_right(since, (journal,)), part

    def recall(self) -> StoredState:
        """See `Store`."""
        rows = self._database.execute(
            "SELECT coalesce(CAST(journal AS INTEGER), 0), CAST(state AS BLOB), CAST(digest AS TEXT) FROM snapshot"
            " ORDER BY number DESC LIMIT 1"
        )
        after, state, digest = rows[0] if rows else (0, None, "")
        entries = self._database.execute(f"{ENTRIES} number > ? ORDER BY number", (after,))
        last = self._database.number("SELECT CAST(arrived AS REAL) FROM journal ORDER BY number DESC LIMIT 1")
        count, newest = self._database.execute("SELECT count(*), coalesce(max(number), 0) FROM journal")[0]
        complete = count == newest >= after  # numbers begin at 1
        return StoredState(
            state, [entry for (entry,) in entries], last, complete, digest or "", pruned_at(self._database)
        )

    def past(self, *, newest_first: bool = False) -> Iterator[bytes]:
        """See `Store`."""
        order = "DESC" if newest_first else "ASC"
        for (entry,) in self._database.iterate(
            f"{ENTRIES} number <= (SELECT max(journal) FROM snapshot) ORDER BY number {order}"  # noqa: S608 - ours
        ):
            yield entry

    def journal_begins(self) -> float | None:
        """See `Store`."""
        rows = self._database.execute("SELECT CAST(arrived AS REAL) FROM journal ORDER BY number LIMIT 1")
        return float(rows[0][0]) if rows else None

    def pending(self, after: int, most: int, up_to: int | None = None) -> list[OutboxRow]:
        """See `Store`.

        Raises:
            StoreError: An event is damaged.
        """
        return self._rows(
            f"SELECT {OUTBOX_COLUMNS} FROM events"  # noqa: S608 - columns are ours
            " WHERE confirmed IS NULL AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
            (after, 2**63 - 1 if up_to is None else up_to, most),
        )

    def pending_open(self, after: int, most: int, up_to: int) -> list[OutboxRow]:
        """See `Store`; a gap belongs to no incident and counts as open until it is delivered.

        An incident that ends after `up_to` counts as open, since otherwise its remaining events would be sent after its
        end.
        """
        return self._rows(
            f"SELECT {OUTBOX_COLUMNS} FROM events AS mine"  # noqa: S608 - columns are ours
            " WHERE confirmed IS NULL AND sequence > ? AND sequence <= ? AND NOT EXISTS (SELECT 1 FROM events AS other"
            " WHERE other.incident = mine.incident AND other.transition IN ('cleared', 'expired')"
            " AND other.sequence <= ?) ORDER BY sequence LIMIT ?",
            (after, up_to, up_to, most),
        )

    def pending_before(self, sequence: int, most: int) -> list[OutboxRow]:
        """See `Store`."""
        return self._rows(
            f"SELECT {OUTBOX_COLUMNS} FROM events"  # noqa: S608 - columns are ours
            " WHERE incident = (SELECT incident FROM events WHERE sequence = ?) AND confirmed IS NULL AND sequence < ?"
            " ORDER BY sequence LIMIT ?",
            (sequence, sequence, most),
        )

    def _rows(self, query: str, values: Sequence[Any]) -> list[OutboxRow]:
        found = []
        for *columns, checksum in self._database.execute(query, values):
            right = all(isinstance(value, kind) for value, kind in zip(columns, OUTBOX_KINDS, strict=True))
            payload = columns.pop().encode() if right else b""
            if not right or zlib.crc32(payload) != checksum:
                raise StoreError(f"{self.path}: event {columns[0]} differs from what was stored", damaged=True)
            found.append(OutboxRow._make((*columns, payload)))
        return found

    def confirm(self, sequences: Sequence[int], now: float) -> None:
        """See `Store`."""
        with self._database.transaction():
            self._database.execute_each(
                "UPDATE events SET confirmed = ? WHERE sequence = ?", [(now, each) for each in sequences]
            )

    def events_after(self, after: int) -> Iterator[Event]:
        """See `Store`."""
        for *columns, payload, checksum in self._database.iterate(
            "SELECT sequence, CAST(id AS TEXT), CAST(sensor AS TEXT), CAST(topic AS TEXT), CAST(time AS REAL),"
            " CAST(incident AS TEXT), CAST(transition AS TEXT), CAST(kind AS TEXT), CAST(severity AS INTEGER),"
            " CAST(message AS TEXT), CAST(payload AS BLOB), checksum FROM events WHERE sequence > ? ORDER BY sequence",
            (after,),
        ):
            if zlib.crc32(payload) == checksum:
                yield Event._make((*columns, payload))

    def ended(self) -> dict[str, float]:
        """See `Store`."""
        since = self.last_sequence() - LATELY
        found = self._database.execute(
            "SELECT sensor, CAST(time AS REAL) FROM events WHERE (confirmed IS NULL OR sequence > ?)"
            " AND transition IN ('cleared', 'expired') ORDER BY sequence",
            (since,),
        )
        return {str(sensor): float(time) for sensor, time in found}

    def backlog(self) -> Backlog:
        """See `Store`."""
        count, size = self._database.execute(
            "SELECT count(*), CAST(coalesce(sum(size), 0) AS INTEGER) FROM events WHERE confirmed IS NULL"
        )[0]
        oldest = self._database.number(
            "SELECT CAST(time AS REAL) FROM events WHERE confirmed IS NULL ORDER BY sequence LIMIT 1"
        )
        return Backlog(count, size, oldest)

    def last_sequence(self) -> int:
        """See `Store`."""
        given, used = self._database.execute(
            "SELECT (SELECT CAST(max(number) AS INTEGER) FROM last), (SELECT max(sequence) FROM events)"
        )[0]
        return max(given or 0, used or 0)

    def put_back(self, saved: SalvagedRows, after: int) -> None:
        """Take over data recovered from another file; only for a new store.

        Args:
            saved: The recovered data.
            after: The last sequence that must not be assigned again.
        """
        database = self._database
        with database.transaction():
            for table, columns, rows in saved.tables():
                marks = ", ".join("?" * len(columns))
                database.execute_each(
                    f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - ours
                    rows,
                )
            database.execute("UPDATE last SET number = ?", (after,))
        if saved.sinks:
            note_sinks(database, saved.sinks)

    def contents(self) -> tuple[int, int]:
        """Number of undelivered events, and of journal entries."""
        return self.backlog().events, int(self._database.number("SELECT count(*) FROM journal"))

    def sinks(self) -> dict[str, SinkPosition]:
        """See `Store`."""
        return read_sinks(self._database)

    def note_sinks(self, positions: Mapping[str, SinkPosition]) -> None:
        """See `Store`."""
        note_sinks(self._database, positions)

    def positions(self) -> dict[str, int]:
        """See `Store`."""
        return read_positions(self._database)

    def note_positions(self, positions: Mapping[str, int]) -> None:
        """See `Store`."""
        with self._database.transaction():
            note_positions(self._database, positions)

    def journal_ends(self) -> int:
        """See `Store`."""
        return int(self._database.number("SELECT coalesce(max(number), 0) FROM journal"))

    def prune(self, now: float) -> None:
        """See `Store`."""
        prune(self._database, self.limits, now)

    def surplus(self, now: float, keep: Sequence[int] = ()) -> list[Overflow]:
        """See `Store`."""
        return surplus(self._database, self.limits, now, keep)

    def close(self) -> None:
        """See `Store`."""
        self._database.close()

    def _version(self) -> int:
        """Number of migrations applied to the file. Reads only, since the file may belong to another program."""
        database = self._database
        version = int(database.number("PRAGMA user_version"))
        names = {name for (name,) in database.execute("SELECT tbl_name FROM sqlite_master")}
        steps = 0
        if "_sqlite_migrations" in names:
            steps = database.number("SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'edgewarden'")
        tables = {each for each in names if not each.startswith(("sqlite_", "_sqlite_"))}
        if min(version, steps) > VERSION:
            return version
        if tables and not (steps and tables >= FIRST_TABLES):
            raise StoreError(f"{self.path}: a database, but not one of Edgewarden's", damaged=True)
        if version != steps or bool(tables) != bool(steps):
            raise StoreError(f"{self.path}: the database is damaged: its format is unclear", damaged=True)
        return version

    def _refuse_later(self, version: int) -> None:
        if version > VERSION:
            raise StoreError(f"{self.path}: written by a later Edgewarden (format {version}, this one knows {VERSION})")

    def _bring_up(self, version: int) -> None:
        if self._database.number("PRAGMA quick_check(1)") != "ok":
            raise StoreError(f"{self.path}: the database is damaged", damaged=True)
        if version < VERSION:
            from edge.shell.store.format import migrate  # noqa: PLC0415 - a third of a second, for new or old files only

            migrate(self._database)
        # quick_check doesn't compare indexes with their tables; an entry only in the outbox's index would wait forever.
        if self._database.execute(f"{MISPLACED} LIMIT 1"):
            raise StoreError(f"{self.path}: the database is damaged: its outbox isn't that of its events", damaged=True)
        for table, columns in COLUMNS.items():
            self._database.execute(f"SELECT {columns} FROM {table} LIMIT 0")  # noqa: S608 - ours
        self._database.execute(f"EXPLAIN {ADD_EVENT}", (None,) * 14)
        self._database.empty_log()


@contextmanager
def _opening() -> Iterator[None]:
    """Treat an SQLite error on opening a file as damage, unless it may be temporary."""
    try:
        yield
    except StoreError as error:
        if error.temporary or error.damaged:
            raise
        raise StoreError(str(error), damaged=True) from error


def _event_row(event: Event, now: float) -> tuple[object, ...]:
    return (*event[:10], event.payload.decode(), now, len(event.payload), zlib.crc32(event.payload))


def _dead_letter_row(letter: DeadLetter) -> tuple[object, ...]:
    reason, path, detail = letter.refusal
    return (letter.arrived, letter.topic, reason, path[:200], detail[:200], letter.beginning, letter.size)
