"""Snapshots in a store: the newest one, and the parts of one being written.

A snapshot is written in steps, a few parts per transaction, while readings continue to arrive. Each part is valid after
the journal's last row at that time. The row in `snapshot` is written last, and with it the new snapshot replaces the
previous one atomically; until then its parts are ignored. Parts of replaced or unfinished snapshots are also deleted in
steps.

A recovery replays the journal from the first part's row on, and loads each part when its row is reached; see
`edge.core.persistence.checkpoint`. Journal rows are therefore needed from `snapshot.journal` on, which is the first
part's row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edge.core.persistence.snapshot import LaterSnapshotError, Part, Snapshot, SnapshotError
from edge.shell.store.base import StoreError
from edge.shell.store.database import Database

PART_COLUMNS = "component, version, first, state"
PART_KINDS = (str, int, int, bytes)


class StoredSnapshot(NamedTuple):
    """The newest snapshot of a store.

    Attributes:
        number: Its number.
        journal: Journal row after which its first part is valid.
        taken: Time at which it was completed, in seconds since the epoch, UTC.
        state: The packed snapshot, without separately stored parts.
    """

    number: int
    journal: int
    taken: float
    state: bytes


class StoredPart(NamedTuple):
    """A part of a snapshot.

    Attributes:
        journal: Journal row after which it is valid.
        part: The part.
    """

    journal: int
    part: Part


def newest(database: Database) -> StoredSnapshot | None:
    """The newest snapshot, or None if there is none yet."""
    rows = database.execute("SELECT number, journal, taken, state FROM snapshot ORDER BY number DESC LIMIT 1")
    return StoredSnapshot(*rows[0]) if rows else None


class FoundSnapshot(NamedTuple):
    """The newest snapshot, for readers other than the service.

    Attributes:
        snapshot: The snapshot.
        positions: Journal row after which each of its parts is valid.
        journal: Row after which the first part is valid.
        taken: Time at which it was completed, in seconds since the epoch, UTC.
    """

    snapshot: Snapshot
    positions: list[int]
    journal: int
    taken: float


def read_snapshot(path: Path, database: Database, components: Collection[str]) -> FoundSnapshot | None:
    """The newest snapshot with at least the parts of these components; None if there is none yet.

    Raises:
        StoreError: It is damaged.
    """
    stored = newest(database)
    if stored is None:
        return None
    try:
        snapshot = Snapshot.from_bytes(stored.state)
        positions = [stored.journal] * len(snapshot.parts)
        count = 0
        for journal, part in parts_of(database, stored.number):
            count += 1
            if part.component in components:
                snapshot.parts.append(part.decompressed())
                positions.append(journal)
        check_number(snapshot, count)
    except SnapshotError as error:
        raise StoreError(f"{path}: {error}", damaged=not isinstance(error, LaterSnapshotError)) from error
    return FoundSnapshot(snapshot, positions, stored.journal, stored.taken)


def check_number(snapshot: Snapshot, parts: int) -> None:
    """Raise `SnapshotError` if parts of a snapshot are missing."""
    if parts != snapshot.elsewhere:
        raise SnapshotError(f"damaged snapshot: {parts} of {snapshot.elsewhere} parts are left")


def parts_of(database: Database, snapshot: int) -> Iterator[StoredPart]:
    """The separately stored parts of a snapshot, compressed, in order.

    Args:
        database: The store's database; an earlier format has no such rows.
        snapshot: Number of the snapshot.

    Raises:
        SnapshotError: A part is damaged.
    """
    if not database.number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'snapshot_part'"):
        return
    for journal, *columns in database.iterate(
        f"SELECT journal, {PART_COLUMNS} FROM snapshot_part WHERE snapshot = ? ORDER BY number",  # noqa: S608 - ours
        (snapshot,),
    ):
        if not isinstance(journal, int) or not is_part(columns):
            raise SnapshotError("damaged snapshot: a part differs from what was stored")
        yield StoredPart(journal, Part(*columns))


def is_part(columns: Sequence[object]) -> bool:
    """Whether these are valid columns of a part."""
    return all(isinstance(value, kind) for value, kind in zip(columns, PART_KINDS, strict=True))


class StoredSnapshots:
    """Writes snapshots, completely or in steps.

    Args:
        database: The store's database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._number = 0

    def begin(self) -> None:
        """Begin a snapshot; an unfinished one is abandoned."""
        database = self._database
        self._number = 1 + max(
            database.number("SELECT coalesce(max(number), 0) FROM snapshot"),
            database.number("SELECT coalesce(max(snapshot), 0) FROM snapshot_part"),
        )

    def add(self, parts: Sequence[Part]) -> int:
        """Add parts valid after the last journal row, in one transaction; returns their size in bytes."""
        database = self._database
        rows = [(self._number, each.component, each.version, each.first, each.state) for each in parts]
        with database.transaction():
            last = self._last_row()
            database.execute_each(
                f"INSERT INTO snapshot_part (snapshot, journal, {PART_COLUMNS}) VALUES (?, {last}, ?, ?, ?, ?)",  # noqa: S608
                rows,
            )
        return sum(len(each.state) for each in parts)

    def complete(self, state: bytes, digest: str, now: float) -> None:
        """Replace the previous snapshot with this one.

        Args:
            state: The state without separately stored parts.
            digest: Digest of the configuration at that time.
            now: Seconds since the epoch, UTC.
        """
        database = self._database
        with database.transaction():
            first = database.number("SELECT min(journal) FROM snapshot_part WHERE snapshot = ?", (self._number,))
            last = self._last_row()
            database.execute("DELETE FROM snapshot")
            database.execute(
                "INSERT INTO snapshot (number, journal, taken, digest, state) VALUES (?, ?, ?, ?, ?)",
                (self._number, last if first is None else first, now, digest, state),
            )

    def forget(self, most: int) -> bool:
        """Delete parts of neither the newest snapshot nor one in progress, up to a maximum number.

        Returns:
            Whether there were any.
        """
        database = self._database
        rows = database.execute(
            "SELECT number FROM snapshot_part WHERE snapshot != ? AND snapshot NOT IN (SELECT number FROM snapshot)"
            " LIMIT ?",
            (self._number, most),
        )
        if rows:
            with database.transaction():
                database.execute_each("DELETE FROM snapshot_part WHERE number = ?", rows)
        return bool(rows)

    def _last_row(self) -> int:
        """Number of the last row ever added to the journal."""
        database = self._database
        last = int(database.number("SELECT coalesce(max(number), 0) FROM journal"))
        return max(last, int(database.number("SELECT coalesce(max(journal), 0) FROM snapshot")))
