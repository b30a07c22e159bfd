"""The positions in logs: the offset of the last message that was read of each, one row per log.

They are written in the same transaction as the readings, so that none is processed twice. The table is made when the
first position comes, so that an earlier version can open the file of a later one.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge.shell.store.database import Database


def read_positions(database: Database) -> dict[str, int]:
    """See `Store.positions()`."""
    if not database.number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'position'"):
        return {}
    found = database.execute("SELECT CAST(log AS TEXT), CAST(message AS INTEGER) FROM position")
    return {str(log): int(message) for log, message in found}


def note_positions(database: Database, positions: Mapping[str, int]) -> None:
    """Keep positions, within a transaction."""
    database.execute("CREATE TABLE IF NOT EXISTS position (log TEXT PRIMARY KEY, message INTEGER NOT NULL)")
    database.execute_each("INSERT OR REPLACE INTO position (log, message) VALUES (?, ?)", list(positions.items()))
