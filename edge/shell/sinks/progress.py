"""What a runner hands to the loop: how far it has come, what has to be stored with that, and how it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from edge.core.incidents.gaps import Gap
from edge.shell.store import OutboxRow, SinkPosition
from edge.shell.store.sink_reading import Waiting


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
    """How far a sink has come.

    Attributes:
        position: To be stored after what follows.
        set_aside: Events that it has passed without delivering them.
        gaps: What limits have taken from it.
    """

    position: SinkPosition
    set_aside: list[SetAside] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


class SinkReport(NamedTuple):
    """How a sink is.

    Attributes:
        connected: Whether its receiver can be reached.
        waiting: How much waits for it, as last measured.
        delivered: Events that were confirmed since the start.
        per_second: So many a second of late.
        set_aside: Events that it refused for good since the start.
        lost: Events that limits have taken from it since the start.
        last_error: What went wrong last; empty if nothing has.
        last_error_at: When, seconds since the epoch, UTC.
        failing_since: Since when nothing gets through, likewise; None if that isn't so.
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
