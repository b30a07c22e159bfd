"""The attributes of a stored event, for sinks that send them outside its payload."""

from __future__ import annotations

import msgspec

from edge.shell.sinks.base import EventRefused

_Attributes = dict[str, msgspec.Raw]


def attributes_of(payload: bytes) -> _Attributes:
    """An event's attributes and data, each as JSON.

    Raises:
        EventRefused: It isn't a JSON object.
    """
    try:
        return msgspec.json.decode(payload, type=_Attributes)
    except msgspec.DecodeError as error:
        raise EventRefused("it isn't an event in JSON") from error


def header_of(payload: bytes, name: str) -> str:
    """One text attribute; empty if it is missing.

    Raises:
        EventRefused: It isn't a JSON object.
    """
    value = attributes_of(payload).get(name)
    return "" if value is None else str(msgspec.json.decode(value))
