"""Payloads that are pairs of a name and a value, or values in a row.

T=21.5;H=48
temp=21.5&hum=48&dateutc=2023-11-14+22%3A13%3A20
21.5,48,1013.2
1700000000:21.5
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.intake.decoders.notation.pairs import SEPARATORS, pairs_in
from edge.core.intake.decoders.notation.text_numbers import text_of
from edge.core.intake.decoders.notation.times import is_likely, read_time
from edge.core.intake.decoders.recognition.looks_like import instead
from edge.core.model.readings.messages import Refused
from edge.core.model.sensors.sensors import Repetition

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
"""Characters of no text, which Latin-1 makes of binary payloads."""

_EPOCH = re.compile(r"\s*([0-9]{10,19}(?:\.[0-9]{1,9})?)\s?([:;|\t, ])", re.ASCII)
"""The time in front of the values of a line, as collectd and spreadsheets write them, and what is between them."""


@dataclass(frozen=True)
class TextDecoder(FieldsDecoder):
    """Reads pairs of a name and a value, or values in a row whose names are configured.

    A name and its value are separated by `=` or `:`, pairs by a new line, `&`, `;`, `|`, a tab, a comma or a space.
    With `&` as the separator, URL encoding (`+`, `%3A`) is decoded. Values in a row have the same separators, and may
    be quoted; each line is a separate object, and a line that repeats the names is skipped. The result is read like the
    fields of a JSON object. Without names, a line that begins with an epoch has values at that time, named by position
    if there are several.

    Repetition: periodic. Time: the first of the time keys that can be read, else of arrival. Retained: refused
    without a time.

    Attributes:
        columns: Names of the values in a row, in their order; empty for one that is left out. Without any, the payload
            consists of pairs.
    """

    columns: tuple[str, ...] = ()
    name: ClassVar[str] = "text"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def read(self, payload: bytes) -> Any:
        """See `FieldsDecoder`."""
        text = text_of(payload)
        if _CONTROL.search(text) and text.encode() != payload:
            raise Refused("not_utf8", instead("text", payload) or "")
        text = text.removeprefix("\ufeff").strip(" \t\r\n\0")
        if not text:
            raise Refused("empty")
        if self.columns:
            rows = [row for each in text.splitlines() if each.strip() and (row := self._row_of(each)) is not None]
            return rows[0] if len(rows) == 1 else rows
        timed = [self._timed(each) for each in text.splitlines()]
        if None not in timed:
            return timed[0] if len(timed) == 1 else timed
        pairs = pairs_in(text, decimal=self.decimal)
        if pairs is None:
            raise Refused(
                "malformed", instead("text", payload) or "no pairs such as T=21.5;H=48, and columns is not set"
            )
        return pairs

    def _timed(self, line: str) -> dict[str, str] | None:
        """The values of a line that begins with an epoch, by their positions if there are several; else None."""
        begin = _EPOCH.match(line)
        if begin is None or not is_likely(read_time(begin[1])) or (begin[2] == self.decimal == ","):
            return None
        values = [each.strip() for each in line[begin.end() :].split(begin[2])]
        named = {self.value_key: values[0]} if len(values) == 1 else {str(at): each for at, each in enumerate(values)}
        return {**dict.fromkeys(self.time_keys[:1], begin[1]), **named}

    def _row_of(self, line: str) -> dict[str, str] | None:
        """The values of a line by their columns; None if it repeats the names.

        Raises:
            Refused: It has more or fewer values than there are columns.
        """
        separators = SEPARATORS[2:] if self.decimal == "." else [each for each in SEPARATORS[2:] if each != ","]
        separator = next((each for each in separators if each in line), "\n")
        values = [each.strip().strip('"') for each in line.split(separator)]
        if separator == " ":
            values = line.split()
        if len(values) != len(self.columns):
            raise Refused("malformed", f"{len(values)} values in a line, and {len(self.columns)} columns")
        if values == [*self.columns]:
            return None
        return {key: value for key, value in zip(self.columns, values, strict=True) if key}
