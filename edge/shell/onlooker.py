"""The interface of an observer of the running service that has its own thread, such as the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from edge.core.incidents.events.event import Event
from edge.core.pipeline import Pipeline
from edge.shell.link import ServiceLink
from edge.shell.publishing.publisher import Publisher


class Running(NamedTuple):
    """The parts of a running service. They may be used only by the service's loop, within `Onlooker.turn()`.

    Attributes:
        pipeline: The core.
        inbound: The link for readings and commands; any thread may put internal messages into its inbox.
        outbound: The link for events; may be the same.
        publisher: Sends events and retained topics.
        clock: The current time, in seconds since the epoch, UTC; thread-safe.
        status: The status of the service, in the form of the status file.
    """

    pipeline: Pipeline
    inbound: ServiceLink
    outbound: ServiceLink
    publisher: Publisher
    clock: Callable[[], float]
    status: Callable[[], dict[str, object]]


class Onlooker(Protocol):
    """An observer of the running service. The service's loop calls its methods, none of which may block or raise."""

    def follow(self, running: Running) -> None:
        """Observe these parts from now on: called at the start, and after a reload of the configuration."""

    def committed(self, events: Sequence[Event], answers: Sequence[bytes]) -> None:
        """Record committed events and results of commands."""

    def turn(self) -> None:
        """Provide what was requested, if anything; called in each iteration of the loop."""


class NoOnlooker:
    """No observer."""

    def follow(self, running: Running) -> None:
        """Do nothing."""

    def committed(self, events: Sequence[Event], answers: Sequence[bytes]) -> None:
        """Do nothing."""

    def turn(self) -> None:
        """Do nothing."""
