"""Dates and times of day as programs and people write them, rewritten as ISO 8601.

23.11.2026 05:00:00           dots: the day comes first
23/11/2026 05:00:00           slashes or hyphens: the arrival decides whether the day or the month comes first
11/23/2026 5:00:00 AM
2026/11/23 5:00:00            the year comes first
Mon Nov 23 05:00:00 2026
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import isnan

NEAR_S = 10 * 86_400.0
"""A date whose day and month are ambiguous is the one within this of the arrival. The other is 27 days away or more."""

_YEAR_FIRST = re.compile(r"(\d{4})([-/.:])(\d\d?)\2(\d\d?)(?=[ T_]|$)", re.ASCII)
_YEAR_LAST = re.compile(r"(\d\d?)([-/.])(\d\d?)\2(\d{4}),?(?=[ T]|$)", re.ASCII)
_CLOCK = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[ T_](?P<hour>\d\d?)(?P<mark>[:.-])(?P<minute>\d\d)"
    r"(?:(?P=mark)(?P<second>\d\d(?:[.,]\d{1,9})?))?(?:\s?(?P<half>[AaPp])\.?[Mm]\b\.?)?",
    re.ASCII,
)
_MONTH_IN_WORDS = re.compile(
    r"(?:[A-Z][a-z]{2},? )?"
    r"(?:(?P<month>[A-Z][a-z]{2}) +(?P<day>\d\d?) (?P<time>[\d:.]+)(?P<zone_>(?: [A-Z]{1,5})?) (?P<year>\d{4})"
    r"|(?P<month__>[A-Z][a-z]{2}) +(?P<day__>\d\d?),? +(?P<year__>\d{4}) (?P<time__>[\d:.]+)(?P<zone__>(?: ?.{1,9})?)"
    r"|(?P<year___>\d{4})-(?P<month___>[A-Z][a-z]{2})-(?P<day___>\d\d?)[ T](?P<time___>[\d:.]+)"
    r"(?P<zone___>(?: ?.{1,6})?)"
    r"|(?P<day_>\d\d?)[ -](?P<month_>[A-Z][a-z]{2})[ -](?P<year_>\d{4}) (?P<time_>[\d:.]+)(?P<zone>(?: .{1,6})?))",
    re.ASCII,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def as_iso(text: str, arrived: float) -> str:
    """A date with or without a time of day as ISO 8601; any other text, and one that is ambiguous, unchanged.

    Args:
        text: The text.
        arrived: Arrival time in seconds since the epoch; NaN if unknown.
    """
    return _CLOCK.sub(_clock, _with_month(text, arrived), count=1)


def _with_month(text: str, arrived: float) -> str:
    """A text whose date begins with the year and has its month as a number, if it is one that hasn't."""
    found = _MONTH_IN_WORDS.fullmatch(text)
    if found is None:
        text = _YEAR_FIRST.sub(lambda date: f"{date[1]}-{int(date[3]):02}-{int(date[4]):02}", text, count=1)
        return _YEAR_LAST.sub(lambda date: _year_first(date, arrived), text, count=1)
    parts = {key.rstrip("_"): value for key, value in found.groupdict().items() if value is not None}
    if parts["month"] not in _MONTHS:
        return text
    month, day = _MONTHS.index(parts["month"]) + 1, int(parts["day"])
    return f"{parts['year']}-{month:02}-{day:02} {parts['time']}{parts.get('zone', '')}"


def _year_first(date: re.Match[str], arrived: float) -> str:
    """A date that ends in its year, as ISO 8601, if it is clear where its month is.

    Without an arrival it isn't, even if this date has one meaning only: others of the same sender may have two.
    """
    if date[2] != "." and isnan(arrived):
        return date[0]
    first, second, year = int(date[1]), int(date[3]), int(date[4])
    meanings = [(second, first)] if date[2] == "." else list(dict.fromkeys([(second, first), (first, second)]))
    meanings = [each for each in meanings if each[0] <= len(_MONTHS)]
    if len(meanings) > 1:
        meanings = [each for each in meanings if _is_near(year, *each, arrived)]
    return f"{year:04}-{meanings[0][0]:02}-{meanings[0][1]:02}" if meanings else date[0]


def _is_near(year: int, month: int, day: int, arrived: float) -> bool:
    try:
        noon = datetime(year, month, day, 12, tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return False
    return abs(noon - arrived) < NEAR_S


def _clock(found: re.Match[str]) -> str:
    """A time of day of 24 hours with two digits each and colons between them."""
    hour = int(found["hour"])
    if found["half"] is not None:
        if not 1 <= hour <= 12:
            return found[0]
        hour = hour % 12 + 12 * (found["half"] in "Pp")
    second = f":{found['second']}" if found["second"] else ""
    return f"{found['date']}T{hour:02}:{found['minute']}{second}"
