"""Damage: an untrusted file is moved aside and kept, and the service continues with a new one."""

from __future__ import annotations

import glob
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from edge.core.incidents.events.gaps import Gap
from edge.shell.store.base import StoreError, StoreLimits
from edge.shell.store.protection.privacy import SIDE_FILES
from edge.shell.store.salvage import SalvagedRows, salvage
from edge.shell.store.sqlite import SqliteStore

log = logging.getLogger("edgewarden.store")

KEPT = 3
"""Maximum number of damaged files kept; when another is added, the oldest is deleted."""

INTERRUPTED = "the file was damaged, and the service was interrupted while it was replaced"


class Damage(NamedTuple):
    """The result of replacing a damaged file.

    Attributes:
        words: Description of the damage.
        aside: New path of the damaged file.
        events: Number of undelivered events recovered.
        entries: Number of journal entries recovered.
        complete: Whether nothing was found missing among them.
    """

    words: str
    aside: Path
    events: int
    entries: int
    complete: bool

    def gap(self, now: float) -> Gap:
        """The gap event for subscribers."""
        saved = f"{self.events} undelivered events and {self.entries} batches of readings were saved"
        rest = "" if self.complete else ", others may be lost"
        detail = f"{saved}{rest}; the file is kept as {self.aside.name}"
        return Gap("events", "store_damaged", 0 if self.complete else None, None, now, {}, detail)


class StoreFiles(NamedTuple):
    """A store's path and the options for opening it.

    Attributes:
        path: Path of the file.
        durability: What a commit survives: a `power` cut, or only a crash of the `process`.
        limits: The retention limits.
    """

    path: Path
    durability: Literal["power", "process"]
    limits: StoreLimits

    def open(self, now: float) -> tuple[SqliteStore, Damage | None]:
        """Open the store.

        If its file is damaged, move it aside and create a new one from the data that can be recovered.

        Args:
            now: Seconds since the epoch, UTC.

        Raises:
            StoreError: The file can't be opened or written, or has a later format.
        """
        if self._replacement.exists():
            return self._put_in_place(now, INTERRUPTED)
        try:
            return SqliteStore(*self), None
        except StoreError as error:
            if not error.damaged:
                raise
            words = str(error)
        return self.replace(now, words)

    def replace(self, now: float, words: str) -> tuple[SqliteStore, Damage]:
        """Create a new store from the recoverable data of a damaged one, and move that aside.

        `words` describes the damage.

        The damaged file stays in place until the new one is complete, so the operation can be interrupted at any point.

        Raises:
            StoreError: The new file can't be written, or the damaged one can't be moved.
        """
        saved = salvage(self.path)
        making = self.path.with_name(f"{self.path.name}.making")
        _delete(making)
        store = SqliteStore(making, self.durability, self.limits)
        try:
            store.put_back(saved, max(int(now * 1000), saved.last))
        finally:
            store.close()
        with _explained(self.path):
            making.replace(self._replacement)
        return self._put_in_place(now, words, saved)

    @property
    def _replacement(self) -> Path:
        """Path of a complete store about to replace a damaged one; exists only during the replacement."""
        return self.path.with_name(f"{self.path.name}.replacement")

    def _put_in_place(self, now: float, words: str, saved: SalvagedRows | None = None) -> tuple[SqliteStore, Damage]:
        with _explained(self.path):
            aside = _move_aside(self.path, now)
            self._replacement.replace(self.path)
        store = SqliteStore(*self)
        events, entries = store.contents()
        damage = Damage(words, aside, events, entries, saved is not None and saved.complete)
        log.error("store_damaged error=%r kept_as=%s events_saved=%d", words, aside, damage.events)
        return store, damage


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: damaged, and can't be moved aside: {error}", temporary=True) from error


def _move_aside(path: Path, now: float) -> Path:
    stamp = datetime.fromtimestamp(max(now, 0.0), UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while any(Path(f"{aside}{end}").exists() for end in SIDE_FILES):
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for end in reversed(SIDE_FILES):
        source = Path(f"{path}{end}")
        if source.exists():
            source.replace(f"{aside}{end}")
    _forget_oldest(path, aside)
    return aside


def _forget_oldest(path: Path, newest: Path) -> None:
    asides = [
        each
        for each in path.parent.glob(f"{glob.escape(path.name)}.damaged-*")
        if each.is_file() and each != newest and not each.name.endswith(SIDE_FILES[1:])
    ]
    for old in sorted(asides, key=lambda each: (each.stat().st_mtime_ns, each.name))[: max(0, len(asides) + 1 - KEPT)]:
        _delete(old)


def _delete(path: Path) -> None:
    for end in SIDE_FILES:
        with suppress(OSError):  # what can't be deleted only takes room
            Path(f"{path}{end}").unlink(missing_ok=True)
