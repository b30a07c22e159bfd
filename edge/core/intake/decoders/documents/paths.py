"""Paths: unambiguous positions of values in a payload, so that two positions never share a sensor.

Levels are joined by `/`. Two more characters have a meaning, and neither may occur in a key: `SLASH` is a slash that is
a part of a key, so that `{"a/b": 1}` and `{"a": {"b": 1}}` have different paths although both are shown as `a/b`; `OF`
ends each text that identifies the sender and may appear in sensor names (`{payload.id}`).
"""

from __future__ import annotations

import re

SLASH = "\x1e"
OF = "\x1f"

LONGEST = 200
"""Maximum length of a path in characters; sensor names have the same limit."""

_RESERVED = re.compile(r"[\x1e\x1f]")


def key_problem(key: str, path_length: int) -> str | None:
    """Why a key can't be part of a path; None if it can.

    Args:
        key: The key.
        path_length: Length of the path in characters, including the key.
    """
    if not key:
        return "an empty key"
    if path_length > LONGEST:
        return "too long"
    return "a control character" if not key.isprintable() and _RESERVED.search(key) else None


def level(key: str) -> str:
    """A key as one level of a path."""
    return key.replace("/", SLASH) if "/" in key else key


def shown(path: str) -> str:
    """A path for display: without the sender's identity, with plain slashes."""
    return path.rpartition(OF)[2].replace(SLASH, "/")
