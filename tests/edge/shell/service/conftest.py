"""A Kafka broker for the tests of a module, a topic for each test, and services that read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka_plant import MakeWorker, create_topics, new_topic
from kafka_server import Kafka
from running import RunningService


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """One broker for the tests of a module."""
    made = Kafka(tmp_path_factory.mktemp("kafka"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def topic(kafka: Kafka) -> str:
    """A topic for readings; the topic for events has the same name with the suffix `-events`."""
    name = new_topic()
    create_topics(kafka, name, f"{name}-events")
    return name


@pytest.fixture
def make_worker(tmp_path: Path) -> Iterator[MakeWorker]:
    """Create services that are killed at the end if they are still running."""
    made: list[RunningService] = []

    def make(name: str, configuration: str) -> RunningService:
        folder = tmp_path / name
        folder.mkdir()
        made.append(RunningService(folder, configuration))
        return made[-1]

    yield make
    for each in made:
        each.kill()
