"""A lost session: its packet identifiers have no meaning afterwards, live and after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.loading import parse
from edge.capacity.plant import START, Clock, FreeLink, LoadPlant
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.core.pipeline import Pipeline
from edge.shell.link import LinkOptions
from edge.shell.link.receiving.receiver import Receiver
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.service.state.stored_state import resume
from edge.shell.store import SqliteStore
from edge.shell.system.wall_clock import WallClock

CONFIGURATION = '[[input]]\ntopic = "#"\nformat = "number"\nsensor = "{topic}"\n'


class ScriptedLink(FreeLink):
    """A link without a network: the test creates connections and messages."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(LoadPlant(1, 1.0, lambda _: ("", b"")), clock, 1000)
        self.connections = 0
        self.receiver = Receiver(
            LinkOptions(client_id="gw", clean_session=False), lambda: START, lambda _identifiers, _topic: False
        )

    def connect(self, *, session_present: bool) -> None:
        if self.connections:
            self.receiver.end()
        self.connections += 1
        self.receiver.begin(self.connections, modern=False, session_present=session_present)

    def deliver(self, packet: int, payload: bytes, *, again: bool = False) -> None:
        message = Message("s", payload, START, qos=1, receipt=self.connections, packet=packet, redelivered=again)
        self.receiver.inbox.put(message)

    def receive(self, _timeout_s: float, _most: int) -> list[Message]:
        return self.receiver.inbox.take(0, 1000, 2**18)

    def has_lost_session(self) -> bool:
        return self.receiver.has_lost_session()

    def of_session(self, messages: list[Message]) -> list[Message]:
        return self.receiver.of_session(messages)


def new_pipeline() -> Pipeline:
    return make_pipeline(parse(CONFIGURATION, "test").configuration)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db", "process")
    yield made
    made.close()


class Rig:
    def __init__(self, store: SqliteStore) -> None:
        clock = Clock()
        self.link = ScriptedLink(clock)
        self.pipeline = new_pipeline()
        wall = WallClock(0.0, None, lambda: START + clock.now, clock)
        options = ServiceOptions(Topics("edgewarden/gw"), commit_s=0.0)
        link: Any = self.link
        self.service = Service(self.pipeline, store, link, link, options, clock=wall, monotonic=clock)
        self.clock = clock

    def turn(self) -> None:
        self.service._turn()
        self.clock.now += 1.0

    @property
    def counts(self) -> tuple[int, int]:
        """Numbers of messages that were read, and that were recognised as redelivered."""
        counters = self.pipeline.counters
        return counters.messages_read, counters.messages_redelivered


@pytest.fixture
def rig(store: SqliteStore) -> Rig:
    made = Rig(store)
    made.link.connect(session_present=False)
    made.link.deliver(7, b"1")
    made.turn()
    assert made.counts == (1, 0)
    return made


def test_a_redelivered_message_of_its_session_is_recognised(rig: Rig) -> None:
    rig.link.connect(session_present=True)
    rig.link.deliver(7, b"1", again=True)
    rig.turn()
    assert rig.counts == (1, 1)


def test_a_message_of_a_new_session_is_not_confused_with_one_of_the_last(rig: Rig, store: SqliteStore) -> None:
    rig.link.connect(session_present=False)
    rig.link.connect(session_present=True)
    rig.turn()
    store.remember(rig.pipeline.save("", ""), "", START)
    rig.link.deliver(7, b"1", again=True)
    rig.turn()
    assert rig.counts == (2, 0)


def test_a_restart_knows_that_the_session_was_lost(rig: Rig, store: SqliteStore) -> None:
    rig.link.connect(session_present=False)
    rig.turn()
    again, _, _ = resume(new_pipeline, store, "", "", START)
    message = Message("s", b"1", START, qos=1, packet=7, redelivered=True)
    assert not again.intake.deliveries.is_known(message)


def test_messages_processed_before_the_session_was_lost_are_not_remembered_in_the_new_one(rig: Rig) -> None:
    receive = rig.link.receive

    def lose_the_session(timeout_s: float, most: int) -> list[Message]:
        messages = receive(timeout_s, most)
        rig.link.connect(session_present=False)
        rig.link.receive = receive  # type: ignore[method-assign]
        return messages

    rig.link.receive = lose_the_session  # type: ignore[method-assign]
    rig.link.deliver(8, b"2")
    rig.turn()
    rig.link.deliver(8, b"2", again=True)
    rig.turn()
    assert rig.counts == (3, 0)
