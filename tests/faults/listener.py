"""A consumer of events that misses nothing: QoS 1, a persistent session, and a record of every delivery."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from edge.shell.link import Link, LinkOptions, Subscription


class Arrival(NamedTuple):
    """One delivery of one event.

    Attributes:
        at: Monotonic time of the delivery, in seconds.
        id: The event's id.
        sequence: Sequence number of the event at the gateway.
        sensor: The sensor.
        incident: The incident.
        transition: What happened.
        replayed: Whether the event is marked as part of a backlog.
        recorded: The plant's time in the event, seconds since the epoch.
        substance: A digest of the event without its number and that mark.
    """

    at: float
    id: str
    sequence: int
    sensor: str
    incident: str
    transition: str
    replayed: bool
    recorded: float
    substance: bytes


def read_event(payload: bytes, at: float = 0.0) -> Arrival:
    """An event of an incident, as published."""
    event = msgspec.json.decode(payload)
    data = event["data"]
    sequence, replayed = int(event.pop("sequence")), data.pop("replayed")
    substance = hashlib.blake2b(msgspec.json.encode(event, order="deterministic"), digest_size=12).digest()
    recorded = datetime.fromisoformat(event["recordedtime"]).timestamp()
    words = (event["subject"], data["incident"], data["transition"])
    return Arrival(at, event["id"], sequence, *words, replayed, recorded, substance)


class Listener:
    """Listens to everything that a gateway publishes.

    Attributes:
        arrivals: Every delivery of an event, in order.
        first: The first delivery of each event, by id, in order.
        new_at: When these came.
        plant_time: The latest of the plant's times in them.
        gaps: The events about missing data, by id.
        dead_letters: Number of refused readings by reason.
    """

    def __init__(self, port: int, client_id: str = "listener") -> None:
        self.arrivals: list[Arrival] = []
        self.first: dict[str, Arrival] = {}
        self.new_at: list[float] = []
        self.plant_time = 0.0
        self.gaps: dict[str, dict[str, Any]] = {}
        self.dead_letters: Counter[str] = Counter()
        self._latest: dict[str, dict[str, Any]] = {}
        self._ending = False
        self._options = LinkOptions(
            port=port, client_id=client_id, clean_session=False, first_delay_s=0.05, longest_delay_s=0.2, keepalive_s=10
        )

    def start(self) -> None:
        """Connect and start to listen."""
        self._ending = False
        self._link = Link(self._options, [Subscription("edgewarden/gw/#")])
        self._link.start()
        assert self._link.wait_subscribed(10)
        self._thread = threading.Thread(target=self._run, name=self._options.client_id, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Disconnect; the broker collects messages until the next `start()`."""
        if not self._ending:
            self._ending = True
            self._thread.join(10)
            self._link.stop()

    def latest(self, word: str) -> dict[str, Any]:
        """The last message on a retained topic such as `status`; empty if there was none."""
        return self._latest.get(word, {})

    def _run(self) -> None:
        while not self._ending:
            messages = self._link.receive(0.05)
            at = time.monotonic()
            for each in messages:
                self._take(each.topic.removeprefix("edgewarden/gw/"), each.payload, at)
            self._link.acknowledge(messages)

    def _take(self, topic: str, payload: bytes, at: float) -> None:
        if topic.startswith("anomaly/"):
            arrival = read_event(payload, at)
            self.arrivals.append(arrival)
            if arrival.id not in self.first:
                self.first[arrival.id] = arrival
                self.new_at.append(at)
                self.plant_time = max(self.plant_time, arrival.recorded)
        elif topic in {"status", "health", "open"}:
            self._latest[topic] = msgspec.json.decode(payload)
        elif topic == "gap":
            gap = msgspec.json.decode(payload)
            self.gaps[gap["id"]] = gap
        elif topic == "deadletter":
            self.dead_letters[msgspec.json.decode(payload)["reason"]] += 1
