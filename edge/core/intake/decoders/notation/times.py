"""Parsing times: RFC 3339 text, or an epoch in seconds, milliseconds, microseconds or nanoseconds.

The unit of an epoch is inferred from its magnitude. Seconds up to 1e11 reach the year 5138; the same number of
milliseconds lies in 1973. The four ranges therefore don't overlap for times after March 1973. What would be nanoseconds
of a time before 2000 is a number of 100 ns since 1601 or since the year 1, if that is a time since 2000.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from edge.core.intake.decoders.notation.dates import as_iso
from edge.core.intake.decoders.notation.zones import at_place, nearest, with_offsets

LONGEST_TEXT = 96
"""Maximum length of a time in characters; RFC 3339 with nanoseconds and an offset has 35, what JavaScript prints 80."""

COMPACT = 14
"""Digits of a date and a time of day without anything between them; an epoch of as many is beyond the year 2570."""

EARLIEST_COMPACT, LATEST_COMPACT = 2000_01_01_00_00_00, 2100_01_01_00_00_00
"""Numbers in this range are such dates, too."""

EARLIEST_SHORT = 20_01_01_00_00_00
"""The lowest number that is a date without its century and a time of day."""

LIKELY = (946_684_800.0, 4_102_444_800.0)
"""Range of plausible reading times: from 2000 to before 2100, seconds since the epoch."""

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?", re.ASCII)
_SHORT = re.compile(
    r"^([2-6]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))((?:[01]\d|2[0-3])[0-5]\d[0-5]\d)[SW]?$", re.ASCII
)
"""A date without its century and a time of day, as smart meters send them (DSMR P1), perhaps with the season.

As milliseconds it would be a time before 1993.
"""

_ZONE_BEHIND = re.compile(r"\s+(?:(?:UTC|GMT)?([+-]\d\d:?\d\d)(?: UTC)?|UTC|GMT|Z)$", re.ASCII | re.IGNORECASE)
_NAME_BEHIND = re.compile(r"(?<=[\dZ])\[[\w/+-]{1,40}\]$|(?<=[+-]\d{4})\s\([^()]{1,48}\)$", re.ASCII)
"""The name of a zone behind an offset, as Java and JavaScript print it."""
_DATE_OF_JSON = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)
_TICKS = (11_644_473_600 * 10**7, 62_135_596_800 * 10**7)
"""The epoch in units of 100 ns since the years 1601 (`FILETIME` of Windows and of PLCs) and 1 (ticks of .NET)."""


class LocalTime(float):
    """A time parsed from text without an offset. It was read in the input's time zone, which may be wrong."""

    __slots__ = ()


class TimeError(ValueError):
    """The value can't be used as a time.

    Args:
        words: What is wrong with it.
        reason: The reason of its refusal.
    """

    def __init__(self, words: str, reason: str = "bad_time") -> None:
        super().__init__(words)
        self.reason = reason


def is_likely(time: float) -> bool:
    """Whether a time is plausible for a reading; see `LIKELY`."""
    return LIKELY[0] <= time < LIKELY[1]


def read_time(given: object, zone: tzinfo = UTC, arrived: float = math.nan, formats: Sequence[str] = ()) -> float:
    """Parse a time to seconds since the epoch, UTC.

    The result is rounded once, so that all notations of an instant give the same float; epochs end at 1e11.
    Plausibility isn't checked: 0 and negative values are accepted. Text without an offset gives a `LocalTime`.

    Args:
        given: RFC 3339 or ISO 8601 text, truncated to microseconds, or an epoch as a number or as text; also formats
            of C's `ctime`, mail (RFC 5322), Go, Java and .NET, and others, see `dates.py`.
        zone: Time zone of text without an offset.
        arrived: Arrival time in seconds since the epoch; NaN if unknown. When the end of daylight saving time repeats
            an hour, text without an offset is read as the instant closer to this, or as the first one if it is NaN. It
            also decides whether a date such as `03/04/2026` begins with its day or its month.
        formats: `datetime.strptime` formats, tried before all others.

    Raises:
        TimeError: It is neither, or out of range.
    """
    if isinstance(given, (float, int)) and not isinstance(given, bool):
        if type(given) is int and given >= EARLIEST_SHORT and _is_date(given):
            return read_time(str(given), zone, arrived)
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
    text = _SHORT.sub(r"20\1T\2", text) if len(text) in {12, 13} else text
    if text[4:5] == "-" or not _NUMBER.fullmatch(text):
        return _read_text(text, zone, arrived)
    if len(text) == COMPACT and text[:2] in {"19", "20"} and text.isdecimal():
        return _read_text(f"{text[:8]}T{text[8:]}", zone, arrived)
    return _read_epoch(int(text) if text.lstrip("+-").isdecimal() else float(text.replace(",", ".")))


def _is_date(given: int) -> bool:
    """Whether a number is a date and a time of day without anything between their digits."""
    return EARLIEST_COMPACT <= given < LATEST_COMPACT or _SHORT.fullmatch(str(given)) is not None


def _read_epoch(given: float) -> float:
    magnitude = abs(given)
    if magnitude < 1e11:
        return float(given)
    if magnitude < 1e14:
        return given / 1000
    if magnitude < 1e17:
        return given / 1_000_000
    if magnitude < 1e20:
        time = given / 1_000_000_000
        return time if time >= LIKELY[0] else next(filter(is_likely, ((given - each) / 10**7 for each in _TICKS)), time)
    if not magnitude < math.inf:
        raise TimeError("not finite")
    if given > 0:
        raise TimeError("beyond the year 5138", "time_in_future")
    raise TimeError("thousands of years ago", "time_implausible")


def _read_text(text: str, zone: tzinfo, arrived: float) -> float:
    try:
        return _seconds(datetime.fromisoformat(text.upper()), zone, arrived)
    except (ValueError, OverflowError) as error:
        if (date := _DATE_OF_JSON.fullmatch(text)) is not None:
            return int(date[1]) / 1000
        other = _ZONE_BEHIND.sub(_offset, _NAME_BEHIND.sub("", as_iso(text, arrived)))
        if other != text:
            return _read_text(other, zone, arrived)
        return _read_in_zone(text, zone, arrived, error)


def _read_in_zone(text: str, zone: tzinfo, arrived: float, error: Exception) -> float:
    """A time with the name of its zone behind it; that of a place must be the input's."""
    if meanings := with_offsets(text):
        time = nearest([_read_text(each, zone, arrived) for each in meanings], arrived)
        if time is not None:
            return time
    if (named := at_place(text)) is not None:
        if str(zone) == named[1]:
            return _read_text(named[0], zone, arrived)
        raise TimeError(f'in the time zone of a place: zone = "{named[1]}" reads it') from error
    raise TimeError("not RFC 3339; time_format says how others are written") from error


def _offset(found: re.Match[str]) -> str:
    return found[1] or "Z"


def _seconds(moment: datetime, zone: tzinfo, arrived: float) -> float:
    return moment.timestamp() if moment.tzinfo is not None else _local(moment, zone, arrived)


def _local(moment: datetime, zone: tzinfo, arrived: float) -> float:
    """A local time in a zone, resolved where daylight saving time makes it ambiguous (PEP 495)."""
    first = moment.replace(tzinfo=zone).timestamp()
    if zone is UTC:
        return LocalTime(first)
    second = moment.replace(tzinfo=zone, fold=1).timestamp()
    return LocalTime(second if first < second and abs(arrived - second) < abs(arrived - first) else first)
