"""Other values: texts that hold a value in a notation that no option reads, so that they are refused aloud."""

from __future__ import annotations

import re

DURATION = "a duration, which no option reads"
DATA_SET = "a value in a meter's telegram (OBIS), which no option reads: the sender has to send the number"

_DURATION = re.compile(
    r"[+-]?P(?=\d|T\d)(?:\d{1,9}(?:[.,]\d{1,9})?[YMWD]){0,4}(?:T(?:\d{1,9}(?:[.,]\d{1,9})?[HMS]){1,3})?", re.ASCII
)
"""ISO 8601: `PT5M3S`."""

_DATA_SET = re.compile(
    r"(?:\d{1,3}-\d{1,3}:)?[\dCFL]\d{0,2}\.\d{1,3}(?:\.\d{1,3})?(?:[*&]\d{1,3})?(?:\([^()\n]{0,200}\))+", re.ASCII
)
"""A value behind its OBIS code (IEC 62056-21, and P1 of DSMR): `1-0:1.8.0*255(001234.567*kWh)`."""


def other_value(text: str) -> str | None:
    """What a text is that holds a value in such a notation; None for any other text."""
    if _DURATION.fullmatch(text):
        return DURATION
    return DATA_SET if is_data_set(text) else None


def is_data_set(text: str) -> bool:
    """Whether a text is a value behind its OBIS code."""
    return text.endswith(")") and _DATA_SET.fullmatch(text) is not None
