"""Events, the public contract: every transition of an incident is one CloudEvents 1.0 object in JSON.

Field names never change within a major version, and consumers ignore unknown fields. An event's id is derived from the
gateway, the sensor, the incident's start and the transition, so a replay gives the same id and consumers can drop
duplicates.

Source: CloudEvents 1.0.2, JSON Event Format; severities follow OPC UA Part 9 and the OpenTelemetry log data model.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from edge.core.model.notation.severity import severity_class

SEVERITIES: tuple[tuple[str, int], ...] = (("INFO", 9), ("WARN", 13), ("ERROR", 17), ("FATAL", 21))
"""OpenTelemetry's severity text and number for each quarter of the range 1 to 1000."""

SCHEMA_NAME = "urn:edgewarden:incident:v1"

Timestamp = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="RFC 3339, UTC, milliseconds")
]
TransitionName = Literal["raised", "updated", "cleared", "acknowledged", "shelved", "unshelved", "expired"]
Kind = Literal[
    "spike",
    "level_shift",
    "drift",
    "variance",
    "flatline",
    "missing",
    "range",
    "rate",
    "contextual",
    "state",
    "correlation",
    "clock",
    "error_value",
    "peers",
]


class Model(BaseModel):
    """Base of published models."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DetectorEvidence(Model):
    """A detector that agrees."""

    name: str = Field(description="Name of the detector, as `edgewarden detectors` explains it")
    score: float = Field(ge=0, description="Its largest surprise in this incident, in decades")
    since: Timestamp = Field(description="Time of the first reading that it found surprising")


class PeakMoment(Model):
    """The most surprising moment of an incident."""

    value: float = Field(description="The reading")
    score: float = Field(ge=0, description="Decades of surprise")
    time: Timestamp = Field(description="Its time")


class ConditionFound(Model):
    """One kind of thing that is, or was, wrong in an incident."""

    kind: Kind = Field(description="What it looked like")
    since: Timestamp = Field(description="Time of the first reading that showed it")


class Contribution(Model):
    """The share of one sensor in the score of a device."""

    sensor: str = Field(description="The sensor")
    share: float = Field(ge=0, le=1, description="Its share; the shares of all the device's sensors add up to 1")


class IncidentData(Model):
    """What happened to an incident, and all that is known of it."""

    incident: str = Field(description="Identifies the incident; the same in all of its events")
    transition: TransitionName = Field(description="What happened to the incident")
    active: bool = Field(description="Whether the incident is open after this transition")
    acknowledged: bool = Field(default=False, description="Whether an operator has acknowledged the incident")
    shelved: bool = Field(default=False, description="Whether the sensor is shelved or under maintenance")
    kind: Kind = Field(description="What is wrong")
    severity: int = Field(
        ge=1,
        le=1000,
        description="OPC UA severity by distance, duration and trend; 646 and 1000 for limits, 400 for error values,"
        " 260 to 460 for peers",
    )
    score: float = Field(ge=0, description="Surprise of this reading in decades: 6 is one in a million by chance")
    threshold: float = Field(
        gt=0, description="Raising level, in decades, of the detector that is farthest beyond its own"
    )
    value: float = Field(
        description="The reading that led to this event; for a silence, the last one; for a counter, its pace"
    )
    unit: str = Field(default="", description="Unit of the value, empty if unknown")
    reading: float | None = Field(
        default=None,
        description="If the value is a pace: the counter's reading; otherwise absent",
        exclude_if=lambda reading: reading is None,
    )
    expected: float | None = Field(description="The value expected before the reading")
    lower: float | None = Field(
        description="Lower end of the violated band, or a limit; null if the fault isn't in the value"
    )
    upper: float | None = Field(description="Upper end of that band")
    detectors: list[DetectorEvidence] = Field(description="The detectors that agree, the most surprised first")
    conditions: list[ConditionFound] = Field(
        default_factory=list, description="All kinds of the incident so far, in order"
    )
    contributions: list[Contribution] = Field(
        default_factory=list, description="For a device: its sensors' shares at the peak, the largest first"
    )
    sensors: list[str] = Field(
        default_factory=list, description="The sensors with a common cause, if there are several; only the first ones"
    )
    sensors_total: int = Field(default=0, ge=0, description="Total number of these sensors")
    started: Timestamp = Field(description="Time of the first reading that belongs to the incident")
    last: Timestamp = Field(description="Time of the last reading that belongs to the incident")
    ended: Timestamp | None = Field(default=None, description="When the incident ended; null while it is open")
    peak: PeakMoment = Field(description="The most surprising moment so far")
    count: int = Field(ge=1, description="Readings beyond the threshold or a limit so far")
    recent: list[tuple[Timestamp, float]] = Field(description="The sensor's last readings, oldest first")
    labels: dict[str, str] = Field(default_factory=dict, description="The labels of the rule that the sensor follows")
    by: str | None = Field(default=None, description="The operator who caused this transition, if any")
    comment: str | None = Field(default=None, description="The operator's comment")
    message: str = Field(description="A sentence for people to read")
    replayed: bool = Field(default=False, description="Published from the backlog of an outage")


class IncidentEvent(Model):
    """One CloudEvents 1.0 event of an incident."""

    specversion: Literal["1.0"] = Field(default="1.0", description="Version of CloudEvents")
    id: str = Field(min_length=1, description="Identifies the event; a redelivery repeats it")
    source: str = Field(pattern=r"^/edgewarden/", description="`/edgewarden/` and the gateway's name")
    type: str = Field(
        pattern=r"^io\.edgewarden\.incident\.[a-z]+\.v1$", description="What happened, and the version of this schema"
    )
    subject: str = Field(min_length=1, description="The sensor")
    time: Timestamp = Field(description="The reading's time; for a silence, the time when it became too long")
    recordedtime: Timestamp = Field(
        description="The plant's time, according to its readings, when the event was decided"
    )
    sequence: str = Field(pattern=r"^\d{20}$", description="Orders the events of a gateway")
    correlationid: str = Field(description="The incident, or the group incident that it first belonged to")
    partitionkey: str = Field(description="The sensor")
    severitytext: Literal["INFO", "WARN", "ERROR", "FATAL"] = Field(description="A word for the severity")
    severitynumber: int = Field(ge=1, le=24, description="OpenTelemetry severity number")
    datacontenttype: Literal["application/json"] = Field(default="application/json", description="Media type of `data`")
    dataschema: str = Field(default=SCHEMA_NAME, description="Identifies the schema of `data`")
    data: IncidentData


class Event(NamedTuple):
    """An event ready to be stored and published.

    Attributes:
        sequence: Its number in the gateway's sequence.
        id: Its CloudEvents id.
        sensor: The sensor.
        topic: Topic on which it is published.
        time: The reading's time, seconds since the epoch, UTC.
        incident: ID of the incident.
        transition: The transition of the incident.
        kind: Kind of the incident.
        severity: 1 to 1000.
        message: One sentence for people.
        payload: The `IncidentEvent` as JSON.
    """

    sequence: int
    id: str
    sensor: str
    topic: str
    time: float
    incident: str
    transition: str
    kind: str
    severity: int
    message: str
    payload: bytes


def timestamp(time: float) -> str:
    """A time as RFC 3339 text in UTC with milliseconds, clamped to the years 1 to 9999."""
    milliseconds = round(min(max(time, -62_135_596_800.0), 253_402_300_799.0) * 1000)
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment.replace(tzinfo=None).isoformat()}.{milliseconds % 1000:03d}Z"


def exact_timestamp(time: float) -> str:
    """A time as RFC 3339 text in UTC, with microseconds unless they are zero.

    Raises:
        ValueError, OverflowError, OSError: It is outside of the years 1 to 9999.
    """
    return datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")


def incident_id(gateway: str, sensor: str, started: float) -> str:
    """The ID of the incident of a sensor with this start time: 16 hexadecimal digits."""
    text = f"{gateway}\n{sensor}\n{round(started * 1e6)}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def severity_name(severity: int) -> tuple[str, int]:
    """OpenTelemetry's severity text and number for an OPC UA severity."""
    return SEVERITIES[severity_class(severity)]


def event_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of every event of an incident."""
    schema = IncidentEvent.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_NAME, **schema}
