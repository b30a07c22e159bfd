"""The positions of sinks, one row per sink, and which events are kept for them.

The table is created with the first sink, so that earlier versions can open the file.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.shell.store.base import SinkPosition
from edge.shell.store.database import Database

NEEDED = (  # a gap is never given up
    "EXISTS (SELECT 1 FROM sink WHERE events.sequence > sink.passed"
    " AND (events.sequence > sink.skipped OR events.transition = 'gap'))"
)


def has_sinks(database: Database) -> bool:
    """Whether there is a table of sinks."""
    return bool(database.number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'sink'"))


def unneeded(database: Database) -> str:
    """The SQL condition that no sink still needs a row of `events`."""
    return f"NOT {NEEDED}" if has_sinks(database) else "true"


def read_sinks(database: Database) -> dict[str, SinkPosition]:
    """See `Store.sinks()`."""
    if not has_sinks(database):
        return {}
    return {
        name: SinkPosition(passed, skipped)
        for name, passed, skipped in database.execute(
            "SELECT name, CAST(passed AS INTEGER), CAST(skipped AS INTEGER) FROM sink ORDER BY name"
        )
    }


def note_sinks(database: Database, positions: Mapping[str, SinkPosition]) -> None:
    """See `Store.note_sinks()`."""
    known = read_sinks(database)
    if known == dict(positions):
        return
    with database.transaction():
        database.execute(
            "CREATE TABLE IF NOT EXISTS sink (name TEXT PRIMARY KEY, passed INTEGER NOT NULL, skipped INTEGER NOT NULL)"
        )
        database.execute_each("DELETE FROM sink WHERE name = ?", [(each,) for each in known.keys() - positions.keys()])
        database.execute_each(
            "INSERT OR REPLACE INTO sink (name, passed, skipped) VALUES (?, ?, ?)",
            [(name, *position) for name, position in positions.items()],
        )
