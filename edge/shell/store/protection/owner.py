"""The owner of a store: one process at a time, by a lock that the kernel releases when the process ends.

The lock is on a separate file next to the store, because the store itself is replaced when it is damaged. The lock file
remains after its owner has ended, and contains its identity.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from config.store_file import OWNER_WORD, lock_path
from edge.shell.store.base import StoreError

LONGEST = 500
"""Maximum number of bytes read from a lock file."""

LASTING = frozenset(
    {
        errno.EACCES,
        errno.EINVAL,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EOPNOTSUPP,
        errno.EPERM,
    }
)
"""Errors of a place that no file can be in, so that waiting doesn't help."""


class Owner(NamedTuple):
    """A process that uses a store.

    Attributes:
        pid: Process ID; 0 if the lock file doesn't contain it.
        since: Its start time as text; empty if the lock file doesn't contain it.
    """

    pid: int
    since: str

    def words(self) -> str:
        """A description of the process, as part of a sentence."""
        who = f"process {self.pid}" if self.pid else "another process"
        return f"{who}, running since {self.since}" if self.since else who


@contextmanager
def owned(store: Path) -> Iterator[None]:
    """Own a store within the context.

    Raises:
        StoreError: Another process owns it, or the lock file can't be created.
    """
    path = lock_path(store.resolve())
    descriptor = _opened(path, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _told_by(descriptor)
            raise StoreError(f"{store}: in use by {owner.words()}; a store has one service at a time") from None
        except OSError as error:
            raise StoreError(f"{path}: can't be locked: {error.strerror}", temporary=True) from error
        _say_who(descriptor)
        yield
    finally:
        os.close(descriptor)


def owner_of(store: Path) -> Owner | None:
    """The process that uses a store; None if there is none.

    Raises:
        StoreError: The lock file can't be read.
    """
    path = lock_path(store.resolve())
    if not path.exists():
        return None
    descriptor = _opened(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told_by(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _opened(path: Path, flags: int) -> int:
    try:
        return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}", temporary=error.errno not in LASTING) from error


def _say_who(descriptor: int) -> None:
    """Write the owner's identity. A full disk isn't an error, because the lock itself needs no space."""
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{OWNER_WORD} {os.getpid()} {since}\n".encode(), 0)
    except OSError:
        return


def _told_by(descriptor: int) -> Owner:
    words = os.pread(descriptor, LONGEST, 0).decode(errors="replace").split()
    if len(words) != 3 or words[0] != OWNER_WORD or not words[1].isdecimal():
        return Owner(0, "")
    return Owner(int(words[1]), words[2])
