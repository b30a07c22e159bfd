"""Undecoded values: texts in the fields of JSON that hold numbers in a form that no input reads."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edge.core.intake.decoders.documents.keys.identifier_keys import is_identifier
from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.discovery.fields.bookkeeping import is_bookkeeping_name
from edge.discovery.fields.words import texts_in

BYTES = "bytes of the sender's own, which it or a converter has to decode"
HEXADECIMAL = "hexadecimal numbers, which no option reads: the sender has to send decimal ones"

_OF_BYTES = frozenset(
    {"payload", "data", "value", "bytes", "raw", "rawdata", "rawpayload", "payloadraw", "payloadhex", "frmpayload"}
)
"""Keys of a device's own bytes, as `plain_key()` writes them."""

_PAIRS = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BYTES = re.compile(
    r"(?:[0-9A-Fa-f]{2}){4,}|(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
)
_HEXADECIMAL = re.compile(r"0[xX][0-9A-Fa-f]{1,8}")


def bytes_in(documents: Iterable[object]) -> list[str]:
    """The paths of fields that hold bytes in hexadecimal or base64."""
    found: dict[str, list[str]] = {}
    for document in documents:
        for path, text in texts_in(document):
            if plain_key(path.rpartition("/")[2]) in _OF_BYTES:
                found.setdefault(path, []).append(text)
    return [path for path, texts in found.items() if all(map(_BYTES.fullmatch, texts)) and any(map(_is_mixed, texts))]


def is_of_bytes(key: str, value: object) -> bool:
    """Whether a field is called like a device's own bytes, and holds a text of them, however few."""
    if plain_key(key) not in _OF_BYTES or not isinstance(value, str):
        return False
    return value != "" and (_PAIRS.fullmatch(value) or _BYTES.fullmatch(value)) is not None


def _is_mixed(text: str) -> bool:
    """Whether a text has digits among letters, or padding, unlike a word or a number."""
    return text.endswith("=") or (any(map(str.isdigit, text)) and any(map(str.isalpha, text)))


def hexadecimal_in(documents: Iterable[object]) -> list[str]:
    """The paths of fields with hexadecimal numbers that change, and that therefore are no addresses."""
    found: dict[str, set[str]] = {}
    for document in documents:
        for path, text in texts_in(document):
            if _HEXADECIMAL.fullmatch(text) and not (is_identifier(path) or is_bookkeeping_name(path)):
                found.setdefault(path, set()).add(text)
    return [path for path, texts in found.items() if len(texts) > 1]
