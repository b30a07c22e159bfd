"""What the service says of itself on its own topics."""

from __future__ import annotations

import msgspec

from edge.core.events import timestamp
from edge.core.messages import DeadLetter
from edge.core.pipeline import Pipeline
from edge.shell.link import Link
from edge.shell.publisher import Publisher
from edge.shell.store import Backlog


def status_json(state: str, about: dict[str, object]) -> bytes:
    """The payload of the status topic."""
    return msgspec.json.encode({"state": state, **about})


def health_json(
    now: float,
    started: float,
    pipeline: Pipeline,
    inbound: Link,
    publisher: Publisher,
    backlog: Backlog | None,
    *,
    store_errors: int,
    store_writable: bool,
) -> bytes:
    """The payload of the health topic: counters, backlog, limits.

    Args:
        now: Seconds since the epoch, UTC.
        started: When the service was.
        pipeline: The core.
        inbound: Where readings come from.
        publisher: Where events go.
        backlog: What waits in the outbox; None if the store can't be read.
        store_errors: How often the store failed.
        store_writable: Whether it took the last commit.
    """
    waiting: dict[str, object] = {}
    if backlog is not None:
        since = None if backlog.oldest is None else timestamp(backlog.oldest)
        waiting = {"backlog_events": backlog.events, "backlog_bytes": backlog.size, "backlog_since": since}
    return msgspec.json.encode(
        {
            "time": timestamp(now),
            "uptime_s": round(now - started, 1),
            "sensors": pipeline.sensors.sensors,
            "devices": pipeline.sensors.devices,
            "open_incidents": len(pipeline.engine.open_incidents),
            **pipeline.accounts.as_dict(),
            "dropped_qos0": inbound.dropped_qos0,
            "connections": inbound.connections,
            **waiting,
            "events_published": publisher.published,
            "events_replayed": publisher.replayed,
            "events_confirmed": publisher.confirmed,
            "store_errors": store_errors,
            "store_writable": store_writable,
        }
    )


def dead_letter_json(letter: DeadLetter) -> bytes:
    """The payload of the dead-letter topic; the beginning of the refused payload is base64."""
    return msgspec.json.encode(
        {
            "time": timestamp(letter.arrived),
            "topic": letter.topic,
            "reason": letter.refusal.reason,
            "path": letter.refusal.path,
            "detail": letter.refusal.detail,
            "beginning": letter.beginning,
            "size": letter.size,
        }
    )
