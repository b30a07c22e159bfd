"""A link that accepts what a publisher hands over, and events for it to publish."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from edge.core.incidents.events.event import Event
from edge.shell.link import Echo, RefusedPublication
from edge.shell.store import SqliteStore


class Outlet:
    """A link whose broker is a list; the test controls the window and the PUBACKs."""

    def __init__(self, window: int = 1000) -> None:
        self.connected = True
        self.connections = 1
        self.acknowledges_blindly = False
        self.echo = Echo(None)
        self.rivals = 0
        self.closed_by_broker = ""
        self.explained = 0
        self.window = window
        self.sent: list[tuple[str, bytes, bool]] = []
        self.unconfirmed: list[int] = []
        self._confirmed: list[int] = []
        self._refused: list[RefusedPublication] = []
        self._tokens = count(1)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, properties: Any = None) -> Any:
        if not self.connected or len(self.unconfirmed) >= self.window:
            return None
        self.sent.append((topic, payload, retain))
        token = next(self._tokens)
        self.unconfirmed.append(token)
        return token

    def puback(self, number: int = 1) -> None:
        self._confirmed += self.unconfirmed[:number]
        del self.unconfirmed[:number]

    def confirmations(self) -> list[int]:
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    def refuse(self, number: int = 1, reason: str = "Not authorized") -> None:
        self._refused += [RefusedPublication(token, reason) for token in self.unconfirmed[:number]]
        del self.unconfirmed[:number]

    def refusals(self) -> list[RefusedPublication]:
        refused, self._refused = self._refused, []
        return refused

    def closing_explained(self) -> None:
        self.explained += 1

    def rival_seen(self) -> None:
        self.rivals += 1

    def cut(self) -> None:
        self.connected = False
        self.unconfirmed.clear()

    def mend(self) -> None:
        self.connected = True
        self.connections += 1

    @property
    def sequences(self) -> list[int]:
        return [json.loads(payload)["n"] for _, payload, retained in self.sent if not retained]

    @property
    def replayed(self) -> list[int]:
        found = [json.loads(payload) for _, payload, retained in self.sent if not retained]
        return [each["n"] for each in found if each["data"]["replayed"]]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def event(sequence: int, incident: str = "i", transition: str = "raised") -> Event:
    payload = b'{"n":%d,"data":{"replayed":false}}' % sequence
    return Event(sequence, f"id-{sequence}", "s", f"t/{sequence}", 1.0, incident, transition, "spike", 300, "", payload)


def fill(store: SqliteStore, *events: Event) -> None:
    store.append(events, [], now=1.0)


def raised(store: SqliteStore, first: int, last: int) -> None:
    fill(store, *(event(each) for each in range(first, last + 1)))
