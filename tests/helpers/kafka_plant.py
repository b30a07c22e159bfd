"""A plant whose sensors are in a Kafka topic, services that read it, and the events of an undisturbed run."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from kafka_server import Kafka
from running import RunningService, run_command, wait_for_all

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import Readings, note_names
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.store import read_history

BEGIN = 1_700_000_000
STEP_S = 10
SENSORS = [f"line{1 + each % 3}/pump{each}/{'abcdefghijkl'[each]}" for each in range(12)]
"""No two are named alike: those that jump together would be one incident, of the one that is read first."""


MakeWorker = Callable[[str, str], RunningService]
"""Creates a named service with a configuration; it is killed at the end if it is still running."""

_NUMBERS = count(1)


class PlantRecord(NamedTuple):
    key: str
    value: bytes
    time: float


def plant_records(readings: int, seed: int = 7) -> list[PlantRecord]:
    """The readings of each sensor in turn; some of them are far off."""
    chance = random.Random(seed)
    far_off = {(sensor, place) for sensor in SENSORS for place in chance.sample(range(150, readings), 3)}
    found = []
    for place in range(readings):
        for sensor in SENSORS:
            value = 99.0 if (sensor, place) in far_off else 20 + (place + 4) % 5 / 10
            time = BEGIN + STEP_S * place
            found.append(PlantRecord(sensor, json.dumps({"ts": time, "value": value}).encode(), float(time)))
    return found


def new_topic() -> str:
    """A name that no other test uses."""
    return f"plant{next(_NUMBERS)}"


def create_topics(kafka: Kafka, *names: str) -> None:
    """Settings of topics that keep old records, such as those of the plant."""
    for each in names:
        kafka.create_topic(each, 3, retention_ms="-1")


def produce(kafka: Kafka, topic: str, records: Sequence[PlantRecord]) -> None:
    """Write records in order, with their own times, and wait until all are stored."""
    producer = kafka.producer()
    for each in records:
        producer.produce(topic, each.value, each.key.encode(), timestamp=round(1000 * each.time))
        producer.poll(0)
    assert producer.flush(60) == 0


def kafka_configuration(kafka: Kafka, topic: str, events: str, gateway: str = "gw", more: str = "") -> str:
    return f"""
[gateway]
name = "{gateway}"
[kafka]
brokers = ["{kafka.bootstrap}"]
from = "beginning"
group = "{topic}"
session_s = 6
[incidents]
threshold = 6.0
clear_after = 3
update_s = 3600
[store]
durability = "process"
path = "{gateway}.db"
commit_s = 0.5
[[sink]]
kind = "kafka"
brokers = ["{kafka.bootstrap}"]
topic = "{events}"
from = "beginning"
[[input]]
topic = "{topic}/#"
sensor = "{{topic}}"
{more}
"""


def expected_ids(configuration: str, topic: str, records: Sequence[PlantRecord]) -> list[str]:
    """The ids of the events of incidents from one undisturbed process."""
    pipeline = make_pipeline(parse(configuration).configuration)
    step = pipeline.process([Message(f"{topic}/{each.key}", each.value, each.time) for each in records])
    return sorted(each.id for each in step.events)


def published(kafka: Kafka, events: str) -> list[dict[str, Any]]:
    """The attributes of the events of incidents in a topic, with repetitions."""
    found = []
    for record in kafka.records(events):
        headers = {name.removeprefix("ce_"): value.decode() for name, value in record.headers()}
        if ".incident." in headers.get("type", ""):
            found.append(headers)
    return found


def published_ids(kafka: Kafka, events: str) -> list[str]:
    """Without repetitions."""
    return sorted({each["id"] for each in published(kafka, events)})


def readings_of(store: Path) -> list[tuple[str, float]]:
    """Sensors and times of the readings in a store's journal, as often as they were taken in."""
    history = read_history(store)
    names = [name for name, *_ in history.sensors]
    found: list[tuple[str, float]] = []
    for part in history.parts:
        note_names(names, part)
        if isinstance(part, Readings):
            slots, times = part.batch.slots.tolist(), part.batch.times.tolist()
            found += [(names[slot], time) for slot, time in zip(slots, times, strict=True)]
    return found


def taken(service: RunningService, name: str = "gw") -> list[tuple[str, float]]:
    """The content of a service's store; empty if it hasn't created one yet."""
    is_there = service.log.exists() and "sink_started" in service.log.read_text()
    return readings_of(service.folder / f"{name}.db") if is_there else []


def wait_for_readings(services: dict[str, RunningService], number: int) -> None:
    """Wait until the stores of services, by name, have the given number of different readings."""

    def done() -> int:
        return len({one for name, each in services.items() for one in taken(each, name)})

    wait_for_all(done, number, "readings", idle_s=90, poll_s=0.5)


def health(service: RunningService) -> dict[str, Any]:
    """The health of a running service, as shown by `edgewarden status`."""
    done = run_command(service.folder, "status", "--json", "--config", str(service.path))
    status = json.loads(done.stdout)["said"] if done.stdout else None
    return (status or {}).get("health") or {}
