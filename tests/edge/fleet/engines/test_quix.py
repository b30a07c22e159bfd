"""The fleet on Quix Streams: whatever happens to workers, the events are those of one undisturbed process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fleet_plant import (
    CONFIGURATION,
    EVENTS,
    PARTITIONS,
    SOURCE,
    Worker,
    ids,
    python_with,
    records,
    send,
    send_heartbeats,
    undisturbed,
    wait_until,
)
from kafka_server import Kafka, jars

GROUP = "fleet"


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Kafka]:
    jars()
    kafka = Kafka(tmp_path / "kafka")
    kafka.start()
    kafka.create_topic(SOURCE, PARTITIONS, retention_ms="-1")
    try:
        yield kafka
    finally:
        Worker.kill_all()
        kafka.remove()


def worker(kafka: Kafka, folder: Path, name: str, cells: int = 12) -> Worker:
    python = python_with("quixstreams", "quix")
    folder = folder / name
    folder.mkdir(exist_ok=True)
    (folder / "fleet.toml").write_text(CONFIGURATION)
    (folder / "client").write_text("session.timeout.ms=6000\nheartbeat.interval.ms=1000\n")
    where = ("--brokers", kafka.bootstrap, "--client", "client", "--source", SOURCE, "--events", EVENTS)
    how = ("--cells", str(cells), "--from", "beginning", "--group", GROUP, "--checkpoint", "0.3")
    return Worker(python, folder, "quix", *where, *how, "--config", "fleet.toml")


def committed(kafka: Kafka, topic: str) -> int:
    """Number of records of a topic that the workers have processed."""
    group = f"{GROUP}-packers" if topic == SOURCE else GROUP
    from confluent_kafka import Consumer, KafkaException, TopicPartition

    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    try:
        found = consumer.committed([TopicPartition(topic, each) for each in range(PARTITIONS)], 30)
    except KafkaException:  # the group has no leader yet
        return 0
    finally:
        consumer.close()
    return sum(max(0, each.offset) for each in found)


def is_done(kafka: Kafka) -> bool:
    if committed(kafka, SOURCE) < len(records()) + PARTITIONS:
        return False
    packs = f"{GROUP}-packs"
    return committed(kafka, packs) == len(kafka.records(packs))


@pytest.mark.long
def test_three_kills_and_a_second_worker_change_no_event(kafka: Kafka, tmp_path: Path) -> None:
    sent, count = 0, len(records())
    for kill in range(3):
        send(kafka, records()[sent : (kill + 1) * count // 5])
        sent = (kill + 1) * count // 5
        running = worker(kafka, tmp_path, "one")
        reached = sent - count // 10
        wait_until(lambda reached=reached: committed(kafka, SOURCE) >= reached, [running])
        running.kill()
    workers = [worker(kafka, tmp_path, "one")]
    send(kafka, records()[sent : 4 * count // 5])
    wait_until(lambda: committed(kafka, SOURCE) >= sent, workers)
    workers.append(worker(kafka, tmp_path, "two"))
    send(kafka, records()[4 * count // 5 :])
    send_heartbeats(kafka)
    wait_until(partial(is_done, kafka), workers)
    for each in workers:
        each.process.terminate()
        assert each.process.wait(60) == 0
    assert len(undisturbed()) > 20
    assert {*ids(kafka)} == undisturbed()


@pytest.mark.long
def test_a_fleet_that_gets_more_cells_changes_no_event(kafka: Kafka, tmp_path: Path) -> None:
    third = len(records()) // 3
    send(kafka, records()[:third])
    running = worker(kafka, tmp_path, "one", cells=2)
    wait_until(lambda: committed(kafka, f"{GROUP}-packs") > PARTITIONS, [running])
    running.kill()  # packs of the earlier cells may still wait
    send(kafka, records()[third : 2 * third])
    running = worker(kafka, tmp_path, "one", cells=4)
    wait_until(lambda: "divided cell=readings/0/3of4" in running.log.read_text(), [running])
    running.kill()
    running = worker(kafka, tmp_path, "two", cells=4)  # restores all states from Kafka
    send(kafka, records()[2 * third :])
    send_heartbeats(kafka)
    wait_until(partial(is_done, kafka), [running])
    running.process.terminate()
    assert running.process.wait(60) == 0
    assert {*ids(kafka)} == undisturbed()


@pytest.mark.long
def test_fewer_cells_are_refused_and_cost_nothing(kafka: Kafka, tmp_path: Path) -> None:
    half = len(records()) // 2
    send(kafka, records()[:half])
    running = worker(kafka, tmp_path, "one", cells=4)
    wait_until(lambda: committed(kafka, SOURCE) > half // 2, [running])
    running.kill()
    send(kafka, records()[half:])
    send_heartbeats(kafka)
    fewer = worker(kafka, tmp_path, "one", cells=2)
    assert fewer.process.wait(120) == 1
    assert "has 4 cells for each partition, and 2 is no multiple" in fewer.log.read_text()
    running = worker(kafka, tmp_path, "one", cells=4)
    wait_until(partial(is_done, kafka), [running])
    running.process.terminate()
    assert running.process.wait(60) == 0
    assert {*ids(kafka)} == undisturbed()
