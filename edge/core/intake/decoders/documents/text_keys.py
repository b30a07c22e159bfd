"""Documents of binary formats, made like JSON's: their keys become texts, and so do their times."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import Any

from edge.core.model.readings.messages import Refused

_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


def with_text_keys(document: Any, depth: int) -> Any:
    """A document whose keys are texts.

    A whole number becomes its digits, bytes that are UTF-8 become text. A moment becomes RFC 3339 text. Of keys that
    become the same the last counts, as of keys that are the same.

    Args:
        document: Of dictionaries, lists and anything else; it may be changed.
        depth: Levels that are looked at. Below them, everything stays as it is.

    Raises:
        Refused: A key is something else.
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
    """Whether keys are texts, and values nothing that holds others or has to be changed."""
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
