"""Parsing times: RFC 3339 text, or an epoch in seconds, milliseconds, microseconds or nanoseconds.

The unit of an epoch is inferred from its magnitude. Seconds up to 1e11 reach the year 5138; the same number of
milliseconds lies in 1973. The four ranges therefore don't overlap for times after March 1973.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

LONGEST_TEXT = 64
"""Maximum length of a time in characters; RFC 3339 with nanoseconds and an offset has 35."""

LIKELY = (946_684_800.0, 4_102_444_800.0)
"""Range of plausible reading times: from 2000 to before 2100, seconds since the epoch."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_SLASHED = re.compile(r"(\d{4})/(\d\d)/(\d\d)(?!\d)", re.ASCII)
_ZONE_BEHIND = re.compile(r"\s+(UTC|GMT|Z|[+-]\d\d:?\d\d)$", re.ASCII | re.IGNORECASE)


class LocalTime(float):
    """A time parsed from text without an offset. It was read in the input's time zone, which may be wrong."""

    __slots__ = ()


class TimeError(ValueError):
    """The value can't be parsed as a time."""


def is_likely(time: float) -> bool:
    """Whether a time is plausible for a reading; see `LIKELY`."""
    return LIKELY[0] <= time < LIKELY[1]


def read_time(given: object, zone: tzinfo = UTC, arrived: float = math.nan, formats: Sequence[str] = ()) -> float:
    """Parse a time to seconds since the epoch, UTC.

    The result is rounded once, so that all notations of an instant give the same float; epochs end at 1e11.
    Plausibility isn't checked: 0 and negative values are accepted. Text without an offset gives a `LocalTime`.

    Args:
        given: RFC 3339 or ISO 8601 text, truncated to microseconds, or an epoch as a number or as text.
        zone: Time zone of text without an offset.
        arrived: Arrival time in seconds since the epoch; NaN if unknown. When the end of daylight saving time repeats
            an hour, text without an offset is read as the instant closer to this, or as the first one if it is NaN.
        formats: `datetime.strptime` formats, tried before all others.

    Raises:
        TimeError: It is neither, or out of range.
    """
    if isinstance(given, (float, int)) and not isinstance(given, bool):
        return float(given) if -1e11 < given < 1e11 else _read_epoch(given)
    if not isinstance(given, str):
        raise TimeError("neither a text nor a number")
    if len(given) > LONGEST_TEXT:
        raise TimeError("too long")
    text = given.strip()
    for each in formats:
        try:
            return _seconds(datetime.strptime(text, each), zone, arrived)  # noqa: DTZ007 - the zone comes next
        except (ValueError, OverflowError):
            continue
    if text[4:5] == "-" or not _NUMBER.fullmatch(text):
        return _read_text(text, zone, arrived)
    return _read_epoch(int(text) if text.lstrip("+-").isdecimal() else float(text))


def _read_epoch(given: float) -> float:
    magnitude = abs(given)
    if magnitude < 1e11:
        return float(given)
    if magnitude < 1e14:
        return given / 1000
    if magnitude < 1e17:
        return given / 1_000_000
    if magnitude < 1e20:
        return given / 1_000_000_000
    raise TimeError("not finite, or beyond the year 5138")


def _read_text(text: str, zone: tzinfo, arrived: float) -> float:
    try:
        return _seconds(datetime.fromisoformat(text.upper()), zone, arrived)
    except (ValueError, OverflowError) as error:
        other = _ZONE_BEHIND.sub(_offset, _SLASHED.sub(r"\1-\2-\3", text))
        if other != text:
            return _read_text(other, zone, arrived)
        raise TimeError("not RFC 3339") from error


def _offset(found: re.Match[str]) -> str:
    return found[1] if found[1][0] in "+-" else "Z"


def _seconds(moment: datetime, zone: tzinfo, arrived: float) -> float:
    return moment.timestamp() if moment.tzinfo is not None else _local(moment, zone, arrived)


def _local(moment: datetime, zone: tzinfo, arrived: float) -> float:
    """A local time in a zone, resolved where daylight saving time makes it ambiguous (PEP 495)."""
    first = moment.replace(tzinfo=zone).timestamp()
    if zone is UTC:
        return LocalTime(first)
    second = moment.replace(tzinfo=zone, fold=1).timestamp()
    return LocalTime(second if first < second and abs(arrived - second) < abs(arrived - first) else first)
