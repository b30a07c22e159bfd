"""Frames: the messages of a LoRaWAN network server, which hold what it has decoded beside what it knows of the radio.

{"fCnt": 7, "fPort": 85, "data": "AWcA4Q==", "object": {"temperature": 22.5}, "dr": 5, "rxInfo": [{"rssi": -67}]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.discovery.fields.bookkeeping import is_reception
from edge.discovery.fields.undecoded import is_of_bytes

DEEPEST = 4
"""Maximum depth of the object that holds a frame."""

_HEADER = re.compile(r"(?:f(?:rame)?|uplink)?(?:cnt|counter)(?:up)?|f?port")
"""The counter and the port of a frame, as `plain_key()` writes them; every frame has both."""

_USUAL = frozenset({"object", "decoded", "decodedpayload", "payload", "payloadfields", "parsed", "decodeddata"})
"""Keys of what was decoded; under another key it is the only object with numbers, none of which concerns the radio."""

_UNSUITABLE = re.compile(r"[.\[\]*{}]")


def decoded_in(documents: Sequence[Mapping[str, Any]]) -> str | None:
    """The path of the object with the decoded values, with dots; None if not all documents that are frames have one."""
    paths = [found for each in documents for found in _frames(each, "", 0)]
    return paths[0] if paths and len(paths) == len(documents) and len({*paths}) == 1 else None


def at(path: str, document: Mapping[str, Any]) -> Any:
    """What a document holds at such a path."""
    found: Any = document
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _frames(fields: Mapping[str, Any], before: str, depth: int) -> Iterator[str | None]:
    """The paths of what was decoded, in a frame or those inside of an object; None for a frame without."""
    is_frame = (
        any(is_of_bytes(key, value) for key, value in fields.items())
        and sum(_HEADER.fullmatch(plain_key(key)) is not None for key in fields) > 1
    )
    objects = {key: value for key, value in fields.items() if isinstance(value, dict)}
    if is_frame:
        decoded = [key for key, value in objects.items() if not _UNSUITABLE.search(key) and _has_numbers(value)]
        usual = [key for key in decoded if plain_key(key) in _USUAL] or [
            key for key in decoded if not any(is_reception(each) for each, _ in _leaves(objects[key]))
        ]
        yield f"{before}{usual[0]}" if len(usual) == 1 else None
    elif depth < DEEPEST:
        for key, value in objects.items():
            yield from _frames(value, f"{before}{key}.", depth + 1)


def _has_numbers(value: Mapping[str, Any]) -> bool:
    return any(isinstance(each, (int, float)) for _, each in _leaves(value))


def _leaves(value: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (dict, list)) and depth < 2 * DEEPEST:
        for name, inner in value.items() if isinstance(value, dict) else ((key, each) for each in value):
            yield from _leaves(inner, name, depth + 1)
    else:
        yield key, value
