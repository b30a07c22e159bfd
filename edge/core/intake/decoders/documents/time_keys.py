"""Which field of an object holds its time: the first of the time keys that can be read as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, NamedTuple

from edge.core.intake.decoders.documents.times import TimeError, is_likely, read_time

SHORT = frozenset({"t"})
"""Keys that may just as well hold a temperature: they are times only if they look like one."""


class ObjectTime(NamedTuple):
    """What an object says of its time.

    Attributes:
        time: Seconds since the epoch; None if it says none that can be read.
        keys: The keys that hold times, and so no readings.
        unreadable: The first key that holds something instead of a time, and why, if there is no other; else None.
    """

    time: float | None
    keys: frozenset[str]
    unreadable: tuple[str, str] | None = None


_NONE = ObjectTime(None, frozenset())


class TimeKeys:
    """Finds the time of an object.

    A key that can't be read costs only itself. `null` and an empty text say that there is no time. An object or a list
    is no time but may hold readings. A number that is no time by its size counts only if no other key does.

    Args:
        keys: In any case; the first counts that can be read.
        zone: Zone of times without an offset.
        formats: Notations of times as `datetime.strptime` has them, tried before the usual ones.
        by_arrival: Whether the arrival counts anyway: then a key holds a time only if it looks like one.
    """

    __slots__ = ("_by_arrival", "_formats", "_ranks", "_zone", "keys")

    def __init__(
        self, keys: Sequence[str], zone: tzinfo = UTC, formats: Sequence[str] = (), *, by_arrival: bool = False
    ) -> None:
        self.keys = tuple(dict.fromkeys(each.lower() for each in keys))
        self._ranks = {key: rank for rank, key in enumerate(self.keys)}
        self._zone = zone
        self._formats = tuple(formats)
        self._by_arrival = by_arrival

    def among(self, fields: Iterable[str]) -> list[str]:
        """The keys that may hold the time, the first first."""
        ranks = self._ranks
        found = [(rank, key) for key in fields if (rank := ranks.get(key, ranks.get(key.lower()))) is not None]
        return [key for _, key in sorted(found)] if len(found) > 1 else [key for _, key in found]

    def read(self, given: object, arrived: float) -> float:
        """A time; see `read_time()`.

        Raises:
            TimeError: It is none.
        """
        return read_time(given, self._zone, arrived, self._formats)

    def must_look_like_one(self, key: str) -> bool:
        """Whether a key holds a time only if it looks like one."""
        return self._by_arrival or key.lower() in SHORT

    def find(self, fields: Mapping[str, Any], arrived: float) -> ObjectTime:
        """What an object says of its time."""
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
                time = self.read(given, arrived)
            except TimeError as error:
                # Under a key that may hold anything, all but a text is left for the readings.
                if not is_loose or given is None or isinstance(given, str):
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
