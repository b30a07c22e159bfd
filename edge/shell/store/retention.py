"""Retention: what is deleted when a limit is reached, and how the disk gets its space back.

What was delivered, and readings that a snapshot covers, are history and go without a word. What waits for delivery goes
only where a limit leaves no choice: the least severe class first, within it the oldest, and a gap says how much of it.
A gap event itself always stays.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from edge.core.events import SEVERITIES
from edge.core.gaps import TRANSITION, Gap, Reason
from edge.core.severity import severity_class
from edge.shell.store.base import Limits, Surplus
from edge.shell.store.database import Database

SPARE = 0.1
"""A limit that was reached is undercut by this share, so that it isn't reached again at once."""

FREED_PAGES = 2000
"""Pages that are given back to the disk in one go."""

UNUSED = 0.1
"""The share of the file that may lie unused for the next rows; beyond it, pages are given back."""

FEWEST = 1000
"""So many events are kept for delivery, however full the disk is."""

IN_OUTBOX = f"confirmed IS NULL AND transition != '{TRANSITION}'"


def prune(database: Database, limits: Limits, now: float) -> None:
    """See `Store.prune()`."""
    with database.transaction():
        _forget_history(database, limits, now)
    _give_back(database, UNUSED)
    missing = _missing_disk(database, limits)
    if missing > 0:
        with database.transaction():
            _forget_more(database, missing)
        _give_back(database, 0.0)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def surplus(database: Database, limits: Limits, now: float, keep: Sequence[int]) -> list[Surplus]:
    """See `Store.surplus()`."""
    old = database.execute(
        f"SELECT sequence, severity, time FROM events WHERE {IN_OUTBOX} AND stored < ?",  # noqa: S608 - ours
        (now - 86_400 * limits.outbox_days,),
    )
    found = _surplus("outbox_days", [row for row in old if row[0] not in keep])
    gone = {sequence for each in found for sequence in each.sequences}
    count, size = database.execute(
        f"SELECT count(*), coalesce(sum(size), 0) FROM events WHERE {IN_OUTBOX}"  # noqa: S608 - ours
    )[0]
    too_many = count - len(gone) - limits.outbox_events
    missing = _missing_disk(database, limits)
    if too_many > 0:
        excess = too_many + limits.outbox_events - int((1 - SPARE) * limits.outbox_events)
        found += _surplus("outbox_events", _least_important(database, {*keep, *gone}, count=excess))
    elif not gone and size > limits.outbox_bytes:
        excess = size - int((1 - SPARE) * limits.outbox_bytes)
        found += _surplus("outbox_bytes", _least_important(database, set(keep), size=excess))
    elif not gone and missing > 0:
        rows = _least_important(database, set(keep), size=missing)[: max(0, count - FEWEST)]
        found += _surplus("free_disk", rows)
    return found


def _forget_history(database: Database, limits: Limits, now: float) -> None:
    database.execute("DELETE FROM events WHERE confirmed < ?", (now - 86_400 * limits.events_days,))
    database.execute(
        "DELETE FROM events WHERE confirmed IS NOT NULL AND sequence <= (SELECT max(sequence) FROM (SELECT sequence,"
        " sum(size) OVER (ORDER BY sequence DESC) AS total FROM events WHERE confirmed IS NOT NULL) WHERE total > ?)",
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


def _least_important(
    database: Database, keep: set[int], *, count: int | None = None, size: int | None = None
) -> list[tuple[Any, ...]]:
    """Rows of the outbox in the order in which they go, so many or of so many bytes: sequence, severity, time."""
    chosen: list[tuple[Any, ...]] = []
    total = 0
    for sequence, severity, time, its_size in database.iterate(
        f"SELECT sequence, severity, time, size FROM events WHERE {IN_OUTBOX}"  # noqa: S608 - ours
        " ORDER BY (severity - 1) / 250, sequence"
    ):
        if (count is not None and len(chosen) >= count) or (size is not None and total >= size):
            break
        if sequence not in keep:
            chosen.append((sequence, severity, time))
            total += its_size or 0
    return chosen


def _surplus(reason: Reason, rows: list[tuple[Any, ...]]) -> list[Surplus]:
    if not rows:
        return []
    severities: dict[str, int] = {}
    for index, (text, _) in enumerate(SEVERITIES):
        number = sum(1 for _, severity, _ in rows if severity_class(severity) == index)
        if number:
            severities[text] = number
    times = [time for _, _, time in rows]
    gap = Gap("events", reason, len(rows), min(times), max(times), severities)
    return [Surplus(gap, [sequence for sequence, _, _ in rows])]


def _missing_disk(database: Database, limits: Limits) -> int:
    """Bytes that the disk is short of what is to be left free, our own unused pages counted; 0 or less if it isn't."""
    disk = os.statvfs(database.path.parent)
    unused = database.number("PRAGMA freelist_count") * database.number("PRAGMA page_size")
    return int(limits.free_disk_bytes - disk.f_bavail * disk.f_frsize - unused)


def _forget_more(database: Database, size: int) -> None:
    """Forget history, oldest first, until so many bytes are freed."""
    freed = 0
    for table, column, condition in (
        ("journal", "length(entry)", "number < (SELECT max(journal) FROM snapshot)"),
        ("events", "size", "confirmed IS NOT NULL"),
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
    """Shrink the file by the pages that nobody uses, but for a share of them; some at a time."""
    free, pages = database.number("PRAGMA freelist_count"), database.number("PRAGMA page_count")
    if free > unused * pages:
        database.execute_fully(f"PRAGMA incremental_vacuum({FREED_PAGES})")
