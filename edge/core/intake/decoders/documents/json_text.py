"""Reading JSON that anybody may have sent: strict, fast, and an impossible number costs only itself."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from edge.core.intake.decoders.recognition.looks_like import instead
from edge.core.model.readings.messages import Refused

_decode = msgspec.json.Decoder().decode
_decode_lenient = msgspec.json.Decoder(float_hook=float).decode
"""Reads numbers that are too large as infinities."""

_ENDLESS = re.compile(
    rb"""
    (?P<kept> \\. | "(?:[^"\\]|\\.)*+" )                            # texts, in which nothing is a number
    | (?<![\w.+]) (?<![eE]-)
      (?: NaN | Infinity | [1-9][0-9]{400,}+ ) (?![\w.])
    """,
    re.VERBOSE | re.DOTALL,
)
"""Numbers that JSON doesn't know or a float can't hold.

It takes linear time: escapes are stepped over in pairs outside of texts too, so only one text can turn
out to have no end.
"""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_json(payload: bytes, wanted: str = "json") -> Any:
    """Read a JSON text of RFC 8259; a byte order mark before it and NULs behind it are ignored.

    `NaN` and `Infinity`, as Python writes them, and numbers beyond a float's range become infinities, or
    integers that no float holds, for the caller to refuse where they stand.

    Args:
        payload: Any bytes.
        wanted: The format of the input, for what is said of a payload that isn't JSON.

    Raises:
        Refused: It is empty, malformed, no UTF-8, or nested deeper than can be read.
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
    """Read what can't be read strictly: with its impossible numbers made infinite, or not at all."""
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
