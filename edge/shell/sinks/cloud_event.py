"""The attributes of a stored event, for sinks that send them outside its payload."""

from __future__ import annotations

import msgspec

from edge.shell.sinks.base import EventRefused

_Attributes = dict[str, msgspec.Raw]
_NOT_HEADERS = frozenset({"data", "datacontenttype"})

KafkaRecord = tuple[bytes, bytes, list[tuple[str, str | bytes | None]]]
"""Key, value and headers."""


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


def record_of(payload: bytes) -> KafkaRecord:
    """An event as key, value and headers of a Kafka record, in the binary mode of CloudEvents.

    Raises:
        EventRefused: It isn't an event.
    """
    attributes = attributes_of(payload)
    headers: list[tuple[str, str | bytes | None]] = [
        ("content-type", _bytes(attributes.get("datacontenttype", msgspec.Raw(b'"application/json"'))))
    ]
    headers += [(f"ce_{name}", _bytes(raw)) for name, raw in attributes.items() if name not in _NOT_HEADERS]
    key = attributes.get("partitionkey") or attributes.get("source") or msgspec.Raw(b'""')
    return _bytes(key), bytes(attributes.get("data", b"")), headers


def _bytes(raw: msgspec.Raw) -> bytes:
    """A text or number as UTF-8."""
    value = msgspec.json.decode(raw)
    return str(value).encode()
