"""The options of the service's loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edge.core.model.notation.topics import Topics
from edge.shell.link.receiving.broker_window import QUIET_S
from edge.shell.onlooker import NoOnlooker, Onlooker


@dataclass(frozen=True)
class ServiceOptions:
    """The options of the service's loop.

    Attributes:
        topics: This gateway's own topics.
        digest: Digests of the configuration, stored with snapshots.
        inputs: Digest of the configured inputs.
        store: Path of the store, next to which the status file is written; None for no status file.
        filters: Topic filters of the inputs, in configuration order.
        about: Additional fields of the status topic.
        commit_s: Maximum time for which steps without an event wait to be committed together.
        in_flight: Requested in-flight window of the inbound broker.
        quiet_s: Time without a message after which the broker may be waiting for an acknowledgement.
        backlog_per_second: Number of backlog events sent per second.
        forget_days: Days of silence after which a sensor is forgotten; None for never.
        queued: Whether the broker queues all messages while the service is disconnected, because no input has QoS 0.
        onlooker: An observer of the service.
        home_assistant: The observer that publishes Home Assistant discovery.
    """

    topics: Topics
    digest: str = ""
    inputs: str = ""
    store: Path | None = None
    filters: tuple[str, ...] = ()
    about: dict[str, object] | None = None
    commit_s: float = 3.0
    in_flight: int = 20
    quiet_s: float = QUIET_S
    backlog_per_second: float = 500.0
    forget_days: float | None = None
    queued: bool = True
    onlooker: Onlooker = field(default_factory=NoOnlooker)
    home_assistant: Onlooker = field(default_factory=NoOnlooker)
