"""Salvage: what can be read of a damaged file still, and is what was stored, by its checksum.

Readings, state and undelivered events are worth it; what was delivered stays in the file that was moved aside.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.core.journal import JournalError, unpack
from edge.core.snapshot import Snapshot, SnapshotError
from edge.shell.store.base import StoreError
from edge.shell.store.database import look_on

EVENT_COLUMNS = (
    "sequence", "id", "sensor", "topic", "time", "incident", "transition", "kind", "severity", "message", "payload",
    "stored", "size", "checksum",
)  # fmt: skip
JOURNAL_COLUMNS = ("number", "arrived", "entry")
SNAPSHOT_COLUMNS = ("journal", "taken", "digest", "state")

Row = tuple[Any, ...]


@dataclass
class Saved:
    """Rows that are whole.

    Attributes:
        events: Undelivered events.
        journal: Journal entries.
        snapshot: The snapshot, one row or none.
        complete: Whether nothing was found to be missing among them.
    """

    events: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    snapshot: list[Row] = field(default_factory=list)
    complete: bool = True

    def tables(self) -> list[tuple[str, tuple[str, ...], list[Row]]]:
        """Table, columns and rows, as they go into a new file."""
        return [
            ("events", EVENT_COLUMNS, self.events),
            ("journal", JOURNAL_COLUMNS, self.journal),
            ("snapshot", SNAPSHOT_COLUMNS, self.snapshot),
        ]


def salvage(path: Path) -> Saved:
    """Read what can be read of a damaged file; never raises `StoreError`."""
    saved = Saved()
    saved.snapshot = [row for row in _rows(path, saved, "snapshot", SNAPSHOT_COLUMNS, "number") if _is_state(row[3])]
    saved.journal = [row for row in _rows(path, saved, "journal", JOURNAL_COLUMNS, "number") if _is_entry(row[2])]
    saved.events = [
        row for row in _rows(path, saved, "events", EVENT_COLUMNS, "sequence", "confirmed IS NULL") if _is_event(row)
    ]
    numbers = [row[0] for row in saved.journal]
    if numbers and numbers[-1] - numbers[0] + 1 != len(numbers):
        saved.complete = False
    return saved


def _rows(
    path: Path, saved: Saved, table: str, columns: tuple[str, ...], key: str, condition: str = "true"
) -> list[Row]:
    """The rows of a table up to the first unreadable one, and from the end back to the last unreadable one."""
    found: dict[Any, Row] = {}
    for order in ("ASC", "DESC"):
        query = (
            f"SELECT {key}, {', '.join(columns)} FROM {table} NOT INDEXED"  # noqa: S608 - ours
            f" WHERE {condition} ORDER BY {key} {order}"
        )
        try:
            for number, *row in _iterate(path, query):
                found[number] = tuple(row)
        except StoreError:
            saved.complete = False
        else:
            break
    return [found[number] for number in sorted(found)]


def _iterate(path: Path, query: str) -> Iterator[Row]:
    database = look_on(path)
    try:
        yield from database.iterate(query)
    finally:
        database.close()


def _is_state(state: object) -> bool:
    try:
        Snapshot.from_bytes(state if isinstance(state, bytes) else b"")
    except SnapshotError:
        return False
    return True


def _is_entry(entry: object) -> bool:
    try:
        unpack(entry if isinstance(entry, bytes) else b"")
    except JournalError:
        return False
    return True


def _is_event(row: Row) -> bool:
    payload, checksum = row[10], row[13]
    whole = isinstance(payload, str) and zlib.crc32(payload.encode()) == checksum
    return whole and all(isinstance(each, str) for each in (row[1], row[3], row[5]))
