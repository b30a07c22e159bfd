"""The AsyncAPI document of all topics, generated from the models of the messages.

Source: AsyncAPI 3.0.0; its MQTT bindings, version 0.2.0. Schemas use JSON Schema draft 07.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from edge.core.incidents.events.event import event_json_schema
from edge.core.incidents.events.gaps import gap_json_schema
from edge.core.incidents.events.sensor_events import sensors_json_schema
from edge.core.model.notation.topics import Topics
from edge.core.operator.commands import commands_json_schema
from edge.version import VERSION

Schema = Mapping[str, Any]

TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
PROBLEMS: Schema = {
    "type": "array",
    "description": "Problems with incoming readings or outgoing events",
    "items": {"type": "object", "properties": {"problem": TEXT}, "required": ["problem"]},
}


def _object(properties: Mapping[str, Schema], *, may_lack: Sequence[str] = ()) -> dict[str, Any]:
    """The schema of an object with these fields, which may have others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in may_lack],
    }


def _or_null(schema: Schema) -> Schema:
    return {"oneOf": [schema, {"type": "null"}]}


STATUS = _object(
    {
        "state": {"enum": ["online", "offline"]},
        "gateway": TEXT,
        "version": TEXT,
        "catches": {"type": "array", "items": TEXT, "description": "Kinds of faults that are detected"},
        "started": TIME,
        "problems": PROBLEMS,
    },
    may_lack=["started", "problems"],
)
SINK = _object(
    {
        "kind": TEXT,
        "connected": {"type": "boolean"},
        "lag_events": COUNT,
        "lag_bytes": COUNT,
        "lag_since": _or_null(TIME),
        "delivered": COUNT,
        "per_second": {"type": "number"},
        "set_aside": COUNT,
        "lost": COUNT,
        "last_error": TEXT,
        "last_error_at": _or_null(TIME),
    }
)
HEALTH = _object(
    {
        "time": TIME,
        "uptime_s": {"type": "number"},
        "sensors": COUNT,
        "devices": COUNT,
        "open_incidents": COUNT,
        "backlog_events": COUNT,
        "backlog_bytes": COUNT,
        "backlog_since": _or_null(TIME),
        "events_published": COUNT,
        "events_confirmed": COUNT,
        "store_errors": COUNT,
        "store_writable": {"type": "boolean"},
        "sinks": {
            "type": "object",
            "description": "Other destinations of events, by name",
            "additionalProperties": SINK,
        },
        "problems": PROBLEMS,
    },
    may_lack=["backlog_events", "backlog_bytes", "backlog_since"],
)
OK = _object({"state": {"const": "ok"}, "sensor": TEXT, "since": _or_null(TIME)})
SHELVED = _object(
    {
        "time": _or_null(TIME),
        "shelved": {
            "type": "array",
            "items": _object({"sensor": TEXT, "until": TIME, "by": TEXT, "comment": TEXT}),
        },
        "maintenance": {
            "type": "array",
            "items": _object(
                {
                    "name": TEXT,
                    "sensor": TEXT,
                    "active": {"type": "boolean"},
                    "from": _or_null(TIME),
                    "to": _or_null(TIME),
                    "every": _or_null(TEXT),
                    "zone": TEXT,
                    "learn": {"type": "boolean"},
                    "configured": {"type": "boolean"},
                    "by": TEXT,
                    "comment": TEXT,
                }
            ),
        },
        "sensors_quiet": COUNT,
    }
)
RESULT = _object(
    {
        "id": _or_null(TEXT),
        "command": TEXT,
        "ok": {"type": "boolean"},
        "time": TIME,
        "message": TEXT,
        "reason": TEXT,
        "incidents": {"type": "array", "items": TEXT},
        "repeated": {"type": "boolean"},
    },
    may_lack=["reason", "incidents", "repeated"],
)
DEAD_LETTER = _object(
    {
        "time": TIME,
        "topic": TEXT,
        "reason": TEXT,
        "path": TEXT,
        "detail": TEXT,
        "beginning": {"type": "string", "contentEncoding": "base64"},
        "size": COUNT,
    }
)


class Channel(NamedTuple):
    """A topic with published messages.

    Attributes:
        name: Name in the document.
        address: The topic, with parameters in braces.
        summary: The payloads published there.
        messages: Schema of each message, by name.
        qos: MQTT's quality of service.
        retained: Whether the messages are retained.
    """

    name: str
    address: str
    summary: str
    messages: Mapping[str, Schema]
    qos: int = 1
    retained: bool = False


def channels() -> list[Channel]:
    """Every published topic, in the order of docs/reference/topics.md."""
    topics = Topics("{base}")
    incident = {"$ref": "#/components/schemas/IncidentEvent"}
    listed = _object({"count": COUNT, "incidents": {"type": "array", "items": incident}})
    return [
        Channel("anomaly", topics.anomaly("{sensor}"), "Every change of an incident.", {"incident": incident}),
        Channel(
            "state",
            topics.state("{sensor}"),
            "The open incident of a sensor, or that there is none.",
            {"open": incident, "ok": OK},
            retained=True,
        ),
        Channel("open", topics.open, "All open incidents, the worst first.", {"open": listed}, retained=True),
        Channel("status", topics.status, "Whether the gateway is online.", {"status": STATUS}, retained=True),
        Channel("health", topics.health, "Counters, backlog, limits, problems.", {"health": HEALTH}, retained=True),
        Channel("shelved", topics.shelved, "What is muted or under maintenance.", {"shelved": SHELVED}, retained=True),
        Channel("result", topics.result, "The outcome of each command.", {"result": RESULT}),
        Channel("gap", topics.gap, "What is missing, and why.", {"gap": {"$ref": "#/components/schemas/GapEvent"}}),
        Channel(
            "sensors",
            topics.sensors,
            "Sensors that were found or forgotten.",
            {"sensors": {"$ref": "#/components/schemas/SensorsEvent"}},
        ),
        Channel("deadletter", topics.dead_letter, "What was refused.", {"deadletter": DEAD_LETTER}, qos=0),
    ]


PARAMETERS = {
    "base": "`edgewarden/` and the gateway's name, unless the configuration says otherwise.",
    "sensor": "The sensor's name, encoded as docs/reference/topics.md says; it may hold slashes.",
    "command": "Which command.",
}


def asyncapi_document() -> dict[str, Any]:
    """The document with published topics and accepted commands."""
    commands = commands_json_schema()
    found: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for each in channels():
        found[each.name] = _channel(each.address, each.summary, each.messages)
        operations[f"publish_{each.name}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{each.name}"},
            "summary": each.summary,
            "bindings": {"mqtt": {"qos": each.qos, "retain": each.retained, "bindingVersion": "0.2.0"}},
        }
    for name, schema in commands["properties"].items():
        address, summary = Topics("{base}").command(name), f"The operator's command `{name}`."
        found[f"command_{name}"] = _channel(address, summary, {name: _draft_07(schema)})
        operations[f"hear_{name}"] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/command_{name}"},
            "summary": summary,
            "bindings": {"mqtt": {"qos": 1, "bindingVersion": "0.2.0"}},
        }
    schemas: dict[str, Any] = {}
    events = {
        "IncidentEvent": event_json_schema(),
        "GapEvent": gap_json_schema(),
        "SensorsEvent": sensors_json_schema(),
    }
    for name, whole in (*events.items(), ("", commands)):
        schemas |= {inner: _draft_07(schema) for inner, schema in whole["$defs"].items()}
        if name:
            schemas[name] = _draft_07({key: each for key, each in whole.items() if key[0] != "$"})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Edgewarden",
            "version": VERSION,
            "description": "Incidents of sensors as events over MQTT, and the operator's commands.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": "anomaly-detection"}, {"name": "mqtt"}],
        },
        "defaultContentType": "application/json",
        "servers": {"broker": {"host": "127.0.0.1:1883", "protocol": "mqtt", "protocolVersion": "5"}},
        "channels": found,
        "operations": operations,
        "components": {"schemas": schemas},
    }


def _channel(address: str, summary: str, messages: Mapping[str, Schema]) -> dict[str, Any]:
    used = {name: {"description": text} for name, text in PARAMETERS.items() if f"{{{name}}}" in address}
    return {
        "address": address,
        "summary": summary,
        "parameters": used,
        "messages": {name: {"name": name, "payload": schema} for name, schema in messages.items()},
    }


def _draft_07(schema: Any) -> Any:
    """Convert a schema of draft 2020-12 to draft 07, with references into the components."""
    if isinstance(schema, list):
        return [_draft_07(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _draft_07(each) for key, each in schema.items()}
    if isinstance(changed.get("$ref"), str):
        changed["$ref"] = changed["$ref"].replace("#/$defs/", "#/components/schemas/")
    if "prefixItems" in changed:
        changed["items"] = changed.pop("prefixItems")
    return changed
