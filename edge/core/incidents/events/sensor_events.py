"""Sensor events: report the sensors that were found or forgotten, several in each event.

A plant that starts for the first time has thousands of new sensors at once, so an event lists up to 100. These events
don't belong to an incident.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from edge.core.incidents.events.event import Event, Model, Timestamp, timestamp

SCHEMA_NAME = "urn:edgewarden:sensors:v1"
DISCOVERED, FORGOTTEN = "discovered", "forgotten"
KIND = "sensor"
SEVERITY = 1

MOST = 100
"""Maximum number of sensors in an event."""

MOST_NAMED = 3

Change = Literal["discovered", "forgotten"]
Reason = Literal["command", "silent"]


class SensorData(Model):
    """A sensor that was found or forgotten."""

    name: str = Field(min_length=1, description="The sensor, as in the `subject` of its incidents")
    topic: str = Field(
        description="The sensor as the end of a topic, as in `{base}/anomaly/...` and `{base}/state/...`"
    )
    unit: str = Field(description="Unit of its values; empty if unknown")
    kind: Literal["periodic", "on_change", "full_repeat"] | None = Field(
        description="The meaning of a repeated value; null for a forgotten sensor"
    )
    device: str | None = Field(description="The device of the configuration that it belongs to")
    input: str | None = Field(
        description="Topic filter of the input that reads it; null for sensors of a file, and forgotten ones"
    )
    source_topic: str | None = Field(
        description="The topic on which it was received, its first 256 characters; null in the same cases"
    )
    value: float | None = Field(description="Its first value; for a forgotten sensor, the last one")
    time: Timestamp | None = Field(description="Time of that value")


class SensorsData(Model):
    """Sensors that were found or forgotten together."""

    change: Change = Field(description="What happened to them")
    reason: Reason | None = Field(
        description="Why they were forgotten: an operator's command, or limits.forget_days; null if they were found"
    )
    by: str | None = Field(description="The operator who gave the command, if any")
    comment: str | None = Field(description="The operator's comment")
    sensors: list[SensorData] = Field(
        min_length=1, max_length=MOST, description="In the order in which they were found"
    )
    message: str = Field(description="A sentence for people to read")


class SensorsEvent(Model):
    """One CloudEvents 1.0 event that says that sensors were found or forgotten."""

    specversion: Literal["1.0"] = Field("1.0", description="Version of CloudEvents")
    id: str = Field(min_length=1, description="Identifies the event; a redelivery repeats it")
    source: str = Field(pattern=r"^/edgewarden/", description="`/edgewarden/` and the gateway's name")
    type: Literal["io.edgewarden.sensor.discovered.v1", "io.edgewarden.sensor.forgotten.v1"] = Field(
        description="What happened, and the version of this schema"
    )
    time: Timestamp = Field(description="The plant's time, according to its readings; for a command, the time when")
    sequence: str = Field(pattern=r"^\d{20}$", description="Orders the events of a gateway")
    severitytext: Literal["INFO", "WARN", "ERROR", "FATAL"] = Field("INFO", description="A word for the severity")
    severitynumber: int = Field(9, ge=1, le=24, description="OpenTelemetry severity number")
    datacontenttype: Literal["application/json"] = Field("application/json", description="Media type of `data`")
    dataschema: str = Field(SCHEMA_NAME, description="Identifies the schema of `data`")
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
        type=f"io.edgewarden.sensor.{change}.v1",
        time=timestamp(time),
        sequence=f"{sequence:020d}",
        data=SensorsData(change=change, reason=reason, by=by, comment=comment, sensors=list(sensors), message=message),
    )
    payload = event.model_dump_json().encode()
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
    schema = SensorsEvent.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_NAME, **schema}
