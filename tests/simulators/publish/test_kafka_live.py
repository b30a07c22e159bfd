"""Simulated readings and heartbeats in a real Apache Kafka, with the real commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import ROOT, wait_until

pytest.importorskip("confluent_kafka")

from kafka_server import Kafka

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    made = Kafka(tmp_path_factory.mktemp("kafka"))
    made.start()
    yield made
    made.remove()


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "edge", *arguments]
    return subprocess.Popen(program, cwd=folder, env=environment, text=True, stderr=subprocess.PIPE)


def test_a_simulated_plant_arrives_complete_and_each_device_in_one_partition_in_order(
    kafka: Kafka, tmp_path: Path
) -> None:
    kafka.create_topic("plant", 4, retention_ms="-1")
    how = ("--sensors", "60", "--duration", "1h", "--interval", "60s", "--rate", "2000", "--truth", "truth.jsonl")
    simulated = command(tmp_path, "simulate", "--kafka", kafka.bootstrap, *how)
    _, errors = simulated.communicate(timeout=240)
    assert simulated.returncode == 0, errors
    partitions: dict[str, set[int]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for record in kafka.records("plant"):
        key = record.key().decode()
        partitions[key.rpartition("/")[0]].add(record.partition())
        counts[key] += 1
        assert json.loads(record.value()).keys() >= {"ts", "value"}
    assert len(counts) == 60
    assert max(counts.values()) == 60
    assert sum(counts.values()) > 0.9 * 60 * 60  # some sensors fall silent
    assert {len(each) for each in partitions.values()} == {1}
    assert (tmp_path / "truth.jsonl").read_text()


def test_a_missing_topic_is_named(kafka: Kafka, tmp_path: Path) -> None:
    simulated = command(tmp_path, "simulate", "--kafka", kafka.bootstrap, "--prefix", "nosuch", "--duration", "1m")
    _, errors = simulated.communicate(timeout=120)
    assert simulated.returncode == 1
    assert "the topic nosuch" in errors


def test_heartbeats_go_to_each_partition_and_continue_after_an_outage_of_the_broker(
    kafka: Kafka, tmp_path: Path
) -> None:
    kafka.create_topic("beating", 3)
    beating = command(
        tmp_path, "fleet", "heartbeat", "--brokers", kafka.bootstrap, "--topic", "beating", "--every", "1"
    )
    try:
        wait_until(lambda: kafka.count("beating") >= 3, 60, "the first beat")
        kafka.kill()
        kafka.start()
        before = kafka.count("beating")
        wait_until(lambda: kafka.count("beating") >= before + 6, 90, "two beats after the restart")
    finally:
        beating.kill()
        beating.communicate()
    records = kafka.records("beating")
    assert {each.partition() for each in records} == {0, 1, 2}
    assert {(each.key(), each.value()) for each in records} == {(None, None)}
