"""Reading JSON from untrusted senders: strict and fast; an impossible number invalidates only itself."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from edge.core.intake.decoders.documents.nonstandard_json import rewritten
from edge.core.intake.decoders.recognition.looks_like import instead
from edge.core.model.readings.messages import Refused

_decode = msgspec.json.Decoder().decode
_decode_lenient = msgspec.json.Decoder(float_hook=float).decode
"""Reads numbers that are too large for a float as infinities."""

_ENDLESS = re.compile(
    rb"""
    (?P<kept> \\. | "(?:[^"\\]|\\.)*+" )                            # texts, in which nothing is a number
    | (?<![\w.+]) (?<![eE]-)
      (?: (?i:nan(?:\(\w{1,12}\))?|inf(?:inity)?) | [1-9][0-9]{400,}+ ) (?![\w.])
    | (?<![\w.+-]) (?P<word> None | undefined | True | False ) (?![\w.])
    """,
    re.VERBOSE | re.DOTALL,
)
"""Numbers that JSON doesn't allow or a float can't represent, and constants of other languages.

Matching takes linear time: escapes are consumed in pairs outside of strings too, so at most one string can be
unterminated.
"""

_UNKNOWN = re.compile(rb"[Nn][Aa][Nn]|[Ii][Nn][Ff]|None|undefined|True|False")
"""Content for which `_ENDLESS` matches, except large numbers."""

_WORDS = {b"None": b"null", b"undefined": b"null", b"True": b"true", b"False": b"false"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json(payload: bytes, wanted: str = "json") -> Any:
    """Read a JSON text of RFC 8259; a byte order mark before it and NULs behind it are ignored.

    `nan` and `Infinity`, as printed by C and Python, and numbers beyond a float's range become infinities, or integers
    too large for a float, for the caller to refuse individually. `None`, `True` and `undefined` are read like `null`
    and `true`. If the format is `json`, Latin-1 is read, too, and JSON as described in `nonstandard_json.py`.

    Args:
        payload: Any bytes.
        wanted: The input's format, also for the error message about a payload that isn't JSON.

    Raises:
        Refused: It is empty, malformed, not UTF-8, or nested too deep.
    """
    try:
        return _decode(payload)
    except RecursionError:
        raise Refused("too_deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _read_again(payload, str(error), wanted)


def _read_again(payload: bytes, problem: str, wanted: str) -> Any:
    """Read a payload that strict parsing rejects, with impossible numbers replaced by infinities."""
    payload = payload.removeprefix(_BYTE_ORDER_MARK).rstrip(b" \t\r\n\0")
    if not payload.strip():
        raise Refused("empty")
    reason, known = "malformed", payload
    try:
        payload.decode()
    except UnicodeDecodeError:
        reason, known = "not_utf8", payload.decode("latin-1").encode()
    try:
        if reason == "malformed" or wanted == "json":
            return _read_leniently(known, problem, is_lenient=wanted == "json")
    except RecursionError:
        raise Refused("too_deep") from None
    except msgspec.DecodeError:
        pass
    raise Refused(reason, instead(wanted, payload) or (problem[:100] if reason == "malformed" else ""))


def _read_leniently(payload: bytes, problem: str, *, is_lenient: bool) -> Any:
    """Read a payload in UTF-8 that may hold impossible numbers or be nonstandard.

    Raises:
        RecursionError: It is nested deeper than can be read.
        msgspec.DecodeError: It can't be read.
    """
    try:
        is_unusual = _UNKNOWN.search(payload) is not None or "out of range" in problem
        return _decode_lenient(_ENDLESS.sub(_known, payload) if is_unusual else payload)
    except msgspec.DecodeError:
        text = rewritten(payload.decode()) if is_lenient else None
        if text is None:
            raise
        return _decode_lenient(text)


def _known(found: re.Match[bytes]) -> bytes:
    return found["kept"] or _WORDS.get(found["word"], b"1e999")


def document_in(value: Any) -> Any:
    """The object or array encoded in a text; any other value itself."""
    if not isinstance(value, str) or value[:1] not in {"{", "["} or len(value) < 2:
        return value
    try:
        found = _decode(value)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return value
    return found if isinstance(found, (dict, list)) else value
