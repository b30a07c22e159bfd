"""Input hints: the keys that a message tells the operator to set, taken from its text."""

from __future__ import annotations

import re
import tomllib
from typing import Any

_KEY = re.compile(r'\b(format|units|decimal|convention|values|no_value) = ("[^"]*"|true|\{[^}]*\}|\[[^\]]*\])')


def keys_in(hint: str) -> dict[str, Any] | None:
    """The keys that a hint names; None if it names none, or some that the operator has to fill in."""
    if "..." in hint:
        return None
    found = dict(_KEY.findall(hint))
    return tomllib.loads("\n".join(f"{key} = {value}" for key, value in found.items())) if found else None
