"""Numbers that devices send as text: `"37.8"`, `"37,8"`, `"21.5 °C"`, and words such as `ON`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from edge.core.intake.decoders.base import finite_values

LONGEST_TEXT = 64
"""Characters of a text that may be a number; longer ones aren't tried."""

_POINT = r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]*)?|[0-9]{16,}\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_COMMA = r"[+-]?(?:[0-9]{1,15}(?:,[0-9]*)?|,[0-9]+)"
_UNIT = r"[%°‰]?[^\W\d_]{0,12}(?:[/·*][^\W\d_]{1,12}|[²³]|\^?-?[0-9])*"
"""Each part begins with a character that no other one may begin with, so that matching takes linear time."""
_IDENTIFIER = re.compile(r"[+-]?0[0-9xX]")
"""How a text begins that has the digits of a number but is a name: `00189440`."""

_OTHER_NOTATION = re.compile(rf"(?:{_POINT}|{_COMMA})\s*{_UNIT}")


class TextNumber(NamedTuple):
    """What a text says.

    Attributes:
        value: The number; NaN if there is none.
        unit: What stands behind it; empty if nothing does.
    """

    value: float
    unit: str = ""


class TextNumbers:
    """Reads numbers out of texts.

    Args:
        read: Whether a text that holds nothing but a number is one.
        decimal: What stands before the decimals, `.` or `,`.
        units: Whether a unit may stand behind a number.
        values: Numbers that words stand for, exactly; `true` and `false` stand for booleans.
        no_value: Texts that say that there is no value.

    Raises:
        ValueError: A word stands for a number that isn't finite.
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
        """The number that a text holds or stands for; None if it is none."""
        if text in self.values:
            return TextNumber(self.values[text])
        if not self._read or len(text) > LONGEST_TEXT:
            return None
        found = self._pattern.fullmatch(text.strip(" \t\r\n\0"))
        if found is None or (not found[2] and _IDENTIFIER.match(found[1]) and found[1].lstrip("+-").isdigit()):
            return None
        value = float(found[1].replace(",", "."))
        return TextNumber(value, found[2]) if math.isfinite(value) else None

    def is_absent(self, text: str) -> bool:
        """Whether a text says that there is no value."""
        return text in self._no_value

    def looks_unread(self, text: str) -> bool:
        """Whether a text that is no number by these rules looks like one by others."""
        text = text.strip() if len(text) <= LONGEST_TEXT else ""
        return (
            bool(text)
            and not _IDENTIFIER.match(text)
            and (not text.isdigit() or (len(text) <= 15 and not self._read))
            and _OTHER_NOTATION.fullmatch(text) is not None
        )
