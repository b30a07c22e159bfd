"""A gateway with a scripted clock and link."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from config.loading import parse
from edge.capacity.plant import Clock, FreeLink, LoadPlant
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.core.persistence.journal import Readings
from edge.core.pipeline import Pipeline
from edge.shell.link import LinkOptions
from edge.shell.link.receiving.receiver import Receiver
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.parts import make_pipeline
from edge.shell.service.service import Service
from edge.shell.service.state.stored_state import resume
from edge.shell.store import SqliteStore
from edge.shell.store.reading.reading import read_history
from edge.shell.system.wall_clock import WallClock

EARLIEST = 946_684_800.0
NOW = 1_700_000_000.0
"""The true time at the beginning of a test."""
ODD_S = 2 * 3600.0 + 700.0
IN_FLIGHT = 20
CONFIGURATION = """
[[input]]
topic = "paced/#"
sensor = "{topic}"
[[input]]
topic = "now/#"
sensor = "{topic}"
time = "arrival"
"""


class ScriptedLink(FreeLink):
    """A link without a network, which stamps the test's messages with the service's clock."""

    def __init__(self, clock: Clock, wall: WallClock) -> None:
        super().__init__(LoadPlant(1, 1.0, lambda _: ("", b"")), clock, 1000)
        self.wall = wall
        self.connections = 1
        self.acknowledged: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.receiver = Receiver(
            LinkOptions(client_id="gw", clean_session=False), lambda: NOW, lambda _identifiers, _topic: False
        )
        self.receiver.begin(1, modern=False, session_present=True)

    def receive(self, _timeout_s: float, _most: int) -> list[Message]:
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return self.receiver.inbox.take(0, 1000, 2**18)

    def has_lost_session(self) -> bool:
        return self.receiver.has_lost_session()

    def of_session(self, messages: list[Message]) -> list[Message]:
        return self.receiver.of_session(messages)

    def acknowledge(self, messages: Any, window: int | None = None) -> None:
        del window
        self.acknowledged += [each.packet for each in messages]


class Gateway:
    """A service on a machine whose clock has an error of `off` seconds."""

    def __init__(self, store: SqliteStore, off: float, *, at: float = 0.0) -> None:
        self.store = store
        self.off = off
        self.clock = Clock()
        self.clock.now = at
        self.pipeline, recollection, _ = resume(new_pipeline, store, "", "", NOW)
        self.wall = WallClock(
            EARLIEST,
            recollection.last_arrival,
            lambda: NOW + self.clock.now + self.off,
            self.clock,
            aged=recollection.pruned,
        )
        self.link = ScriptedLink(self.clock, self.wall)
        options = ServiceOptions(Topics("edgewarden/gw"), commit_s=0.0, in_flight=IN_FLIGHT)
        link: Any = self.link
        self.service = Service(
            self.pipeline,
            store,
            link,
            link,
            options,
            last_arrival=recollection.last_arrival,
            clock=self.wall,
            monotonic=self.clock,
        )
        self.sent = 0

    def send(self, topic: str, ahead: float = 0.0) -> None:
        """A sender whose clock is right, or ahead; nothing is received before the next turn."""
        self.sent += 1
        fields = {"value": float(self.sent)}
        if topic.startswith("paced/"):
            fields["ts"] = NOW + self.clock.now + ahead
        self.last = Message(
            topic, json.dumps(fields).encode(), self.wall(), qos=1, receipt=self.link.connections, packet=self.sent
        )
        self.link.receiver.inbox.put(self.last)

    def turn(self, seconds: float = 1.0) -> None:
        self.service._turn()
        self.clock.now += seconds

    def stored(self) -> list[tuple[str, float, float]]:
        """Sensors, values and times in the journal, in order."""
        names = self.pipeline.sensors.names
        return [
            (names[slot], value, time)
            for part in read_history(self.store.path).parts
            if isinstance(part, Readings)
            for slot, value, time in zip(part.batch.slots, part.batch.values, part.batch.times, strict=True)
        ]

    def problems(self) -> list[Any]:
        return json.loads(self.service._health())["problems"]


def new_pipeline() -> Pipeline:
    return make_pipeline(parse(CONFIGURATION, "test").configuration)
