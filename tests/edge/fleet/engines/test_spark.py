"""The fleet on Spark: whatever happens to drivers and workers, the events are those of one undisturbed process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fleet_plant import EVENTS, PARTITIONS, SOURCE, ids, records, send, send_heartbeats, undisturbed, wait_until
from kafka_server import Kafka, jars
from spark_driver import committed, driver, kill, killed_workers, read


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

        running = driver(kafka, tmp_path, kills_workers=True)
        wait_until(lambda: read(tmp_path) >= whole // 2, [running])
        assert killed_workers(tmp_path) == 7
        assert "failed attempt=1" in running.log.read_text()
        send(kafka, records()[whole // 2 : whole * 3 // 4])
        wait_until(lambda: read(tmp_path) > whole // 2, [running])
        kill(running)

        send(kafka, records()[whole * 3 // 4 : whole * 7 // 8])
        done, running = committed(tmp_path), driver(kafka, tmp_path, tasks=3)
        wait_until(lambda: committed(tmp_path) > done + 1, [running])
        kill(running)

        running = driver(kafka, tmp_path, tasks=3)
        send(kafka, records()[whole * 7 // 8 :])
        send_strangers(kafka)
        send_heartbeats(kafka)
        wait_until(lambda: read(tmp_path) == whole + 3 * PARTITIONS, [running])
        running.process.terminate()
        assert running.process.wait(120) == 0
    finally:
        kill(running)
    assert len(undisturbed()) > 20
    assert {*ids(kafka)} == undisturbed()


@pytest.mark.long
def test_a_fleet_that_continues_with_more_cells_changes_no_event_and_goes_back_to_none(
    kafka: Kafka, tmp_path: Path
) -> None:
    whole = len(records())
    send(kafka, records()[: whole // 2])
    running = driver(kafka, tmp_path)
    try:
        wait_until(lambda: read(tmp_path) >= whole // 3, [running])
        assert "FileNotFoundException" not in running.log.read_text()
        kill(running)  # in the middle of a batch that the new checkpoint reads from its beginning
        send(kafka, records()[whole // 2 :])
        send_heartbeats(kafka)
        running = driver(kafka, tmp_path, cells=12, checkpoint="wider", divides="checkpoint")
        wait_until(lambda: committed(tmp_path, "wider") >= 1, [running])
        kill(running)
        running = driver(kafka, tmp_path, cells=12, checkpoint="wider", divides="checkpoint")
        wait_until(lambda: read(tmp_path, checkpoint="wider") == whole + PARTITIONS, [running])
        kill(running)
        (tmp_path / "checkpoint" / "cells").unlink()  # as an earlier version left it
        for checkpoint, before, cells in (("wider", 12, 4), ("checkpoint", 4, 12)):
            running = driver(kafka, tmp_path, cells=cells, checkpoint=checkpoint)
            assert running.process.wait(240) == 1
            assert f"{checkpoint} has {before} cells for each partition, not {cells}" in running.log.read_text()
    finally:
        kill(running)
    assert {*ids(kafka)} == undisturbed()


def send_strangers(kafka: Kafka) -> None:
    """Send invalid records: keys and headers that aren't UTF-8, empty keys, no value."""
    producer = kafka.producer()
    for each in range(PARTITIONS):
        producer.produce(SOURCE, b"\xff\x00", b"plant/\xff\xfe", each, headers=[("Content-Type", b"\xfe"), ("x", None)])
        producer.produce(SOURCE, None, b"", each)
    assert producer.flush(60) == 0
