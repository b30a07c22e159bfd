"""Snapshots in a store: the newest one, and the parts of one that is being written.

A snapshot is written bit by bit, a few parts in a transaction, while readings go on coming. Each part holds as of the
journal's last row at that time. The row in `snapshot` comes last, and with it the new snapshot takes the place of the
one before, at once; until then its parts are ignored. Parts that belong to no snapshot any more, as they were
replaced or never completed, are deleted bit by bit too.

A recovery goes through the journal from the first part's row on, and loads each part where its row has been reached;
see `edge.core.persistence.checkpoint`. So journal rows are needed from `snapshot.journal` on, which is the first part's
row.
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
        journal: The row of the journal that its first part holds as of.
        taken: Time at which it was completed, in seconds since the epoch, UTC.
        state: The snapshot, packed; without parts, if those are rows of their own.
    """

    number: int
    journal: int
    taken: float
    state: bytes


class StoredPart(NamedTuple):
    """A part of a snapshot.

    Attributes:
        journal: The row of the journal as of which it holds.
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
        positions: The row of the journal as of which each of its parts holds.
        journal: The row as of which the first part holds.
        taken: Time at which it was completed, in seconds since the epoch, UTC.
    """

    snapshot: Snapshot
    positions: list[int]
    journal: int
    taken: float


def read_snapshot(path: Path, database: Database, components: Collection[str]) -> FoundSnapshot | None:
    """The newest snapshot, with its parts of some components at least; None if there is none yet.

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
    """Raise `SnapshotError` if a snapshot hasn't as many parts as it had."""
    if parts != snapshot.elsewhere:
        raise SnapshotError(f"damaged snapshot: {parts} of {snapshot.elsewhere} parts are left")


def parts_of(database: Database, snapshot: int) -> Iterator[StoredPart]:
    """The parts of a snapshot that are rows of their own, compressed, in their order.

    Args:
        database: The store's; one of an earlier format has no such rows.
        snapshot: Number of the snapshot.

    Raises:
        SnapshotError: One is damaged.
    """
    if not database.number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'snapshot_part'"):
        return
    for journal, *columns in database.iterate(
        f"SELECT journal, {PART_COLUMNS} FROM snapshot_part WHERE snapshot = ? ORDER BY number",  # noqa: S608 - ours
        (snapshot,),
    ):
        if not isinstance(journal, int) or not is_part(columns):
            raise SnapshotError("damaged snapshot: a part isn't what was stored")
        yield StoredPart(journal, Part(*columns))


def is_part(columns: Sequence[object]) -> bool:
    """Whether these can be the columns of a part."""
    return all(isinstance(value, kind) for value, kind in zip(columns, PART_KINDS, strict=True))


class StoredSnapshots:
    """Writes snapshots, whole or bit by bit.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._number = 0

    def begin(self) -> None:
        """Begin with a snapshot; what was begun before and not completed is worth nothing any more."""
        database = self._database
        self._number = 1 + max(
            database.number("SELECT coalesce(max(number), 0) FROM snapshot"),
            database.number("SELECT coalesce(max(snapshot), 0) FROM snapshot_part"),
        )

    def add(self, parts: Sequence[Part]) -> int:
        """Add parts as of the last row of the journal, in one transaction; returns how many bytes."""
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
        """Put the snapshot in the place of the one before.

        Args:
            state: The state that isn't in parts.
            digest: Of the configuration that it was taken with.
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
        """Delete parts that belong neither to the newest snapshot nor to one in progress, up to a maximum number.

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
        """Number of the last row that the journal has had."""
        database = self._database
        last = int(database.number("SELECT coalesce(max(number), 0) FROM journal"))
        return max(last, int(database.number("SELECT coalesce(max(journal), 0) FROM snapshot")))
