"""Events as sinks deliver them: their order, repetitions, and ones that a receiver never accepts."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from edge.core.incidents.events.event import Event
from edge.shell.sinks.options import How


def written(how: How) -> str:
    """The options of a receiver, as Python, with its secrets."""
    return f"{type(how).__name__}({', '.join(f'{each.name}={getattr(how, each.name)!r}' for each in fields(how))})"


def with_message(event: Event, message: str) -> Event:
    """An event with another sentence."""
    payload = event.payload.replace(b'"message":"m"', f'"message":"{message}"'.encode())
    assert payload != event.payload
    return event._replace(payload=payload)


def first_of_each(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events without repetitions, as seen by a consumer that drops known ids."""
    found: dict[str, dict[str, Any]] = {}
    for each in events:
        found.setdefault(each["id"], each)
    return list(found.values())


def is_in_order(events: list[dict[str, Any]]) -> bool:
    """Whether the events of each key, without repetitions, are in the order of their sequences."""
    last: dict[str, str] = {}
    for each in first_of_each(events):
        key = each.get("partitionkey", "")
        if last.get(key, "") > each["sequence"]:
            return False
        last[key] = each["sequence"]
    return True
