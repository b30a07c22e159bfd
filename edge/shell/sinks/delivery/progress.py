"""Progress of a runner: its position, what must be stored with it, and its status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from edge.core.incidents.events.gaps import Gap
from edge.shell.store import OutboxRow, SinkPosition
from edge.shell.store.reading.sink_reading import SinkBacklog


class SetAside(NamedTuple):
    """An event that a sink will never accept.

    Attributes:
        row: The event.
        reason: The reason.
    """

    row: OutboxRow
    reason: str


@dataclass
class SinkProgress:
    """The progress of a sink.

    Attributes:
        position: Position, to be stored after the other fields.
        set_aside: Events passed without delivery.
        gaps: Events dropped by its limits.
    """

    position: SinkPosition
    set_aside: list[SetAside] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class SinkReport(NamedTuple):
    """The status of a sink.

    Attributes:
        connected: Whether its receiver is reachable.
        waiting: Its backlog at the last measurement.
        delivered: Number of events confirmed since the start.
        per_second: Recent number of events per second.
        set_aside: Number of events refused for good since the start.
        lost: Number of events dropped by limits since the start.
        last_error: The last error; empty if there was none.
        last_error_at: Time of the last error, seconds since the epoch, UTC.
        failing_since: Time since which nothing has been delivered, seconds since the epoch, UTC; None if it isn't
            failing.
    """

    connected: bool = False
    waiting: SinkBacklog = SinkBacklog()
    delivered: int = 0
    per_second: float = 0.0
    set_aside: int = 0
    lost: int = 0
    last_error: str = ""
    last_error_at: float | None = None
    failing_since: float | None = None
