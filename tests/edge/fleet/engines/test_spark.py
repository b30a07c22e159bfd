"""The fleet on Spark: whatever happens to drivers and workers, events are those of one undisturbed process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from fleet_plant import EVENTS, PARTITIONS, SOURCE, ids, records, send, send_heartbeats, undisturbed, wait_until
from kafka_server import Kafka, jars
from spark_driver import committed, driver, kill, python_workers, read


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Kafka]:
    jars()
    kafka = Kafka(tmp_path / "kafka")
    kafka.start()
    kafka.create_topic(SOURCE, PARTITIONS, retention_ms="-1")
    kafka.create_topic(EVENTS, PARTITIONS)
    try:
        yield kafka
    finally:
        kafka.remove()


@pytest.mark.long
def test_kills_of_drivers_and_python_workers_and_more_tasks_change_no_event(kafka: Kafka, tmp_path: Path) -> None:
    whole = len(records())
    send(kafka, records()[: whole // 2])
    running = driver(kafka, tmp_path)
    try:
        wait_until(lambda: committed(tmp_path) >= 1, [running])
        kill(running)

        done, running = committed(tmp_path), driver(kafka, tmp_path)
        wait_until(lambda: committed(tmp_path) > done and len(python_workers(running)) > 0, [running])
        for each in python_workers(running):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        wait_until(lambda: read(tmp_path) >= whole // 2, [running])
        send(kafka, records()[whole // 2 : whole * 3 // 4])
        wait_until(lambda: read(tmp_path) > whole // 2, [running])
        kill(running)

        running = driver(kafka, tmp_path, tasks=3)
        done = committed(tmp_path)
        wait_until(lambda: committed(tmp_path) > done + 1, [running])
        kill(running)

        running = driver(kafka, tmp_path, tasks=3)
        send(kafka, records()[whole * 3 // 4 :])
        send_heartbeats(kafka)
        wait_until(lambda: read(tmp_path) == whole + PARTITIONS, [running])
        running.process.terminate()
        assert running.process.wait(120) == 0
    finally:
        kill(running)
    assert len(undisturbed()) > 20
    assert {*ids(kafka)} == undisturbed()
