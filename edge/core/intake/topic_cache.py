"""Topic cache: facts about known topics, so that their next messages are read quickly."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping

from edge.core.intake.redelivery import topic_checksum
from edge.core.intake.routes import Resolved
from edge.core.model.bounded_cache import size_of
from edge.core.model.counters import Counters
from edge.core.model.readings.messages import Refusal
from edge.core.model.sensors.units import Units

SOURCES_BYTES = 32 * 2**20
"""Maximum size of the cache of topics and of their sensors' paths; when it is exceeded, the cache is cleared."""

LONGEST_REMEMBERED, PATH_BYTES = 512, 150
"""Maximum length in characters of a cached topic; memory that a path needs in addition to its text."""

BESIDE = frozenset({"not_a_number", "odd_number", "bad_time", "time_in_future", "time_implausible"})
"""Refusals that recur next to readings in every message of a device; all but the first are reported, see `AGAIN`."""

AGAIN = frozenset(10**exponent for exponent in range(12))
"""The occurrences of such a fault that are reported, so that there is a first example and, later, a recent one."""

MOST_REPORTED = 32
"""Maximum number of reported refusals kept for a topic; all are counted."""

MOST_ROWS = 64
"""Maximum number of rows kept for a topic; the sensors of any other are looked up one by one."""

ROW_BYTES, ROW_PATH_BYTES = 300, 16
"""Memory needed for a row, and for each of its paths."""

TOLD_BYTES = 216
"""Memory needed for that record while it is empty, which is the usual case."""


class CachedTopic:
    """The cached facts about a topic.

    Args:
        topic: The topic.
        resolved: Its route, or None if no input reads it.
        is_own: Whether it is this gateway's.
        is_left_out: Whether the input that it matches ignores it.

    Attributes:
        checksum: The part of its messages' checksums that covers the topic.
        slots: The slots of its sensors, by path.
    """

    __slots__ = ("_known_units", "_occurred", "_rows", "checksum", "is_left_out", "is_own", "resolved", "slots")

    def __init__(self, topic: str, resolved: Resolved | None, *, is_own: bool, is_left_out: bool = False) -> None:
        self.resolved = resolved
        self.is_own = is_own
        self.is_left_out = is_left_out
        self._occurred: dict[int, int] = {}
        self.checksum = topic_checksum(topic)
        self.slots: dict[str, int] = {}
        self._rows: dict[tuple[str, ...], array[int]] = {}
        self._known_units: Mapping[str, str] | None = None

    def count_unread(self, counters: Counters, *, is_copy: bool) -> None:
        """Count a message on a topic that no input reads, or a copy."""
        if is_copy:
            counters.messages_copied += 1
        elif self.is_own:
            counters.messages_own += 1
        elif self.is_left_out:
            counters.messages_left_out += 1
        else:
            counters.message_refused("", "no_route")

    def row(self, paths: tuple[str, ...], grow: Callable[[int], None]) -> array[int] | None:
        """The slots of the sensors at several paths, which messages repeat; None if one isn't known.

        Args:
            paths: The paths.
            grow: Notified of the memory, in bytes, that a new row takes.
        """
        row = self._rows.get(paths)
        if row is None and all(map(self.slots.__contains__, paths)):
            row = array("q", [self.slots[path] for path in paths])
            if len(self._rows) < MOST_ROWS:
                self._rows[paths] = row
                grow(ROW_BYTES + ROW_PATH_BYTES * len(paths))
        return row

    def has_own_units(self, units: Mapping[str, str], paths: tuple[str, ...], row: array[int], own: Units) -> bool:
        """Whether the values of a row are in the units of their sensors, so that none is to be converted.

        Args:
            units: Units by path. If a decoder returns the same mapping again, it is compared only once.
            paths: The paths of the row.
            row: Their slots.
            own: The units of all sensors.
        """
        if units is self._known_units:
            return True
        of = own.of
        is_alike = all(of(slot) == units.get(path, of(slot)) for path, slot in zip(paths, row, strict=True))
        if is_alike and units.keys() <= set(paths):
            self._known_units = units
        return is_alike

    def size(self, topic: str) -> int:
        """Memory of a topic in bytes, before any of its sensors is known."""
        levels = () if self.resolved is None else self.resolved.levels
        return size_of(topic, *levels) + TOLD_BYTES

    def is_beside(self, refusal: Refusal) -> bool:
        """Whether a refusal next to readings is no loss: the field was never a sensor, or it was reported before."""
        if refusal.reason not in BESIDE or self.expects(refusal.path):
            return False
        key, occurred = hash(refusal), self._occurred
        if refusal.reason == "not_a_number" or (key not in occurred and len(occurred) >= MOST_REPORTED):
            return True
        occurred[key] = occurred.get(key, 0) + 1
        return occurred[key] not in AGAIN

    def expects(self, path: str) -> bool:
        """Whether a reading is expected at a path of the payload: there was one before, or it is an array element."""
        _, _, within = path.partition("/") if path[:1].isdigit() else ("", "", path)
        return path in self.slots or within in self.slots or within in {"", "value"}
