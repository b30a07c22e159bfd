"""Cell stores: where the state of cells outlives processes.

Of each cell a store keeps a snapshot, the entries since, and a head. A head is a random nonce that every write
replaces, and the number of entries. Whoever writes says which head they have read; where it isn't the store's any
more, somebody else has written, and nothing is changed. So of two workers that run one cell, as happens while
partitions move, one gives up.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Head(NamedTuple):
    """What a store says of a cell at a glance.

    Attributes:
        nonce: Random, anew with each write.
        entries: How many there are since the snapshot, or since the beginning if there is none.
    """

    nonce: str
    entries: int


class StaleHeadError(Exception):
    """Somebody else has written the cell since its head was read; nothing was changed."""


class DamagedStoreError(Exception):
    """What a store has kept of a cell can't be read."""


class CellStore(Protocol):
    """Keeps the state of cells. Each write is kept as a whole or not at all, whenever the process ends."""

    def head(self, cell: int) -> Head | None:
        """The head of a cell; None if nothing was ever written of it."""

    def snapshot(self, cell: int) -> bytes | None:
        """The last snapshot of a cell; None if there is none."""

    def entries(self, cell: int) -> list[bytes]:
        """The entries since the snapshot, in the order in which they were written."""

    def append(self, cell: int, entry: bytes, before: Head | None, nonce: str) -> None:
        """Add an entry.

        Args:
            cell: The cell.
            entry: Any bytes.
            before: The head that was read.
            nonce: Of the new head.

        Raises:
            StaleHeadError: The cell has another head by now.
        """

    def put_snapshot(self, cell: int, snapshot: bytes, before: Head | None, nonce: str) -> None:
        """Put a snapshot in the place of the last one and of the entries since; see `append()`.

        Raises:
            StaleHeadError: The cell has another head by now.
        """
