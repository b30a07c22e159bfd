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

COMPACT = 14
"""Digits of a date and a time of day without anything between them; an epoch of as many is beyond the year 2570."""

LIKELY = (946_684_800.0, 4_102_444_800.0)
"""Range of plausible reading times: from 2000 to before 2100, seconds since the epoch."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_SLASHED = re.compile(r"(\d{4})/(\d\d)/(\d\d)(?!\d)", re.ASCII)
_ZONE_BEHIND = re.compile(r"\s+(UTC|GMT|Z|[+-]\d\d:?\d\d(?: UTC)?)$", re.ASCII | re.IGNORECASE)
_NAME_BEHIND = re.compile(r"(?<=[\dZ])\[[\w/+-]{1,40}\]$", re.ASCII)
_DAY_FIRST = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4}),?(?=[ T]|$)", re.ASCII)
_DATE_OF_JSON = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)
_MONTH_IN_WORDS = re.compile(
    r"(?:[A-Z][a-z]{2},? )?"
    r"(?:(?P<month>[A-Z][a-z]{2}) +(?P<day>\d\d?) (?P<time>[\d:.]+) (?P<year>\d{4})"
    r"|(?P<month__>[A-Z][a-z]{2}) +(?P<day__>\d\d?),? +(?P<year__>\d{4}) (?P<time__>[\d:.]+)(?P<zone__>(?: .{1,6})?)"
    r"|(?P<year___>\d{4})-(?P<month___>[A-Z][a-z]{2})-(?P<day___>\d\d?)[ T](?P<time___>[\d:.]+)"
    r"(?P<zone___>(?: ?.{1,6})?)"
    r"|(?P<day_>\d\d?)[ -](?P<month_>[A-Z][a-z]{2})[ -](?P<year_>\d{4}) (?P<time_>[\d:.]+)(?P<zone>(?: .{1,6})?))",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


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
        given: RFC 3339 or ISO 8601 text, truncated to microseconds, or an epoch as a number or as text; also formats
            of C's `ctime`, mail (RFC 5322), Go, Java and .NET, and dates with dots, which begin with the day.
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
    if len(text) == COMPACT and text[:2] in {"19", "20"} and text.isdecimal():
        return _read_text(f"{text[:8]}T{text[8:]}", zone, arrived)
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
        if (date := _DATE_OF_JSON.fullmatch(text)) is not None:
            return int(date[1]) / 1000
        other = _ZONE_BEHIND.sub(_offset, _NAME_BEHIND.sub("", _SLASHED.sub(r"\1-\2-\3", _with_month(text))))
        if other != text:
            return _read_text(other, zone, arrived)
        raise TimeError("not RFC 3339; time_format says how others are written") from error


def _with_month(text: str) -> str:
    """A text whose date begins with the year and has its month as a number, if it is one that hasn't."""
    found = _MONTH_IN_WORDS.fullmatch(text)
    if found is None:
        return _DAY_FIRST.sub(lambda date: f"{date[3]}-{int(date[2]):02}-{int(date[1]):02}", text, count=1)
    parts = {key.rstrip("_"): value for key, value in found.groupdict().items() if value is not None}
    if parts["month"] not in _MONTHS:
        return text
    month, day = _MONTHS.index(parts["month"]) + 1, int(parts["day"])
    return f"{parts['year']}-{month:02}-{day:02} {parts['time']}{parts.get('zone', '')}"


def _offset(found: re.Match[str]) -> str:
    return found[1].removesuffix(" UTC") if found[1][0] in "+-" else "Z"


def _seconds(moment: datetime, zone: tzinfo, arrived: float) -> float:
    return moment.timestamp() if moment.tzinfo is not None else _local(moment, zone, arrived)


def _local(moment: datetime, zone: tzinfo, arrived: float) -> float:
    """A local time in a zone, resolved where daylight saving time makes it ambiguous (PEP 495)."""
    first = moment.replace(tzinfo=zone).timestamp()
    if zone is UTC:
        return LocalTime(first)
    second = moment.replace(tzinfo=zone, fold=1).timestamp()
    return LocalTime(second if first < second and abs(arrived - second) < abs(arrived - first) else first)
