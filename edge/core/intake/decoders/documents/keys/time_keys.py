"""Selects the field of an object that holds its time: the first time key that can be parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

from edge.core.intake.decoders.documents.keys.plain_keys import LONGEST, plain_key
from edge.core.intake.decoders.notation.times import LocalTime, TimeError, is_likely, read_time

USUAL = ("ts", "time", "timestamp", "t")
"""The time keys of an input that names none."""

FURTHER = (
    "datetime",
    "date_time",
    "time_stamp",
    "stamp",
    "epoch",
    "unixtime",
    "unix_time",
    "dateutc",
    "tst",
    "measured_at",
    "observed_at",
    "sampled_at",
    "captured_at",
    "collected_at",
    "logged_at",
    "acquisition_time",
    "measurement_time",
    "sample_time",
    "reading_time",
    "phenomenontime",
    "resulttime",
    "sourcetimestamp",
    "device_time",
    "timestamp_utc",
    "time_utc",
    "utc",
    "systimestamp",
    "sys_time",
    "system_time",
    "rtc",
    "rtc_time",
    "_time",
    "_ts",
    "event_time",
    "eventtime",
    "msg_time",
    "recorded_at",
    "reported_at",
    "taken_at",
    "generated_at",
    "report_time",
    "record_time",
    "collect_time",
    "time_generated",
    "time_generated_utc",
    "log_time",
    "recv_time",
    "message_date",
    "origin",
    "created_at",
    "published_at",
    "sent_at",
    "sent_on",
    "@timestamp",
    "last_seen",
    "received_at",
    "gateway_time",
    "enqueued_time",
    "utc_time",
    "time_of_day",
    "last_update",
    "last_updated",
    "updated_at",
    "when",
    "date",
)
"""Further keys that hold times, that of the measurement first; where the usual ones apply, they come after these.

Separators are ignored: `measuredAt` is one of them, too.
"""

LOOSE = frozenset({"t", *FURTHER})
"""Keys that could also hold something else: they count as times only if the value looks like one."""

_HEADERS = frozenset({"header", "head", "hdr", "meta", "metadata", "envelope"})
"""Objects that say something about the object around them, such as its time, as `plain_key()` writes them."""

_OF_HEADERS = frozenset({*USUAL, "datetime", "date_time", "time_stamp", "stamp", "event_time", "eventtime"})
"""Keys that hold the time of the readings also there, where others may hold that of a registration or a reception."""

_SECONDS = frozenset({"seconds", "secs", "sec", "timeInSeconds"})
_FRACTIONS = {"nanos": 1e9, "nanoseconds": 1e9, "nanosec": 1e9, "nsec": 1e9, "nsecs": 1e9, "usec": 1e6}
_FRACTIONS["offsetInNanos"] = 1e9
"""Fields of a time that is an object: whole seconds, and the rest in parts of a second."""

_CLOCK_TIME = re.compile(
    r"\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:\s?[AaPp]\.?[Mm]\.?)?(?:\s?Z|\s?[+-]\d\d:?\d\d)?", re.ASCII
)
_LIKE_A_TIME = re.compile(r"\d:\d\d|\d[-/]\d\d?[-/]\d", re.ASCII)

_DATES = ("date", "day")
"""Keys whose day a time of day is of."""

_VAGUE = frozenset({"when", "date"})
"""Keys that may hold the time of something else, or a day."""

_BARE_DAY = re.compile(r"\s*(?:\d{4}([-/.])\d\d?\1\d\d?|\d\d?([-/.])\d\d?\2\d{4}|(?:19|20)\d{6})\s*", re.ASCII)

NEAR_S = 900.0
"""A time without an offset under a vague key counts only if it is this near to its arrival."""

_UPDATES = frozenset({"lastupdate", "lastupdated", "updatedat"})
"""Keys, as `plain_key()` writes them, that may hold the time of a change of something else, such as of a setting."""

DAY_S = 86_400.0
"""The time of an update counts only if it is this near to its arrival."""

LONG_AGO = "an update more than a day from its arrival, perhaps of something else"

ELSEWHERE = 'a time without an offset, far from its arrival: zone = "..." of the input says whose it is'

_COMPACT_DAY = re.compile(r"(?:19|20)\d\d[01]\d[0-3]\d", re.ASCII)
_COMPACT_CLOCK = re.compile(r"[0-2]\d[0-5]\d(?:[0-5]\d)?", re.ASCII)
_DIGITS, _DAY_ENDS = len("hhmmss"), 240_000
"""`20231114` and `221310`, as numbers or texts: numbers have lost the zeros in front of them."""

_NEVER = re.compile(r"0000-00-00|0001-01-01|1970-01-01[T ]00:00(?::00)?(?:\.0*)?(?:Z|[+-]00:?00)?$", re.ASCII)
"""Times of clocks and programs that have none: of MySQL, of Go, and of an epoch that is 0."""

MOST_KNOWN = 1000
"""Maximum number of keys whose rank is cached, of at most `LONGEST` characters."""

_EARLIEST_NUMBER = 946_684_800.0
"""Lower numbers aren't times of this century in any unit."""

_HOLDS_TIMES = re.compile(
    r"(?i:(?:^|[_.\- /])(?:ts|tst|at|utc|lc|rtc|start|end|begin|since|until|keepalive|heartbeat)"
    r"|(?<!up)(?<!run)(?<!life)(?<!on)(?<!off)(?<!idle)time|stamp|date|seen"
    r"|updated?|epoch|gwts|last[_.\- ]?(?:active|contact|heard))$"
    r"|[a-z](?:Ts|TS|At|UTC|Start|End|Begin|Since|Until)$"
    r"|(?i:(?:^|[/_.\- ])(?:date|time|last)[_.\- ][^/]{0,40}$)|(?:^|/)last[A-Z][^/]{0,40}$",
    re.ASCII,
)
"""The ends and beginnings of keys whose numbers are times if they look like one."""


def is_time_beside(path: str, value: float) -> bool:
    """Whether a number is a time instead of a reading: its key says so, and it looks like one."""
    return value >= _EARLIEST_NUMBER and may_hold_time(path) and is_likely(_in_seconds(value))


def may_hold_time(path: str) -> bool:
    """Whether the numbers at a path may be times by the name of their key."""
    return _HOLDS_TIMES.search(path) is not None


def _in_seconds(value: float) -> float:
    try:
        return read_time(int(value) if value.is_integer() else value)
    except TimeError:
        return 0.0


class ObjectTime(NamedTuple):
    """The time found in an object.

    Attributes:
        time: Seconds since the epoch; None if no readable time was found.
        keys: The keys that hold times and therefore no readings.
        unreadable: The first key with an unusable time, what is wrong and the reason, if no other time was found; else
            None.
    """

    time: float | None
    keys: frozenset[str]
    unreadable: tuple[str, str, str] | None = None


_NONE = ObjectTime(None, frozenset())


class TimeKeys:
    """Finds the time of an object.

    An unreadable time invalidates only its own key. `null`, an empty string, 0 and a date of zeros mean that there is
    no time. An object or array isn't a time but may hold readings, unless it is `{"seconds": ..., "nanos": ...}`,
    `{"sec": ..., "nanosec": ...}` or `{"$date": ...}`. A number of implausible magnitude counts only if no other key
    holds a time. A time of day is combined with the date in the field `date`, which is a time itself if it also holds a
    time of day. An object without a time has the one of
    its header, which is an object in a field such as `header` or `meta`.

    Args:
        keys: Candidate keys, case-insensitive; the first readable one wins.
        zone: Time zone of times without an offset.
        formats: `datetime.strptime` formats, tried before the standard ones.
        by_arrival: Whether the arrival time is used anyway; a key then counts as a time only if its value looks like
            one.
    """

    __slots__ = ("_by_arrival", "_formats", "_further", "_known", "_of_headers", "_ranks", "_zone", "keys")

    def __init__(
        self, keys: Sequence[str], zone: tzinfo = UTC, formats: Sequence[str] = (), *, by_arrival: bool = False
    ) -> None:
        self.keys = tuple(dict.fromkeys(each.lower() for each in keys))
        if self.keys == USUAL:
            self.keys += FURTHER
        self._of_headers = self.keys if self.keys[: len(USUAL)] != USUAL else _OF_HEADERS
        self._ranks = {key: rank for rank, key in enumerate(self.keys)}
        self._further = {plain_key(key): self._ranks[key] for key in FURTHER} if self.keys == USUAL + FURTHER else {}
        self._known: dict[str, int | None] = {}
        self._zone = zone
        self._formats = tuple(formats)
        self._by_arrival = by_arrival

    def among(self, fields: Iterable[str]) -> list[str]:
        """The fields that may hold the time, in order of priority."""
        known = self._known
        found = [(rank, key) for key in fields if (rank := known[key] if key in known else self._rank(key)) is not None]
        return [key for _, key in sorted(found)] if len(found) > 1 else [key for _, key in found]

    def _rank(self, key: str) -> int | None:
        """The rank of a key that isn't cached; None if it is no time key."""
        rank = self._ranks.get(key.lower(), self._further.get(plain_key(key)))
        if len(key) <= LONGEST and len(self._known) < MOST_KNOWN:
            self._known[key] = rank
        return rank

    def columns_among(self, fields: Iterable[str]) -> list[str]:
        """The fields that may hold an array of times: time keys, in order of priority, then plurals of them."""
        found = self.among(fields)
        plurals = [key for key in fields if key[-1:] in {"s", "S"} and key[:-1].lower() in self._ranks]
        return found + [key for key in plurals if key not in found]

    def read(self, given: object, arrived: float) -> float:
        """Parse a time; see `read_time()`.

        Raises:
            TimeError: It isn't a time.
        """
        return read_time(given, self._zone, arrived, self._formats)

    def read_all(self, given: Sequence[object], arrived: float) -> list[float] | None:
        """Parse times; None if one can't be parsed or isn't plausible."""
        try:
            found = [self.read(each, arrived) for each in given]
        except TimeError:
            return None
        return found if all(map(is_likely, found)) else None

    def must_look_like_one(self, key: str) -> bool:
        """Whether a key counts as a time only if its value looks like one."""
        lower = key.lower()
        return self._by_arrival or lower in LOOSE or lower not in self._ranks

    def must_be_near(self, key: str) -> bool:
        """Whether a key counts as a time only if its time is within a day of its arrival."""
        return bool(self._further) and plain_key(key) in _UPDATES

    def find_in_header(self, fields: Mapping[str, Any], arrived: float) -> float | None:
        """The time of an object that has none of its own but a header that has one; else None."""
        for key, value in fields.items():
            if isinstance(value, dict) and plain_key(key) in _HEADERS:
                given = {each: time for each, time in value.items() if each.lower() in self._of_headers}
                found = self.find(given, arrived)
                if found.time is not None and is_likely(found.time):
                    return found.time
        return None

    def find(self, fields: Mapping[str, Any], arrived: float) -> ObjectTime:
        """The time of an object."""
        keys = self.among(fields)
        if not keys:
            return _NONE
        held: set[str] = set()
        likely, unlikely = list[float](), list[tuple[float, str]]()
        unreadable: list[tuple[str, str, str]] = []
        for key in keys:
            given = _time_within(fields[key])
            is_vague = bool(self._further) and key.lower() in _VAGUE
            if isinstance(given, (dict, list)) or (is_vague and _BARE_DAY.fullmatch(str(given)[:64])):
                continue
            is_loose = self.must_look_like_one(key)
            try:
                time = self.read(_with_day(given, fields, held), arrived)
            except TimeError as error:
                held.update({key} if not is_loose or _is_no_reading(given) else ())
                unreadable += [(key, str(error), error.reason)] if not (is_loose or _says_none(given)) else []
                continue
            if abs(time - arrived) > NEAR_S and (why := self._why_of_something_else(key, time, arrived)) is not None:
                held.add(key)
                unreadable.append((key, why, "bad_time"))
                continue
            if is_likely(time):
                held.add(key)
                likely.append(time)
            elif not is_loose and (time == 0 or _says_none(given)):
                held.add(key)
            elif not is_loose:
                unlikely.append((time, key))
        if likely or not unlikely:
            return ObjectTime(next(iter(likely), None), frozenset(held), next(iter(unreadable[: not likely]), None))
        return ObjectTime(unlikely[0][0], frozenset({*held, unlikely[0][1]}))

    def _why_of_something_else(self, key: str, time: float, arrived: float) -> str | None:
        """Why a time far from its arrival isn't that of the readings; None if it may be."""
        if self._further and key.lower() in _VAGUE and isinstance(time, LocalTime) and self._zone is UTC:
            return ELSEWHERE
        is_long_ago = abs(time - arrived) > DAY_S and is_likely(time) and self.must_be_near(key)
        return LONG_AGO if is_long_ago else None


def _is_no_reading(given: object) -> bool:
    """Whether a value that isn't a time, under a key that may hold anything, is none of the readings either."""
    return given is None or (isinstance(given, str) and _LIKE_A_TIME.search(given[:64]) is not None)


def _says_none(given: object) -> bool:
    """Whether a value says that there is no time."""
    return given is None or given == "" or (isinstance(given, str) and _NEVER.match(given) is not None)


def may_hold_day(keys: Iterable[str]) -> bool:
    """Whether a key may hold the day of a time of day in another field."""
    return any(key.lower() in _DATES for key in keys)


def _with_day(given: object, fields: Mapping[str, Any], held: set[str]) -> object:
    """The value of a time, preceded by the day if that has a separate key, whose use is recorded."""
    is_number = type(given) is int and given < _DAY_ENDS
    text = str(given).zfill(_DIGITS) if is_number else given if isinstance(given, str) else ""
    is_compact = _COMPACT_CLOCK.fullmatch(text) is not None
    if not (is_compact or (_CLOCK_TIME.fullmatch(text) is not None and not is_number)):
        return given
    day = next((key for key in fields if key.lower() in _DATES), None)
    if day is None:
        return given
    date = fields[day]
    if not is_compact and isinstance(date, str):
        held.add(day)
        return f"{date} {text}"
    if is_compact and type(date) in {str, int} and _COMPACT_DAY.fullmatch(str(date)):
        held.add(day)
        clock, date = f"{text:0<6}", str(date)
        return f"{date[:4]}-{date[4:6]}-{date[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:]}"
    return given


def _time_within(fields: object) -> object:
    """The time represented by an object, as in protobuf, Firestore, ROS or MongoDB; any other value unchanged."""
    if not isinstance(fields, dict):
        return fields
    if fields.keys() == {"$date"}:
        date = fields["$date"]
        return date.get("$numberLong", date) if isinstance(date, dict) else date
    parts = {key.lstrip("_"): value for key, value in fields.items()}
    seconds = parts.keys() & _SECONDS
    fractions = parts.keys() & _FRACTIONS.keys()
    if len(seconds) != 1 or len(fractions) > 1 or len(parts) > len(seconds) + len(fractions):
        return fields
    try:
        return float(parts[seconds.pop()]) + sum(float(parts[each]) / _FRACTIONS[each] for each in fractions)
    except (TypeError, ValueError, OverflowError):
        return fields
