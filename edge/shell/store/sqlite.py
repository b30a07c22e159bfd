"""The store on disk; `format.py` describes its tables."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from edge.core.events import Event
from edge.core.gaps import Gap
from edge.core.messages import DeadLetter
from edge.shell.store.base import Backlog, Limits, OutboxRow, Recollection, StoreError
from edge.shell.store.database import Database
from edge.shell.store.retention import prune
from edge.shell.store.salvage import Saved

VERSION = 2

OUTBOX_COLUMNS = "sequence, topic, transition, kind, severity, sensor, payload, checksum"


class SqliteStore:
    """The store on disk.

    Args:
        path: The file; it is made if it isn't there, its folder isn't.
        durability: What a commit survives: a `power` cut, or a crash of the `process`.
        limits: How much is kept.
        connection: Another connection to the file than the usual one, for tests.

    Raises:
        StoreError: The file can't be opened, is no database, is damaged, or is of a later version.
    """

    def __init__(
        self,
        path: Path,
        durability: Literal["power", "process"] = "power",
        limits: Limits | None = None,
        connection: Any = None,
    ) -> None:
        self.path = path
        self.limits = limits or Limits()
        self._database = Database(path, connection)
        try:
            self._database.prepare(durability)
            self._migrate()
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
    ) -> None:
        """See `Store`."""
        database = self._database
        with database.transaction():
            if journal is not None:
                database.execute("INSERT INTO journal (arrived, entry) VALUES (?, ?)", (now, journal))
            if instead_of:
                database.execute_each(
                    "DELETE FROM events WHERE sequence = ? AND confirmed IS NULL", [(each,) for each in instead_of]
                )
            if events:
                database.execute_each(
                    "INSERT OR IGNORE INTO events (sequence, id, sensor, topic, time, incident, transition, kind,"
                    " severity, message, payload, stored, size, checksum)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [_event_row(each, now) for each in events],
                )
                database.execute("UPDATE last SET number = max(number, ?)", (events[-1].sequence,))
            if dead_letters:
                database.execute_each(
                    "INSERT INTO dead_letter (arrived, topic, reason, path, detail, beginning, size)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [_dead_letter_row(each) for each in dead_letters],
                )

    def remember(self, state: bytes, digest: str, now: float) -> None:
        """See `Store`."""
        database = self._database
        with database.transaction():
            last = database.number("SELECT coalesce(max(number), 0) FROM journal")
            covered = database.number("SELECT coalesce(max(journal), 0) FROM snapshot")
            database.execute("DELETE FROM snapshot")
            database.execute(
                "INSERT INTO snapshot (journal, taken, digest, state) VALUES (?, ?, ?, ?)",
                (max(last, covered), now, digest, state),
            )

    def recall(self) -> Recollection:
        """See `Store`."""
        rows = self._database.execute("SELECT journal, state FROM snapshot ORDER BY number DESC LIMIT 1")
        after, state = rows[0] if rows else (0, None)
        entries = self._database.execute("SELECT entry FROM journal WHERE number > ? ORDER BY number", (after,))
        last = self._database.number("SELECT arrived FROM journal ORDER BY number DESC LIMIT 1")
        first = self._database.number("SELECT min(number) FROM journal")
        return Recollection(state, [entry for (entry,) in entries], last, complete=first in (None, 1))

    def past(self) -> Iterator[bytes]:
        """See `Store`."""
        for (entry,) in self._database.iterate(
            "SELECT entry FROM journal WHERE number <= (SELECT max(journal) FROM snapshot) ORDER BY number"
        ):
            yield entry

    def pending(self, after: int, most: int, up_to: int | None = None) -> list[OutboxRow]:
        """See `Store`.

        Raises:
            StoreError: An event isn't what was stored.
        """
        return self._rows(
            f"SELECT {OUTBOX_COLUMNS} FROM events"  # noqa: S608 - columns are ours
            " WHERE confirmed IS NULL AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
            (after, 2**63 - 1 if up_to is None else up_to, most),
        )

    def pending_open(self, after: int, most: int, up_to: int) -> list[OutboxRow]:
        """See `Store`; a gap belongs to no incident and is open for as long as it isn't delivered."""
        return self._rows(
            f"SELECT {OUTBOX_COLUMNS} FROM events AS mine"  # noqa: S608 - columns are ours
            " WHERE confirmed IS NULL AND sequence > ? AND sequence <= ? AND NOT EXISTS (SELECT 1 FROM events AS other"
            " WHERE other.incident = mine.incident AND other.transition IN ('cleared', 'expired'))"
            " ORDER BY sequence LIMIT ?",
            (after, up_to, most),
        )

    def _rows(self, query: str, values: Sequence[Any]) -> list[OutboxRow]:
        found = []
        for *columns, text, checksum in self._database.execute(query, values):
            payload = text.encode()
            if checksum is not None and zlib.crc32(payload) != checksum:
                raise StoreError(f"{self.path}: event {columns[0]} isn't what was stored", damaged=True)
            found.append(OutboxRow._make((*columns, payload)))
        return found

    def confirm(self, sequences: Sequence[int], now: float) -> None:
        """See `Store`."""
        with self._database.transaction():
            self._database.execute_each(
                "UPDATE events SET confirmed = ? WHERE sequence = ?", [(now, each) for each in sequences]
            )

    def backlog(self) -> Backlog:
        """See `Store`."""
        count, size = self._database.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM events WHERE confirmed IS NULL"
        )[0]
        oldest = self._database.number("SELECT time FROM events WHERE confirmed IS NULL ORDER BY sequence LIMIT 1")
        return Backlog(count, size, oldest)

    def last_sequence(self) -> int:
        """See `Store`."""
        return int(self._database.number("SELECT number FROM last WHERE name = 'sequence'"))

    def put_back(self, saved: Saved) -> None:
        """Take over what could be saved of another file; only for a store that is new."""
        database = self._database
        with database.transaction():
            for table, columns, rows in saved.tables():
                marks = ", ".join("?" * len(columns))
                database.execute_each(
                    f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - ours
                    rows,
                )

    def begin_after(self, sequence: int) -> None:
        """Give out no sequence up to this one."""
        with self._database.transaction():
            self._database.execute("UPDATE last SET number = max(number, ?) WHERE name = 'sequence'", (sequence,))

    def prune(self, now: float, keep: Sequence[int] = ()) -> list[Gap]:
        """See `Store`."""
        return prune(self._database, self.limits, now, keep)

    def close(self) -> None:
        """See `Store`."""
        self._database.close()

    def _migrate(self) -> None:
        database = self._database
        version = database.number("PRAGMA user_version")
        tables = database.number("SELECT count(*) FROM sqlite_master WHERE tbl_name NOT LIKE '%sqlite_%'")
        if version == 0 and tables:
            raise StoreError(f"{self.path}: a database, but not one of Edgewarden's", damaged=True)
        if version > VERSION:
            raise StoreError(f"{self.path}: written by a later Edgewarden (format {version}, this one knows {VERSION})")
        if database.number("PRAGMA quick_check(1)") != "ok":
            raise StoreError(f"{self.path}: the database is damaged", damaged=True)
        if version == VERSION:
            return
        from edge.shell.store.format import migrate  # noqa: PLC0415 - a third of a second, for new or old files only

        migrate(database)


def _event_row(event: Event, now: float) -> tuple[object, ...]:
    return (*event[:10], event.payload.decode(), now, len(event.payload), zlib.crc32(event.payload))


def _dead_letter_row(letter: DeadLetter) -> tuple[object, ...]:
    topic = letter.topic.encode("utf-8", "replace").decode()
    refusal = letter.refusal
    detail = refusal.detail[:200].encode("utf-8", "replace").decode()
    path = refusal.path[:200].encode("utf-8", "replace").decode()
    return (letter.arrived, topic, refusal.reason, path, detail, letter.beginning, letter.size)
