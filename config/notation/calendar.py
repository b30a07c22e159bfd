"""Maintenance windows: periods, once or every week, in which some sensors' incidents are suppressed.

A weekly window is written as `Mon 06:00-08:00`, `Mon-Fri 22:00-06:00`, `Sat,Sun 00:00-00:00` or `daily 12:00-12:30`, in
a time zone. An end not after its start is on the next day. A local time skipped by a clock change is interpreted with
the offset before the change; for a repeated one, the first counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY = re.compile(r"([A-Za-z,-]+) +(\d\d):(\d\d) ?- ?(\d\d):(\d\d)")
_LATEST = datetime(9990, 1, 1, tzinfo=UTC).timestamp()

LONGEST_RULE = 64
"""Maximum length of a weekly window in characters."""


@dataclass(frozen=True)
class Window:
    """A maintenance window: the sensors and the times.

    Attributes:
        name: Name of the window.
        sensors: Glob on the sensors' names.
        start: Start of a window that occurs once, seconds since the epoch, UTC.
        end: End of such a window.
        every: Rule of a weekly window; empty for a single one.
        zone: Time zone of the rule.
        learn: Whether the detectors learn during the window.
        by: The user who declared it; empty for the configuration.
        comment: Why.
    """

    name: str
    sensors: str
    start: float = -math.inf
    end: float = math.inf
    every: str = ""
    zone: str = "UTC"
    learn: bool = False
    by: str = ""
    comment: str = ""

    def contains(self, moment: float) -> bool:
        """Whether a time lies in the window, which includes its start and excludes its end."""
        if not self.every:
            return self.start <= moment < self.end
        return any(start <= moment < end for start, end in self._around(moment))

    def next_change(self, after: float) -> float:
        """The next time at which it may begin or end; infinity if there is none."""
        ends = [(self.start, self.end)] if not self.every else self._around(after)
        return min((each for pair in ends for each in pair if each > after and math.isfinite(each)), default=math.inf)

    def _around(self, moment: float) -> Iterator[tuple[float, float]]:
        """The periods of a weekly window from the day before a time to a week after it."""
        zone = ZoneInfo(self.zone)
        days, start, end = _parsed(self.every)
        today = datetime.fromtimestamp(min(max(moment, 0.0), _LATEST), zone).date()
        for offset in range(-2, 9):
            day = today + timedelta(days=offset)
            if day.weekday() in days:
                last = day if end > start else day + timedelta(days=1)
                yield _moment(day, start, zone), _moment(last, end, zone)


def rule_problem(every: str) -> str | None:
    """The problem with the rule of a weekly window, or None."""
    if len(every) > LONGEST_RULE:
        return f"must have at most {LONGEST_RULE} characters, has {len(every)}"
    try:
        _parsed(every)
    except ValueError:
        return "isn't a weekly window; write Mon 06:00-08:00, Mon-Fri 22:00-06:00 or daily 12:00-12:30"
    return None


@lru_cache(maxsize=256)
def _parsed(every: str) -> tuple[frozenset[int], time, time]:
    """The weekdays (Monday is 0), start and end of a rule."""
    match = _EVERY.fullmatch(every.strip())
    if match is None:
        raise ValueError(every)
    start, end = time(int(match[2]), int(match[3])), time(int(match[4]) % 24, int(match[5]))
    return frozenset(_weekdays(match[1].lower())), start, end


def _weekdays(words: str) -> Iterator[int]:
    if words in {"daily", "day"}:
        yield from range(7)
        return
    for word in words.split(","):
        first, dash, last = word.partition("-")
        from_day = DAYS.index(first)
        to_day = DAYS.index(last) if dash else from_day
        yield from (each % 7 for each in range(from_day, from_day + (to_day - from_day) % 7 + 1))


def _moment(day: date, clock: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, clock, zone).timestamp()
