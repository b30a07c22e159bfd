"""The attributes of an event that was stored, where a sink carries them beside its payload."""

from __future__ import annotations

import msgspec

from edge.shell.sinks.base import EventRefused

_Attributes = dict[str, msgspec.Raw]


def attributes_of(payload: bytes) -> _Attributes:
    """An event's attributes and its data, each as JSON.

    Raises:
        EventRefused: It is no object in JSON.
    """
    try:
        return msgspec.json.decode(payload, type=_Attributes)
    except msgspec.DecodeError as error:
        raise EventRefused("it is no event in JSON") from error


def header_of(payload: bytes, name: str) -> str:
    """One attribute that is a text; empty if there is none.

    Raises:
        EventRefused: It is no object in JSON.
    """
    value = attributes_of(payload).get(name)
    return "" if value is None else str(msgspec.json.decode(value))
