"""Media types: the payload format named by an MQTT 5 content type.

The sender's content type overrides the configured format unless it is less specific: SenML labelled as JSON stays
SenML.
"""

from __future__ import annotations

_MEDIA_TYPES = {
    "application/json": "json",
    "application/senml+json": "senml",
    "application/sensml+json": "senml",
    "application/senml+cbor": "senml-cbor",
    "application/sensml+cbor": "senml-cbor",
    "application/cbor": "cbor",
    "application/msgpack": "msgpack",
    "application/x-msgpack": "msgpack",
    "application/vnd.msgpack": "msgpack",
    "application/x-www-form-urlencoded": "text",
    "text/csv": "text",
    "application/vnd.influx.line-protocol": "influx",
}
_SUFFIXES = {"+json": "json", "+cbor": "cbor", "+msgpack": "msgpack"}

_BUILT_ON = {"senml": "json", "senml-cbor": "cbor"}
"""Formats built on another one, whose name senders may use instead."""

FORMATS = frozenset(_MEDIA_TYPES.values())
"""The formats that a content type may name."""

LONGEST = 128
"""Maximum length in characters of a content type that is examined."""


def format_of(content_type: str, configured: str) -> str:
    """The format of a payload.

    Args:
        content_type: The sender's content type, case-insensitive, with any parameters; empty if there is none.
        configured: The format configured for the input.
    """
    media_type = content_type[:LONGEST].partition(";")[0].strip().lower()
    found = _MEDIA_TYPES.get(media_type)
    if found is None:
        found = next((kind for suffix, kind in _SUFFIXES.items() if media_type.endswith(suffix)), configured)
    return configured if _BUILT_ON.get(configured) == found else found
