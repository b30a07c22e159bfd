"""Plain-number payloads: `21.5`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from edge.core.intake.decoders.base import NO_UNITS, Decoded, Decoder
from edge.core.intake.decoders.notation.text_numbers import LONGEST_TEXT, TOO_LARGE, TextNumbers, text_of
from edge.core.intake.decoders.recognition.looks_like import instead
from edge.core.model.readings.messages import Refused, Sample
from edge.core.model.sensors.sensors import Repetition

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_NUMBER = 400
"""Maximum length of a number in characters; the longest printed float has 327 before the decimal point."""

_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_AROUND = b" \t\r\n\v\f\0"
_SPELLED = frozenset({b"nan", b"inf", b"infinity"})


@dataclass(frozen=True)
class NumberDecoder(Decoder):
    """Reads a decimal number in ASCII, or a word that the configuration maps to one.

    Surrounding white space and quotes are allowed, as is a terminating NUL. A unit after the number is refused unless
    the configuration allows it.

    Repetition: periodic. Time: of arrival. Retained: refused, as it has no time of its own.

    Attributes:
        values: Numbers for exact words, such as ON and OFF; looked up before the payload is parsed as a number.
        numbers_in_text: Whether a number in quotes is accepted.
        decimal: The decimal separator, `.` or `,`.
        units: Whether a unit may follow the number.
        no_value: Numbers and texts that mean that there is no value.

    Raises:
        ValueError: A mapped number isn't finite.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    numbers_in_text: bool = True
    decimal: str = "."
    units: bool = False
    no_value: tuple[float | str, ...] = ()
    _texts: TextNumbers = field(init=False, repr=False, compare=False)
    name: ClassVar[str] = "number"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def __post_init__(self) -> None:
        absent = frozenset(each for each in self.no_value if isinstance(each, str))
        texts = TextNumbers(decimal=self.decimal, units=self.units, values=self.values, no_value=absent)
        object.__setattr__(self, "values", texts.values)
        object.__setattr__(self, "_texts", texts)

    def decode(self, payload: bytes, arrived: float = math.nan) -> Decoded:  # noqa: ARG002 - it has no time
        """See `Decoder`."""
        text = payload.strip(_AROUND)
        if self.values:
            mapped = self.values.get(text.decode("utf-8", "surrogateescape"))
            if mapped is not None:
                return Decoded([Sample("", mapped, None)], [])
        if len(text) > LONGEST_NUMBER or not _NUMBER.fullmatch(text) or self.decimal == ",":
            return self._read_text(payload, text)
        value = float(text)
        if not math.isfinite(value):
            raise Refused("not_finite", TOO_LARGE)
        if value in self.no_value:
            raise Refused("no_value", "this number says that there is no value", absent=("",))
        return Decoded([Sample("", value, None)], [])

    def _read_text(self, payload: bytes, text: bytes) -> Decoded:
        """Read a number in quotes, with a decimal comma or with a unit, if the configuration allows it."""
        if self.numbers_in_text and len(text) > 2 and text[:1] == text[-1:] == b'"':
            text = text[1:-1]
        plain = text_of(text) if len(text) <= LONGEST_TEXT else ""
        found = self._texts.find(plain)
        if found is None and self._texts.is_absent(plain):
            raise Refused("no_value", "this text says that there is no value", absent=("",))
        if found is None and self.decimal == "," and _NUMBER.fullmatch(text):
            raise Refused("malformed", 'a number with a decimal point, but decimal = ","')
        if found is None:
            raise _refused(payload, text)
        if found.value in self.no_value:
            raise Refused("no_value", "this number says that there is no value", absent=("",))
        return Decoded([Sample("", found.value, None)], [], units={"": found.unit} if found.unit else NO_UNITS)


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
