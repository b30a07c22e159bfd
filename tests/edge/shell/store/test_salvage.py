"""What is salvaged from a damaged file: intact parts, and those readings whose sensors are certain."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from filled_store import CONFIGURATION, LIMITS, NOW, Filled, filled
from store_examples import event, sequences

from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.state.stored_state import resume
from edge.shell.store import SqliteStore, StoreError, StoreFiles
from edge.shell.store.salvage import HIGHEST, SalvagedRows, salvage


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Sensors are new in the journal's rows 1, 10, 20, 30 and 40; the snapshot covers row 25."""
    return filled(tmp_path_factory.mktemp("whole") / "store")


@pytest.fixture
def path(whole: Filled, tmp_path: Path) -> Path:
    return whole.copied(tmp_path)


def spoil(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for each in statements:
            connection.execute(each)


def numbers(saved: SalvagedRows) -> list[int]:
    return [row[0] for row in saved.journal]


def test_of_an_intact_file_all_but_delivered_events_is_salvaged(path: Path, whole: Filled) -> None:
    saved = salvage(path)
    assert [row[0] for row in saved.events] == whole.waiting
    assert [row[2] for row in saved.journal] == whole.entries
    assert (len(saved.snapshot), saved.last, saved.complete) == (1, whole.last, True)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET payload = payload || ' ' WHERE sequence = 4",
        "UPDATE events SET payload = CAST(payload AS BLOB) WHERE sequence = 4",
        "UPDATE events SET checksum = checksum + 1 WHERE sequence = 4",
        "UPDATE events SET severity = 'high' WHERE sequence = 4",
        "UPDATE events SET topic = x'00' WHERE sequence = 4",
    ],
)
def test_an_incomplete_event_is_left_out_and_missed(path: Path, whole: Filled, statement: str) -> None:
    spoil(path, statement)
    saved = salvage(path)
    assert [row[0] for row in saved.events] == [each for each in whole.waiting if each != 4]
    assert not saved.complete


def test_a_text_that_is_not_utf_8_affects_only_its_own_event(path: Path, whole: Filled) -> None:
    spoil(path, "UPDATE events SET payload = CAST(x'7bff7d' AS TEXT) WHERE sequence IN (4, 40)")
    assert [row[0] for row in salvage(path).events] == [each for each in whole.waiting if each not in {4, 40}]


def test_readings_after_a_gap_are_salvaged_until_sensors_are_new(path: Path) -> None:
    spoil(path, "DELETE FROM journal WHERE number = 27")
    saved = salvage(path)
    assert numbers(saved) == [*range(1, 27), 28, 29]
    assert not saved.complete


def test_readings_of_unnamed_sensors_are_not_salvaged(path: Path) -> None:
    spoil(path, "UPDATE journal SET entry = x'00' WHERE number = 30")
    assert numbers(salvage(path)) == list(range(1, 30))


def test_a_gap_before_the_snapshot_affects_nothing_else(path: Path) -> None:
    spoil(path, "DELETE FROM journal WHERE number BETWEEN 8 AND 12")
    assert numbers(salvage(path)) == [*range(1, 8), *range(13, 41)]


def test_without_the_snapshot_only_a_journal_from_the_very_first_reading_helps(path: Path) -> None:
    spoil(path, "UPDATE snapshot SET state = x'00'")
    saved = salvage(path)
    assert (numbers(saved), saved.snapshot, saved.complete) == (list(range(1, 41)), [], False)
    spoil(path, "DELETE FROM journal WHERE number = 1")
    assert numbers(salvage(path)) == []


def test_the_core_gets_its_earlier_state_from_the_salvaged_data(path: Path) -> None:
    spoil(path, "DELETE FROM journal WHERE number > 30", "UPDATE events SET severity = 'high' WHERE sequence = 4")
    store, _ = StoreFiles(path, "process", LIMITS).replace(NOW, "spoilt")
    digest, inputs = CONFIGURATION.digest(), CONFIGURATION.inputs_digest()
    found, _, gaps = resume(lambda: make_pipeline(CONFIGURATION), store, digest, inputs, NOW)
    assert gaps == []
    assert len(found.sensors) == 8
    assert found.engine.statistics.count[:8].tolist() == [30, 30, 21, 21, 11, 11, 1, 1]
    store.close()


@pytest.mark.parametrize(("number", "is_refused"), [(27, True), (20, False)])
def test_a_damaged_entry_makes_the_file_damaged_if_it_is_needed(path: Path, *, number: int, is_refused: bool) -> None:
    spoil(path, f"UPDATE journal SET entry = substr(entry, 1, 20) WHERE number = {number}")  # noqa: S608 - our own
    store = SqliteStore(path, "process", LIMITS)
    digest, inputs = CONFIGURATION.digest(), CONFIGURATION.inputs_digest()
    if is_refused:
        with pytest.raises(StoreError, match="damaged") as caught:
            resume(lambda: make_pipeline(CONFIGURATION), store, digest, inputs, NOW)
        assert caught.value.damaged
    else:
        assert resume(lambda: make_pipeline(CONFIGURATION), store, digest, inputs, NOW)[2] == []
    store.close()


@pytest.mark.parametrize("lost", ["number > 0", "number > 20", "number < 30"])
def test_readings_after_a_loss_are_found_after_the_next_start(path: Path, lost: str) -> None:
    spoil(path, f"DELETE FROM journal WHERE {lost}")  # noqa: S608 - our own
    files = StoreFiles(path, "process", LIMITS)
    store, _ = files.replace(NOW, "spoilt")
    entry = pack([])
    store.append([event(store.last_sequence() + 1)], [], entry, now=NOW)
    store.close()
    store, damage = files.open(NOW)
    assert damage is None
    assert store.recall().since[-1] == entry
    assert not store.recall().complete
    store.close()


def test_numbers_of_events_continue_from_the_highest_readable_one(path: Path) -> None:
    spoil(path, "UPDATE last SET number = 777")
    assert salvage(path).last == 777
    spoil(path, f"UPDATE last SET number = {HIGHEST}")  # noqa: S608 - our own
    assert salvage(path).last == 60
    spoil(path, "DROP TABLE events")
    assert salvage(path).last == 0


def test_a_number_that_was_set_back_is_not_assigned_twice(path: Path, whole: Filled) -> None:
    spoil(path, "UPDATE last SET number = 3")
    store = SqliteStore(path, "process", LIMITS)
    assert store.last_sequence() == whole.last
    store.close()


@pytest.mark.parametrize("content", [b"", b"no database", b"no database at all" * 1000])
def test_nothing_is_salvaged_from_a_file_that_is_not_a_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    assert salvage(tmp_path / "store.db") == SalvagedRows(complete=False)


def test_a_missing_table_affects_nothing_else(path: Path, whole: Filled) -> None:
    spoil(path, "DROP TABLE journal")
    store, damage = StoreFiles(path, "process", LIMITS).open(NOW)
    assert damage is not None
    assert (damage.entries, damage.complete) == (0, False)
    assert sequences(store) == whole.waiting
    store.append([], [], pack([]), now=NOW)
    assert len(store.recall().since) == 1
    store.close()
