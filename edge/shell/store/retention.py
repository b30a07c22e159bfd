"""Retention: deletes data when a limit is reached, and returns space to the disk.

Events delivered to the broker and all sinks, and readings covered by a snapshot, are history and are deleted silently.
Undelivered events are dropped only if a limit requires it: the least severe class first, within it the oldest, and a
gap event reports how many. Gap events themselves are never dropped.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

from edge.core.incidents.events.event import SEVERITIES
from edge.core.incidents.events.gaps import TRANSITION, Gap, Reason
from edge.core.model.notation.severity import severity_class
from edge.shell.store.base import Overflow, StoreLimits
from edge.shell.store.database import Database
from edge.shell.store.sinks import unneeded

SPARE = 0.1
"""Margin by which a reached limit is undercut, so that it isn't reached again at once."""

FREED_PAGES = 2000
"""Maximum number of pages returned to the disk at a time."""

UNUSED = 0.1
"""Share of the file that may remain unused for new rows; pages beyond it are returned to the disk."""

FEWEST = 1000
"""Minimum number of undelivered events kept, however full the disk is."""

IN_OUTBOX = f"confirmed IS NULL AND transition != '{TRANSITION}'"


def prune(database: Database, limits: StoreLimits, now: float) -> None:
    """See `Store.prune()`."""
    with database.transaction():
        _forget_history(database, limits, now)
        database.execute("CREATE TABLE IF NOT EXISTS pruned (number INTEGER PRIMARY KEY, time REAL NOT NULL)")
        database.execute("INSERT OR REPLACE INTO pruned (number, time) VALUES (1, ?)", (now,))
    _give_back(database, UNUSED)
    missing = _missing_disk(database, limits)
    if missing > 0:
        with database.transaction():
            _forget_more(database, missing)
        _give_back(database, 0.0)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def pruned_at(database: Database) -> float | None:
    """The last time passed to `prune()`, or that of the oldest entry if later; None if it was never called.

    Nothing is older than the oldest entry, so a time that fell behind, because the machine was off or its clock was
    unset, catches up as entries are deleted.
    """
    if not database.number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'pruned'"):
        return None
    rows = database.execute(
        "SELECT max(CAST(time AS REAL), coalesce((SELECT min(stamp) FROM (SELECT min(stored) AS stamp FROM events UNION"
        " ALL SELECT min(arrived) FROM journal)), time)) FROM pruned WHERE number = 1"
    )
    return rows[0][0] if rows else None


def give_up(database: Database, sequences: Sequence[int]) -> None:
    """Delete undelivered events, or mark those still needed by sinks as delivered long ago.

    A gap replaced by another one is always deleted, because no sink has received it yet.
    """
    rows = [(each,) for each in sequences]
    database.execute_each(
        f"DELETE FROM events WHERE sequence = ? AND confirmed IS NULL"  # noqa: S608 - ours
        f" AND (transition = '{TRANSITION}' OR {unneeded(database)})",
        rows,
    )
    database.execute_each("UPDATE events SET confirmed = 0 WHERE sequence = ? AND confirmed IS NULL", rows)


def surplus(database: Database, limits: StoreLimits, now: float, keep: Sequence[int]) -> list[Overflow]:
    """See `Store.surplus()`. Limits are applied one by one; events dropped for one count for the next."""
    found: list[Overflow] = []
    staying = set(keep)
    count, size = database.execute(
        f"SELECT count(*), coalesce(sum(size), 0) FROM events WHERE {IN_OUTBOX}"  # noqa: S608 - ours
    )[0]

    def drop(reason: Reason, rows: list[OutboxSize]) -> None:
        nonlocal count, size
        found.extend(_surplus(reason, rows))
        staying.update(row.sequence for row in rows)  # chosen already, so not to be chosen again
        count -= len(rows)
        size -= sum(row.size for row in rows)

    drop("outbox_days", _older_than(database, now - 86_400 * limits.outbox_days, staying))
    if count > limits.outbox_events:
        excess = count - int((1 - SPARE) * limits.outbox_events)
        drop("outbox_events", _least_important(database, staying, count=excess))
    if size > limits.outbox_bytes:
        excess = size - int((1 - SPARE) * limits.outbox_bytes)
        drop("outbox_bytes", _least_important(database, staying, size=excess))
    if not found and (missing := _missing_disk(database, limits)) > 0:  # what goes anyway gives room first
        drop("free_disk", _least_important(database, staying, size=missing)[: max(0, count - FEWEST)])
    return found


def _forget_history(database: Database, limits: StoreLimits, now: float) -> None:
    no_sink = unneeded(database)
    database.execute(
        f"DELETE FROM events WHERE confirmed < ? AND {no_sink}",  # noqa: S608 - ours
        (now - 86_400 * limits.events_days,),
    )
    beyond = (
        "SELECT max(sequence) FROM (SELECT sequence, sum(size) OVER (ORDER BY sequence DESC) AS total FROM events"
        " WHERE confirmed IS NOT NULL) WHERE total > ?"
    )
    database.execute(
        f"DELETE FROM events WHERE confirmed IS NOT NULL AND sequence <= ({beyond}) AND {no_sink}",  # noqa: S608 - ours
        (limits.events_bytes,),
    )
    database.execute(
        "DELETE FROM dead_letter WHERE number <= (SELECT max(number) FROM dead_letter) - ?", (limits.dead_letters,)
    )
    database.execute(
        "DELETE FROM journal WHERE number < (SELECT max(journal) FROM snapshot) AND (arrived < ? OR number <= (SELECT"
        " max(number) FROM (SELECT number, sum(length(entry)) OVER (ORDER BY number DESC) AS total FROM journal)"
        " WHERE total > ?))",
        (now - 86_400 * limits.journal_days, limits.journal_bytes),
    )


class OutboxSize(NamedTuple):
    """Size and age of an event in the outbox."""

    sequence: int
    severity: int
    time: float
    size: int


def _older_than(database: Database, stored: float, staying: Collection[int]) -> list[OutboxSize]:
    """Events of the outbox stored before a time, except those to keep."""
    rows = database.execute(
        f"SELECT sequence, severity, time, coalesce(size, 0) FROM events WHERE {IN_OUTBOX} AND stored < ?",  # noqa: S608 - ours
        (stored,),
    )
    return [OutboxSize._make(row) for row in rows if row[0] not in staying]


def _least_important(
    database: Database, staying: Collection[int], *, count: int | None = None, size: int | None = None
) -> list[OutboxSize]:
    """Events of the outbox in the order in which they are dropped, up to a number or size, except those to keep."""
    chosen: list[OutboxSize] = []
    total = 0
    for row in database.iterate(
        f"SELECT sequence, severity, time, coalesce(size, 0) FROM events WHERE {IN_OUTBOX}"  # noqa: S608 - ours
        " ORDER BY (severity - 1) / 250, sequence"
    ):
        if (count is not None and len(chosen) >= count) or (size is not None and total >= size):
            break
        each = OutboxSize._make(row)
        if each.sequence not in staying:
            chosen.append(each)
            total += each.size
    return chosen


def _surplus(reason: Reason, rows: list[OutboxSize]) -> list[Overflow]:
    if not rows:
        return []
    severities: dict[str, int] = {}
    for index, (text, _) in enumerate(SEVERITIES):
        number = sum(1 for row in rows if severity_class(row.severity) == index)
        if number:
            severities[text] = number
    times = [row.time for row in rows]
    gap = Gap("events", reason, len(rows), min(times), max(times), severities)
    return [Overflow(gap, [row.sequence for row in rows])]


def _missing_disk(database: Database, limits: StoreLimits) -> int:
    """Bytes missing from the free disk space to preserve, counting unused pages as free; 0 or less if none."""
    disk = os.statvfs(database.path.parent)
    unused = database.number("PRAGMA freelist_count") * database.number("PRAGMA page_size")
    return int(limits.free_disk_bytes - disk.f_bavail * disk.f_frsize - unused)


def _forget_more(database: Database, size: int) -> None:
    """Delete history, oldest first, until a number of bytes is freed."""
    freed = 0
    for table, column, condition in (
        ("journal", "length(entry)", "number < (SELECT max(journal) FROM snapshot)"),
        ("events", "size", f"confirmed IS NOT NULL AND {unneeded(database)}"),
    ):
        key = "number" if table == "journal" else "sequence"
        last = None
        for number, its_size in database.iterate(
            f"SELECT {key}, {column} FROM {table} WHERE {condition} ORDER BY {key}"  # noqa: S608 - ours
        ):
            if freed >= size:
                break
            last, freed = number, freed + (its_size or 0)
        if last is not None:
            database.execute(f"DELETE FROM {table} WHERE {condition} AND {key} <= ?", (last,))  # noqa: S608 - ours


def _give_back(database: Database, unused: float) -> None:
    """Shrink the file by its unused pages, except for a share of them; some at a time."""
    free, pages = database.number("PRAGMA freelist_count"), database.number("PRAGMA page_count")
    if free > unused * pages:
        database.execute_fully(f"PRAGMA incremental_vacuum({FREED_PAGES})")
