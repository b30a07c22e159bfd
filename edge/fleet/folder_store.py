"""A cell store in a folder: one file a cell, so that state moves with `cp` and `rsync`.

A file holds records: first the snapshot, if there is one, then the entries. A record has its length and CRC-32 in
front, 8 bytes in big-endian order, and holds the nonce, whether it is a snapshot, and the bytes, in MessagePack. An
entry is appended and synced. A snapshot is written to a file of its own that takes the place of the old one. So
whatever a crash leaves behind, the file reads as it was before a write or after it: a last record that isn't whole was
never acknowledged, and the next write takes its place.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge.fleet.store import DamagedStoreError, Head, StaleHeadError

_FRAME = struct.Struct(">II")


class _Record(msgspec.Struct, array_like=True, frozen=True):
    nonce: str
    is_snapshot: bool
    content: bytes


class _Known(NamedTuple):
    """What was read of a file, and what the file was like then."""

    inode: int
    size: int
    records: int
    head: Head | None


class FolderStore:
    """See `CellStore`. Several processes may share a folder.

    Args:
        folder: Made if it isn't there, for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._known: dict[int, _Known] = {}

    def head(self, cell: int) -> Head | None:
        """See `CellStore`.

        Raises:
            DamagedStoreError: The file isn't one of a cell.
        """
        return self._look(cell).head

    def snapshot(self, cell: int) -> bytes | None:
        """See `CellStore`."""
        first = next(self._records(cell), None)
        return first.content if first is not None and first.is_snapshot else None

    def entries(self, cell: int) -> list[bytes]:
        """See `CellStore`."""
        return [each.content for each in self._records(cell) if not each.is_snapshot]

    def append(self, cell: int, entry: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`."""
        with self._locked(cell):
            known = self._check(cell, before)
            is_new = not self._path(cell).exists()
            with os.fdopen(os.open(self._path(cell), os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
                file.truncate(known.records)
                file.seek(known.records)
                file.write(_framed(_Record(nonce, is_snapshot=False, content=entry)))
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                self._sync_folder()
            self._known.pop(cell, None)

    def put_snapshot(self, cell: int, snapshot: bytes, before: Head | None, nonce: str) -> None:
        """See `CellStore`."""
        with self._locked(cell):
            self._check(cell, before)
            beside = self._path(cell).with_suffix(".new")
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(_framed(_Record(nonce, is_snapshot=True, content=snapshot)))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path(cell))
            self._sync_folder()
            self._known.pop(cell, None)

    def _path(self, cell: int) -> Path:
        return self._folder / f"{cell:06d}.cell"

    @contextmanager
    def _locked(self, cell: int) -> Iterator[None]:
        lock = os.open(self._path(cell).with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _sync_folder(self) -> None:
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check(self, cell: int, before: Head | None) -> _Known:
        known = self._look(cell)
        if known.head != before:
            raise StaleHeadError(f"cell {cell} was written by somebody else")
        return known

    def _look(self, cell: int) -> _Known:
        """What the file says by now; read anew only where it was changed."""
        try:
            status = self._path(cell).stat()
        except FileNotFoundError:
            return _Known(0, 0, 0, None)
        known = self._known.get(cell)
        if known is None or (known.inode, known.size) != (status.st_ino, status.st_size):
            end, head = 0, None
            for record in self._records(cell):
                entries = 0 if record.is_snapshot or head is None else head.entries
                head = Head(record.nonce, entries + (not record.is_snapshot))
                end += len(_framed(record))
            known = self._known[cell] = _Known(status.st_ino, status.st_size, end, head)
        return known

    def _records(self, cell: int) -> Iterator[_Record]:
        """The records of a file, up to one that isn't whole.

        Raises:
            DamagedStoreError: A record is whole, but says nothing.
        """
        try:
            content = self._path(cell).read_bytes()
        except FileNotFoundError:
            return
        place = 0
        while place + _FRAME.size <= len(content):
            length, checksum = _FRAME.unpack_from(content, place)
            packed = content[place + _FRAME.size : place + _FRAME.size + length]
            if len(packed) < length or zlib.crc32(packed) != checksum:
                return
            try:
                yield msgspec.msgpack.decode(packed, type=_Record)
            except msgspec.DecodeError as error:
                raise DamagedStoreError(f"{self._path(cell)}: {error}") from error
            place += _FRAME.size + length


def _framed(record: _Record) -> bytes:
    packed = msgspec.msgpack.encode(record)
    return _FRAME.pack(len(packed), zlib.crc32(packed)) + packed
