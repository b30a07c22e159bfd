"""Readings that a gateway forwards to a real Apache Kafka, and a service that reads them there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from running import PATIENT, RunningService, wait_for_all

pytest.importorskip("confluent_kafka")

from kafka_plant import (
    SENSORS,
    create_topics,
    expected_ids,
    kafka_configuration,
    plant_records,
    produce,
    published_ids,
    readings_of,
)
from kafka_server import Kafka

pytestmark = pytest.mark.long

FORWARD = '[[forward]]\nkind = "kafka"\nbrokers = ["{}"]\ntopic = "readings"\nfrom = "beginning"\n'
UPPER = '[[input]]\ntopic = "readings/#"\nconvention = "senml"\n'


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Kafka]:
    made = Kafka(tmp_path / "kafka")
    made.start()
    create_topics(made, "plant", "events", "readings", "upper-events")
    yield made
    made.kill()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str, str], RunningService]]:
    made: list[RunningService] = []

    def start(name: str, configuration: str) -> RunningService:
        (tmp_path / name).mkdir()
        made.append(RunningService(tmp_path / name, configuration).start())
        return made[-1]

    yield start
    for each in made:
        each.kill()


def packs(kafka: Kafka) -> list[Any]:
    return kafka.records("readings")


def forwarded(kafka: Kafka) -> list[tuple[str, float, float]]:
    return [(one["n"], one["t"], one["v"]) for each in packs(kafka) for one in json.loads(each.value())]


def test_readings_continue_through_kills_and_an_outage_and_give_the_same_events_upstream(
    kafka: Kafka, start: Callable[[str, str], RunningService]
) -> None:
    records = plant_records(320)
    configuration = kafka_configuration(kafka, "plant", "events", more=PATIENT) + FORWARD.format(kafka.bootstrap)
    gateway = start("gateway", configuration)
    produce(kafka, "plant", records[:1000])
    wait_for_all(lambda: len(set(forwarded(kafka))), 1000, "readings", idle_s=90, poll_s=0.5)
    for first in range(1000, 3000, 1000):
        gateway.kill()
        produce(kafka, "plant", records[first : first + 1000])
        gateway.start()
        time.sleep(1.0)  # killed at a random moment
    kafka.kill()
    time.sleep(1.0)
    kafka.start()
    produce(kafka, "plant", records[3000:])
    wait_for_all(lambda: len(set(forwarded(kafka))), len(records), "readings", idle_s=120, poll_s=0.5)
    names = {f"gw/plant/{sensor}" for sensor in SENSORS}
    assert {name for name, _, _ in forwarded(kafka)} == names
    by_key: dict[bytes, list[tuple[str, float]]] = {}
    partitions: dict[bytes, set[int]] = {}
    for each in packs(kafka):
        partitions.setdefault(each.key(), set()).add(each.partition())
        news = [(one["n"], one["t"]) for one in json.loads(each.value())]
        by_key.setdefault(each.key(), []).extend(news)
    assert all(len(each) == 1 for each in partitions.values())
    assert by_key.keys() == {name.rpartition("/")[0].encode() for name in names}
    for every in by_key.values():
        firsts = list(dict.fromkeys(every))
        assert firsts == sorted(firsts, key=lambda each: each[1])
    upper_configuration = kafka_configuration(kafka, "readings", "upper-events", more=PATIENT).replace(
        '[[input]]\ntopic = "readings/#"\nsensor = "{topic}"\n', UPPER
    )
    upper = start("upper", upper_configuration)
    wait_for_all(
        lambda: len(set(readings_of(upper.folder / "gw.db"))) if "sink_started" in upper.log.read_text() else 0,
        len(records),
        "readings above",
        idle_s=120,
        poll_s=0.5,
    )
    expected = expected_ids(configuration, "plant", records)
    for topic in ("events", "upper-events"):
        wait_for_all(lambda topic=topic: len(published_ids(kafka, topic)), len(expected), topic, idle_s=120, poll_s=0.5)
    below = published_ids(kafka, "events")
    assert below == expected
    assert len(published_ids(kafka, "upper-events")) == len(below)
    assert upper.end() == gateway.end() == 0
