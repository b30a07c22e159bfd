"""The journal in packs: what a forwarder reads from any position, and what is reported about deleted rows."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from config.loading import parse
from edge.core.cells import Placing
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import pack
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import SinkPosition, SqliteStore
from edge.shell.store.reading.journal_packs import PACKED, JournalPacks, at_end_of
from edge.shell.store.reading.sink_reading import SinkBacklog, SinkLimits

NOW = 1_700_000_000.0
SENSORS = ["line1/pump/temp", "line1/pump/flow", "line2/fan/current"]


class JournaledPlant:
    """A pipeline whose journal is in a store, one row per second."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SqliteStore(path, "process")
        configuration = parse('[[input]]\ntopic = "#"\nsensor = "{topic}"\n').configuration
        self.pipeline: Pipeline = make_pipeline(configuration)
        self.rows = 0

    def add(self, *names: str, unit: str = "") -> None:
        """Another row, with a reading of each of these sensors."""
        self.rows += 1
        said = {"value": self.rows, "ts": NOW + self.rows} | ({"unit": unit} if unit else {})
        payload = json.dumps(said).encode()
        step = self.pipeline.process([Message(each, payload, NOW + self.rows) for each in names])
        assert step.journal is not None
        self.store.append(step.events, (), pack([step.journal]), now=NOW + self.rows)

    def reader(self, sensors: tuple[str, ...] = ("**",), prefix: str = "gw/") -> JournalPacks:
        return JournalPacks(self.path, "forward", sensors, prefix, Placing(1).device)

    def delete_rows(self, up_to: int) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute("DELETE FROM journal WHERE number <= ?", (up_to,))
        database.close()


@pytest.fixture
def plant(tmp_path: Path) -> JournaledPlant:
    return JournaledPlant(tmp_path / "store.db")


def contents(rows: list[object]) -> list[tuple[str, str, float]]:
    return [
        (row.sensor, one["n"], one["v"])  # type: ignore[attr-defined]
        for row in rows
        for one in json.loads(row.payload)  # type: ignore[attr-defined]
    ]


def test_a_pack_holds_the_readings_of_a_device_and_names_them_with_the_prefix(plant: JournaledPlant) -> None:
    plant.add(*SENSORS)
    rows, up_to = plant.reader().next(SinkPosition(), 100)
    assert up_to == at_end_of(1)
    assert [(each.sensor, json.loads(each.payload)) for each in rows] == [
        (
            "gw/line1/pump",
            [
                {"n": "gw/line1/pump/temp", "t": NOW + 1, "v": 1.0},
                {"n": "gw/line1/pump/flow", "t": NOW + 1, "v": 1.0},
            ],
        ),
        ("gw/line2/fan", [{"n": "gw/line2/fan/current", "t": NOW + 1, "v": 1.0}]),
    ]


def test_the_same_packs_follow_from_any_position(plant: JournaledPlant) -> None:
    for _ in range(5):
        plant.add(*SENSORS)
    every, end = plant.reader().next(SinkPosition(), 1000)
    assert end == at_end_of(5)
    for place, each in enumerate(every):
        rest, up_to = plant.reader().next(SinkPosition(each.sequence), 1000)
        assert rest == every[place + 1 :]
        assert up_to == end


def test_reading_on_with_one_reader_gives_the_same_as_a_new_reader(plant: JournaledPlant) -> None:
    plant.add(*SENSORS[:1])
    reader, at, found = plant.reader(), SinkPosition(), []
    for row in range(2, 8):
        plant.add(*SENSORS[: 1 + row % 3])
        rows, passed = reader.next(at, 1)
        found += rows
        at = SinkPosition(passed)
    while (step := reader.next(at, 1))[0]:
        found += step[0]
        at = SinkPosition(step[1])
    assert found == plant.reader().next(SinkPosition(), 1000)[0]


def test_a_reader_that_is_moved_back_starts_there(plant: JournaledPlant) -> None:
    for _ in range(4):
        plant.add(*SENSORS)
    reader = plant.reader()
    first, _ = reader.next(SinkPosition(), 1000)
    assert reader.next(SinkPosition(), 1000)[0] == first


def test_names_are_right_after_a_snapshot_and_after_a_sensor_was_forgotten(plant: JournaledPlant) -> None:
    plant.add(*SENSORS)
    plant.store.remember(plant.pipeline.save("digest"), "digest", NOW)
    plant.add("line3/new/temp")
    step = plant.pipeline.forget([plant.pipeline.sensors.find(SENSORS[0]) or 0], NOW + 2)
    assert step.journal is not None
    plant.store.append(step.events, (), pack([step.journal]), now=NOW + 2)
    plant.pipeline.sensors.vacancies.release(float("inf"))
    plant.rows += 1
    plant.add("line4/newer/temp")
    found = plant.reader().next(SinkPosition(), 1000)[0]
    assert [name for _, name, _ in contents([*found])] == [
        f"gw/{each}" for each in (*SENSORS, "line3/new/temp", "line4/newer/temp")
    ]


def test_only_selected_sensors_are_forwarded(plant: JournaledPlant) -> None:
    plant.add(*SENSORS)
    rows, _ = plant.reader(("line1/**",), "").next(SinkPosition(), 100)
    assert contents([*rows]) == [("line1/pump", SENSORS[0], 1.0), ("line1/pump", SENSORS[1], 1.0)]


def test_a_unit_is_forwarded_with_the_reading_that_introduced_it(plant: JournaledPlant) -> None:
    plant.add(SENSORS[0], unit="Cel")
    plant.add(SENSORS[0], unit="Cel")
    rows, _ = plant.reader().next(SinkPosition(), 100)
    assert [one.get("u") for row in rows for one in json.loads(row.payload)] == ["Cel", None]


def test_large_rows_make_several_packs(plant: JournaledPlant) -> None:
    plant.add(*[f"line1/pump/{number}" for number in range(PACKED + 1)])
    rows, _ = plant.reader().next(SinkPosition(), 100)
    assert [len(json.loads(each.payload)) for each in rows] == [PACKED, 1]


def test_the_backlog_is_measured_in_rows_of_the_journal(plant: JournaledPlant) -> None:
    for _ in range(4):
        plant.add(*SENSORS)
    waiting = plant.reader().waiting(SinkPosition(at_end_of(1)))
    assert (waiting.events, waiting.since) == (3, NOW + 2)
    assert waiting.size > 0
    assert plant.reader().waiting(SinkPosition(at_end_of(4))).events == 0


def test_rows_that_were_deleted_unread_are_a_gap_and_reading_continues_after_it(plant: JournaledPlant) -> None:
    for _ in range(10):
        plant.add(*SENSORS)
    reader = plant.reader()
    _, passed = reader.next(SinkPosition(), 1)
    assert passed == at_end_of(1)
    plant.store.remember(plant.pipeline.save("digest"), "digest", NOW)
    plant.delete_rows(5)
    assert reader.next(SinkPosition(passed), 100) == ([], passed)
    (loss,) = reader.losses(SinkPosition(passed), SinkBacklog(), SinkLimits(), 0.0)
    assert (loss.gap.reason, loss.gap.sink, loss.up_to) == ("forward_journal", "forward", at_end_of(5))
    at = SinkPosition(passed, loss.up_to)
    rows, up_to = reader.next(at, 1000)
    assert up_to == at_end_of(10)
    assert [value for _, _, value in contents([*rows])] == [float(row) for row in range(6, 11) for _ in SENSORS]
    assert reader.losses(SinkPosition(up_to), SinkBacklog(), SinkLimits(), 0.0) == []


def test_an_empty_journal_gives_nothing_and_misses_nothing(plant: JournaledPlant) -> None:
    assert plant.reader().next(SinkPosition(), 10) == ([], 0)
    assert plant.reader().losses(SinkPosition(), SinkBacklog(), SinkLimits(), 0.0) == []


def test_no_device_is_far_ahead_of_another_in_a_backlog(plant: JournaledPlant) -> None:
    payloads = [(name, second) for second in range(0, 9, 3) for name in SENSORS]
    said = [json.dumps({"value": 1, "ts": NOW + second}).encode() for _, second in payloads]
    messages = [Message(name, each, NOW + 9) for (name, _), each in zip(payloads, said, strict=True)]
    step = plant.pipeline.process(messages)
    assert step.journal is not None
    plant.store.append(step.events, (), pack([step.journal]), now=NOW + 9)
    rows, _ = plant.reader().next(SinkPosition(), 100)
    assert [each.sensor for each in rows] == ["gw/line1/pump", "gw/line2/fan"] * 3
