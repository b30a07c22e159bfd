"""The tail of the journal: the latest readings in bounded memory, for observers while a service is writing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from edge.core.persistence.journal import JournalError, Part, unpack
from edge.shell.store.base import StoreError
from edge.shell.store.database import look_on

MOST_BYTES = 2**20


class JournalTail(NamedTuple):
    """The end of a journal.

    Attributes:
        parts: Contents of its last rows, in order.
        last: Number of the last row; 0 if the journal is empty.
    """

    parts: list[Part]
    last: int


def read_tail(path: Path, after: int = 0, most_bytes: int = MOST_BYTES) -> JournalTail:
    """Read the last rows of the journal after a row, limited to entries of `most_bytes` bytes in all.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or a row is damaged.
    """
    rows: list[tuple[int, bytes]] = []
    size = 0
    with closing(look_on(path)) as database:
        for number, entry in database.iterate(
            "SELECT number, entry FROM journal WHERE number > ? ORDER BY number DESC", (after,)
        ):
            size += len(entry)
            if rows and size > most_bytes:
                break
            rows.append((number, entry))
    parts: list[Part] = []
    for number, entry in reversed(rows):
        try:
            parts += unpack(entry)
        except JournalError as error:
            raise StoreError(f"{path}: row {number} of the journal: {error}", damaged=True) from error
    return JournalTail(parts, rows[0][0] if rows else after)
