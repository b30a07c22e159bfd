"""Sensor events: report the sensors that were found or forgotten, several in each event.

A plant that starts for the first time has thousands of new sensors at once, so an event lists up to 100. These events
don't belong to an incident.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

from msgspec import Meta

from edge.core.incidents.events.event import Event, Model, SeverityText, Timestamp, encoded, timestamp
from edge.core.model.notation.json_schema import json_schema_of

SCHEMA_NAME = "urn:edgewarden:sensors:v1"
DISCOVERED, FORGOTTEN = "discovered", "forgotten"
KIND = "sensor"
SEVERITY = 1

MOST = 100
"""Maximum number of sensors in an event."""

MOST_NAMED = 3

Change = Literal["discovered", "forgotten"]
Reason = Literal["command", "silent"]
KindOfSensor = Literal["periodic", "on_change", "full_repeat"]
EventType = Literal["io.edgewarden.sensor.discovered.v1", "io.edgewarden.sensor.forgotten.v1"]


class SensorData(Model, kw_only=True):
    """A sensor that was found or forgotten."""

    name: Annotated[str, Meta(min_length=1, description="The sensor, as in the `subject` of its incidents")]
    topic: Annotated[
        str, Meta(description="The sensor as the end of a topic, as in `{base}/anomaly/...` and `{base}/state/...`")
    ]
    unit: Annotated[str, Meta(description="Unit of its values; empty if unknown")]
    kind: Annotated[
        KindOfSensor | None,
        Meta(description="The meaning of a repeated value; null for a forgotten sensor"),
    ]
    device: Annotated[str | None, Meta(description="The device of the configuration that it belongs to")]
    input: Annotated[
        str | None,
        Meta(description="Topic filter of the input that reads it; null for sensors of a file, and forgotten ones"),
    ]
    source_topic: Annotated[
        str | None,
        Meta(description="The topic on which it was received, its first 256 characters; null in the same cases"),
    ]
    value: Annotated[float | None, Meta(description="Its first value; for a forgotten sensor, the last one")]
    time: Annotated[Timestamp | None, Meta(description="Time of that value")]


class SensorsData(Model, kw_only=True):
    """Sensors that were found or forgotten together."""

    change: Annotated[Change, Meta(description="What happened to them")]
    reason: Annotated[
        Reason | None,
        Meta(
            description="Why they were forgotten: an operator's command, or limits.forget_days; null if they were found"
        ),
    ]
    by: Annotated[str | None, Meta(description="The operator who gave the command, if any")]
    comment: Annotated[str | None, Meta(description="The operator's comment")]
    sensors: Annotated[
        list[SensorData], Meta(min_length=1, max_length=MOST, description="In the order in which they were found")
    ]
    message: Annotated[str, Meta(description="A sentence for people to read")]


class SensorsEvent(Model, kw_only=True):
    """One CloudEvents 1.0 event that says that sensors were found or forgotten."""

    specversion: Annotated[Literal["1.0"], Meta(description="Version of CloudEvents")] = "1.0"
    id: Annotated[str, Meta(min_length=1, description="Identifies the event; a redelivery repeats it")]
    source: Annotated[str, Meta(pattern=r"^/edgewarden/", description="`/edgewarden/` and the gateway's name")]
    type: Annotated[
        EventType,
        Meta(description="What happened, and the version of this schema"),
    ]
    time: Annotated[
        Timestamp, Meta(description="The plant's time, according to its readings; for a command, the time when")
    ]
    sequence: Annotated[str, Meta(pattern=r"^\d{20}$", description="Orders the events of a gateway")]
    severitytext: Annotated[SeverityText, Meta(description="A word for the severity")] = "INFO"
    severitynumber: Annotated[int, Meta(ge=1, le=24, description="OpenTelemetry severity number")] = 9
    datacontenttype: Annotated[Literal["application/json"], Meta(description="Media type of `data`")] = (
        "application/json"
    )
    dataschema: Annotated[str, Meta(description="Identifies the schema of `data`")] = SCHEMA_NAME
    data: SensorsData


def sensors_event(
    gateway: str,
    topic: str,
    change: Change,
    sensors: Sequence[SensorData],
    sequence: int,
    time: float,
    reason: Reason | None = None,
    remark: tuple[str, str] = ("", ""),
) -> Event:
    """Create the event for sensors that were found or forgotten, ready to be stored and published.

    Args:
        gateway: Name of the gateway.
        topic: Topic on which it is published.
        change: Whether they were found or forgotten.
        sensors: The sensors, 1 to `MOST`.
        sequence: The event's number.
        time: Time of the change, seconds since the epoch.
        reason: Why they were forgotten.
        remark: The operator's name and remark, if given.
    """
    message = sensors_sentence(change, sensors, reason)
    about = "\n".join([gateway, change, *(f"{each.name}\n{each.time}" for each in sensors), repr(time)])
    identity = hashlib.blake2b(about.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    by, comment = (each or None for each in remark)
    event = SensorsEvent(
        id=f"{identity}-{change}",
        source=f"/edgewarden/{gateway}",
        type=cast("EventType", f"io.edgewarden.sensor.{change}.v1"),
        time=timestamp(time),
        sequence=f"{sequence:020d}",
        data=SensorsData(change=change, reason=reason, by=by, comment=comment, sensors=list(sensors), message=message),
    )
    payload = encoded(event)
    return Event(sequence, event.id, "", topic, time, identity, change, KIND, SEVERITY, message, payload)


def sensors_sentence(change: Change, sensors: Sequence[SensorData], reason: Reason | None) -> str:
    """The event as a sentence for people."""
    names = ", ".join(each.name for each in sensors[:MOST_NAMED])
    more = f" and {len(sensors) - MOST_NAMED} more" if len(sensors) > MOST_NAMED else ""
    count = "1 sensor was" if len(sensors) == 1 else f"{len(sensors)} sensors were"
    why = ", as nothing was heard of for longer than limits.forget_days" if reason == "silent" else ""
    return f"{count} {'found' if change == DISCOVERED else 'forgotten'}{why}: {names}{more}"


def sensors_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of every event about sensors."""
    return json_schema_of(SensorsEvent, SCHEMA_NAME)
