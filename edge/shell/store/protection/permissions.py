"""Permissions: whether this user may write a store, since waiting doesn't help as it does for a full disk."""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def permission_problem(store: Path) -> str | None:
    """Why this user can't write a store, and a remedy; None if it can, or if the disk is read-only.

    Args:
        store: Path of the store, which need not exist.
    """
    for place, kind, wanted in (
        (store.parent, "folder", os.W_OK | os.X_OK),
        (store, "file", os.R_OK | os.W_OK),
    ):
        if os.access(place, wanted) or not os.access(place, os.F_OK) or _is_on_read_only_disk(place):
            continue
        return (
            f"the {kind} {place} can't be written by user {_user()}: give it to that user (chown), or set store.path to"
            " a file in a folder that is"
        )
    return None


def _is_on_read_only_disk(place: Path) -> bool:
    return bool(os.statvfs(place).f_flag & os.ST_RDONLY)


def _user() -> str:
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
