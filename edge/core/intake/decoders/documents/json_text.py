"""Reading JSON from untrusted senders: strict and fast; an impossible number invalidates only itself."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from edge.core.intake.decoders.recognition.looks_like import instead
from edge.core.model.readings.messages import Refused

_decode = msgspec.json.Decoder().decode
_decode_lenient = msgspec.json.Decoder(float_hook=float).decode
"""Reads numbers that are too large for a float as infinities."""

_ENDLESS = re.compile(
    rb"""
    (?P<kept> \\. | "(?:[^"\\]|\\.)*+" )                            # texts, in which nothing is a number
    | (?<![\w.+]) (?<![eE]-)
      (?: NaN | Infinity | [1-9][0-9]{400,}+ ) (?![\w.])
    """,
    re.VERBOSE | re.DOTALL,
)
"""Numbers that JSON doesn't allow or a float can't represent.

Matching takes linear time: escapes are consumed in pairs outside of strings too, so at most one string can be
unterminated.
"""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json(payload: bytes, wanted: str = "json") -> Any:
    """Read a JSON text of RFC 8259; a byte order mark before it and NULs behind it are ignored.

    `NaN` and `Infinity`, as Python writes them, and numbers beyond a float's range become infinities, or
    integers that no float holds, for the caller to refuse where they stand.

    Args:
        payload: Any bytes.
        wanted: The input's format, for the error message about a payload that isn't JSON.

    Raises:
        Refused: It is empty, malformed, not UTF-8, or nested too deep.
    """
    try:
        return _decode(payload)
    except RecursionError:
        raise Refused("too_deep") from None
    except UnicodeDecodeError:
        raise Refused("not_utf8", instead(wanted, payload) or "") from None
    except msgspec.DecodeError as error:
        return _read_again(payload, str(error), wanted)


def _read_again(payload: bytes, problem: str, wanted: str) -> Any:
    """Read a payload that strict parsing rejects, with impossible numbers replaced by infinities."""
    payload = payload.removeprefix(_BYTE_ORDER_MARK).rstrip(b" \t\r\n\0")
    if not payload.strip():
        raise Refused("empty")
    try:
        payload.decode()
        if not (b"NaN" in payload or b"Infinity" in payload or "out of range" in problem):
            return _decode(payload)
        return _decode_lenient(_ENDLESS.sub(lambda found: found["kept"] or b"1e999", payload))
    except UnicodeDecodeError:
        raise Refused("not_utf8", instead(wanted, payload) or "") from None
    except RecursionError:
        raise Refused("too_deep") from None
    except msgspec.DecodeError:
        raise Refused("malformed", instead(wanted, payload) or problem[:100]) from None
