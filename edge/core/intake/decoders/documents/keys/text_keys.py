"""Documents of binary formats, converted to JSON's data model: keys and times become text."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import Any

from edge.core.model.readings.messages import Refused

_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


def with_text_keys(document: Any, depth: int) -> Any:
    """A document whose keys are all text.

    An integer key becomes its digits, a byte string that is UTF-8 becomes text, a timestamp becomes RFC 3339 text. If
    keys become equal, the last one wins, as with duplicate keys.

    Args:
        document: Dictionaries, lists and scalars; may be modified in place.
        depth: Number of levels to convert. Deeper levels are left unchanged.

    Raises:
        Refused: A key is of another type.
    """
    if isinstance(document, datetime):
        return document.isoformat()
    if depth <= 0 or not isinstance(document, (dict, list)):
        return document
    if isinstance(document, dict):
        if _is_plain(document, document.values()):
            return document
        return {_text(key): with_text_keys(each, depth - 1) for key, each in document.items()}
    if set(map(type, document)) == {dict} and _is_plain(
        chain.from_iterable(document), chain.from_iterable(map(dict.values, document))
    ):
        return document
    return [with_text_keys(each, depth - 1) for each in document]


def _is_plain(keys: Any, values: Any) -> bool:
    """Whether all keys are text and no value is a container or needs conversion."""
    return set(map(type, keys)) <= {str} and set(map(type, values)) <= _PLAIN


def _text(key: Any) -> str:
    if type(key) is str:
        return key
    if type(key) is int:
        return str(key)
    if isinstance(key, bytes):
        try:
            return key.decode()
        except UnicodeDecodeError:
            pass
    raise Refused("malformed", "a key is neither a text nor a whole number")
