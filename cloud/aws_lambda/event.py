"""Events of incidents, gaps, or sensors found or forgotten, decoded from records.

Unknown fields are ignored, so that a gateway may be newer than the function.

Source: CloudEvents 1.0.2, JSON Event Format; Kafka Protocol Binding, sections 3.2 (binary) and 3.3 (structured).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from edge.core.incidents.events.event import IncidentEvent
from edge.core.incidents.events.gaps import GapEvent
from edge.core.incidents.events.sensor_events import SensorsEvent

AnyEvent = IncidentEvent | GapEvent | SensorsEvent

MODELS: dict[str, type[AnyEvent]] = {
    "io.edgewarden.incident.": IncidentEvent,
    "io.edgewarden.gap.": GapEvent,
    "io.edgewarden.sensor.": SensorsEvent,
}
"""Prefix of an event's type."""

LARGEST = 1 << 20
"""Maximum size of a record in bytes; an event has a few kilobytes."""


class NotAnEventError(Exception):
    """A record isn't an Edgewarden event, so a retry is useless."""


def read_event(payload: bytes | None, headers: Mapping[str, str]) -> AnyEvent:
    """Decode the event in a record.

    Args:
        payload: The record's bytes, None if they couldn't be read.
        headers: Headers from Kafka: with `ce_id`, the record is a CloudEvent in binary mode, and its bytes are only
            `data`.

    Raises:
        NotAnEventError: It isn't an event.
    """
    if payload is None:
        raise NotAnEventError("its bytes can't be read")
    if len(payload) > LARGEST:
        raise NotAnEventError(f"{len(payload)} bytes, more than {LARGEST}")
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise NotAnEventError(f"not JSON: {error}") from error
    if "ce_id" in headers:
        document = {**_attributes(headers), "data": document}
    if not isinstance(document, dict):
        raise NotAnEventError(f"a JSON {type(document).__name__}, not an object")
    kind = str(document.get("type"))
    for begins, model in MODELS.items():
        if kind.startswith(begins):
            return _validated(model, document)
    raise NotAnEventError(f"its type is {kind[:100]!r}")


def _attributes(headers: Mapping[str, str]) -> dict[str, Any]:
    """The attributes of a CloudEvent in binary mode."""
    found: dict[str, Any] = {
        name.removeprefix("ce_"): value for name, value in headers.items() if name.startswith("ce_")
    }
    if str(found.get("severitynumber", "")).isdecimal():
        found["severitynumber"] = int(found["severitynumber"])
    return found


def _validated(model: type[AnyEvent], document: dict[str, Any]) -> AnyEvent:
    try:
        return msgspec.convert(document, model)
    except msgspec.ValidationError as error:
        raise NotAnEventError(str(error)) from error
