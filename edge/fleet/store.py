"""Cell stores: keep the state of cells beyond the life of processes.

For each cell a store keeps a snapshot, the entries since, and a head. A head is a random nonce that every write
replaces, and the number of entries. A writer passes the head that it has read; if the store's head differs, another
writer was faster, and nothing is changed. Of two workers that run the same cell, as happens while partitions move, one
therefore gives up.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Head(NamedTuple):
    """A store's brief description of a cell.

    Attributes:
        nonce: Random, replaced by each write.
        entries: Number of entries since the snapshot, or since the beginning if there is none.
    """

    nonce: str
    entries: int


class StaleHeadError(Exception):
    """The cell was written by another writer since its head was read; nothing was changed."""


class DamagedStoreError(Exception):
    """The stored data of a cell can't be read."""


class CellStore(Protocol):
    """Stores the state of cells. Each write is stored completely or not at all, whenever the process ends."""

    def head(self, cell: int) -> Head | None:
        """The head of a cell; None if it was never written."""

    def snapshot(self, cell: int) -> bytes | None:
        """The last snapshot of a cell; None if there is none."""

    def entries(self, cell: int) -> list[bytes]:
        """The entries since the snapshot, in order."""

    def append(self, cell: int, entry: bytes, before: Head | None, nonce: str) -> None:
        """Add an entry.

        Args:
            cell: The cell.
            entry: Any bytes.
            before: The head that was read.
            nonce: Nonce of the new head.

        Raises:
            StaleHeadError: The cell has another head now.
        """

    def put_snapshot(self, cell: int, snapshot: bytes, before: Head | None, nonce: str) -> None:
        """Replace the last snapshot and the later entries by a snapshot; see `append()`.

        Raises:
            StaleHeadError: The cell has another head now.
        """
