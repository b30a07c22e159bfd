"""Quality: what an object says of the value that it holds, in the notations of OPC UA, OPC DA and Sparkplug.

{"Value": 21.5, "StatusCode": {"Code": 2147483648}}
{"id": "Channel1.Device1.Tag1", "v": 21.5, "q": false}
{"value": 21.5, "quality": "bad"}
{"val": 21.5, "ack": true, "q": 0}

A value of bad quality is the last one that was known, or none at all. An uncertain one is a value.

Source: OPC 10000-4, 7.39 (status codes); OPC Data Access 3.0, 6.8 (quality flags); ioBroker's states (`ack` and `q`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edge.core.intake.decoders.documents.keys.plain_keys import plain_key

QUALITIES = frozenset({"quality", "q", "qc", "qualitycode"})
STATUS_CODES = frozenset({"statuscode"})
STATUSES = frozenset({"status", *STATUS_CODES})
"""Keys that may hold the quality, as `plain_key()` writes them."""

VALUES = frozenset({"value", "v", "val"})
"""Keys that have this meaning together with others."""

LOWEST_BAD = 0x8000_0000
"""Status codes of OPC UA from this one on are bad."""

_BAD_QUALITIES = (0, 500)
"""Bad as of OPC DA, and stale as of Sparkplug."""

_STATE, _PROBLEMS = "ack", 0x0F
"""A state that can be acknowledged lists its problems in these bits of its quality, so that 0 is good."""

_BAD_WORDS = ("bad", "invalid", "stale", "error", "fail", "not good")


def may_tell_quality(keys: Iterable[str]) -> bool:
    """Whether objects with these keys may say anything about the quality of a value."""
    known = {plain_key(each) for each in keys}
    return not STATUSES.isdisjoint(known) or not (QUALITIES.isdisjoint(known) or VALUES.isdisjoint(known))


def is_quality_key(key: str) -> bool:
    """Whether a field next to a value may hold its quality."""
    return plain_key(key) in QUALITIES | STATUSES


def quality_of(fields: Mapping[str, Any]) -> tuple[bool, frozenset[str]]:
    """Whether an object declares its content bad, and its keys that contain the quality of its value."""
    known = {key: plain_key(key) for key in fields}
    holds_value = not VALUES.isdisjoint(known.values())
    keys = QUALITIES | STATUS_CODES if holds_value else STATUS_CODES
    held = frozenset(key for key, plain in known.items() if plain in keys and _is_quality(fields[key], plain))
    is_state = _STATE in fields
    is_bad = any(
        _is_bad(fields[key], plain, is_state=is_state)
        for key, plain in known.items()
        if key in held or plain in STATUSES
    )
    return is_bad, held


def _is_quality(given: object, key: str) -> bool:
    """Whether a value is in one of the notations of a quality."""
    if isinstance(given, dict):
        return key in STATUS_CODES and _code(given) is not None
    return isinstance(given, (bool, int, float, str))


def _is_bad(given: object, key: str, *, is_state: bool) -> bool:
    code = _code(given) if isinstance(given, dict) else given
    if isinstance(code, str):
        return key != "status" and code.strip().lower().startswith(_BAD_WORDS)
    if isinstance(code, bool):
        return key in QUALITIES and not code
    if not isinstance(code, (int, float)):
        return False
    if is_state and isinstance(code, int):
        return key in QUALITIES and code & _PROBLEMS != 0
    return code >= LOWEST_BAD or (key in QUALITIES and code in _BAD_QUALITIES)


def _code(given: Mapping[str, Any]) -> object:
    """The number of a status code that is an object; an empty object is good (OPC 10000-6, 5.4.2)."""
    return next((value for key, value in given.items() if key.lower() == "code"), None if given else 0)
