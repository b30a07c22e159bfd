"""Privacy: a store is readable and writable only by its owner, whatever the umask.

Readings reveal when people are at home, and dead letters contain data sent by mistake.
"""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

log = logging.getLogger("edgewarden.store")

PRIVATE = 0o600
SIDE_FILES = ("", "-wal", "-shm")


def keep_private(path: Path) -> None:
    """Create the store's file if missing, and remove other users' permissions on it and its side files.

    SQLite creates side files with the permissions of the database. A file that belongs to another user isn't changed.
    """
    with suppress(OSError):  # SQLite will report why a file can't be created now
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))
    tightened = [each for each in (Path(f"{path}{end}") for end in SIDE_FILES) if _tighten(each)]
    if tightened:
        log.warning("store_made_private files=%r", " ".join(each.name for each in tightened))


def _tighten(path: Path) -> bool:
    """Remove other users' permissions on a file; returns whether there were any."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & ~PRIVATE == 0:
            return False
        path.chmod(mode & PRIVATE)
    except OSError:
        return False
    return True
