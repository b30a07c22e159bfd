"""The service's loop writes a snapshot of the committed state once a recovery would take long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.loading import parse
from edge.capacity.plant import START, Clock, FreeLink, LoadPlant, LoadReading
from edge.core.model.notation.topics import Topics
from edge.core.persistence.journal import Readings, unpack
from edge.core.persistence.snapshot import Snapshot
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.service.state.snapshot_policy import RECOVERY_S, SINGLE_S
from edge.shell.store import SqliteStore
from edge.shell.system.wall_clock import WallClock

pytestmark = pytest.mark.long

IN_FLIGHT = 1000


def message(readings: Sequence[LoadReading]) -> tuple[str, bytes]:
    return "plant/a", msgspec.json.encode({"ts": readings[0].time, "value": readings[0].value})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "store.db", "process")
    yield opened
    opened.close()


def service(store: SqliteStore, plant: LoadPlant) -> Service:
    clock = Clock()
    link: Any = FreeLink(plant, clock, IN_FLIGHT, paced=False)
    pipeline = make_pipeline(parse('[[input]]\ntopic = "plant/#"\nsensor = "{topic}"\n').configuration)
    options = ServiceOptions(Topics("edgewarden/gw"), commit_s=60.0, in_flight=IN_FLIGHT)
    wall = WallClock(0.0, None, lambda: START + clock.now, clock)
    return Service(pipeline, store, link, link, options, clock=wall, monotonic=clock)


def test_a_snapshot_is_written_once_a_sensor_has_sent_enough_readings(store: SqliteStore) -> None:
    plant = LoadPlant(1, 100.0, message)
    made = service(store, plant)
    readings = RECOVERY_S / SINGLE_S
    while plant.sent <= 0.9 * readings - IN_FLIGHT:
        made._turn()
    assert store.recall().state is None
    while plant.sent <= readings + IN_FLIGHT:
        made._turn()
    recollection = store.recall()
    assert recollection.state is not None
    assert [name for name, *_ in Snapshot.from_bytes(recollection.state).known_sensors()] == ["plant/a"]
    since = [part for entry in recollection.since for part in unpack(entry) if isinstance(part, Readings)]
    assert sum(map(len, since)) <= 0.1 * readings + 2 * IN_FLIGHT
