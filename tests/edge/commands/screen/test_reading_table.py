from __future__ import annotations

import math
from pathlib import Path

import pytest
from filled_store import CONFIGURATION, NOW

from edge.commands.screen import reading_table as module
from edge.commands.screen.reading_table import ANEW_S, KEPT, ReadingTable
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SqliteStore, StoreLimits


class Plant:
    """A store to which readings are written."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "store.db"
        self._pipeline = make_pipeline(CONFIGURATION)
        self._store = SqliteStore(self.path, StoreLimits(free_disk_bytes=0))
        self.clock = 1000.0

    def say(self, second: float, **values: float) -> None:
        messages = [Message(f"plant/{name}", f'{{"ts": {NOW + second}, "value": {value}}}'.encode(), NOW + second)
                    for name, value in values.items()]  # fmt: skip
        step = self._pipeline.process(messages)
        assert step.journal is not None
        self._store.append(step.events, [], pack([step.journal]), now=NOW + second)

    def close(self) -> None:
        self._store.close()


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


def table_of(plant: Plant) -> ReadingTable:
    made = ReadingTable(plant.path, CONFIGURATION, lambda: plant.clock)
    made.refresh()
    return made


def recent(table: ReadingTable, name: str) -> list[float]:
    return [each for each in table.recent(name) if not math.isnan(each)]


def test_it_begins_with_the_readings_in_the_journal_and_grows(plant: Plant) -> None:
    for second in range(5):
        plant.say(second, a=second, b=10)
    table = table_of(plant)
    assert recent(table, "plant/a") == [0, 1, 2, 3, 4]
    plant.say(5, a=50)
    table.refresh()
    assert recent(table, "plant/a") == [0, 1, 2, 3, 4, 50]
    assert (table.rows["plant/a"]["value"], table.rows["plant/a"]["time"]) == (50, NOW + 5)
    assert table.rows["plant/b"]["value"] == 10
    plant.close()


def test_a_reading_refused_as_late_is_not_shown(plant: Plant) -> None:
    for second in (1, 2, 3):
        plant.say(second, a=second)
    table = table_of(plant)
    plant.say(1.5, a=99)
    table.refresh()
    assert (recent(table, "plant/a"), table.rows["plant/a"]["value"]) == ([1, 2, 3], 3)
    plant.close()


def test_a_new_sensor_appears_at_the_next_refresh(plant: Plant) -> None:
    plant.say(0, a=1)
    table = table_of(plant)
    plant.say(1, b=2)
    table.refresh()
    table.refresh()
    assert recent(table, "plant/b") == [2]
    assert list(table.rows) == ["plant/a", "plant/b"]
    plant.close()


def test_everything_is_read_again_only_from_time_to_time(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.say(0, a=1)
    table = table_of(plant)
    read: list[int] = []
    whole = module.read_state
    monkeypatch.setattr(module, "read_state", lambda path: read.append(1) or whole(path))
    for _ in range(3):
        table.refresh()
    assert read == []
    plant.clock += ANEW_S
    table.refresh()
    assert read == [1]
    plant.close()


def test_no_more_is_kept_than_is_shown(plant: Plant) -> None:
    for second in range(3 * KEPT):
        plant.say(second, a=second)
    assert recent(table_of(plant), "plant/a") == list(range(2 * KEPT, 3 * KEPT))
    plant.close()
