"""A cell store over an engine's keyed state, written with the engine's own checkpoint.

Snapshots are divided into pieces, because engines write each change of state as a record of a log, and records have a
maximum size. The head is written last and contains the numbers of pieces and entries; the keys of entries are reused
after a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from edge.fleet.store import DamagedStoreError, Head, StaleHeadError

VERSION = 1
PIECE_BYTES = 500_000


class KeyedState(Protocol):
    """The state that an engine keeps for one key."""

    def get(self, name: str) -> bytes | None:
        """The value of a name; None if there is none."""

    def put(self, name: str, value: bytes) -> None:
        """Set the value of a name."""

    def remove(self, name: str) -> None:
        """Remove the value of a name, if there is one."""


class _Head(msgspec.Struct, array_like=True, frozen=True):
    version: int
    nonce: str
    entries: int
    pieces: int


class KeyedStore:
    """See `CellStore`.

    Args:
        state_of: Returns the engine's state of a cell, as writable by the current worker.
    """

    def __init__(self, state_of: Callable[[int], KeyedState]) -> None:
        self._state_of = state_of

    def head(self, cell: int) -> Head | None:
        """See `CellStore`."""
        found = self._head(cell)
        return None if found is None else Head(found.nonce, found.entries)

    def snapshot(self, cell: int) -> bytes | None:
        """See `CellStore`."""
        found = self._head(cell)
        if found is None or not found.pieces:
            return None
        return b"".join(self._read(cell, f"snapshot-{each}") for each in range(found.pieces))

    def entries(self, cell: int) -> list[bytes]:
        """See `CellStore`."""
        found = self._head(cell)
        return [] if found is None else [self._read(cell, f"entry-{each}") for each in range(found.entries)]

    def append(self, cell: int, entry: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`."""
        found = self._checked(cell, before)
        count = found.entries if found else 0
        self._state_of(cell).put(f"entry-{count}", entry)
        self._write(cell, _Head(VERSION, nonce, count + 1, found.pieces if found else 0))

    def put_snapshot(self, cell: int, snapshot: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`."""
        found, state = self._checked(cell, before), self._state_of(cell)
        starts = range(0, len(snapshot), PIECE_BYTES) or range(1)
        for place, start in enumerate(starts):
            state.put(f"snapshot-{place}", snapshot[start : start + PIECE_BYTES])
        for place in range(len(starts), found.pieces if found else 0):
            state.remove(f"snapshot-{place}")
        self._write(cell, _Head(VERSION, nonce, 0, len(starts)))

    def _head(self, cell: int) -> _Head | None:
        packed = self._state_of(cell).get("head")
        if packed is None:
            return None
        try:
            found = msgspec.msgpack.decode(packed, type=_Head)
        except msgspec.DecodeError as error:
            raise DamagedStoreError(f"the head of cell {cell}: {error}") from error
        if found.version != VERSION:
            raise DamagedStoreError(f"cell {cell} was written in version {found.version}; this one knows {VERSION}")
        return found

    def _checked(self, cell: int, before: Head | None) -> _Head | None:
        found = self._head(cell)
        if (None if found is None else Head(found.nonce, found.entries)) != before:
            raise StaleHeadError(f"cell {cell} was written by another worker")
        return found

    def _read(self, cell: int, name: str) -> bytes:
        value = self._state_of(cell).get(name)
        if value is None:
            raise DamagedStoreError(f"cell {cell} lacks its {name}")
        return value

    def _write(self, cell: int, head: _Head) -> None:
        self._state_of(cell).put("head", msgspec.msgpack.encode(head))
