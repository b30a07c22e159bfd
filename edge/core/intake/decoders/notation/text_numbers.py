"""Numbers sent as text: `"37.8"`, `"37,8"`, `"21.5 °C"`, `"1'234.5"`, and words such as `ON`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from edge.core.intake.decoders.base import finite_values
from edge.core.intake.decoders.notation.other_values import other_value
from edge.core.model.readings.messages import Refusal

LONGEST_TEXT = 64
"""Maximum length in characters of a text that may be a number; longer texts aren't parsed."""

_POINT = r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]*)?|[0-9]{16,}\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_COMMA = r"[+-]?(?:[0-9]{1,15}(?:,[0-9]*)?|,[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_UNIT_BEGINS = r"[%°‰℃℉€$£]|[^\W\d_]"
_UNIT = r"[%°‰℃℉€$£]?[^\W\d_]{0,12}(?:[/·*][^\W\d_]{1,12}|[²³]|\^?-?[0-9](?![0-9]))*"
"""Each part begins with a character that no other part may begin with, so matching takes linear time."""
_IDENTIFIER = re.compile(r"[+-]?0[0-9xX]")
"""Start of a text that consists of digits but is an identifier: `00189440`."""

_HEXADECIMAL = re.compile(r"[0-9]{2,}[eE][0-9]+")
"""What no program prints for a number, as it has several digits before an exponent without a sign: `84E12`."""

_NO_UNIT = frozenset("-^0123456789")
"""Beginnings of what follows a number without being a unit: `2026-11-28`."""

LONGEST_WHOLE = 15
"""Maximum number of digits of a whole number; longer ones are names."""

_OTHER_NOTATION = re.compile(rf"(?:{_POINT}|{_COMMA})\s*({_UNIT})")

_MINUS = str.maketrans({"\u2212": "-"})
_GROUPED = re.compile(
    r"([+-]?[0-9]{1,3})((?P<mark>['\u2019\u00a0\u2009\u202f])[0-9]{3}(?:(?P=mark)[0-9]{3})*)(?![0-9])(.*)"
)
"""Thousands separated by what separates nothing else: an apostrophe, or a space at which no line breaks."""

_SEPARATED = re.compile(
    r"[+-]?(?:[0-9]{1,3}(?:(?: [0-9]{3})+,[0-9]+|(?:[, ][0-9]{3})+\.[0-9]+|(?:[, ][0-9]{3}){2,})"
    r"|[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,})"
)
_BEFORE_COMMA = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?=,[0-9])")
_BEFORE_POINT = re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:,[0-9]{{3}})+(?=\.[0-9]+\s*(?:{_UNIT_BEGINS}))")
"""The thousands of a number that also has decimals. With a decimal point they need a unit, which no row of values has:
`5,231.4` may be two values."""

_ADDRESS = re.compile(r"(?:(?:1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])(?:\.|$)){4}")
_BOUND = re.compile(rf"(?:[<>~\u2264\u2265\u2248]=?|ca\.)\s*(?:{_POINT}|{_COMMA})\s*{_UNIT}")

ODD = 'a number in a notation that isn\'t read here: decimal = ",", units = true, or numbers = "text-too" reads it'
SEPARATED = "a number whose thousands are separated by what also separates numbers, which no option reads"
TOO_LARGE = (
    "not a number, infinite, or too large for a float: an overflow of the sender, or its sign that there is no value, "
    "which is never learned"
)
BOUND = "a bound or an estimate, which no option reads"


class TextNumber(NamedTuple):
    """The number and unit found in a text.

    Attributes:
        value: The number; NaN if there is none.
        unit: The text after the number; empty if there is none.
    """

    value: float
    unit: str = ""


class TextNumbers:
    """Parses numbers in text.

    Args:
        read: Whether text that holds only a number counts as a number.
        decimal: The decimal separator, `.` or `,`.
        units: Whether a unit may follow a number.
        values: Numbers for exact texts; `true` and `false` map booleans.
        no_value: Texts that mean that there is no value.

    Raises:
        ValueError: A mapped number isn't finite.
    """

    __slots__ = ("_comma", "_no_value", "_pattern", "_read", "values")

    def __init__(
        self,
        *,
        read: bool = True,
        decimal: str = ".",
        units: bool = False,
        values: Mapping[str, float] = MappingProxyType({}),
        no_value: frozenset[str] = frozenset(),
    ) -> None:
        self.values = finite_values(values)
        self._read = read
        self._comma = decimal == ","
        number = _COMMA if self._comma else _POINT
        self._pattern = re.compile(rf"({number})\s*({_UNIT})" if units else f"({number})()")
        self._no_value = no_value

    def find(self, text: str) -> TextNumber | None:
        """The number that a text holds or is mapped to."""
        if text in self.values:
            return TextNumber(self.values[text])
        if not self._read or len(text) > LONGEST_TEXT:
            return None
        found = self._pattern.fullmatch(self._ungrouped(text.strip(" \t\r\n\0")))
        if found is None or (not found[2] and _IDENTIFIER.match(found[1]) and found[1].lstrip("+-").isdigit()):
            return None
        if _HEXADECIMAL.fullmatch(found[1]) or found[2][:1] in _NO_UNIT:
            return None
        value = float(found[1].replace(",", "."))
        return TextNumber(value, found[2]) if math.isfinite(value) else None

    def knows(self, text: str) -> bool:
        """Whether a text holds or stands for a number, or says that there is none."""
        return self.is_absent(text) or self.find(text) is not None

    def is_absent(self, text: str) -> bool:
        """Whether a text means that there is no value."""
        return text in self._no_value

    def why_unread(self, text: str) -> Refusal | None:
        """The refusal of a text that seems to be a number but isn't one under these options; else None."""
        text = self._ungrouped(text.strip()) if len(text) <= LONGEST_TEXT else ""
        if not text or _IDENTIFIER.match(text) or _HEXADECIMAL.fullmatch(text):
            return None
        if text.isdigit() and (len(text) > LONGEST_WHOLE or self._read):
            return None
        if _SEPARATED.fullmatch(text) and not _ADDRESS.fullmatch(text):
            return Refusal("odd_number", "", SEPARATED)
        if (other := BOUND if is_bound(text) else other_value(text)) is not None:
            return Refusal("odd_number", "", other)
        if (number := self._pattern.fullmatch(text)) and math.isinf(float(number[1].replace(",", "."))):
            return Refusal("not_finite", "", TOO_LARGE)
        found = _OTHER_NOTATION.fullmatch(_without(".", _BEFORE_COMMA, _without(",", _BEFORE_POINT, text)))
        is_odd = found is not None and not (found[1] and found[1][0] in _NO_UNIT)
        return Refusal("odd_number", "", ODD) if is_odd else None

    def _ungrouped(self, text: str) -> str:
        """A number without anything between its thousands, as far as these options tell it from the decimals."""
        text = ungrouped(text)
        return _without(".", _BEFORE_COMMA, text) if self._comma else _without(",", _BEFORE_POINT, text)


def _without(mark: str, thousands: re.Pattern[str], text: str) -> str:
    """A text without the mark between the thousands that it begins with."""
    found = thousands.match(text) if mark in text else None
    return text if found is None else found[0].replace(mark, "") + text[found.end() :]


def is_bound(text: str) -> bool:
    """Whether a text is a bound or an estimate, such as `<0.1`."""
    return _BOUND.fullmatch(text) is not None


def ungrouped(text: str) -> str:
    """A number with an ASCII minus sign, and without anything between its thousands."""
    if text.isascii() and "'" not in text:
        return text
    text = text.translate(_MINUS)
    found = _GROUPED.fullmatch(text)
    return text if found is None else f"{found[1]}{found[2].replace(found['mark'], '')}{found[4]}"


def text_of(payload: bytes) -> str:
    """The text of a payload: UTF-8, or Latin-1 as sketches that were saved so print `°`."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload.decode("latin-1")
