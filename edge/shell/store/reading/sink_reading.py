"""A sink's view of the events: the next events, the backlog, and what exceeds its limits.

It is used by the sink's thread, on read-only connections that last for one query each, because the file may be replaced
at any time.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from config.notation.topics import glob_pattern
from edge.core.incidents.events.event import SEVERITIES
from edge.core.incidents.events.gaps import TRANSITION, Gap, Reason
from edge.core.model.notation.severity import severity_class
from edge.shell.store.base import OutboxRow, SinkPosition, StoreError
from edge.shell.store.database import Database, read_beside
from edge.shell.store.reading.incident_news import INCIDENT_NEWS, values_of
from edge.shell.store.retention import FEWEST, SPARE

COLUMNS = "sequence, topic, transition, kind, severity, sensor, payload, checksum"
KINDS = (int, str, str, str, int, str, str, int)

WORST = 1000
"""The highest severity."""


class EventSelection(NamedTuple):
    """A filter for the events of a sink.

    Attributes:
        severity: Minimum severity, 1 to 1000.
        transitions: Transitions to include; empty for all.
        sensors: Globs, one of which must match the sensor.
        once: Whether to include only the news of each incident, see `incident_news.py`; `transitions` is then ignored.
        below: Exclusive upper bound of the severity; with `once`, only incidents that haven't reached it.
        gaps: Whether to include gaps, which have no sensor and no severity.
    """

    severity: int = 1
    transitions: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ("**",)
    once: bool = False
    below: int = WORST + 1
    gaps: bool = True

    def condition(self) -> tuple[str, list[int | str]]:
        """An SQL condition on rows of `events` and its values, without the sensors."""
        if self.once:
            return INCIDENT_NEWS, values_of(self.severity, self.below)
        condition, values = "severity >= ?", list[int | str]([self.severity])
        if self.below <= WORST:
            condition, values = f"{condition} AND severity < ?", [*values, self.below]
        if self.transitions:
            condition += f" AND transition IN ({', '.join('?' * len(self.transitions))})"
            values += self.transitions
        return condition, values


class SinkLimits(NamedTuple):
    """The limits of a sink's backlog.

    Attributes:
        events: Maximum number of events.
        size: Maximum size of their payloads in bytes.
        days: Maximum age in days since they were stored.
        free_disk_bytes: Free disk space below which the backlog is reduced.
    """

    events: int = 200_000
    size: int = 512 * 2**20
    days: float = 30.0
    free_disk_bytes: int = 64 * 2**20


class SinkBacklog(NamedTuple):
    """The backlog of a sink.

    Attributes:
        events: Number of events.
        size: Size of their payloads in bytes.
        since: Storage time of the oldest, in seconds since the epoch, UTC; None if there is none.
    """

    events: int = 0
    size: int = 0
    since: float | None = None


class Loss(NamedTuple):
    """Events that a limit drops from a sink's backlog.

    Attributes:
        gap: The gap event about it.
        up_to: Sequence of the last event concerned.
    """

    gap: Gap
    up_to: int


class SinkReader:
    """Reads the events of a sink.

    Args:
        path: Path of the store.
        sink: Name of the sink.
        wanted: Filter for its events.
    """

    def __init__(self, path: Path, sink: str, wanted: EventSelection) -> None:
        self._path = path
        self._sink = sink
        self._patterns = [glob_pattern(each) for each in wanted.sensors if each != "**"]
        condition, values = wanted.condition()
        if self._patterns:
            condition += " AND fits(sensor)"
        self._condition, self._values = condition, values
        self._gap = TRANSITION if wanted.gaps else ""

    def next(self, at: SinkPosition, most: int) -> tuple[list[OutboxRow], int]:
        """The next events.

        Args:
            at: The sink's position.
            most: Maximum number.

        Returns:
            The events in order, and the sequence up to which there are no others.

        Raises:
            StoreError: The store can't be read, or an event is damaged.
        """
        with self._open() as database:
            last = database.number("SELECT max(sequence) FROM events") or 0
            found = database.execute(
                f"SELECT {COLUMNS} FROM events WHERE sequence > ? AND (transition = ? OR"  # noqa: S608 - ours
                f" (sequence > ? AND {self._condition})) ORDER BY sequence LIMIT ?",
                (at.passed, self._gap, at.skipped, *self._values, most),
            )
        rows = [self._checked(row) for row in found]
        return rows, rows[-1].sequence if len(rows) == most else max(last, at.passed)

    def waiting(self, at: SinkPosition) -> SinkBacklog:
        """The backlog, not counting gap events.

        Raises:
            StoreError: The store can't be read.
        """
        with self._open() as database:
            return SinkBacklog(
                *database.execute(
                    f"SELECT count(*), coalesce(sum(size), 0), min(stored) FROM events {self._where}",  # noqa: S608
                    (max(at), *self._values),
                )[0]
            )

    def losses(
        self, at: SinkPosition, waiting: SinkBacklog, limits: SinkLimits, now: float, missing_disk: int = 0
    ) -> list[Loss]:
        """The oldest events beyond the limits; when a limit is reached, the backlog is reduced to 90 % of it.

        Args:
            at: The sink's position.
            waiting: Its backlog.
            limits: The limits of the backlog.
            now: Seconds since the epoch, UTC, by which ages count.
            missing_disk: Number of bytes to free if more than a few events are waiting.

        Raises:
            StoreError: The store can't be read.
        """
        oldest = now - 86_400 * limits.days
        too_many = waiting.events - int((1 - SPARE) * limits.events) if waiting.events > limits.events else 0
        too_large = waiting.size - int((1 - SPARE) * limits.size) if waiting.size > limits.size else 0
        for_disk = missing_disk if missing_disk > 0 and waiting.events > FEWEST else 0
        is_too_old = waiting.since is not None and waiting.since < oldest
        if not (too_many or too_large or for_disk or is_too_old):
            return []
        losses: dict[Reason, Loss] = {}
        number = size = 0
        with self._open() as database:
            for sequence, time, stored, severity, its_size in database.iterate(
                f"SELECT sequence, time, stored, severity, size FROM events {self._where} ORDER BY sequence",  # noqa: S608
                (max(at), *self._values),
            ):
                reason: Reason
                if stored < oldest:
                    reason = "sink_days"
                elif number < too_many:
                    reason = "sink_events"
                elif size < too_large:
                    reason = "sink_bytes"
                elif size < for_disk and waiting.events - number > FEWEST:
                    reason = "sink_free_disk"
                else:
                    break
                number, size = number + 1, size + its_size
                severities: dict[str, int] = {SEVERITIES[severity_class(severity)][0]: 1}
                gap = Gap("events", reason, 1, time, time, severities, sink=self._sink)
                earlier = losses.get(reason)
                losses[reason] = Loss(gap if earlier is None else earlier.gap.joined(gap), sequence)
        return list(losses.values())

    @property
    def _where(self) -> str:
        return f"WHERE sequence > ? AND transition != '{TRANSITION}' AND {self._condition}"

    @contextmanager
    def _open(self) -> Iterator[Database]:
        database = read_beside(self._path)
        try:
            database.execute("BEGIN")
            if self._patterns:
                database.define("fits", lambda name: any(each.fullmatch(name) for each in self._patterns))
            yield database
        finally:
            database.close()

    def _checked(self, row: tuple[object, ...]) -> OutboxRow:
        right = all(isinstance(value, kind) for value, kind in zip(row, KINDS, strict=True))
        payload = str(row[6]).encode() if right else b""
        if not right or zlib.crc32(payload) != row[7]:
            raise StoreError(f"{self._path}: event {row[0]} differs from what was stored", damaged=True)
        return OutboxRow._make((*row[:6], payload))

    def missing_disk(self, limits: SinkLimits) -> int:
        """Bytes missing from the free disk space to preserve, counting unused pages of the store as free.

        Raises:
            StoreError: The store or the disk can't be queried.
        """
        try:
            disk = os.statvfs(self._path.parent)
        except OSError as error:
            raise StoreError(f"{self._path.parent}: {error.strerror}", temporary=True) from error
        with self._open() as database:
            unused = database.number("PRAGMA freelist_count") * database.number("PRAGMA page_size")
        return int(limits.free_disk_bytes - disk.f_bavail * disk.f_frsize - unused)
