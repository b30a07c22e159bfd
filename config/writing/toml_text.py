"""TOML text of values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(text: str) -> str:
    """Encode a string; JSON's escapes are valid in TOML, except for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_value(value: object) -> str:
    """Encode a string, a number, a boolean, a list or a table of them."""
    if isinstance(value, str):
        return toml_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        pairs = (
            f"{key if _BARE_KEY.fullmatch(key) else toml_text(key)} = {toml_value(of)}" for key, of in value.items()
        )
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
