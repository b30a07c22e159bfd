"""A plant in a Kafka topic, with unknown and invalid records among its own, and the events of one undisturbed cell."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest
from kafka_server import Kafka

from config.loading import parse
from edge.core.cells import Cell
from edge.core.cells.placing import number
from edge.core.model.readings.messages import Message
from edge.fleet.plan import plan_of
from tests.edge.core.cells.plant import LAST, readings

PARTITIONS = 3
SOURCE, EVENTS = "readings", "events"
CONFIGURATION = """
[gateway]
name = "fleet"
[[input]]
topic = "readings/plant/#"
"""
PATIENCE_S = 600.0


class Sent(NamedTuple):
    """A record: its partition, key and value, and the time at which it was sent, in milliseconds."""

    partition: int
    key: str
    value: bytes
    time_ms: int


@cache
def records() -> tuple[Sent, ...]:
    """The plant's readings, a device in one partition; every hundredth is followed by an unknown record."""
    made = []
    for place, each in enumerate(readings()):
        partition = number(each.sensor.rpartition("/")[0]) % PARTITIONS
        sent = Sent(partition, each.sensor, repr(each.value).encode(), round(each.time * 1000))
        made.append(sent)
        if place % 100 == 50:
            made += [sent._replace(key="office/printer"), sent._replace(key=f"{each.sensor}/x", value=b"{")]
    return tuple(made)


@cache
def undisturbed() -> frozenset[str]:
    """The ids of the events of one cell that reads the plant."""
    cell = Cell(plan_of(parse(CONFIGURATION, "test").configuration, 1))
    messages = [Message(f"{SOURCE}/{each.key}", each.value, each.time_ms / 1000) for each in records()]
    events = cell.process([each for each in messages if each.topic.startswith("readings/plant/")], "log", _places())
    return frozenset(each.id for each in (*events.events, *cell.tick(LAST).events))


def _places() -> range:
    return range(sum(each.key.startswith("plant/") for each in records()))


def send(kafka: Kafka, some: Sequence[Sent]) -> None:
    """Write records, each to its partition."""
    producer = kafka.producer()
    for each in some:
        producer.produce(SOURCE, each.value, each.key, partition=each.partition, timestamp=each.time_ms)
        producer.poll(0)
    assert producer.flush(60) == 0


def send_heartbeats(kafka: Kafka) -> None:
    """Let each partition know that the plant's time is over."""
    producer = kafka.producer()
    for each in range(PARTITIONS):
        producer.produce(SOURCE, None, partition=each, timestamp=round(LAST * 1000))
    assert producer.flush(60) == 0


def ids(kafka: Kafka, topic: str = EVENTS) -> list[str]:
    """The ids of the events in a topic, from CloudEvents headers."""
    return [dict(each.headers())["ce_id"].decode() for each in kafka.records(topic)]


def python_with(module: str, folder: str) -> str:
    """A Python with an engine: the current one, or the environment in which `make verify` installs it."""
    if find_spec(module) is not None:
        return sys.executable
    other = Path(sys.prefix) / folder / "bin" / "python"
    if other.exists():
        return str(other)
    if os.environ.get("CI"):
        pytest.fail(f"{module} isn't installed")
    pytest.skip(f"{module} isn't installed: make verify installs it")


class Worker:
    """A process of `edgewarden fleet`.

    Args:
        python: Which Python runs it.
        folder: Where its log is.
        arguments: Behind `edgewarden fleet`.
        variables: Of its environment.
    """

    started: ClassVar[list[Worker]] = []

    def __init__(self, python: str, folder: Path, *arguments: str, **variables: str) -> None:
        self.log = folder / "worker.log"
        with self.log.open("ab") as log:
            command = [python, "-m", "edge", "fleet", *arguments]
            root = Path(__file__).parent.parent.parent
            environment = os.environ | {"PYTHONPATH": str(root)} | variables
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
        self.started.append(self)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    @classmethod
    def kill_all(cls) -> None:
        """End what a test that failed has left, which would look for its broker while other tests run."""
        while cls.started:
            cls.started.pop().kill()

    def must_run(self) -> None:
        assert self.process.poll() is None, self.log.read_text()[-4000:]


def wait_until(holds: object, workers: Sequence[Worker]) -> None:
    """Wait until a condition holds, as long as the workers run."""
    assert callable(holds)
    until = time.monotonic() + PATIENCE_S
    while not holds():
        for each in workers:
            each.must_run()
        assert time.monotonic() < until, "".join(each.log.read_text()[-4000:] for each in workers)
        time.sleep(0.2)
