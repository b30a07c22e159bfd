"""Damage: a file that can't be trusted is moved aside and kept, and the service goes on with a new one."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from edge.core.gaps import Gap
from edge.shell.store.base import Limits, StoreError
from edge.shell.store.salvage import salvage
from edge.shell.store.sqlite import SqliteStore

log = logging.getLogger("edgewarden.store")

KEPT = 3
"""So many damaged files are kept; when one more comes, the oldest goes."""

SIDE_FILES = ("", "-wal", "-shm")


class Damage(NamedTuple):
    """What became of a damaged file.

    Attributes:
        words: What is wrong with it.
        aside: Where it is now.
        events: Undelivered events that could be saved.
        entries: Journal entries that could be saved.
        complete: Whether nothing was found to be missing among them.
    """

    words: str
    aside: Path
    events: int
    entries: int
    complete: bool

    def gap(self, now: float) -> Gap:
        """The gap that says so to the subscribers."""
        saved = f"{self.events} undelivered events and {self.entries} batches of readings were saved"
        rest = "" if self.complete else ", others were not"
        detail = f"{saved}{rest}; the file is kept as {self.aside.name}"
        return Gap("events", "store_damaged", 0 if self.complete else None, None, now, {}, detail)


class StoreFiles(NamedTuple):
    """Where a store is, and how it is opened.

    Attributes:
        path: The file.
        durability: What a commit survives: a `power` cut, or a crash of the `process`.
        limits: How much is kept.
    """

    path: Path
    durability: Literal["power", "process"]
    limits: Limits

    def open(self, now: float) -> tuple[SqliteStore, Damage | None]:
        """Open the store; if its file is damaged, move it aside and make a new one of what can be saved.

        Args:
            now: Seconds since the epoch, UTC.

        Raises:
            StoreError: The file can't be opened or written, or is of a later version.
        """
        try:
            return SqliteStore(*self), None
        except StoreError as error:
            if not error.damaged:
                raise
            words = str(error)
        return self.replace(now, words)

    def replace(self, now: float, words: str) -> tuple[SqliteStore, Damage]:
        """Move a damaged file aside, `words` saying what is wrong with it, and make a new one of what can be saved."""
        aside = _move_aside(self.path, now)
        saved = salvage(aside)
        store = SqliteStore(*self)
        store.put_back(saved)
        store.begin_after(max([int(now * 1000), *(row[0] for row in saved.events)]))
        damage = Damage(words, aside, len(saved.events), len(saved.journal), saved.complete)
        log.error("store_damaged error=%r kept_as=%s events_saved=%d", words, aside, damage.events)
        return store, damage


def _move_aside(path: Path, now: float) -> Path:
    stamp = datetime.fromtimestamp(max(now, 0.0), UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    try:
        for end in SIDE_FILES:
            source = Path(f"{path}{end}")
            if source.exists():
                source.replace(f"{aside}{end}")
        _forget_oldest(path)
    except OSError as error:
        raise StoreError(f"{path}: damaged, and can't be moved aside: {error}", temporary=True) from error
    return aside


def _forget_oldest(path: Path) -> None:
    asides = [each for each in path.parent.glob(f"{path.name}.damaged-*") if not each.name.endswith(SIDE_FILES[1:])]
    for old in sorted(asides, key=lambda each: (each.stat().st_mtime_ns, each.name))[:-KEPT]:
        for end in SIDE_FILES:
            Path(f"{old}{end}").unlink(missing_ok=True)
