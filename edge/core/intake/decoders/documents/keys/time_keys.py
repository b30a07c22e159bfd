"""Selects the field of an object that holds its time: the first time key that can be parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

from edge.core.intake.decoders.documents.times import TimeError, is_likely, read_time

USUAL = ("ts", "time", "timestamp", "t")
"""The time keys of an input that names none."""

FURTHER = (
    "datetime",
    "date_time",
    "time_stamp",
    "epoch",
    "unixtime",
    "unix_time",
    "dateutc",
    "created_at",
    "measured_at",
)
"""Further keys that hold times; where the usual ones apply, they come after these."""

LOOSE = frozenset({"t", *FURTHER})
"""Keys that could also hold something else: they count as times only if the value looks like one."""

_CLOCK_TIME = re.compile(r"\d\d?:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
_LIKE_A_TIME = re.compile(r"\d:\d\d|\d[-/]\d\d?[-/]\d", re.ASCII)

_DATES = ("date", "day")
"""Keys whose day a time of day is of."""


class ObjectTime(NamedTuple):
    """The time found in an object.

    Attributes:
        time: Seconds since the epoch; None if no readable time was found.
        keys: The keys that hold times and therefore no readings.
        unreadable: The first key with an unreadable time and the reason, if no other time was found; else None.
    """

    time: float | None
    keys: frozenset[str]
    unreadable: tuple[str, str] | None = None


_NONE = ObjectTime(None, frozenset())


class TimeKeys:
    """Finds the time of an object.

    An unreadable time invalidates only its own key. `null` and an empty string mean that there is no time. An object or
    array isn't a time but may hold readings. A number of implausible magnitude counts only if no other key holds a
    time. A time of day is combined with the date in the field `date`.

    Args:
        keys: Candidate keys, case-insensitive; the first readable one wins.
        zone: Time zone of times without an offset.
        formats: `datetime.strptime` formats, tried before the standard ones.
        by_arrival: Whether the arrival time is used anyway; a key then counts as a time only if its value looks like
            one.
    """

    __slots__ = ("_by_arrival", "_formats", "_ranks", "_zone", "keys")

    def __init__(
        self, keys: Sequence[str], zone: tzinfo = UTC, formats: Sequence[str] = (), *, by_arrival: bool = False
    ) -> None:
        self.keys = tuple(dict.fromkeys(each.lower() for each in keys))
        if self.keys == USUAL:
            self.keys += FURTHER
        self._ranks = {key: rank for rank, key in enumerate(self.keys)}
        self._zone = zone
        self._formats = tuple(formats)
        self._by_arrival = by_arrival

    def among(self, fields: Iterable[str]) -> list[str]:
        """The fields that may hold the time, in order of priority."""
        ranks = self._ranks
        found = [(rank, key) for key in fields if (rank := ranks.get(key, ranks.get(key.lower()))) is not None]
        return [key for _, key in sorted(found)] if len(found) > 1 else [key for _, key in found]

    def read(self, given: object, arrived: float) -> float:
        """Parse a time; see `read_time()`.

        Raises:
            TimeError: It isn't a time.
        """
        return read_time(given, self._zone, arrived, self._formats)

    def must_look_like_one(self, key: str) -> bool:
        """Whether a key counts as a time only if its value looks like one."""
        return self._by_arrival or key.lower() in LOOSE

    def find(self, fields: Mapping[str, Any], arrived: float) -> ObjectTime:
        """The time of an object."""
        keys = self.among(fields)
        if not keys:
            return _NONE
        held: set[str] = set()
        likely, unlikely = list[float](), list[tuple[float, str]]()
        unreadable: list[tuple[str, str]] = []
        for key in keys:
            given = fields[key]
            if isinstance(given, (dict, list)):
                continue
            is_loose = self.must_look_like_one(key)
            try:
                time = self.read(_with_day(given, fields, held), arrived)
            except TimeError as error:
                # Under a key that may hold anything, what doesn't look like a time is left for the readings.
                if not is_loose or given is None or (isinstance(given, str) and _LIKE_A_TIME.search(given[:64])):
                    held.add(key)
                if not (is_loose or given is None or given == ""):
                    unreadable.append((key, str(error)))
                continue
            if is_likely(time):
                held.add(key)
                likely.append(time)
            elif not is_loose:
                unlikely.append((time, key))
        if not likely and unlikely:
            held.add(unlikely[0][1])
            likely.append(unlikely[0][0])
        told = None if likely or not unreadable else unreadable[0]
        return ObjectTime(likely[0] if likely else None, frozenset(held), told)


def _with_day(given: object, fields: Mapping[str, Any], held: set[str]) -> object:
    """The value of a time, preceded by the day if that has a separate key, whose use is recorded."""
    if not isinstance(given, str) or not _CLOCK_TIME.fullmatch(given):
        return given
    day = next((key for key in fields if key.lower() in _DATES and isinstance(fields[key], str)), None)
    if day is None:
        return given
    held.add(day)
    return f"{fields[day]} {given}"
