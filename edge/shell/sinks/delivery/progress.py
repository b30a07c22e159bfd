"""What a runner hands to the loop: its position, what has to be stored with it, and its status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from edge.core.incidents.events.gaps import Gap
from edge.shell.store import OutboxRow, SinkPosition
from edge.shell.store.reading.sink_reading import Waiting


class SetAside(NamedTuple):
    """An event that a sink will never take.

    Attributes:
        row: The event.
        reason: Why.
    """

    row: OutboxRow
    reason: str


@dataclass
class SinkProgress:
    """The position of a sink.

    Attributes:
        position: To be stored after what follows.
        set_aside: Events that it has passed without delivering them.
        gaps: What its limits have dropped.
    """

    position: SinkPosition
    set_aside: list[SetAside] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class SinkReport(NamedTuple):
    """The status of a sink.

    Attributes:
        connected: Whether its receiver can be reached.
        waiting: Its backlog, as last measured.
        delivered: Events that were confirmed since the start.
        per_second: Recent rate per second.
        set_aside: Events that it refused for good since the start.
        lost: Events that limits have taken from it since the start.
        last_error: The last error; empty if there was none.
        last_error_at: When, seconds since the epoch, UTC.
        failing_since: Since when nothing has been delivered, in the same unit; None if it isn't failing.
    """

    connected: bool = False
    waiting: Waiting = Waiting()
    delivered: int = 0
    per_second: float = 0.0
    set_aside: int = 0
    lost: int = 0
    last_error: str = ""
    last_error_at: float | None = None
    failing_since: float | None = None
