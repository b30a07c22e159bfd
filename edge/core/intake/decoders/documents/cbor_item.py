"""Reading CBOR from untrusted senders (RFC 8949): bounded depth, linear time.

The parser is `cbor2`, from the extra `cbor`. Its own handling of most tags is disabled: shared and cyclic values,
regular expressions and numbers of any length let a small payload consume much memory or CPU.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from edge.core.intake.decoders.documents.keys.cbor_keys import has_other_keys
from edge.core.intake.decoders.recognition.looks_like import instead
from edge.core.model.readings.messages import Refused

if TYPE_CHECKING:
    from types import ModuleType

DEEPEST = 200
"""Maximum nesting depth; a decoder's own limit is lower."""

MOST_BYTES_WITH_OTHER_KEYS = 65_536
"""Maximum size of a payload with keys other than text, bytes and integers: a sender can choose their hashes."""

_END = b"\x63end"
"""An item appended to the payload, which exposes a payload that is too short or too long."""

_BUILT_IN = (25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000)
"""Tags that `cbor2` would turn into objects; they are not numbers here."""


@cache
def _library() -> ModuleType:
    import cbor2  # noqa: PLC0415 - an extra

    return cbor2


def read_cbor(payload: bytes, wanted: str) -> Any:
    """Read one CBOR item.

    Times (tags 0 and 1) become RFC 3339 text; big numbers, decimal fractions and big floats (tags 2 to 5) become
    floats, infinite ones where no float holds them. Other tags give None.

    Args:
        payload: Any bytes.
        wanted: The input's format, for the error message about a payload that isn't CBOR.

    Raises:
        Refused: It is empty, malformed, cut off, more than one item, or nested too deep.
        ImportError: The extra isn't installed.
    """
    library = _library()
    if not payload:
        raise Refused("empty")
    framed = b"\x82" + payload + _END
    try:
        try:
            item, end = _load(framed, only_text_keys=True)
        except library.CBORDecodeError as error:
            if "map key" not in str(error):
                raise
            if len(payload) > MOST_BYTES_WITH_OTHER_KEYS and has_other_keys(payload):
                raise Refused("malformed", "a large map has keys other than texts and integers") from None
            item, end = _load(framed, only_text_keys=False)
    except (library.CBORError, ValueError, TypeError, RecursionError) as error:
        problem = str(error)
        if "nesting depth" in problem or isinstance(error, RecursionError):
            raise Refused("too_deep") from None
        if isinstance(error.__cause__, UnicodeDecodeError):
            raise Refused("not_utf8", instead(wanted, payload) or "a text or a key") from None
        detail = instead(wanted, payload)
        if detail is None:
            detail = "CBOR is cut off" if isinstance(error, library.CBORDecodeEOF) else f"CBOR is malformed: {problem}"
        raise Refused("malformed", detail[:100]) from None
    if end != "end":
        raise Refused("malformed", instead(wanted, payload) or "more than one CBOR item, or cut off")
    return item


def _load(framed: bytes, *, only_text_keys: bool) -> Any:
    return _library().loads(
        framed,
        max_depth=DEEPEST,
        strict_hashable_types=only_text_keys,
        semantic_decoders=_SEMANTICS,
        tag_hook=_nothing,
    )


def _nothing(*_: Any) -> None:
    """The value of an unknown tag."""


def _same(given: Any, _: bool) -> Any:
    return given


def _moment(given: Any, _: bool) -> Any:
    """An epoch as text; None if it isn't one or lies beyond the calendar's range."""
    try:
        return datetime.fromtimestamp(given, UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _whole(given: Any, _: bool) -> Any:
    return _finite(int.from_bytes(given)) if isinstance(given, bytes) else None


def _negative(given: Any, _: bool) -> Any:
    return -_finite(int.from_bytes(given) + 1) if isinstance(given, bytes) else None


def _decimal(given: Any, _: bool) -> Any:
    """A decimal fraction: exponent of ten and mantissa."""
    if not _is_pair(given):
        return None
    exponent, mantissa = given
    return float(f"{mantissa}e{exponent}")


def _big_float(given: Any, _: bool) -> Any:
    """A big float: exponent of two and mantissa."""
    if not _is_pair(given):
        return None
    exponent, mantissa = given
    try:
        return math.ldexp(mantissa, exponent)
    except OverflowError:
        return math.inf if mantissa else 0.0


def _is_pair(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and len(given) == 2 and {type(each) for each in given} == {int}


def _finite(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


_SEMANTICS = {
    **dict.fromkeys(_BUILT_IN, _nothing),
    0: _same,
    1: _moment,
    2: _whole,
    3: _negative,
    4: _decimal,
    5: _big_float,
    55799: _same,
}
