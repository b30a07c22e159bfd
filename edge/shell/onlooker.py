"""The interface of an observer of the running service that has its own thread, such as the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from edge.core.incidents.events.event import Event
from edge.core.pipeline import Pipeline
from edge.shell.link import Link
from edge.shell.publishing.publisher import Publisher


class Running(NamedTuple):
    """The parts of a running service. Only the service's loop may use it, within `Onlooker.turn()`.

    Attributes:
        pipeline: The core.
        inbound: The link that readings and commands come from; any thread may put messages of our own into its inbox.
        outbound: The link that events go to; may be the same.
        publisher: Sends events, and what is retained.
        clock: The current time, in seconds since the epoch, UTC; may be called from any thread.
        status: The status of the service, in the form of the status file.
    """

    pipeline: Pipeline
    inbound: Link
    outbound: Link
    publisher: Publisher
    clock: Callable[[], float]
    status: Callable[[], dict[str, object]]


class Onlooker(Protocol):
    """An observer of the running service. The service's loop calls its methods; none of them may wait or raise."""

    def follow(self, running: Running) -> None:
        """Look at this from here on: at the start, and when another configuration was taken up."""

    def committed(self, events: Sequence[Event], answers: Sequence[bytes]) -> None:
        """Record what was committed: events, and what became of commands."""

    def turn(self) -> None:
        """Collect what is requested, if anything; called in each turn of the loop."""


class Nobody:
    """There is no observer."""

    def follow(self, running: Running) -> None:
        """Do nothing."""

    def committed(self, events: Sequence[Event], answers: Sequence[bytes]) -> None:
        """Do nothing."""

    def turn(self) -> None:
        """Do nothing."""
