"""A file of another program is never used as the store; a store file always is, even if it is damaged."""

from __future__ import annotations

import gzip
import random
import shutil
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from configurations import INPUT, faults_of

from config.loading import parse
from config.store_file import lock_path, store_problem
from edge.shell.store import SqliteStore
from edge.shell.store.protection.owner import owned

FIRST_FORMAT = Path(__file__).parents[1] / "edge" / "shell" / "data" / "format-1.db.gz"


def database(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for each in statements:
            connection.execute(each)
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}


def test_a_missing_or_empty_file_can_become_one(tmp_path: Path) -> None:
    assert store_problem(tmp_path / "new.db") is None
    (tmp_path / "empty.db").touch()
    assert store_problem(tmp_path / "empty.db") is None


def test_a_store_is_recognised_whether_open_closed_or_new(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    assert store_problem(tmp_path / "store.db") is None
    store.close()
    assert store_problem(tmp_path / "store.db") is None


def test_a_store_of_the_first_format_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(gzip.decompress(FIRST_FORMAT.read_bytes()))
    assert store_problem(path) is None


def test_a_store_whose_tables_are_in_its_log_is_recognised(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store._database.execute("CREATE TABLE more (a)")
    shutil.copy(tmp_path / "store.db-wal", tmp_path / "copy.db-wal")
    store.close()
    (tmp_path / "copy.db").write_bytes(b"rubbish")
    assert store_problem(tmp_path / "copy.db") is None
    (tmp_path / "copy.db-wal").unlink()
    assert store_problem(tmp_path / "copy.db") is not None


@pytest.mark.parametrize("seed", range(20))
def test_a_store_with_flipped_bits_is_recognised(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    content = bytearray(path.read_bytes())
    for _ in range(20):
        content[random.Random(seed).randrange(len(content))] ^= 0xFF
    content[:100] = bytes(100)
    path.write_bytes(content)
    assert store_problem(path) is None


def test_a_file_that_a_service_has_owned_is_a_store_whatever_is_left_of_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with owned(path):
        pass
    path.write_bytes(b"rubbish" * 1000)
    assert store_problem(path) is None
    lock_path(path).write_text("somebody else's lock")
    assert store_problem(path) is not None


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE music (song)",),
        ("CREATE TABLE dead_letter (number INTEGER PRIMARY KEY, letter)", "CREATE TABLE events (a)"),
        ("PRAGMA journal_mode = WAL", "CREATE TABLE music (song)"),
        ("PRAGMA application_id = 7", "VACUUM"),
        ("PRAGMA user_version = 7", "VACUUM"),
    ],
    ids=lambda each: each[-1][:30],
)
def test_the_database_of_another_program_is_left_alone(tmp_path: Path, statements: tuple[str, ...]) -> None:
    path = database(tmp_path / "music.db", *statements)
    before = contents(tmp_path)
    assert "another program's database" in str(store_problem(path))
    assert contents(tmp_path) == before


def test_a_database_in_use_by_another_program_is_left_alone_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "music.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE music (song)")
        before = contents(tmp_path)
        assert "another program's database" in str(store_problem(path))
        assert contents(tmp_path) == before


def test_an_empty_database_can_become_one(tmp_path: Path) -> None:
    assert store_problem(database(tmp_path / "empty.db", "PRAGMA journal_mode = WAL", "VACUUM")) is None


def test_other_kinds_of_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("buy milk " * 100)
    (tmp_path / "short").write_text("x")
    assert "another kind of file" in str(store_problem(tmp_path / "notes"))
    assert "another kind of file" in str(store_problem(tmp_path / "short"))
    assert "a folder" in str(store_problem(tmp_path))
    assert "a device" in str(store_problem(Path("/dev/null")))
    with closing(socket.socket(socket.AF_UNIX)) as listening:
        listening.bind(str(tmp_path / "socket"))
        assert "a socket" in str(store_problem(tmp_path / "socket"))


def test_the_configuration_is_refused_with_the_key_before_anything_is_opened(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("buy milk " * 100)
    (problem,) = faults_of(f'{INPUT}[store]\npath = "notes"\n', tmp_path)
    assert (problem.key, problem.line) == ("store.path", 4)
    assert "another kind of file" in problem.message
    assert contents(tmp_path) == {"notes": b"buy milk " * 100}


def test_a_symbolic_link_is_judged_by_its_target(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link.db").symlink_to("disk/store.db")
    (tmp_path / "other.db").symlink_to("link.db")
    for each in ("link.db", "other.db"):
        found = parse(f'{INPUT}[store]\npath = "{each}"\n', "edgewarden.toml", tmp_path)
        assert found.configuration.store.path == tmp_path / "disk" / "store.db"
    (tmp_path / "lost.db").symlink_to("nowhere/store.db")
    (problem,) = faults_of(f'{INPUT}[store]\npath = "lost.db"\n', tmp_path)
    assert "there is no folder" in problem.message


def test_a_symbolic_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop.db").symlink_to("other.db")
    (tmp_path / "other.db").symlink_to("loop.db")
    (problem,) = faults_of(f'{INPUT}[store]\npath = "loop.db"\n', tmp_path)
    assert problem.key == "store.path"
    assert "leads to itself" in problem.message
