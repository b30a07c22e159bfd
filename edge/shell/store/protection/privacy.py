"""Privacy: a store may be read and written by its owner alone, whatever the umask says.

Readings reveal when people are at home, and dead letters contain data that wasn't meant for us.
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
    """Make the store's file if it isn't there, and take from others what they may do with it and its side files.

    SQLite gives the files that it creates next to a database the permissions of the database. A file that belongs to
    another user isn't changed.
    """
    with suppress(OSError):  # what can't be made now, SQLite will say why
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))
    tightened = [each for each in (Path(f"{path}{end}") for end in SIDE_FILES) if _tighten(each)]
    if tightened:
        log.warning("store_made_private files=%r", " ".join(each.name for each in tightened))


def _tighten(path: Path) -> bool:
    """Whether others could do something with a file, and can't any more."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & ~PRIVATE == 0:
            return False
        path.chmod(mode & PRIVATE)
    except OSError:
        return False
    return True
