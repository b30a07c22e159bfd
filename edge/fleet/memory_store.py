"""A cell store in memory, for tests and for runs whose state isn't needed afterwards."""

from __future__ import annotations

from edge.fleet.store import Head, StaleHeadError


class MemoryStore:
    """See `CellStore`."""

    def __init__(self) -> None:
        self._cells: dict[int, tuple[Head, bytes | None, list[bytes]]] = {}

    def head(self, cell: int) -> Head | None:
        """See `CellStore`."""
        return self._cells[cell][0] if cell in self._cells else None

    def snapshot(self, cell: int) -> bytes | None:
        """See `CellStore`."""
        return self._cells[cell][1] if cell in self._cells else None

    def entries(self, cell: int) -> list[bytes]:
        """See `CellStore`."""
        return [*self._cells[cell][2]] if cell in self._cells else []

    def append(self, cell: int, entry: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`."""
        self._check(cell, before)
        entries = [*self.entries(cell), entry]
        self._cells[cell] = Head(nonce, len(entries)), self.snapshot(cell), entries

    def put_snapshot(self, cell: int, snapshot: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`."""
        self._check(cell, before)
        self._cells[cell] = Head(nonce, 0), snapshot, []

    def _check(self, cell: int, before: Head | None) -> None:
        if self.head(cell) != before:
            raise StaleHeadError(f"cell {cell} was written by another worker")
