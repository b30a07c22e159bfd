"""Keys of payloads that identify who has sent them, where a topic is shared by several senders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.core.intake.decoders.documents.lists import NAMES, PLACES
from edge.core.intake.decoders.documents.options import identifying_text

SENDERS = (
    *NAMES,
    "id",
    "model",
    "addr",
    "address",
    "channel",
    "node",
    "dev_eui",
    "devname",
    "serial",
    "serialnumber",
    "imei",
    "entity_id",
    "host",
    "hostname",
    "station",
    *PLACES,
    "group",
)
"""Such keys, the most telling first; case and separators are ignored."""

_PLAIN = frozenset(map(plain_key, SENDERS))

_ANYWHERE = _PLAIN & {
    *("sensor", "sensorid", "device", "deviceid", "deveui", "devname", "serial", "serialnumber", "imei", "mac"),
    *("entityid", "host", "hostname"),
}
"""Those that identify the sender in any object, where the others may be those of a radio link or an update."""

_OF_SENDERS = frozenset(
    {"device", "deviceinfo", "dev", "sensor", "sensorinfo", "node", "station", "meter", "machine", "asset", "thing"}
    | {"source", "sender", "origin", "host", "tags", "identity"}
)
"""Objects about the sender: any of the keys identifies it in them."""

DEEPEST = 4
"""Maximum depth of objects that are searched."""

_UNSUITABLE = re.compile(r"[{}.?/+#]")
"""Characters that no placeholder of a template may hold."""


def senders_in(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of a document and of the objects in it that may identify the sender.

    Yields:
        The keys that lead to a field, joined by dots, and its text.
    """
    yield from _texts(document, _PLAIN)
    yield from _within(document, "", DEEPEST)


def _within(document: Mapping[str, Any], before: str, depth: int) -> Iterator[tuple[str, str]]:
    """The fields of the objects in a document, from the outside in."""
    objects = [(key, value) for key, value in document.items() if isinstance(value, dict) and _is_suitable(key)]
    for key, value in objects:
        known = _PLAIN if plain_key(key) in _OF_SENDERS else _ANYWHERE
        yield from ((f"{before}{key}.{inner}", text) for inner, text in _texts(value, known))
    if depth > 1:
        for key, value in objects:
            yield from _within(value, f"{before}{key}.", depth - 1)


def _is_suitable(key: str) -> bool:
    return key != "" and not _UNSUITABLE.search(key)


def _texts(fields: Mapping[str, Any], known: frozenset[str]) -> Iterator[tuple[str, str]]:
    for key, value in fields.items():
        if plain_key(key) in known and _is_suitable(key) and (text := identifying_text(value)) is not None:
            yield key, text
