"""A cell store in a folder: one file per cell, so that state can be moved with `cp` and `rsync`.

A file consists of records: first the snapshot, if there is one, then the entries. A record is preceded by its length
and CRC-32, 8 bytes in big-endian order, and contains the nonce, whether it is a snapshot, and the bytes, in
MessagePack. Entries are appended and synced. A snapshot is written to a separate file that replaces the old one. After
a crash the file therefore reads as before or after a write: an incomplete last record was never acknowledged and is
overwritten by the next write.
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
    """The known contents of a file, and its state at that time."""

    inode: int
    size: int
    records: int
    head: Head | None


class FolderStore:
    """A `CellStore` in a folder that several processes may share.

    Args:
        folder: Path of the folder; created if missing, accessible only to its owner.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._known: dict[int, _Known] = {}

    def head(self, cell: int) -> Head | None:
        """See `CellStore`.

        Raises:
            DamagedStoreError: The file isn't a cell's.
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
            raise StaleHeadError(f"cell {cell} was written by another worker")
        return known

    def _look(self, cell: int) -> _Known:
        """The contents of the file, read again only if it has changed."""
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
        """The records of a file, up to an incomplete one.

        Raises:
            DamagedStoreError: A complete record can't be decoded.
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
