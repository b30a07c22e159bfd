"""The absence of a broker: the link and the place used when events go to sinks only.

Each publication is confirmed at once. Events therefore count as delivered, and are kept for as long as delivered events
are, or until all sinks have them.
"""

# ruff: noqa: ARG002 - not every kind of link uses all arguments of the interface
from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edge.core.model.readings.messages import Message
from edge.shell.link.link_options import EventProperties, Subscription, Will
from edge.shell.link.receiving.echo import Echo
from edge.shell.link.receiving.receive_queue import ReceiveQueue
from edge.shell.link.sending.sender import RefusedPublication
from edge.shell.link.versions.abilities import Abilities


@dataclass(frozen=True)
class NoPlace:
    """The place of a link without a broker."""

    host: str = ""
    port: int = 0
    client_id: str = ""
    will: Will | None = None


@dataclass
class SeenRivals:
    """Other clients with the same name, as reported by a broker."""

    takeovers: int = 0
    has_rival: bool = False
    is_certain: bool = True


class NoBroker:
    """See `ServiceLink`.

    Args:
        on_news: Called with each publication, since all are confirmed at once.
    """

    def __init__(self, on_news: Callable[[], None] = lambda: None) -> None:
        self._on_news = on_news
        self.options = NoPlace()
        self.inbox = ReceiveQueue(1, 1)
        self.echo = self.births = Echo(None)
        self.reconnecting = SeenRivals()
        self.refused_subscriptions: dict[str, str] = {}
        self.abilities = Abilities()
        self.connections = 1
        self.connected = self.alive = True
        self.acknowledges_blindly = self.stamps_arrivals = False
        self.takeovers = self.refused_publications = self.dropped_qos0 = self.moves = 0
        self.lag: int | None = None
        self.version = self.trouble = self.closed_by_broker = ""
        self._last_token = 0
        self._confirmed: list[int] = []
        self._stopped = threading.Event()

    def start(self) -> None:
        """Do nothing: there is no thread."""

    def stop(self, timeout_s: float = 5.0) -> None:
        """Do nothing: there is no thread."""

    def wait_subscribed(self, timeout_s: float) -> bool:
        """Return at once."""
        return False

    def resume(self, positions: Mapping[str, int]) -> None:
        """Do nothing."""

    def receive(self, timeout_s: float, most: int = 10_000, most_bytes: int = 2**18) -> list[Message]:
        """Return no messages."""
        self._stopped.wait(timeout_s)
        return []

    def of_session(self, messages: list[Message]) -> list[Message]:
        """See `ServiceLink`."""
        return messages

    def has_lost_session(self) -> bool:
        """See `ServiceLink`."""
        return False

    def positions(self, messages: Sequence[Message]) -> dict[str, int]:
        """See `ServiceLink`."""
        return {}

    def acknowledge(self, messages: Sequence[Message], window: int | None = None) -> None:
        """Do nothing."""

    def wake(self) -> None:
        """Do nothing."""

    def unsubscribe(self, topic: str) -> None:
        """Do nothing."""

    def follow(self, subscriptions: Sequence[Subscription], will: Will | Callable[[], Will] | None) -> None:
        """Do nothing."""

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: EventProperties | None = None,
    ) -> int | None:
        """Confirm a publication with the next call of `confirmations()`."""
        self._last_token += 1
        if qos:
            self._confirmed.append(self._last_token)
            self._on_news()
        return self._last_token

    def confirmations(self) -> list[int]:
        """The tokens of publications since the last call."""
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    def refusals(self) -> list[RefusedPublication]:
        """Always empty."""
        return []

    def closing_explained(self) -> None:
        """Do nothing."""

    def rival_seen(self) -> None:
        """Do nothing."""
