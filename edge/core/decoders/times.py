"""Reading a time: RFC 3339 text, or an epoch in seconds, milliseconds, microseconds or nanoseconds.

An epoch's magnitude tells its unit. Seconds up to 1e11 reach the year 5138; the same number of milliseconds
lies in 1973, before any sensor of ours. So the four ranges don't meet for any time since March 1973.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo

LONGEST_TEXT = 64
"""Characters of a time; RFC 3339 with nanoseconds and an offset has 35."""


class LocalTime(float):
    """A time that a text says without an offset, read as one of the input's zone, which may be the wrong one."""

    __slots__ = ()


_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


class TimeError(ValueError):
    """What stands for a time can't be read as one."""


def read_time(given: object, zone: tzinfo = UTC, arrived: float = math.nan) -> float:
    """Seconds since the epoch, UTC.

    They are rounded once, so that all forms of an instant give the same float; epochs end at 1e11. Whether a
    time is plausible is not asked here; 0 and negative ones are read. A text without an offset gives a `LocalTime`.

    Args:
        given: RFC 3339 or ISO 8601 text, cut to microseconds, or an epoch as a number or as text.
        zone: Zone of texts without an offset.
        arrived: When it arrived, seconds since the epoch; NaN if that isn't known. Where a change of the clocks
            repeats an hour, a text without an offset means the one that is nearer to this, or else the first.

    Raises:
        TimeError: It is neither, or too far away.
    """
    if isinstance(given, (float, int)) and not isinstance(given, bool):
        return float(given) if -1e11 < given < 1e11 else _read_epoch(given)
    if not isinstance(given, str):
        raise TimeError("neither a text nor a number")
    if len(given) > LONGEST_TEXT:
        raise TimeError("too long")
    text = given.strip()
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
        moment = datetime.fromisoformat(text.upper())
        return moment.timestamp() if moment.tzinfo is not None else _local(moment, zone, arrived)
    except (ValueError, OverflowError) as error:
        raise TimeError("not RFC 3339") from error


def _local(moment: datetime, zone: tzinfo, arrived: float) -> float:
    """A time on the clocks of a zone, which is met twice in the hour that comes twice (PEP 495)."""
    first = moment.replace(tzinfo=zone).timestamp()
    if zone is UTC:
        return LocalTime(first)
    second = moment.replace(tzinfo=zone, fold=1).timestamp()
    return LocalTime(second if first < second and abs(arrived - second) < abs(arrived - first) else first)
