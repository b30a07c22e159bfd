"""The disk of a store, which a service that can't write to it can't report in a file on it."""

from __future__ import annotations

import os
from pathlib import Path

LEAST_BYTES = 1 << 20
"""Free bytes below which a disk is full: SQLite's write-ahead log and the status file need some."""


def disk_problem(store: Path) -> str | None:
    """Why nothing can be written beside a store, as a sentence; None if something can, or its folder is missing.

    Args:
        store: The store's file.
    """
    try:
        found = os.statvfs(store.parent)
    except OSError:
        return None
    if found.f_flag & os.ST_RDONLY:
        return "the file system of the store is read-only: nothing is received, and what is shown here is old"
    if found.f_bavail * found.f_frsize < LEAST_BYTES:
        return "the disk of the store is full: nothing is received, and what is shown here is old"
    return None
