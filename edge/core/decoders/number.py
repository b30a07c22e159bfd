"""Payloads that are a plain number: `21.5`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from edge.core.decoders.base import Decoded, Decoder, finite_values
from edge.core.decoders.looks_like import instead
from edge.core.messages import Refused, Sample
from edge.core.sensors import Repetition

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_NUMBER = 400
"""Characters of a number; the longest that a float prints has 327 before its point."""

_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_SPELLED = frozenset({b"nan", b"inf", b"infinity"})


@dataclass(frozen=True)
class NumberDecoder(Decoder):
    """Reads a decimal number in ASCII, or a word that the configuration maps to one.

    White space around it is allowed. A unit behind the number is refused: it would be read past one day and
    not the next. Repetition: periodic. Time: of arrival. Retained: refused, as it has no time of its own.

    Attributes:
        values: Numbers that words stand for, such as ON and OFF; exact, and asked before the number is.

    Raises:
        ValueError: A word stands for a number that isn't finite.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    name: ClassVar[str] = "number"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", finite_values(self.values))

    def decode(self, payload: bytes, arrived: float = math.nan) -> Decoded:  # noqa: ARG002 - it has no time
        """See `Decoder`."""
        text = payload.strip()
        if self.values:
            mapped = self.values.get(text.decode("utf-8", "surrogateescape"))
            if mapped is not None:
                return Decoded([Sample("", mapped, None)], [])
        if len(text) > LONGEST_NUMBER or not _NUMBER.fullmatch(text):
            raise _refused(payload, text)
        value = float(text)
        if not math.isfinite(value):
            raise Refused("not_finite", "too large for a float")
        return Decoded([Sample("", value, None)], [])


def _refused(payload: bytes, text: bytes) -> Refused:
    if not text:
        return Refused("empty")
    if text.lower().lstrip(b"+-") in _SPELLED:
        return Refused("not_finite", "spelled out")
    try:
        text.decode()
    except UnicodeDecodeError:
        return Refused("not_utf8", instead("number", payload) or "")
    return Refused("malformed", instead("number", payload) or "not a plain number")
