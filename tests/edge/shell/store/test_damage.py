"""Damaged files: intact parts are kept, the rest is moved aside, and a wrong event is never returned."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from filled_store import LIMITS, NOW, Filled, filled, is_damaged
from hypothesis import given, settings
from hypothesis import strategies as st
from store_examples import event, scratch, sequences

from edge.core.model.packing.packing import decompress
from edge.core.persistence.journal import pack
from edge.shell.store import Damage, SqliteStore, StoreError, StoreFiles

LATER = pack([])


@pytest.fixture(scope="module", params=["closed", "killed"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    return filled(tmp_path_factory.mktemp("whole") / "store", closed=request.param == "closed")


def files(path: Path) -> StoreFiles:
    return StoreFiles(path, "process", LIMITS)


def asides(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if ".damaged-" in each.name)


def judge(path: Path, whole: Filled) -> Damage | None:
    """Open a damaged file, compare what it returns with the original content, and continue to work with it."""
    store, damage = files(path).open(NOW)
    try:
        use(store, whole)
    except StoreError as error:
        if damage is not None or not error.damaged:
            raise
        store.close()
        store, damage = files(path).replace(NOW, str(error))
        use(store, whole)
    if damage is not None:
        assert damage.aside.name in asides(path)
        assert store._database.execute("PRAGMA integrity_check") == [("ok",)]
        assert store.last_sequence() >= max(whole.last, int(1000 * NOW))
        if not Path(f"{whole.path}-wal").exists():  # otherwise there is no evidence that the log was longer
            assert not damage.complete or set(whole.waiting) <= set(sequences(store))
    store.close()
    return damage


def use(store: SqliteStore, whole: Filled) -> None:
    given_out = [row.payload for row in store.pending(0, 10_000)]
    known = whole.payloads | {b"{}"}
    assert set(given_out) <= known
    assert len(set(given_out)) == len(given_out)
    store.pending_open(0, 10_000, 2**62)
    store.backlog()
    entries = [content for content in map(content_of, [*store.past(), *store.recall().since]) if content]
    before = [decompress(each[1:]) for each in whole.entries]
    assert entries == [each for each in before if each in set(entries)]
    next_one = store.last_sequence() + 1
    store.append([event(next_one)], [], LATER, now=NOW)
    assert store.recall().since[-1] == LATER
    assert sequences(store, after=next_one - 1) == [next_one]


def assert_all_can_be_delivered(path: Path) -> None:
    """Read the events that wait in the store; none are left once they are confirmed."""
    store, _ = files(path).open(NOW)
    store.confirm([row.sequence for row in store.pending(0, 10_000)], NOW)
    assert store.backlog().events == 0
    store.close()


def content_of(entry: bytes) -> bytes | None:
    """The content of a journal entry; None if it is known to be damaged, or is `LATER`."""
    return None if is_damaged(entry) or entry == LATER else decompress(entry[1:])


def test_an_undamaged_file_is_opened_with_its_whole_content(whole: Filled, tmp_path: Path) -> None:
    path = whole.copied(tmp_path)
    assert judge(path, whole) is None
    assert asides(path) == []
    store, _ = files(path).open(NOW)
    assert sequences(store)[:-1] == whole.waiting
    assert [*store.past(), *store.recall().since][:-1] == whole.entries
    store.close()


@pytest.mark.parametrize("end", ["", "-wal"])
def test_a_file_truncated_anywhere_is_survived(whole: Filled, end: str) -> None:
    size = Path(f"{whole.path}{end}").stat().st_size if Path(f"{whole.path}{end}").exists() else 0
    sizes = {
        *range(0, size, 4096 if end == "" else 7 * 4120),
        1,
        99,
        100,
        511,
        512,
        4095,
        4097,
        size - 1,
        size // 2 + 77,
    }
    for cut in sorted(each for each in sizes if 0 <= each < size):
        with scratch() as folder:
            path = whole.copied(folder)
            with Path(f"{path}{end}").open("r+b") as file:
                file.truncate(cut)
            judge(path, whole)


@pytest.mark.long
@settings(max_examples=90, database=None, derandomize=True)
@given(seed=st.integers(0, 2**32), flips=st.sampled_from([1, 1, 1, 2, 5, 20, 200]), log=st.booleans())
def test_flipped_bits_are_survived(whole: Filled, seed: int, flips: int, log: bool) -> None:
    chance = random.Random(seed)
    with scratch() as folder:
        path = whole.copied(folder)
        target = Path(f"{path}-wal") if log and Path(f"{path}-wal").exists() else path
        content = bytearray(target.read_bytes())
        for _ in range(flips):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        target.write_bytes(content)
        judge(path, whole)
        assert_all_can_be_delivered(path)


@pytest.mark.long
@settings(max_examples=60, database=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_commits_that_are_lost_from_the_middle_of_the_log_are_not_lost_silently(seed: int) -> None:
    with scratch() as folder:
        whole = filled(folder / "store", closed=False)
        log = Path(f"{whole.path}-wal")
        content = bytearray(log.read_bytes())
        content[random.Random(seed).randrange(len(content))] ^= 0x10
        log.write_bytes(content)
        store, damage = files(whole.path).open(NOW)
        found = [*store.past(), *store.recall().since]
        store.close()
        assert len(found) >= len(whole.entries) - 2 or damage is not None


def test_any_byte_of_the_header_may_be_damaged(tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = filled(tmp_path_factory.mktemp("small") / "store", events=6, entries=4, covered=2)
    for place in range(100):
        with scratch() as folder:
            path = whole.copied(folder)
            content = bytearray(path.read_bytes())
            content[place] ^= 0xFF if place % 2 else 0x01
            path.write_bytes(content)
            judge(path, whole)


@pytest.mark.parametrize("statement", ["UPDATE events SET confirmed = 1", "UPDATE events SET confirmed = NULL"])
def test_an_outbox_whose_index_lags_behind_its_table_is_damage(whole: Filled, tmp_path: Path, statement: str) -> None:
    path = whole.copied(tmp_path)
    with closing(sqlite3.connect(path)) as database:
        [[sql]] = database.execute("SELECT sql FROM sqlite_master WHERE name = 'outbox'")
    change_schema(path, "UPDATE sqlite_master SET sql = ? WHERE name = 'outbox'", f"{sql} AND sequence < 0")
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(statement)
    change_schema(path, "UPDATE sqlite_master SET sql = ? WHERE name = 'outbox'", sql)
    store, damage = files(path).open(NOW)
    store.close()
    assert damage is not None
    assert_all_can_be_delivered(path)


def change_schema(path: Path, statement: str, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(statement, (sql,))


def test_an_event_with_an_unassigned_sequence_does_not_wait_forever(whole: Filled, tmp_path: Path) -> None:
    path = whole.copied(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE events SET sequence = -sequence WHERE sequence = ?", (whole.waiting[0],))
        database.execute("UPDATE events SET checksum = 0 WHERE sequence = ?", (whole.waiting[1],))
    assert judge(path, whole) is not None
    assert_all_can_be_delivered(path)
