from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.shell.store.protection.write_ahead_log import _checksum, lost_commits

FRAME = 24 + 4096


def log_of(folder: Path, commits: int, rows: int = 1) -> Path:
    """The log left behind by a killed process, with the given number of commits after the table's."""
    connection = sqlite3.connect(folder / "live.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE things (words TEXT)")
    for _ in range(commits):
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO things VALUES (?)", [("x" * 3000,)] * rows)
        connection.execute("COMMIT")
    for end in ("", "-wal"):
        shutil.copy(folder / f"live.sqlite{end}", folder / f"dead.sqlite{end}")
    connection.close()
    return folder / "dead.sqlite-wal"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def rows_left(log: Path) -> int:
    connection = sqlite3.connect(log.with_name("dead.sqlite"))
    count = connection.execute("SELECT count(*) FROM things").fetchone()[0]
    connection.close()
    return int(count)


@pytest.mark.parametrize("rows", [1, 5])
def test_a_log_left_by_a_kill_has_lost_nothing(tmp_path: Path, rows: int) -> None:
    assert lost_commits(log_of(tmp_path, 20, rows)) == 0


def test_no_log_an_empty_one_and_no_log_at_all_have_lost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x-wal"
    assert lost_commits(path) == 0
    path.write_bytes(b"")
    assert lost_commits(path) == 0
    path.write_bytes(b"\x00" * 10_000)
    assert lost_commits(path) == 0


@pytest.mark.parametrize("within", [0, 9, 20, 30, 4000])
def test_a_flipped_bit_in_the_middle_loses_all_commits_after_it_and_they_are_counted(
    tmp_path: Path, within: int
) -> None:
    log = log_of(tmp_path, 20)
    middle = (log.stat().st_size - 32) // FRAME // 2
    flip(log, 32 + middle * FRAME + within)
    lost = lost_commits(log)
    missing = 20 - rows_left(log)
    assert lost == missing - (within == 9)  # a commit that no longer says to which log it belongs
    assert missing > 5


@pytest.mark.parametrize("at", [0, 3, 9, 14, 17, 25])
def test_a_damaged_header_loses_everything(tmp_path: Path, at: int) -> None:
    log = log_of(tmp_path, 20)
    flip(log, at)
    assert lost_commits(log) > 19


@pytest.mark.parametrize("cut", [1, 2000, FRAME, FRAME + 1])
def test_a_torn_last_transaction_is_not_damage(tmp_path: Path, cut: int) -> None:
    log = log_of(tmp_path, 20, rows=5)
    log.write_bytes(log.read_bytes()[:-cut])
    assert lost_commits(log) == 0
    assert rows_left(log) == 19 * 5


def test_a_last_transaction_whose_frames_were_written_out_of_order_is_not_damage(tmp_path: Path) -> None:
    log = log_of(tmp_path, 20, rows=5)
    flip(log, log.stat().st_size - 3 * FRAME + 100)
    assert lost_commits(log) == 0


def test_frames_of_an_earlier_round_of_the_log_do_not_count(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "live.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE things (words TEXT)")
    for _ in range(30):
        connection.execute("INSERT INTO things VALUES (?)", ("x" * 3000,))
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    connection.execute("INSERT INTO things VALUES ('first of a new round')")
    log = shutil.copy(tmp_path / "live.sqlite-wal", tmp_path / "dead.sqlite-wal")
    connection.close()
    assert Path(log).stat().st_size > 30 * FRAME
    assert lost_commits(Path(log)) == 0


@given(st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=40), st.sampled_from(["<u4", ">u4"]))
def test_the_checksum_equals_that_of_the_plain_loop(words: list[int], order: str) -> None:
    words = words[: len(words) // 2 * 2]
    first, second = words[0], words[1]
    before = np.array([first, second], dtype=np.uint32)
    for one, other in zip(words[::2], words[1::2], strict=True):
        first = (first + one + second) % 2**32
        second = (second + other + first) % 2**32
    data = np.array(words, dtype=np.uint32).astype(order).tobytes()
    assert _checksum(data, order, before).tolist() == [first, second]
