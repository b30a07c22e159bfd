"""Event publications: payload and MQTT 5 properties."""

from __future__ import annotations

from edge.core.incidents.events.event import Event, severity_name
from edge.core.incidents.events.gaps import TRANSITION as GAP
from edge.core.incidents.events.sensor_events import KIND as SENSOR
from edge.shell.link import EventProperties
from edge.shell.store import OutboxRow

NOT_REPLAYED, REPLAYED = b'"replayed":false}}', b'"replayed":true}}'


def row_of(event: Event) -> OutboxRow:
    """An event's row in the outbox, without reading it."""
    return OutboxRow(
        event.sequence, event.topic, event.transition, event.kind, event.severity, event.sensor, event.payload
    )


def as_replayed(payload: bytes) -> bytes:
    """An event's payload, marked as sent from the backlog."""
    return payload[: -len(NOT_REPLAYED)] + REPLAYED if payload.endswith(NOT_REPLAYED) else payload


def properties_of(row: OutboxRow) -> EventProperties:
    """Properties by which an MQTT 5 consumer can filter without parsing the payload."""
    about = SENSOR if row.kind == SENSOR else "incident"
    kind = "gap" if row.transition == GAP else f"{about}.{row.transition}"
    return EventProperties(
        content_type="application/cloudevents+json",
        user=(
            ("type", f"io.edgewarden.{kind}.v1"),
            ("severitytext", severity_name(row.severity)[0]),
            ("kind", row.kind),
            ("sensor", row.sensor),
        ),
    )
