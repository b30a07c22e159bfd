"""An unusable file is moved aside and replaced by a new one, wherever this is interrupted."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from filled_store import LIMITS, NOW, Filled, filled
from store_examples import event, sequences

from edge.shell.store import SqliteStore, StoreError, StoreFiles, damage
from edge.shell.store.damage import KEPT
from edge.shell.store.sqlite import VERSION


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    return filled(tmp_path_factory.mktemp("whole") / "store")


@pytest.fixture
def path(whole: Filled, tmp_path: Path) -> Path:
    """A store with a damaged page of dead letters, which is noticed at the start."""
    path = whole.copied(tmp_path)
    content = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'dead_letter'").fetchone()[0]
    start = 4096 * (root - 1)
    path.write_bytes(content[:start] + b"\xff" * 100 + content[start + 100 :])
    return path


def files(path: Path) -> StoreFiles:
    return StoreFiles(path, "process", LIMITS)


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def foreign(path: Path, version: int = 0, table: str = "music") -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE {table} (song)")
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"this is no database at all" * 100),
        lambda path: path.write_bytes(b"\x00" * 4096),
        foreign,
        lambda path: foreign(path, version=1),
        lambda path: foreign(path, version=2),
        lambda path: foreign(path, version=77),
        lambda path: foreign(path, version=2, table="events"),
    ],
    ids=["text", "zeros", "foreign", "foreign 1", "foreign 2", "foreign 77", "foreign events"],
)
def test_an_invalid_store_is_moved_aside_unchanged(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "store.db"
    make(path)
    content = path.read_bytes()
    with pytest.raises(StoreError, match="store.db") as raised:
        SqliteStore(path)
    assert raised.value.damaged
    assert path.read_bytes() == content
    store, found = files(path).open(NOW)
    assert found is not None
    assert (found.events, found.entries, found.complete) == (0, 0, False)
    assert found.gap(NOW).number is None
    assert found.aside.read_bytes() == content
    assert store.last_sequence() == 1000 * NOW
    store.close()


@pytest.mark.parametrize("content", [b"", b"\x00"])
def test_an_empty_file_becomes_a_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    store, found = files(path).open(NOW)
    assert (found, store.last_sequence()) == (None, 0)
    store.close()


@pytest.mark.parametrize("content", [b"", b"no database", b"no database at all" * 100])
def test_the_log_is_moved_aside_with_its_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    Path(f"{path}-wal").write_bytes(b"a log")
    store, found = files(path).open(0.0)
    store.close()
    assert found is not None
    assert found.aside.name == "store.db.damaged-19700101T000000Z"
    assert {each for each in names(path) if not each.endswith("-shm")} == {
        "store.db", found.aside.name, f"{found.aside.name}-wal"
    }  # fmt: skip
    assert Path(f"{found.aside}-wal").read_bytes() == b"a log"


def test_a_folder_in_place_of_the_file_is_reported_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.mkdir()
    with pytest.raises(StoreError, match="a folder") as raised:
        files(path).open(NOW)
    assert (raised.value.temporary, raised.value.damaged) == (False, False)
    assert names(path) == ["store.db"]


def test_a_few_damaged_files_are_kept_and_always_the_last(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    (tmp_path / "store.db.damaged-by-hand").mkdir()
    for number in range(KEPT + 2):
        path.write_bytes(b"no database %d" % number)
        os.utime(path, (1000 - number, 1000 - number))
        store, found = files(path).open(NOW)
        store.close()
        assert found is not None
        assert found.aside.read_bytes() == b"no database %d" % number
    asides = [each for each in tmp_path.iterdir() if ".damaged-" in each.name and each.is_file()]
    assert len(asides) == KEPT
    assert (tmp_path / "store.db.damaged-by-hand").is_dir()


def test_waiting_events_still_wait_and_sequences_continue(path: Path, whole: Filled) -> None:
    store, found = files(path).open(NOW)
    assert found is not None
    assert (found.events, found.entries, found.complete) == (len(whole.waiting), len(whole.entries), False)
    assert found.gap(NOW).number is None
    assert sequences(store) == whole.waiting
    assert [*store.past(), *store.recall().since] == whole.entries
    assert store.last_sequence() == 1000 * NOW
    store.close()


def test_without_a_damaged_page_it_is_known_that_nothing_is_missing(whole: Filled, tmp_path: Path) -> None:
    path = whole.copied(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    store, found = files(path).open(NOW)
    assert found is not None
    assert (found.events, found.entries, found.complete) == (len(whole.waiting), len(whole.entries), True)
    assert found.gap(NOW).number == 0
    store.close()


def test_sequences_continue_without_a_clock_too(path: Path, whole: Filled) -> None:
    store, _ = files(path).open(0.0)
    assert store.last_sequence() == whole.last
    store.close()


class Killed(BaseException):
    """The process was killed."""


STEPS = 7
"""The files that are moved or deleted in a replacement, with the log; extra entries are harmless."""


@pytest.mark.parametrize("step", range(STEPS))
def test_a_replacement_may_be_interrupted_anywhere(
    path: Path, whole: Filled, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    Path(f"{path}-wal").write_bytes(b"")
    left = step

    def counted(method: Callable[..., object]) -> Callable[..., object]:
        def call(self: Path, *arguments: object, **keys: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return method(self, *arguments, **keys)

        return call

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        with suppress(Killed):
            files(path).open(NOW)[0].close()
    store, _ = files(path).open(NOW + 60)
    assert sequences(store) == whole.waiting
    assert [*store.past(), *store.recall().since] == whole.entries
    assert store.last_sequence() >= 1000 * NOW
    store.close()
    assert [each for each in names(path) if each.startswith("store.db.damaged-")]
    assert [each for each in names(path) if not each.startswith("store.db.damaged-")] == ["store.db"]


def test_a_replacement_that_finds_the_disk_full_loses_nothing(
    path: Path, whole: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("database or disk is full", temporary=True)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "put_back", full)
        for _ in range(2):
            with pytest.raises(StoreError, match="full"):
                files(path).open(NOW)
    store, found = files(path).open(NOW)
    assert found is not None
    assert sequences(store) == whole.waiting
    store.close()


def test_an_interrupted_replacement_is_reported_as_incomplete(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(damage, "_move_aside", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            files(path).open(NOW)
    store, found = files(path).open(NOW)
    assert found is not None
    assert "interrupted" in found.words
    assert not found.complete
    assert found.events == 40
    store.close()


def test_a_damaged_event_is_never_returned_while_the_store_is_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path, "process", LIMITS)
    store.append([event(1), event(2), event(3)], [])
    spoils = [
        "UPDATE events SET payload = 'other' WHERE sequence = 2",
        "UPDATE events SET payload = x'7b7d' WHERE sequence = 2",
        "UPDATE events SET checksum = null WHERE sequence = 2",
        "UPDATE events SET topic = CAST(x'ff' AS TEXT) WHERE sequence = 2",
    ]
    for spoil in spoils:
        store.append([event(2)], [])
        assert sequences(store) == [1, 2, 3]
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(spoil)
        with pytest.raises(StoreError) as raised:
            store.pending(0, 10)
        assert raised.value.damaged
        assert sequences(store, after=2) == [3]
        store.append([], [], instead_of=[2])
    store.close()
