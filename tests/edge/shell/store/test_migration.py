"""Files of earlier versions are migrated, even if interrupted; files of later versions are left alone.

`data/format-1.db.gz` was written by version 0.1; `data/make_format_1.py` says how.
"""

from __future__ import annotations

import gzip
import json
import logging
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils
from store_examples import event, letter, sequences

from config.loading import load
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.state.stored_state import resume
from edge.shell.store import EventFilter, SqliteStore, StoreError, read_events, read_history
from edge.shell.store.format import migrations
from edge.shell.store.sqlite import VERSION

DATA = Path(__file__).parents[1] / "data"
TABLES = {
    "events": "sequence, id, sensor, topic, time, incident, transition, kind, severity, message, payload, confirmed",
    "dead_letter": "*",
    "journal": "*",
    "snapshot": "*",
    "last": "*",
}
FOUND = json.loads((DATA / "format-1.json").read_text())


def rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT {columns} FROM {table} ORDER BY rowid").fetchall()  # noqa: S608
            for table, columns in TABLES.items()
        }


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store of version 0.1."""
    path = tmp_path / "store.db"
    path.write_bytes(gzip.decompress((DATA / "format-1.db.gz").read_bytes()))
    return path


def test_an_old_file_keeps_its_events_dead_letters_readings_and_state(old: Path) -> None:
    before = rows(old)
    assert [len(each) for each in before.values()] == [11, 2, 51, 1, 1]
    SqliteStore(old).close()
    assert version(old) == VERSION
    assert rows(old) == before


def test_old_events_get_the_size_and_checksum_of_the_current_format(old: Path) -> None:
    SqliteStore(old).close()
    with closing(sqlite3.connect(old)) as connection:
        found = connection.execute("SELECT payload, time, confirmed, stored, size, checksum FROM events").fetchall()
    for payload, time, confirmed, stored, size, checksum in found:
        assert stored == (time if confirmed is None else confirmed)
        assert (size, checksum) == (len(payload.encode()), zlib.crc32(payload.encode()))


def test_waiting_events_of_an_old_file_still_wait(old: Path) -> None:
    waiting = [row for row in rows(old)["events"] if row[-1] is None]
    store = SqliteStore(old)
    assert [(row.sequence, row.payload.decode()) for row in store.pending(0, 100)] == [
        (row[0], row[10]) for row in waiting
    ]
    store.append([event(100)], [letter()], b"entry", now=5.0)
    assert sequences(store)[-1] == 100
    store.close()


def test_an_old_file_restores_the_whole_state_of_the_core(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    configuration = load(DATA / "format-1.toml")
    store = SqliteStore(old)
    pipeline, recollection, gaps = resume(
        lambda: make_pipeline(configuration),
        store,
        configuration.digest(),
        configuration.inputs_digest(),
        1_700_000_500.0,
    )
    store.close()
    assert gaps == []
    assert recollection.complete
    assert "component=levels" in caplog.text
    assert "learned_from_journal=1152" in caplog.text
    assert (pipeline.engine.levels.watched[:3] > 380).all()
    assert "learning_anew" not in caplog.text
    assert pipeline.sensors.names == FOUND["sensors"]
    held = [json.loads(each) for each in pipeline.retained_now().values()]
    # By today's rules the silences of two sensors are one incident, but they were reported as two, and so they end as
    # two.
    still_open = sorted(each["correlationid"] for each in held if "id" in each)
    assert still_open == sorted(incident for incident, _ in FOUND["cleared"])
    following = [Message(topic, payload.encode(), time, qos=1) for topic, payload, time in FOUND["messages"]]
    step = pipeline.process(following)
    cleared = [[each.incident, each.kind] for each in step.events if each.transition == "cleared"]
    assert cleared == FOUND["cleared"]
    assert min(each.sequence for each in step.events) == 12


def test_an_old_file_can_be_read_without_being_changed(old: Path) -> None:
    content = old.read_bytes()
    assert [each["sequence"] for each in read_events(old, EventFilter())] == list(range(1, 12))
    history = read_history(old)
    assert [name for name, *_ in history.sensors] == FOUND["sensors"]
    assert len(list(history.parts)) == 51
    assert old.read_bytes() == content


def copies(path: Path, folder: Path, operations: int) -> Iterator[Path]:
    """The files left behind if the process dies during the migration, repeatedly."""
    folder.mkdir()
    made: list[Path] = []

    def copy() -> int:
        made.append(folder / f"{len(made)}.db")
        for end in ("", "-wal"):
            if Path(f"{path}{end}").exists():
                shutil.copy(f"{path}{end}", f"{made[-1]}{end}")
        return 0

    connection = sqlite3.connect(path, isolation_level=None)
    connection.set_progress_handler(copy, operations)
    SqliteStore(path, connection=connection)
    copy()
    connection.close()
    yield from made


def test_a_migration_may_be_interrupted_at_any_moment(old: Path, tmp_path: Path) -> None:
    before = rows(old)
    found = list(copies(old, tmp_path / "copies", 300))
    assert {version(each) for each in found} == {1, 2, VERSION}
    for each in found:
        SqliteStore(each, "process").close()
        assert version(each) == VERSION
        assert rows(each) == before


def test_creating_a_file_may_be_interrupted_at_any_moment(tmp_path: Path) -> None:
    found = list(copies(tmp_path / "store.db", tmp_path / "copies", 150))
    assert {version(each) for each in found} == {0, 1, 2, VERSION}
    for each in found:
        store = SqliteStore(each, "process")
        store.append([event(1)], [letter()], b"entry", now=5.0)
        store.remember(b"state", "digest", 6.0)
        assert (sequences(store), store.last_sequence(), list(store.past())) == ([1], 1, [b"entry"])
        store.close()


@pytest.mark.parametrize("applied", [None, "first_format", "second_format", "third_format"])
def test_a_partially_migrated_file_is_completed(tmp_path: Path, applied: str | None) -> None:
    path = tmp_path / "store.db"
    database = sqlite_utils.Database(path)
    migrations.ensure_migrations_table(database)
    if applied is not None:
        migrations.apply(database, stop_before=applied)
    database.close()
    store = SqliteStore(path)
    store.append([event(1)], [])
    assert (version(path), sequences(store)) == (VERSION, [1])
    store.close()


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_file_of_a_later_version_is_refused_and_unchanged(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('edgewarden', 'hundredth')")
        connection.execute("PRAGMA user_version = 100")
        connection.execute(f"PRAGMA journal_mode = {mode}")
    content = path.read_bytes()
    with pytest.raises(StoreError, match="later Edgewarden") as raised:
        SqliteStore(path)
    assert (raised.value.damaged, raised.value.temporary) == (False, False)
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["store.db"]
