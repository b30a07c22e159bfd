"""Paths: how a decoder says where a value stood, so that two different places never make one sensor.

Levels are joined by `/`. Two more characters have a meaning, and neither may occur in a key: `SLASH` is a slash that
is a part of a key, so that `{"a/b": 1}` and `{"a": {"b": 1}}` have different paths although both are shown as `a/b`;
`OF` ends each text that the payload says of its sender, which names of sensors may hold (`{payload.id}`).
"""

from __future__ import annotations

import re

SLASH = "\x1e"
OF = "\x1f"

LONGEST = 200
"""Characters of a path; a sensor's name has no more, and a long key must not cost its length a field."""

_RESERVED = re.compile(r"[\x1e\x1f]")


def key_problem(key: str, path_length: int) -> str | None:
    """Why a key can't be a part of a path; None if it can.

    Args:
        key: The key.
        path_length: Characters of the path with it.
    """
    if not key:
        return "an empty key"
    if path_length > LONGEST:
        return "too long"
    return "a control character" if not key.isprintable() and _RESERVED.search(key) else None


def level(key: str) -> str:
    """A key as a level of a path."""
    return key.replace("/", SLASH) if "/" in key else key


def shown(path: str) -> str:
    """A path as a person reads it: without what the payload says of its sender, slashes as slashes."""
    return path.rpartition(OF)[2].replace(SLASH, "/")
