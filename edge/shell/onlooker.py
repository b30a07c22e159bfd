"""What somebody is told who looks at a running service from a thread of its own, such as the page in a browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from edge.core.incidents.events import Event
from edge.core.pipeline import Pipeline
from edge.shell.link import Link
from edge.shell.publishing.publisher import Publisher


class Running(NamedTuple):
    """What a service runs with at present. Only the service's loop may look into it, within `Onlooker.turn()`.

    Attributes:
        pipeline: The core.
        inbound: The link that readings and commands come from; any thread may put messages of our own into its inbox.
        outbound: The link that events go to; may be the same.
        publisher: Sends events, and what is retained.
        clock: What time it is, seconds since the epoch, UTC; for any thread.
        status: How the service is, as the status file says it.
    """

    pipeline: Pipeline
    inbound: Link
    outbound: Link
    publisher: Publisher
    clock: Callable[[], float]
    status: Callable[[], dict[str, object]]


class Onlooker(Protocol):
    """Somebody who looks on. The service's loop calls all of it; none of it may wait or raise."""

    def follow(self, running: Running) -> None:
        """Look at this from here on: at the start, and when another configuration was taken up."""

    def committed(self, events: Sequence[Event], answers: Sequence[bytes]) -> None:
        """Take note of what was committed: events, and what became of commands."""

    def turn(self) -> None:
        """Look now, if there is anything that somebody wants to see; called in each turn of the loop."""


class Nobody:
    """Nobody looks on."""

    def follow(self, running: Running) -> None:
        """Do nothing."""

    def committed(self, events: Sequence[Event], answers: Sequence[bytes]) -> None:
        """Do nothing."""

    def turn(self) -> None:
        """Do nothing."""
