"""Incidents as the page shows them: one JSON object each, small enough for hundreds in a list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from edge.core.incidents.events.event import Event
from edge.core.incidents.events.open_incidents import ENDED
from edge.core.incidents.state_machine import Transition

TELLING = frozenset({Transition.RAISED.value, Transition.UPDATED.value})
"""Transitions whose sentence describes the fault; that of an acknowledgement names the user."""

COPIED = ("kind", "severity", "score", "threshold", "value", "unit", "expected", "lower", "upper", "count")
FLAGS = ("acknowledged", "shelved")


def incident_row(event: Event) -> dict[str, Any]:
    """The page's data of an incident, from its last event; times in milliseconds since the epoch."""
    data = msgspec.json.decode(event.payload)["data"]
    return {
        "sensor": event.sensor,
        "incident": event.incident,
        "transition": event.transition,
        "open": event.transition not in ENDED,
        "sentence": event.message if event.transition in TELLING else "",
        "since": milliseconds(data["started"]),
        "last": milliseconds(data["last"]),
        **{name: data[name] for name in COPIED},
        **{name: True for name in FLAGS if data.get(name)},
        "by": data.get("by") or "",
        "comment": data.get("comment") or "",
        "detectors": [each["name"] for each in data["detectors"]],
        "shares": [[each["sensor"], each["share"]] for each in data["contributions"][:5]],
        "recent": [[milliseconds(time), value] for time, value in data["recent"]],
        "device": data["labels"].get("device", ""),
    }


def worst_first(events: tuple[Event, ...]) -> list[Event]:
    """Events of open incidents, most severe first, oldest first among equals."""
    return sorted(events, key=lambda each: (-each.severity, each.sequence))


def milliseconds(text: str) -> int:
    """A time of an event as milliseconds since the epoch."""
    return round(1000 * datetime.fromisoformat(text).timestamp())
