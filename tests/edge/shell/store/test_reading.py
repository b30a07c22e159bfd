"""Reading from outside: events and readings of a store that a service is writing to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from filled_store import CONFIGURATION, LIMITS, NOW, filled, readings
from store_examples import event, letter

from edge.core.persistence.journal import Part, Readings, join, pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import EventFilter, SqliteStore, StoreError, read_events, read_history


def test_events_are_selected_while_the_store_is_open(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    store.append([event(1), event(2, severity=900)], [])
    store.append([event(3)._replace(sensor="line2/fan", kind="drift")], [])

    def found(**keys: object) -> list[int]:
        return [each["sequence"] for each in read_events(path, EventFilter(**keys))]

    assert found() == [1, 2, 3]
    assert found(sensor="line1/*") == [1, 2]
    assert found(kinds=("drift", "range")) == [3]
    assert found(severity=500) == [2]
    assert found(since=102.0, until=103.0) == [2]
    assert found(transitions=("cleared",)) == []
    assert [each["sequence"] for each in read_events(path, EventFilter(), last=2)] == [2, 3]
    assert [each["sequence"] for each in read_events(path, EventFilter(), after=2)] == [3]
    store.close()


def test_an_event_is_read_with_all_its_public_fields(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.append([event(1)], [])
    store.confirm([1], 7.0)
    (found,) = read_events(tmp_path / "store.db", EventFilter())
    assert found == {**event(1)._asdict(), "payload": "{}", "confirmed": 7.0}
    store.close()


@pytest.mark.parametrize("look", [lambda path: read_events(path, EventFilter()), read_history])
@pytest.mark.parametrize(
    ("content", "words"), [(None, "no such file"), (b"", "empty"), (b"text" * 999, "another kind of file")]
)
def test_an_invalid_store_is_reported_and_left_alone(
    tmp_path: Path, look: object, content: bytes | None, words: str
) -> None:
    path = tmp_path / "store.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=words):
        look(path)  # type: ignore[operator]
    assert (path.read_bytes() if path.exists() else None) == content


def test_the_database_of_another_program_holds_neither_events_nor_readings(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE music (song)")
    with pytest.raises(StoreError, match="another program's database"):
        read_events(path, EventFilter())
    with pytest.raises(StoreError, match="another program's database"):
        read_history(path)


def test_a_new_store_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    assert read_events(path, EventFilter()) == []
    history = read_history(path)
    assert (history.sensors, list(history.parts)) == ([], [])
    assert list(read_history(path, since=NOW).parts) == []


def values(parts: Iterable[Part]) -> list[float]:
    return [value for part in parts if isinstance(part, Readings) for value in part.batch.values.tolist()]


def said(first: int, last: int) -> list[float]:
    return [20.0 + second % 7 for second in range(first, last + 1) for _ in readings(second)]


def test_the_journal_is_read_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    whole = filled(tmp_path / "store")
    history = read_history(whole.path)
    assert [name for name, *_ in history.sensors] == [f"plant/{number}" for number in range(6)]
    assert values(history.parts) == said(1, 40)


@pytest.mark.parametrize("second", [5, 25, 26, 35, 40, 41])
@pytest.mark.parametrize("covered", [0, 15, 40])
def test_readings_since_a_time_are_assigned_to_their_sensors(tmp_path: Path, second: int, covered: int) -> None:
    whole = filled(tmp_path / "store", covered=covered)
    history = read_history(whole.path, since=NOW + second)
    pipeline = make_pipeline(CONFIGURATION)
    pipeline.register_sensors(history.sensors)
    parts = list(history.parts)
    assert values(parts) == said(second, 40)
    for part in join(parts):
        pipeline.replay([part])
    assert pipeline.counters.readings == len(said(second, 40))


def test_data_written_during_reading_appears_at_the_next_reading(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path, "process", LIMITS)
    pipeline = make_pipeline(CONFIGURATION)

    def write(second: int) -> None:
        step = pipeline.process(readings(second))
        store.append([event(second)], [letter()], pack([step.journal] if step.journal else []), now=NOW + second)

    for second in range(1, 11):
        write(second)
    parts = read_history(path).parts
    found = [next(parts)]
    for second in range(11, 31):
        write(second)
        found += [next(parts)] if second < 20 else []
        assert len(read_events(path, EventFilter())) == second
    store.remember(pipeline.save("", ""), "", NOW)
    store.prune(NOW + 30 * 86_400)
    found += parts
    assert values(found) == said(1, 10)
    assert len(list(store.past())) == 1
    store.close()


def test_a_damaged_journal_entry_is_named(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.append([], [], b"no entry at all", now=NOW)
    with pytest.raises(StoreError, match="row 1 of the journal") as raised:
        list(read_history(tmp_path / "store.db").parts)
    assert raised.value.damaged
    store.remember(b"no state at all", "digest", NOW)
    with pytest.raises(StoreError, match="damaged snapshot"):
        read_history(tmp_path / "store.db")
    store.close()
