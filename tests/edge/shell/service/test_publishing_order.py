"""The order in which the loop publishes: first events, then everything else, all in the same turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from config.loading import parse
from edge.capacity.plant import START, Clock, FreeLink, LoadPlant, LoadReading
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import Part
from edge.shell.options import ServiceOptions
from edge.shell.publishing.publisher import Publisher
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.service.state.checkpointer import Checkpointer
from edge.shell.store import SqliteStore, StoreError, StoreFiles, StoreLimits
from edge.shell.system.wall_clock import WallClock

RULES = """\
[[input]]
topic = "#"
format = "number"
sensor = "{topic}"
[[rule]]
sensors = "**"
preset = "limits_only"
detectors.limits.high = 100
"""
TOPICS = Topics("edgewarden/gateway")


def too_high(readings: Sequence[LoadReading]) -> tuple[str, bytes]:
    return f"s{readings[0].sensor}", b"1000"


class RecordingLink(FreeLink):
    """Records its calls, in order."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(LoadPlant(1, 1.0, too_high), clock, 1000)
        self.calls: list[str] = []

    def acknowledge(self, messages: Sequence[Message], window: int | None = None) -> None:
        self.calls.append("acknowledge")
        super().acknowledge(messages, window)

    def publish(self, *arguments: Any, **options: Any) -> int:
        self.calls.append(arguments[0])
        return super().publish(*arguments, **options)


@pytest.fixture
def files(tmp_path: Path) -> StoreFiles:
    return StoreFiles(tmp_path / "store.db", "process", StoreLimits())


@pytest.fixture
def make(files: StoreFiles) -> Iterator[Callable[..., tuple[Service, RecordingLink]]]:
    made: list[Service] = []

    def make(**more: Any) -> tuple[Service, RecordingLink]:
        clock = Clock()
        link = RecordingLink(clock)
        any_link: Any = link
        pipeline = make_pipeline(parse(RULES, "test").configuration)
        wall = WallClock(0.0, None, lambda: START + clock.now, clock)
        store = SqliteStore(files.path, "process")
        service = Service(
            pipeline, store, any_link, any_link, ServiceOptions(TOPICS), clock=wall, monotonic=clock, **more
        )
        made.append(service)
        return service, link

    yield make
    for each in made:
        each.close()


def test_an_event_is_published_before_its_message_is_acknowledged(
    make: Callable[..., tuple[Service, RecordingLink]],
) -> None:
    service, link = make()
    while "acknowledge" not in link.calls:
        service._turn()
    event, state = TOPICS.anomaly("s0"), TOPICS.state("s0")
    assert link.calls.index(event) < link.calls.index(state) < link.calls.index("acknowledge")


def test_an_event_is_published_before_the_bookkeeping_of_its_commit(
    make: Callable[..., tuple[Service, RecordingLink]], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, link = make()
    committed = Checkpointer.committed

    def noting(checkpointer: Checkpointer, parts: Sequence[Part]) -> None:
        link.calls.append("bookkeeping")
        committed(checkpointer, parts)

    monkeypatch.setattr(Checkpointer, "committed", noting)
    while "acknowledge" not in link.calls:
        service._turn()
    assert link.calls.index(TOPICS.anomaly("s0")) < link.calls.index("bookkeeping")


def test_a_new_event_is_published_without_being_read_from_the_store(
    make: Callable[..., tuple[Service, RecordingLink]], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, link = make()
    service._turn()
    monkeypatch.setattr(SqliteStore, "_rows", damaged)
    while "acknowledge" not in link.calls:
        service._turn()
    assert TOPICS.anomaly("s0") in link.calls


def test_a_store_that_is_found_damaged_as_its_event_is_read_is_reported_with_the_next_commit(
    make: Callable[..., tuple[Service, RecordingLink]], files: StoreFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, link = make(replace_store=lambda words: files.replace(START, words))
    service._turn()
    stored = Publisher.stored
    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "stored", lambda publisher, _rows: stored(publisher))
        patch.setattr(SqliteStore, "_rows", damaged)
        while "acknowledge" not in link.calls:
            service._turn()
    for _ in range(5):
        service._turn()
    assert TOPICS.gap in link.calls


def test_the_health_is_published_in_the_turn_that_creates_it(
    make: Callable[..., tuple[Service, RecordingLink]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    retain = Publisher.retain

    def noting(publisher: Publisher, topic: str, payload: bytes) -> None:
        made.append(topic)
        retain(publisher, topic, payload)

    monkeypatch.setattr(Publisher, "retain", noting)
    service, link = make()
    while made.count(TOPICS.health) < 5:
        service._turn()
        assert link.calls.count(TOPICS.health) == made.count(TOPICS.health)


def damaged(*_: object) -> list[Any]:
    raise StoreError("an event differs from what was stored", damaged=True)
