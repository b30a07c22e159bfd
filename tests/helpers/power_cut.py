"""A disk in memory whose power can be cut between any two calls: data that wasn't synced is lost, kept, or torn.

SQLite accesses it through a VFS. Every call that changes something is recorded, so that the disk as left by a power cut
after any of them can be reconstructed afterwards:

- What was synced is there.
- Of the other data, all, nothing, the first calls, any calls, or any sectors of them are there, file by file.
- The creation or deletion of a file is certain if that file, or one created later, has been synced since.

Source: SQLite's own torture tests, `test6.c`; for the possible behaviour of file systems: Pillai and others, OSDI 2014.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

import apsw

SECTOR = 512
FATES = ("all", "nothing", "first", "any", "torn")

_names = itertools.count(1)


class Change(NamedTuple):
    """One call that changes something.

    Attributes:
        kind: What is done.
        file: Number of the file, which isn't reused after its deletion.
        at: Position of a write, or the new size of a truncated file.
        data: What is written.
        name: Name of a file that is created or deleted.
    """

    kind: Literal["make", "delete", "write", "cut", "sync"]
    file: int
    at: int = 0
    data: bytes = b""
    name: str = ""


class Disk:
    """Files in memory, for the SQLite of `apsw`.

    Args:
        files: The files present from the beginning, with their synced content.

    Attributes:
        changes: Every call that changed something, in order.
        failing: Calls that fail: how many, by the number of calls before them, including reads.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self._first = files
        self._contents: dict[int, bytearray] = {}
        self._numbers: dict[str, int] = {}
        self.changes: list[Change] = []
        self.calls = 0
        self.failing = range(0)
        for name, content in files.items():
            self._numbers[name] = len(self._contents)
            self._contents[len(self._contents)] = bytearray(content)
        self.vfs = _Vfs(self, f"power-cut-{next(_names)}")

    def called(self) -> None:
        """Record a call; raises an error if it is meant to fail."""
        self.calls += 1
        if self.calls in self.failing:
            error = apsw.IOError("disk I/O error, as wanted")
            error.extendedresult = apsw.SQLITE_IOERR_WRITE
            raise error

    def change(self, change: Change) -> None:
        """Apply a change, and record it."""
        self.called()
        self.changes.append(change)
        if change.kind == "make":
            self._numbers[change.name] = change.file
            self._contents[change.file] = bytearray()
        elif change.kind == "delete":
            del self._numbers[change.name]
        elif change.kind != "sync":
            _apply(self._contents[change.file], [change])

    def open(self, name: str) -> int:
        """The number of a file, which is created if necessary."""
        if name not in self._numbers:
            self.change(Change("make", len(self._contents), name=name))
        return self._numbers[name]

    def exists(self, name: str) -> bool:
        return name in self._numbers

    def delete(self, name: str) -> None:
        self.change(Change("delete", self._numbers[name], name=name))

    def read(self, file: int) -> bytearray:
        return self._contents[file]

    def left_by_cut(self, calls: int, chance: random.Random) -> dict[str, bytes]:
        """The files left by a power cut after the first `calls` changes, for one of many possible outcomes."""
        synced = {number: bytearray(content) for number, content in enumerate(self._first.values())}
        unsynced: dict[int, list[Change]] = {number: [] for number in synced}
        names = {name: number for number, name in enumerate(self._first)}
        uncertain: list[Change] = []
        for change in self.changes[:calls]:
            if change.kind in {"make", "delete"}:
                uncertain.append(change)
                if change.kind == "make":
                    synced[change.file], unsynced[change.file] = bytearray(), []
            elif change.kind == "sync":
                _apply(synced[change.file], unsynced[change.file])
                unsynced[change.file] = []
                made = [place for place, each in enumerate(uncertain, 1) if each.file == change.file]
                certain = made[-1] if made else 0
                _list(names, uncertain[:certain])
                uncertain = uncertain[certain:]
            else:
                unsynced[change.file].append(change)
        _list(names, uncertain[: chance.randint(0, len(uncertain))])
        for file in names.values():
            _apply(synced[file], _kept(unsynced[file], chance))
        return {name: bytes(synced[file]) for name, file in names.items()}


def _list(names: dict[str, int], changes: list[Change]) -> None:
    for change in changes:
        if change.kind == "make":
            names[change.name] = change.file
        else:
            names.pop(change.name)


def _apply(content: bytearray, changes: list[Change]) -> None:
    for change in changes:
        if change.kind == "cut":
            del content[change.at :]
        if len(content) < change.at:
            content.extend(bytes(change.at - len(content)))
        if change.kind == "write":
            content[change.at : change.at + len(change.data)] = change.data


def _kept(changes: list[Change], chance: random.Random) -> list[Change]:
    fate = chance.choice(FATES)
    if fate == "all":
        return changes
    if fate == "nothing":
        return []
    if fate == "first":
        return changes[: chance.randint(0, len(changes))]
    if fate == "torn":
        changes = [sector for each in changes for sector in _sectors(each)]
    share = chance.random()
    return [each for each in changes if chance.random() < share]


def _sectors(change: Change) -> Iterator[Change]:
    if change.kind != "write":
        yield change
        return
    start, end = change.at, change.at + len(change.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield change._replace(at=start, data=change.data[start - change.at : stop - change.at])
        start = stop


class PowerCutConnection:
    """A connection to a database on such a disk, with the interface needed by `Database`.

    Args:
        disk: The disk.
        path: The database's file.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        with _translated():
            self._connection = apsw.Connection(str(path), vfs=disk.vfs.vfs_name)
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Iterable[tuple[Any, ...]]:
        with _translated():
            return list(self._connection.execute(statement, values))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]]) -> SimpleNamespace:
        before = self._connection.total_changes()
        with _translated():
            self._connection.executemany(statement, rows)
        return SimpleNamespace(rowcount=self._connection.total_changes() - before)

    def executescript(self, statement: str) -> None:
        with _translated():
            self._connection.execute(statement)

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def close(self) -> None:
        with _translated():
            self._connection.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        translated = sqlite3.OperationalError(str(error))
        translated.sqlite_errorcode = getattr(error, "extendedresult", apsw.SQLITE_ERROR)
        raise translated from error


class _Vfs(apsw.VFS):
    def __init__(self, disk: Disk, name: str) -> None:
        self.vfs_name = name
        self._disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 - SQLite's word
        flags[1] = flags[0]
        return _File(self._disk, self._disk.open(name.filename() if isinstance(name, apsw.URIFilename) else str(name)))

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        return self._disk.exists(pathname)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self._disk.delete(filename)

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name


class _File:
    def __init__(self, disk: Disk, number: int) -> None:
        self._disk = disk
        self._number = number

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.called()
        return bytes(self._disk.read(self._number)[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._disk.change(Change("write", self._number, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.change(Change("cut", self._number, size))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.change(Change("sync", self._number))

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._disk.read(self._number))

    def xSectorSize(self) -> int:  # noqa: N802
        return 4096

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xLock(self, level: int) -> None:  # noqa: N802
        pass

    def xUnlock(self, level: int) -> None:  # noqa: N802
        pass

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802
        return False

    def xClose(self) -> None:  # noqa: N802
        pass
