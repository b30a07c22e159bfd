"""The options of the service's loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edge.core.model.words.topics import Topics
from edge.shell.link.receiving.broker_window import QUIET_S
from edge.shell.onlooker import Nobody, Onlooker


@dataclass(frozen=True)
class ServiceOptions:
    """The loop's part of the configuration.

    Attributes:
        topics: Our own topics.
        digest: Of the configuration; snapshots are kept under it.
        inputs: Digest of what it says of inputs.
        store: The store's file, next to which the status file is written; None for no status file.
        filters: Topic filters of the inputs, in the operator's order.
        about: What the status topic says beside our state.
        commit_s: For how long steps without an event may wait to be committed together.
        in_flight: The inbound broker's in-flight window, as requested.
        quiet_s: A broker that has sent nothing for this long may be waiting for an acknowledgement.
        backlog_per_second: Events of the backlog that are sent in a second.
        forget_days: Sensors that were silent for longer are forgotten; None if none is.
        queued: Whether the broker keeps every message for us while we are away: no input has QoS 0.
        onlooker: An observer of the service.
        home_assistant: The observer that publishes discovery for Home Assistant.
    """

    topics: Topics
    digest: str = ""
    inputs: str = ""
    store: Path | None = None
    filters: tuple[str, ...] = ()
    about: dict[str, object] | None = None
    commit_s: float = 2.0
    in_flight: int = 20
    quiet_s: float = QUIET_S
    backlog_per_second: float = 500.0
    forget_days: float | None = None
    queued: bool = True
    onlooker: Onlooker = field(default_factory=Nobody)
    home_assistant: Onlooker = field(default_factory=Nobody)
