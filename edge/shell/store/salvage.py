"""Salvage: recovers the data of a damaged file that is readable and has a valid checksum.

Readings, state and undelivered events are recovered, including those still needed by a sink; delivered events stay in
the file that was moved aside.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.core.model.sensors.vacancies import vacant_name
from edge.core.persistence.journal import JournalError, Readings, forgotten_by, unpack
from edge.core.persistence.snapshot import SENSORS, Part, Snapshot, SnapshotError, known_sensors
from edge.shell.store.base import SinkPosition, StoreError
from edge.shell.store.database import look_on
from edge.shell.store.protection.write_ahead_log import lost_commits
from edge.shell.store.sinks import read_sinks
from edge.shell.store.snapshots import is_part

EVENT_COLUMNS = (
    "sequence", "id", "sensor", "topic", "time", "incident", "transition", "kind", "severity", "message", "payload",
    "stored", "size", "checksum", "confirmed",
)  # fmt: skip
EVENT_KINDS = (int, str, str, str, float, str, str, str, int, str, str, float, int, int, float | None)
JOURNAL_COLUMNS = ("number", "arrived", "entry")
SNAPSHOT_COLUMNS = ("number", "journal", "taken", "digest", "state")
PART_COLUMNS = ("snapshot", "journal", "component", "version", "first", "state")

HIGHEST = 2**62
"""Higher sequences are impossible and indicate damage."""

Row = tuple[Any, ...]


@dataclass
class SalvagedRows:
    """Intact rows.

    Attributes:
        events: Undelivered events.
        journal: Journal entries.
        snapshot: The snapshot as one row, or none.
        parts: Its separately stored parts.
        sinks: The position of each sink.
        last: The highest sequence found.
        complete: Whether nothing was found missing among them.
    """

    events: list[Row] = field(default_factory=list)
    journal: list[Row] = field(default_factory=list)
    snapshot: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    sinks: dict[str, SinkPosition] = field(default_factory=dict)
    last: int = 0
    complete: bool = True

    def tables(self) -> list[tuple[str, tuple[str, ...], list[Row]]]:
        """Table, columns and rows, as written to a new file."""
        return [
            ("events", EVENT_COLUMNS, self.events),
            ("journal", JOURNAL_COLUMNS, self.journal),
            ("snapshot", SNAPSHOT_COLUMNS, self.snapshot),
            ("snapshot_part", PART_COLUMNS, self.parts),
        ]


def salvage(path: Path) -> SalvagedRows:
    """Recover data from a damaged file; never raises `StoreError`."""
    saved = SalvagedRows(complete=_is_sound(path))
    saved.snapshot = _rows(path, saved, "snapshot", SNAPSHOT_COLUMNS, "number", _is_state)[-1:]
    known = _take_parts(path, saved)
    entries = _rows(path, saved, "journal", JOURNAL_COLUMNS, "number", _is_entry)
    saved.journal = _in_sequence(entries, saved.snapshot, known)
    saved.complete = saved.complete and len(saved.journal) == len(entries)
    wanted = "confirmed IS NULL"
    with suppress(StoreError), closing(look_on(path, lenient=True)) as database:
        saved.sinks = {
            name: each for name, each in read_sinks(database).items() if isinstance(name, str) and max(each) < HIGHEST
        }
    if saved.sinks:
        wanted += f" OR sequence > {min(each.passed for each in saved.sinks.values())}"
    saved.events = _rows(path, saved, "events", EVENT_COLUMNS, "sequence", _is_event, wanted)
    for query in ("SELECT max(number) FROM last", "SELECT max(sequence) FROM events"):
        with suppress(StoreError):
            for (number,) in _iterate(path, query):
                if isinstance(number, int) and number < HIGHEST:
                    saved.last = max(saved.last, number)
    return saved


def _take_parts(path: Path, saved: SalvagedRows) -> set[str]:
    """Take the snapshot's parts, or drop the snapshot if some are damaged; returns the sensors that it names."""
    if not saved.snapshot:
        return set()
    number, _, _, _, state = saved.snapshot[0]
    snapshot = Snapshot.from_bytes(state)
    if snapshot.elsewhere:
        rows = _rows(path, saved, "snapshot_part", PART_COLUMNS, "number", _is_part)
        saved.parts = [row for row in rows if row[0] == number]
    if len(saved.parts) != snapshot.elsewhere:
        saved.snapshot, saved.parts, saved.complete = [], [], False
        return set()
    parts = (Part(*row[2:]).decompressed() for row in saved.parts if row[2] == SENSORS)
    return {name for name, *_ in [*snapshot.known_sensors(), *known_sensors(parts)]}


def _in_sequence(entries: list[Row], snapshot: list[Row], known: set[str]) -> list[Row]:
    """Journal entries up to the point where their sensors become uncertain.

    Readings refer to sensors by slot, and slots are assigned in order of appearance. A missing entry may have named
    sensors, so later entries are usable only until one of them names a sensor.

    Args:
        entries: Rows of the journal.
        snapshot: The snapshot as one row, or none.
        known: The sensors that it names.
    """
    covered = snapshot[0][1] if snapshot else 0
    chosen, expected, missing = [], covered + 1, False
    for row in entries:
        if row[0] > covered:
            missing = missing or row[0] != expected
            expected = row[0] + 1
            parts = unpack(row[2])
            readings = [part for part in parts if isinstance(part, Readings)]
            new = {name for part in readings for name, *_ in part.new_sensors} - known
            known = known | new
            slots = max((int(part.batch.slots.max(initial=-1)) for part in readings), default=-1)
            forgotten = [slot for part in parts for slot in forgotten_by(part)]
            refilled = [sensor for part in readings for sensor in part.refilled]
            if (missing and (new or forgotten or refilled)) or slots >= len(known):
                break
            known = {vacant_name(slot, "") for slot in forgotten} | known
        chosen.append(row)
    return chosen


def _rows(
    path: Path,
    saved: SalvagedRows,
    table: str,
    columns: tuple[str, ...],
    key: str,
    is_whole: Callable[[Row], bool],
    condition: str = "true",
) -> list[Row]:
    """The intact rows of a table, read from the beginning up to and from the end back to an unreadable one."""
    found: dict[int, Row] = {}
    for order in ("ASC", "DESC"):
        query = (
            f"SELECT {key}, {', '.join(columns)} FROM {table} NOT INDEXED"  # noqa: S608 - ours
            f" WHERE {condition} ORDER BY {key} {order}"
        )
        try:
            for number, *row in _iterate(path, query):
                if isinstance(number, int):
                    found[number] = tuple(row)
        except StoreError:
            saved.complete = False
        else:
            break
    whole = [found[number] for number in sorted(found) if is_whole(found[number])]
    saved.complete = saved.complete and len(whole) == len(found)
    return whole


def _is_sound(path: Path) -> bool:
    """Whether all pages are consistent and no commits lost; if not, rows may be missing without a trace."""
    if lost_commits(Path(f"{path}-wal")):
        return False
    try:
        return list(_iterate(path, "PRAGMA quick_check(1)")) == [("ok",)]
    except StoreError:
        return False


def _iterate(path: Path, query: str) -> Iterator[Row]:
    database = look_on(path, lenient=True)
    try:
        yield from database.iterate(query)
    finally:
        database.close()


def _is_state(row: Row) -> bool:
    number, covered, taken, digest, state = row
    kinds = ((number, int), (covered, int), (taken, float), (digest, str))
    if not all(isinstance(value, kind) for value, kind in kinds):
        return False
    try:
        Snapshot.from_bytes(state if isinstance(state, bytes) else b"")
    except SnapshotError:
        return False
    return True


def _is_part(row: Row) -> bool:
    snapshot, journal, *columns = row
    if not (isinstance(snapshot, int) and isinstance(journal, int) and is_part(columns)):
        return False
    try:
        Part(*columns).decompressed()
    except SnapshotError:
        return False
    return True


def _is_entry(row: Row) -> bool:
    number, arrived, entry = row
    try:
        unpack(entry if isinstance(entry, bytes) else b"")
    except JournalError:
        return False
    return isinstance(number, int) and isinstance(arrived, float)


def _is_event(row: Row) -> bool:
    payload, checksum = row[10], row[13]
    if not isinstance(payload, str) or zlib.crc32(payload.encode()) != checksum:
        return False
    return all(isinstance(value, kind) for value, kind in zip(row, EVENT_KINDS, strict=True)) and 0 < row[0] < HIGHEST
