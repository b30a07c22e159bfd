"""Events, the public contract: every transition of an incident is one CloudEvents 1.0 object in JSON.

Field names never change within a major version, and consumers ignore unknown fields. An event's id is derived from the
gateway, the sensor, the incident's start and the transition, so a replay gives the same id and consumers can drop
duplicates.

Source: CloudEvents 1.0.2, JSON Event Format; severities follow OPC UA Part 9 and the OpenTelemetry log data model.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple, dataclass_transform

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from edge.core.model.notation.json_schema import json_schema_of
from edge.core.model.notation.severity import severity_class

SeverityText = Literal["INFO", "WARN", "ERROR", "FATAL"]

SEVERITIES: tuple[tuple[SeverityText, int], ...] = (("INFO", 9), ("WARN", 13), ("ERROR", 17), ("FATAL", 21))
"""OpenTelemetry's severity text and number for each quarter of the range 1 to 1000."""

SCHEMA_NAME = "urn:edgewarden:incident:v1"

Timestamp = Annotated[
    str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="RFC 3339, UTC, milliseconds")
]
TransitionName = Literal["raised", "updated", "cleared", "acknowledged", "shelved", "unshelved", "expired"]
Kind = Literal[
    "spike",
    "level_shift",
    "drift",
    "trend",
    "variance",
    "swing",
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


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
class Model(Struct, frozen=True, kw_only=True):
    """Base of published models; their readers ignore unknown fields."""


class DetectorEvidence(Model, kw_only=True):
    """A detector that agrees."""

    name: Annotated[str, Meta(description="Name of the detector, as `edgewarden detectors` explains it")]
    score: Annotated[float, Meta(ge=0, description="Its largest surprise in this incident, in decades")]
    since: Annotated[Timestamp, Meta(description="Time of the first reading that it found surprising")]


class PeakMoment(Model, kw_only=True):
    """The most surprising moment of an incident."""

    value: Annotated[float, Meta(description="The reading")]
    score: Annotated[float, Meta(ge=0, description="Decades of surprise")]
    time: Annotated[Timestamp, Meta(description="Its time")]


class ConditionFound(Model, kw_only=True):
    """One kind of thing that is, or was, wrong in an incident."""

    kind: Annotated[Kind, Meta(description="What it looked like")]
    since: Annotated[Timestamp, Meta(description="Time of the first reading that showed it")]


class Contribution(Model, kw_only=True):
    """The share of one sensor in the score of a device."""

    sensor: Annotated[str, Meta(description="The sensor")]
    share: Annotated[
        float, Meta(ge=0, le=1, description="Its share; the shares of all the device's sensors add up to 1")
    ]


class IncidentData(Model, kw_only=True):
    """What happened to an incident, and all that is known of it."""

    incident: Annotated[str, Meta(description="Identifies the incident; the same in all of its events")]
    transition: Annotated[TransitionName, Meta(description="What happened to the incident")]
    active: Annotated[bool, Meta(description="Whether the incident is open after this transition")]
    acknowledged: Annotated[bool, Meta(description="Whether an operator has acknowledged the incident")] = False
    shelved: Annotated[bool, Meta(description="Whether the sensor is shelved or under maintenance")] = False
    kind: Annotated[Kind, Meta(description="What is wrong")]
    severity: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="OPC UA severity by distance, duration and trend; 646 and 1000 for limits,"
            " 400 for error values, 260 to 460 for peers",
        ),
    ]
    score: Annotated[
        float, Meta(ge=0, description="Surprise of this reading in decades: 6 is one in a million by chance")
    ]
    threshold: Annotated[
        float, Meta(gt=0, description="Raising level, in decades, of the detector that is farthest beyond its own")
    ]
    value: Annotated[
        float,
        Meta(description="The reading that led to this event; for a silence, the last one; for a counter, its pace"),
    ]
    unit: Annotated[str, Meta(description="Unit of the value, empty if unknown")] = ""
    reading: Annotated[
        float | UnsetType | None, Meta(description="If the value is a pace: the counter's reading; otherwise absent")
    ] = UNSET
    expected: Annotated[float | None, Meta(description="The value expected before the reading")]
    lower: Annotated[
        float | None,
        Meta(description="Lower end of the violated band, or a limit; null if the fault isn't in the value"),
    ]
    upper: Annotated[float | None, Meta(description="Upper end of that band")]
    detectors: Annotated[list[DetectorEvidence], Meta(description="The detectors that agree, the most surprised first")]
    conditions: Annotated[list[ConditionFound], Meta(description="All kinds of the incident so far, in order")] = field(
        default_factory=list
    )
    contributions: Annotated[
        list[Contribution], Meta(description="For a device: its sensors' shares at the peak, the largest first")
    ] = field(default_factory=list)
    sensors: Annotated[
        list[str], Meta(description="The sensors with a common cause, if there are several; only the first ones")
    ] = field(default_factory=list)
    sensors_total: Annotated[int, Meta(ge=0, description="Total number of these sensors")] = 0
    started: Annotated[Timestamp, Meta(description="Time of the first reading that belongs to the incident")]
    last: Annotated[Timestamp, Meta(description="Time of the last reading that belongs to the incident")]
    ended: Annotated[Timestamp | None, Meta(description="When the incident ended; null while it is open")] = None
    peak: Annotated[PeakMoment, Meta(description="The most surprising moment so far")]
    count: Annotated[int, Meta(ge=1, description="Readings beyond the threshold or a limit so far")]
    recent: Annotated[list[tuple[Timestamp, float]], Meta(description="The sensor's last readings, oldest first")]
    labels: Annotated[dict[str, str], Meta(description="The labels of the rule that the sensor follows")] = field(
        default_factory=dict
    )
    by: Annotated[str | None, Meta(description="The operator who caused this transition, if any")] = None
    comment: Annotated[str | None, Meta(description="The operator's comment")] = None
    message: Annotated[str, Meta(description="A sentence for people to read")]
    replayed: Annotated[bool, Meta(description="Published from the backlog of an outage")] = False


class IncidentEvent(Model, kw_only=True):
    """One CloudEvents 1.0 event of an incident."""

    specversion: Annotated[Literal["1.0"], Meta(description="Version of CloudEvents")] = "1.0"
    id: Annotated[str, Meta(min_length=1, description="Identifies the event; a redelivery repeats it")]
    source: Annotated[str, Meta(pattern=r"^/edgewarden/", description="`/edgewarden/` and the gateway's name")]
    type: Annotated[
        str,
        Meta(
            pattern=r"^io\.edgewarden\.incident\.[a-z]+\.v1$",
            description="What happened, and the version of this schema",
        ),
    ]
    subject: Annotated[str, Meta(min_length=1, description="The sensor")]
    time: Annotated[Timestamp, Meta(description="The reading's time; for a silence, the time when it became too long")]
    recordedtime: Annotated[
        Timestamp, Meta(description="The plant's time, according to its readings, when the event was decided")
    ]
    sequence: Annotated[str, Meta(pattern=r"^\d{20}$", description="Orders the events of a gateway")]
    correlationid: Annotated[str, Meta(description="The incident, or the group incident that it first belonged to")]
    partitionkey: Annotated[str, Meta(description="The sensor")]
    severitytext: Annotated[SeverityText, Meta(description="A word for the severity")]
    severitynumber: Annotated[int, Meta(ge=1, le=24, description="OpenTelemetry severity number")]
    datacontenttype: Annotated[Literal["application/json"], Meta(description="Media type of `data`")] = (
        "application/json"
    )
    dataschema: Annotated[str, Meta(description="Identifies the schema of `data`")] = SCHEMA_NAME
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


def severity_name(severity: int) -> tuple[SeverityText, int]:
    """OpenTelemetry's severity text and number for an OPC UA severity."""
    return SEVERITIES[severity_class(severity)]


def encoded(event: Model) -> bytes:
    """An event as JSON."""
    return msgspec.json.encode(event, enc_hook=_of_array)


def _of_array(number: Any) -> float:
    """A number of an array as a plain one."""
    plain: float = number.item()
    return plain


def event_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of every event of an incident."""
    return json_schema_of(IncidentEvent, SCHEMA_NAME)
