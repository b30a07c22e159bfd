"""Other formats: texts of well-known notations that no format of an input reads, so that the operator is told which."""

from __future__ import annotations

import re

from edge.core.intake.decoders.notation.other_values import is_data_set

_NUMBER = r"[+-]?(?:[0-9.]+(?:[eE][+-]?[0-9]+)?|NaN|Inf)"
_METRIC = re.compile(rf'[A-Za-z_:][\w:]*(\{{[A-Za-z_]\w*="[^\n]*\}})?\s+{_NUMBER}(?:\s+[0-9]+)?\s*', re.ASCII)
_ABOUT = re.compile(r"# (?:HELP|TYPE|UNIT) \w")
_NMEA = re.compile(r"[$!](?:[A-Z]{2}[A-Z0-9]{3}|P[A-Z0-9]{3,7}),[\x20-\x7e]{0,120}", re.ASCII)
_MARK = re.compile(r"/[A-Za-z]{3}[0-9A-Za-z][\x20-\x7e]{0,60}", re.ASCII)
"""The first line of a meter's telegram, by which it identifies itself."""

_BASE64_OF_JSON = re.compile(r"(?:eyJ|eyA|ewo|ew0|W3s|Ww[op]|WyJ)[A-Za-z0-9+/=]{5,}", re.ASCII)
"""Base64 of what begins with a brace and a quote, a space or a new line, or with a bracket and a brace."""

LINES = 16
"""Maximum number of lines that are looked at."""


def other_format(text: str) -> str | None:
    """The notation that a text is in; None if it is none of those known here."""
    lines = [each.strip() for each in text.splitlines()[:LINES] if each.strip()]
    if not lines:
        return None
    if is_data_set(lines[0]) or (_MARK.fullmatch(lines[0]) and any(map(is_data_set, lines[1:]))):
        return "a meter's telegram (OBIS), which no format reads: the sender has to send the values"
    if len(lines) == 1 and _BASE64_OF_JSON.fullmatch(lines[0]):
        return "base64 of JSON, which no format reads: the sender, or a bridge in between, has to decode it"
    if _NMEA.fullmatch(lines[0]):
        return "an NMEA 0183 sentence, which no format reads: the sender has to send the values"
    metrics = [_METRIC.fullmatch(each) for each in lines if not each.startswith("#")]
    if all(metrics) and (_ABOUT.match(lines[0]) or any(each is not None and each[1] for each in metrics)):
        return "Prometheus metrics, which no format reads: Telegraf reads them and sends line protocol"
    return None
