"""Stores of every format that was ever committed can be opened and continued.

`data/stores/` holds one of each, named after the commit that wrote it; `data/make_store.py` describes how they were
created, and their content.
"""

from __future__ import annotations

import json
import logging
import lzma
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from config.loading import parse
from edge.core.incidents.events.event import Event
from edge.core.incidents.events.gaps import Gap
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import Readings, pack, unpack
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.state.stored_state import resume
from edge.shell.store import EventFilter, SinkPosition, SqliteStore, read_events, read_history
from edge.shell.store.sqlite import VERSION

STORES = Path(__file__).parents[1] / "data" / "stores"
START = 1_700_000_000.0
SENSORS = ["plant/pump", "plant/fan", "plant/oven", "plant/valve"]
READINGS = [200, 200, 200, 160]
DEVICE = "plant/"
MORE = '[commands]\nenabled = true\n[[device]]\nsensors = ["plant/**"]\n'
CONFIGURATION = parse((STORES / "configuration.toml").read_text() + MORE, "fixture").configuration

SINCE = {"recent_readings": "aee7439", "clock_evidence": "aee7439"}
"""The first store whose snapshots have a component in its current form; all others always had it."""

NEW = {
    "units",
    "no_values",
    "error_values",
    "error_habits",
    "levels",
    "same_times",
    "values_of_one_time",
    "sparkplug",
    "grouping",
    "newcomers",
    "vacancies",
    "paces",
    "catch_up",
    "usual_ranges",
    "recurrences",
    "adoptions",
    "habits",
    "peers",
}
"""Components that no store here has in their current form: they were added without a change of the format."""

STORES_IN_ORDER = [
    "364c5a2", "853c9d4", "018903a", "7be3ffa", "84d5958", "a9badb4", "310ad7a", "1575b5e", "def7e88", "aee7439",
    "921349c",
]  # fmt: skip
SHELVES = {"84d5958", "a9badb4", "310ad7a", "1575b5e", "def7e88", "aee7439", "921349c"}
"""The stores in which the operator has shelved something."""


@pytest.fixture(scope="module", params=STORES_IN_ORDER)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def unpacked(name: str, folder: Path) -> Path:
    found = folder / "store.db"
    found.write_bytes(lzma.decompress((STORES / f"{name}.db.xz").read_bytes()))
    return found


@pytest.fixture
def path(name: str, tmp_path: Path) -> Path:
    return unpacked(name, tmp_path)


class Reopened(NamedTuple):
    """A core that has continued from a store, which is closed again."""

    pipeline: Pipeline
    gaps: list[Gap]
    log: list[str]
    journal: list[bytes]


@pytest.fixture(scope="module")
def reopened(name: str, tmp_path_factory: pytest.TempPathFactory) -> Reopened:
    """For the tests that only look."""
    log = logging.getLogger("edgewarden")
    kept = KeptLines()
    log.addHandler(kept)
    level = log.level
    log.setLevel(logging.INFO)
    store = SqliteStore(unpacked(name, tmp_path_factory.mktemp(name)))
    pipeline, gaps = resumed(store)
    journal = list(store.past())
    store.close()
    log.removeHandler(kept)
    log.setLevel(level)
    return Reopened(pipeline, gaps, kept.lines, journal)


class KeptLines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def lacks(name: str) -> set[str]:
    """The components that must be relearned for a store."""
    at = STORES_IN_ORDER.index(name)
    return NEW | {component for component, since in SINCE.items() if at < STORES_IN_ORDER.index(since)}


def left_out(log: list[str]) -> set[str]:
    """The components missing from a snapshot, according to the log."""
    of_components = [each for each in log if " component=" in each]
    assert all(each.startswith("upgraded ") for each in of_components if "earlier" in each or "new" in each)
    return {each.split("component=")[1].split(" ")[0] for each in of_components}


def test_a_store_of_any_version_accepts_sinks_and_keeps_its_version(path: Path) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        before = connection.execute("PRAGMA user_version").fetchone()
    store = SqliteStore(path)
    assert store.sinks() == {}
    store.note_sinks({"out": SinkPosition(3, 1)})
    store.close()
    store = SqliteStore(path)
    assert store.sinks() == {"out": SinkPosition(3, 1)}
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == before == (VERSION,)


def resumed(store: SqliteStore) -> tuple[Pipeline, list[Gap]]:
    digest, inputs = CONFIGURATION.digest(), CONFIGURATION.inputs_digest()
    pipeline, _, gaps = resume(lambda: make_pipeline(CONFIGURATION), store, digest, inputs, START + 300)
    return pipeline, gaps


def open_incidents_in(path: Path) -> dict[str, tuple[str, str]]:
    """The last event of each incident that was open when the store was closed: incident, id and transition."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT incident, sensor, transition FROM events WHERE incident != '' ORDER BY sequence"
        ).fetchall()
    last = {incident: (sensor, transition) for incident, sensor, transition in rows}
    return {incident: each for incident, each in last.items() if each[1] not in {"cleared", "expired"}}


def calm(first: int, last: int) -> list[Message]:
    return [
        Message(sensor, json.dumps({"ts": START + second + place / 8, "value": 20.0}).encode(), START + second, qos=1)
        for second in range(first, last)
        for place, sensor in enumerate(SENSORS)
    ]


def test_every_store_is_tested() -> None:
    assert {each.name.removesuffix(".db.xz") for each in STORES.glob("*.xz")} == {*STORES_IN_ORDER}


def test_a_store_of_an_earlier_commit_is_not_damaged(name: str, reopened: Reopened) -> None:
    assert reopened.gaps == []
    assert not any("damaged" in line or "learning_anew" in line for line in reopened.log)
    assert any(line.startswith("resumed ") for line in reopened.log)
    assert left_out(reopened.log) == lacks(name)
    assert reopened.pipeline.sensors.names[: len(SENSORS)] == SENSORS


def test_learned_state_is_known_or_relearned(reopened: Reopened) -> None:
    pipeline, engine = reopened.pipeline, reopened.pipeline.engine
    assert engine.statistics.count[:4].tolist() == READINGS
    assert (engine.levels.watched[:4] > [150, 150, 150, 150]).all()
    for slot in range(4):
        group, row = engine.members[slot]
        learned = {table.detector.name: table for table in group.tables}
        assert learned["ewma"].arrays["count"][row] > 100
        assert learned["silence"].arrays["count"][row] > 100
    assert pipeline.sensors.find(DEVICE) is not None
    group, row = engine.members[pipeline.sensors.names.index(DEVICE)]
    assert all(table.arrays["seen"][row] > 150 for table in group.tables)


def test_open_incidents_stay_open_and_end_once_under_their_ids(path: Path) -> None:
    before = open_incidents_in(path)
    assert len(before) >= 2
    store = SqliteStore(path)
    pipeline, _ = resumed(store)
    known = {event.incident for event in pipeline.open_incidents.events.values()}
    assert known == before.keys()
    events: list[Event] = []
    for first in range(240, 300, 10):
        step = pipeline.process(calm(first, first + 10))
        assert step.journal is not None
        store.append(step.events, step.dead_letters, pack([step.journal]), now=START + first)
        events += step.events
    ended = [each.incident for each in events if each.transition in {"cleared", "expired"}]
    assert {*before} <= {*ended}
    assert len(ended) == len({*ended})
    stored = {each["id"]: each for each in read_events(path, EventFilter())}
    for each in events:
        assert stored[each.id]["sequence"] == each.sequence
    store.close()


def test_messages_delivered_before_are_recognised_when_they_are_redelivered(reopened: Reopened) -> None:
    entries = [part for entry in reopened.journal for part in unpack(entry) if isinstance(part, Readings)]
    delivered = dict(entries[-1].deliveries)
    assert len(delivered) > 20
    deliveries = reopened.pipeline.intake.deliveries
    before = deliveries.state()
    deliveries.note_all(delivered.items())
    assert deliveries.state() == before


def test_shelves_and_acknowledgements_of_the_operator_still_apply(name: str, reopened: Reopened) -> None:
    assert list(reopened.pipeline.watch.shelving.shelves) == (["plant/fan"] if name in SHELVES else [])


def test_a_second_restart_finds_everything_in_the_current_format(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = SqliteStore(path)
    first, _ = resumed(store)
    caplog.clear()
    caplog.set_level(logging.INFO)
    second, gaps = resumed(store)
    store.close()
    assert gaps == []
    assert left_out([each.getMessage() for each in caplog.records]) <= NEW
    assert second.save("", "") == first.save("", "")


def test_a_store_of_an_earlier_commit_can_be_read(path: Path) -> None:
    content = path.read_bytes()
    assert read_events(path, EventFilter())
    history = read_history(path)
    assert [each for each, *_ in history.sensors][:4] == SENSORS
    assert list(history.parts)
    assert path.read_bytes() == content


def test_the_file_is_migrated_to_the_current_format(path: Path) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
