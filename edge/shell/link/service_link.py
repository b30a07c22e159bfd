"""The link as seen by the service, for any kind of broker; one contract suite tests all of them."""

# ruff: noqa: ARG002 - not every kind of link uses all arguments
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from edge.core.model.readings.messages import Message
from edge.shell.link.link_options import Subscription, Will
from edge.shell.link.receiving.echo import Echo
from edge.shell.link.receiving.receive_queue import ReceiveQueue
from edge.shell.link.sending.outlet import Outlet
from edge.shell.link.versions.abilities import Abilities


class LinkPlace(Protocol):
    """Where a link leads to. Links of equal options, apart from the will, can take each other's place."""

    @property
    def host(self) -> str:
        """The broker's name or address; of several, the first one's. Empty if there is no broker."""

    @property
    def port(self) -> int:
        """Its TCP port."""

    @property
    def client_id(self) -> str:
        """Our name there."""

    @property
    def will(self) -> Will | Callable[[], Will] | None:
        """The message that the broker publishes when the service vanishes."""


class Rivals(Protocol):
    """The evidence of other clients with our name."""

    @property
    def takeovers(self) -> int:
        """Number of connections that another client has ended."""

    @property
    def has_rival(self) -> bool:
        """Whether there is one now."""

    @property
    def is_certain(self) -> bool:
        """Whether that is certain, and not only suspected."""


class MarksRepetitions:
    """The part of a link whose broker marks redelivered messages: no positions are stored."""

    stamps_arrivals = True
    moves = 0
    lag: int | None = None

    def resume(self, positions: Mapping[str, int]) -> None:
        """Nothing is to be known: each message has its packet identifier."""

    def positions(self, messages: Sequence[Message]) -> dict[str, int]:
        """No positions: each message has its packet identifier."""
        return {}


class ServiceLink(Outlet, Protocol):
    """Receives messages and publishes events; see `Link` for the details of each method with MQTT.

    Attributes:
        inbox: The queue for messages of the service itself.
        births: Hears birth messages.
        abilities: What the broker can do.
    """

    inbox: ReceiveQueue
    births: Echo
    abilities: Abilities

    @property
    def options(self) -> LinkPlace:
        """Where it leads to."""

    @property
    def alive(self) -> bool:
        """Whether the network thread does its work."""

    @property
    def version(self) -> str:
        """Version of the protocol."""

    @property
    def trouble(self) -> str:
        """Why it isn't connected; empty if it is."""

    @property
    def reconnecting(self) -> Rivals:
        """The evidence of other clients with our name."""

    @property
    def takeovers(self) -> int:
        """Number of connections that another client with our name has ended."""

    @property
    def refused_subscriptions(self) -> dict[str, str]:
        """The subscriptions that the broker refuses, and why."""

    @property
    def refused_publications(self) -> int:
        """Number of publications that the broker has refused."""

    @property
    def dropped_qos0(self) -> int:
        """Number of messages dropped because they arrived too fast."""

    @property
    def stamps_arrivals(self) -> bool:
        """Whether messages have the time at which they came here, by our own clock."""

    @property
    def lag(self) -> int | None:
        """Number of messages that wait at the broker for us; None if it doesn't say so."""

    @property
    def moves(self) -> int:
        """Number of times that sensors have moved to another worker on the same topics, and may be missing here."""

    def start(self) -> None:
        """Start the network thread."""

    def stop(self, timeout_s: float = 5.0) -> None:
        """Disconnect and end the thread."""

    def wait_subscribed(self, timeout_s: float) -> bool:
        """Wait until messages would come; whether they do."""

    def resume(self, positions: Mapping[str, int]) -> None:
        """Restore the positions in the store, as returned by `positions()`; to be called before `start()`."""

    def receive(self, timeout_s: float, most: int = 10_000, most_bytes: int = 2**18) -> list[Message]:
        """Take the messages that have arrived, or wait for some."""

    def of_session(self, messages: list[Message]) -> list[Message]:
        """The messages as they are now: whether they may still be acknowledged."""

    def has_lost_session(self) -> bool:
        """Whether the broker has lost its state about us since the last call."""

    def positions(self, messages: Sequence[Message]) -> dict[str, int]:
        """The positions to be stored with messages, so that none is processed twice; empty if unnecessary."""

    def acknowledge(self, messages: Sequence[Message], window: int | None = None) -> None:
        """The positions to be stored with messages, so that none is processed twice; empty if unnecessary."""

    def wake(self) -> None:
        """Let `receive()` return."""

    def unsubscribe(self, topic: str) -> None:
        """Unsubscribe from whatever delivers an unwanted topic."""

    def follow(self, subscriptions: Sequence[Subscription], will: Will | Callable[[], Will] | None) -> None:
        """Want other subscriptions from now on."""
