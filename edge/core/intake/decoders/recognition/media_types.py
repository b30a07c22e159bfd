"""Media types: which format a payload is in, as its MQTT 5 content type says.

What a sender says goes before what the input says, unless it says less: SenML that is called JSON stays SenML.
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
    "application/vnd.influx.line-protocol": "influx",
}
_SUFFIXES = {"+json": "json", "+cbor": "cbor", "+msgpack": "msgpack"}

_BUILT_ON = {"senml": "json", "senml-cbor": "cbor"}
"""Formats that are a use of another one, by which senders may call them."""

FORMATS = frozenset(_MEDIA_TYPES.values())
"""The formats that a content type may name."""

LONGEST = 128
"""Characters of a content type that is looked at."""


def format_of(content_type: str, configured: str) -> str:
    """The format of a payload.

    Args:
        content_type: What its sender says, in any case and with any parameters; empty if it says nothing.
        configured: What its input says.
    """
    media_type = content_type[:LONGEST].partition(";")[0].strip().lower()
    found = _MEDIA_TYPES.get(media_type)
    if found is None:
        found = next((told for suffix, told in _SUFFIXES.items() if media_type.endswith(suffix)), configured)
    return configured if _BUILT_ON.get(configured) == found else found
