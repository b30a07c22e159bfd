"""The publisher: brings the outbox to the broker, in order, and keeps the retained topics up to date.

An event leaves the outbox by its PUBACK only. While the link is down nothing is handed to it; when it is back, what has
no PUBACK is read from the store again. Retained topics hold the latest word only: what changes while one is waiting
replaces it, so there are never more than one a topic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from edge.core.events import severity_name
from edge.shell.link import EventProperties
from edge.shell.store import OutboxRow, Store

READ_AHEAD = 200
"""Events read from the store at a time."""


class Outlet(Protocol):
    """What the publisher needs of a link."""

    @property
    def connected(self) -> bool:
        """Whether anything can be sent."""

    @property
    def connections(self) -> int:
        """How often the link has connected."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: EventProperties | None = None,
    ) -> int | None:
        """Send; returns a token, or None if that can't be done now."""

    def confirmations(self) -> list[int]:
        """Tokens whose PUBACK has come."""


class Publisher:
    """Sends what the store and the service want sent.

    Args:
        store: Where the events are.
        link: Where they go.
    """

    def __init__(self, store: Store, link: Outlet) -> None:
        self._store = store
        self._link = link
        self._connection = 0
        self._sent_up_to = 0
        self._ahead: deque[OutboxRow] = deque()
        self._outstanding: dict[int, int] = {}
        self._retained: dict[str, bytes] = {}
        self._more = True
        self.confirmed = 0
        self.published = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent or confirmed."""
        return not (self._outstanding or self._retained or self._ahead or self._more)

    def stored(self) -> None:
        """Note that the store has new events."""
        self._more = True

    def retain(self, topic: str, payload: bytes) -> None:
        """Publish the latest word on a retained topic as soon as there is room, after the events."""
        self._retained[topic] = payload

    def turn(self, now: float) -> None:
        """Take confirmations and send what there is room for; never waits.

        Args:
            now: Seconds since the epoch, UTC, for the confirmations.
        """
        self._confirm(self._link.confirmations(), now)
        if not self._link.connected:
            return
        if self._link.connections != self._connection:
            self._connection = self._link.connections
            self._outstanding.clear()
            self._ahead.clear()
            self._sent_up_to = 0
            self._more = True
        if self._send_events():
            self._send_retained()

    def _confirm(self, tokens: Iterable[int], now: float) -> None:
        sequences = [self._outstanding.pop(token) for token in tokens if token in self._outstanding]
        if sequences:
            self._store.confirm(sequences, now)
            self.confirmed += len(sequences)

    def _send_events(self) -> bool:
        """Send events until there are none or there is no room; returns whether there are none."""
        while True:
            if not self._ahead:
                if not self._more:
                    return True
                self._ahead.extend(self._store.pending(self._sent_up_to, READ_AHEAD))
                self._more = len(self._ahead) == READ_AHEAD
                if not self._ahead:
                    return True
            row = self._ahead[0]
            token = self._link.publish(row.topic, row.payload, properties=properties_of(row))
            if token is None:
                return False
            self._outstanding[token] = row.sequence
            self._sent_up_to = row.sequence
            self._ahead.popleft()
            self.published += 1

    def _send_retained(self) -> None:
        for topic in list(self._retained):
            if self._link.publish(topic, self._retained[topic], retain=True) is None:
                return
            del self._retained[topic]


def properties_of(row: OutboxRow) -> EventProperties:
    """What an MQTT 5 consumer can filter by without reading the payload."""
    return EventProperties(
        content_type="application/cloudevents+json",
        user=(
            ("type", f"io.edgewarden.incident.{row.transition}.v1"),
            ("severitytext", severity_name(row.severity)[0]),
            ("kind", row.kind),
            ("sensor", row.sensor),
        ),
    )
