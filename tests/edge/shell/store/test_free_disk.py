"""Some disk space is kept free: history is deleted for it, then waiting events, and never more than necessary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from store_examples import event, letter, pruned, sequences

from edge.shell.store import SqliteStore, StoreLimits, retention

PAGE = 4096
FREE = 1_000_000


class Space(NamedTuple):
    f_bavail: int
    f_frsize: int = 1


class Disk:
    """A disk that holds only a store; its free space follows from the store's size.

    Args:
        path: The store's file.
        monkeypatch: Make the store see that free space.
    """

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.size = 2**40
        monkeypatch.setattr(retention.os, "statvfs", lambda _: Space(self.free()))

    def used(self) -> int:
        return sum(each.stat().st_size for each in self.path.parent.iterdir() if not each.name.endswith("-shm"))

    def free(self) -> int:
        return self.size - self.used()

    def leave(self, free: int) -> None:
        self.size = self.used() + free


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db", "process", StoreLimits(free_disk_bytes=FREE, outbox_events=10**6))
    yield made
    made.close()


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path / "store.db", monkeypatch)


def fill(store: SqliteStore, entries: int, delivered: int = 0, waiting: int = 0) -> None:
    """Each entry and each event has about the size of a page."""
    for number in range(1, entries + 1):
        store.append([], [letter()], b"%04d" % number * 900, now=100.0)
    store.remember(b"state", "digest", 100.0)
    store.append([event(each, size=3600) for each in range(1, delivered + waiting + 1)], [], now=100.0)
    store.confirm(range(1, delivered + 1), 100.0)


def test_with_enough_space_nothing_is_deleted(store: SqliteStore, disk: Disk) -> None:
    fill(store, 50, 50)
    disk.leave(2 * FREE)
    assert pruned(store, 200.0) == []
    assert len(list(store.past())) == 50


def test_history_is_deleted_first_and_readings_before_events(store: SqliteStore, disk: Disk) -> None:
    fill(store, 50, 50, 5)
    disk.leave(FREE - 30 * PAGE)
    assert pruned(store, 200.0) == []
    left = [int(entry[:4]) for entry in store.past()]
    assert left == list(range(51 - len(left), 51))
    assert 5 <= len(left) < 25
    assert len(sequences(store)) == 5


def test_freed_space_is_returned_and_no_more_is_deleted_in_the_next_round(store: SqliteStore, disk: Disk) -> None:
    fill(store, 3000)
    pruned(store, 200.0)
    disk.leave(FREE - 2500 * PAGE)
    pruned(store, 200.0)
    left = len(list(store.past()))
    assert 100 < left < 500
    pruned(store, 200.0)
    assert len(list(store.past())) == left
    assert disk.free() >= FREE - 20 * PAGE


def test_of_the_waiting_events_the_least_important_are_deleted_and_a_thousand_stay(
    store: SqliteStore, disk: Disk
) -> None:
    store.append([event(1, severity=900), *[event(each, size=3600) for each in range(2, 1302)]], [], now=100.0)
    store.prune(150.0)  # the first call creates a table, which alone truncates the log to its usual size
    disk.leave(0)
    store.prune(200.0)
    disk.leave(FREE - 100 * PAGE)
    (gap,) = pruned(store, 200.0)
    assert gap.reason == "free_disk"
    assert 80 < (gap.number or 0) < 130
    assert sequences(store)[0] == 1
    for _ in range(5):
        disk.leave(0)
        pruned(store, 200.0)
    assert store.backlog().events == retention.FEWEST
