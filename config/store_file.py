"""Store file: whether a file may be used as the store.

A file of another program is never opened, so it can't be harmed.

The file is recognised by its bytes, without SQLite, which would change a database with a leftover log. A damaged store
is still recognised, by the definitions of its tables wherever they are, or by the lock file that a service has left
next to it.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

HEADER = b"SQLite format 3\0"
TABLE = re.compile(rb'CREATE TABLE ["\[]dead_letter["\]] \(\s*["\[]number["\]] INTEGER PRIMARY KEY')
"""The definition of one of the store's tables, the same in every version."""

OWNER_WORD = "edgewarden"
"""The beginning of a lock file."""

PAGE_HEADER = 100
"""Offset of the first page's own header, after the file's header (SQLite file format, 1.6)."""

CELLS = slice(PAGE_HEADER + 3, PAGE_HEADER + 5)
"""Offset of its number of cells: tables and indexes."""

MARKS = (slice(60, 64), slice(68, 72))
"""Offsets of a program's own numbers: user version and application id (SQLite file format, 1.3)."""


def lock_path(store: Path) -> Path:
    """Path of a store's lock file."""
    return Path(f"{store}.lock")


def store_problem(path: Path) -> str | None:
    """Why a file can't be used as the store; None if it is missing, empty, or a store, damaged or not.

    Args:
        path: The file.
    """
    try:
        if not path.exists() or (path.is_file() and (path.stat().st_size == 0 or _is_ours(path))):
            return None
        kind = _kind(path)
    except OSError as error:
        return f"{path} can't be read: {error.strerror or error}"
    return None if kind is None else f"{path} is {kind}, not an Edgewarden store, and was left alone; name another file"


def _kind(path: Path) -> str | None:
    """A description of a file that doesn't look like a store; None for an empty database."""
    if path.is_dir():
        return "a folder"
    if not path.is_file():
        return "a device or a socket"
    with path.open("rb") as file:
        beginning = file.read(CELLS.stop)
    if not beginning.startswith(HEADER):
        return "another kind of file"
    log = Path(f"{path}-wal")
    is_used = any(beginning[CELLS]) or any(any(beginning[mark]) for mark in MARKS)
    return "another program's database" if is_used or (log.exists() and log.stat().st_size > 0) else None


def _is_ours(path: Path) -> bool:
    """Whether there is any evidence that a file is a store."""
    return _defines_our_tables(path) or _defines_our_tables(Path(f"{path}-wal")) or _was_owned(path)


def _defines_our_tables(path: Path) -> bool:
    try:
        if path.stat().st_size == 0:
            return False
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return TABLE.search(content) is not None
    except FileNotFoundError:
        return False


def _was_owned(path: Path) -> bool:
    """Whether a service has used this path as its store before."""
    lock = lock_path(path)
    return lock.is_file() and lock.read_bytes().startswith(OWNER_WORD.encode())
