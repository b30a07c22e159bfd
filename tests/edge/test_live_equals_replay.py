"""The same readings give the same events, to the byte: live over a broker, and replayed from a file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from running import Consumer, RunningService, run_command, wait_for_all, wait_for_input, wait_until

from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = pytest.mark.long

CONFIGURATION = """
[gateway]
name = "gw"
[broker]
port = {port}
[store]
durability = "process"
[[input]]
topic = "plant/#"
sensor = "{{topic}}"
[[device]]
sensors = ["plant/**"]
warm_up = 400
"""


def edgewarden(*arguments: str, folder: Path) -> str:
    done = run_command(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def without_sensor_events(replayed: str) -> str:
    """The events of incidents; events of sensors differ, since a file doesn't contain the topics."""
    return "".join(line for line in replayed.splitlines(keepends=True) if '"type":"io.edgewarden.sensor.' not in line)


def ids_of(replayed: str) -> list[str]:
    return [json.loads(line)["id"] for line in replayed.splitlines()]


def stored_ids(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "edgewarden.db")) as connection:
        return [found for (found,) in connection.execute("SELECT id FROM events ORDER BY sequence")]


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readings")
    edgewarden(
        *("simulate", "--sensors", "10", "--interval", "120s", "--duration", "2d", "--seed", "4"),
        *("--start", "2026-03-02T00:00:00Z", "--output", "readings.csv"),
        folder=folder,
    )
    return folder / "readings.csv"


@pytest.fixture(scope="module")
def replayed(readings: Path) -> str:
    """The events of the readings, replayed from their file; the port isn't used."""
    (readings.parent / "edgewarden.toml").write_text(CONFIGURATION.format(port=1883))
    return edgewarden("replay", str(readings), "--config", "edgewarden.toml", folder=readings.parent)


def wait_for_readings(consumer: Consumer, number: int) -> None:
    wait_for_all(
        lambda: (consumer.latest("/health") or {}).get("readings_taken", 0), number, "readings taken", idle_s=300
    )


def test_the_same_readings_give_the_same_events_live_and_replayed(
    tmp_path: Path,
    own_mosquitto: EmbeddedBroker,
    readings: Path,
    replayed: str,
    make_service: Callable[[str], RunningService],
) -> None:
    service = make_service(CONFIGURATION.format(port=own_mosquitto.port)).start()
    consumer = Consumer(own_mosquitto.port, "edgewarden/#")
    wait_for_input(consumer, service)
    edgewarden(
        *("simulate", "--csv", str(readings), "--speed", "0", "--host", "127.0.0.1", "--port", str(own_mosquitto.port)),
        folder=tmp_path,
    )
    wait_for_readings(consumer, len(readings.read_text().splitlines()) - 1)
    assert service.end() == 0
    consumer.close()
    live = edgewarden("events", "--all", "--json", folder=tmp_path)
    assert live.count("\n") > 20
    assert live == without_sensor_events(replayed)
    assert stored_ids(tmp_path) == ids_of(replayed)


def test_a_restart_in_the_middle_changes_no_event(
    tmp_path: Path,
    own_mosquitto: EmbeddedBroker,
    readings: Path,
    replayed: str,
    make_service: Callable[[str], RunningService],
) -> None:
    lines = readings.read_text().splitlines(keepends=True)
    halves = [tmp_path / "first.csv", tmp_path / "second.csv"]
    middle = len(lines) // 2
    halves[0].write_text("".join(lines[:middle]))
    halves[1].write_text("".join([lines[0], *lines[middle:]]))
    service = make_service(CONFIGURATION.format(port=own_mosquitto.port))
    consumer = Consumer(own_mosquitto.port, "edgewarden/#")
    for half in halves:
        service.start()
        consumer.messages.clear()
        wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the service's start")
        wait_for_input(consumer, service)  # at the second start, the broker has kept its session
        edgewarden(
            *("simulate", "--csv", str(half), "--speed", "0", "--host", "127.0.0.1"),
            *("--port", str(own_mosquitto.port)),
            folder=tmp_path,
        )
        wait_for_readings(consumer, len(half.read_text().splitlines()) - 1)
        assert service.end() == 0
    consumer.close()
    live = edgewarden("events", "--all", "--json", folder=tmp_path)
    assert live == without_sensor_events(replayed)
    assert stored_ids(tmp_path) == ids_of(replayed)
