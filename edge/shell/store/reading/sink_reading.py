"""A sink's own view of the events: what it is to get next, how much waits, and what its limits don't allow for.

It is used by the sink's thread, on connections that can't write, each for as long as one question takes: the file may
be replaced at any time.
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
from edge.core.model.words.severity import severity_class
from edge.shell.store.base import OutboxRow, SinkPosition, StoreError
from edge.shell.store.database import Database, read_beside
from edge.shell.store.reading.incident_news import INCIDENT_NEWS, values_of
from edge.shell.store.retention import FEWEST, SPARE

COLUMNS = "sequence, topic, transition, kind, severity, sensor, payload, checksum"
KINDS = (int, str, str, str, int, str, str, int)

WORST = 1000
"""The highest severity."""


class Wanted(NamedTuple):
    """Which events a sink gets.

    Attributes:
        severity: At least this, 1 to 1000.
        transitions: Transitions to include; empty for all.
        sensors: Globs, one of which fits the sensor.
        once: Of each incident only what a person has to hear, see `incident_news.py`; then `transitions` don't count.
        below: Less than this; with `once`, only incidents that haven't reached it.
        gaps: Whether it gets gaps, which are of no sensor and no severity.
    """

    severity: int = 1
    transitions: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ("**",)
    once: bool = False
    below: int = WORST + 1
    gaps: bool = True

    def condition(self) -> tuple[str, list[int | str]]:
        """A condition on rows of `events`, and its values; sensors aside."""
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
        events: So many events.
        size: Bytes of their payloads.
        days: Maximum age in days since they were stored.
        free_disk_bytes: While less of the disk is free, less may wait.
    """

    events: int = 200_000
    size: int = 512 * 2**20
    days: float = 30.0
    free_disk_bytes: int = 64 * 2**20


class Waiting(NamedTuple):
    """The backlog of a sink.

    Attributes:
        events: Number of events.
        size: Bytes of their payloads.
        since: Time at which the oldest was stored, in seconds since the epoch, UTC; None if there is none.
    """

    events: int = 0
    size: int = 0
    since: float | None = None


class Loss(NamedTuple):
    """Events that a limit drops from a sink's backlog.

    Attributes:
        gap: The gap event about it.
        up_to: Sequence of the last event of it.
    """

    gap: Gap
    up_to: int


class SinkReader:
    """Reads the events that a sink gets.

    Args:
        path: The store's file.
        sink: Name of the sink.
        wanted: Which events it gets.
    """

    def __init__(self, path: Path, sink: str, wanted: Wanted) -> None:
        self._path = path
        self._sink = sink
        self._patterns = [glob_pattern(each) for each in wanted.sensors if each != "**"]
        condition, values = wanted.condition()
        if self._patterns:
            condition += " AND fits(sensor)"
        self._condition, self._values = condition, values
        self._gap = TRANSITION if wanted.gaps else ""

    def next(self, at: SinkPosition, most: int) -> tuple[list[OutboxRow], int]:
        """The events that come next.

        Args:
            at: The sink's position.
            most: Maximum number.

        Returns:
            The events in order, and the sequence up to which there are no others.

        Raises:
            StoreError: The store can't be read, or an event isn't what was stored.
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

    def waiting(self, at: SinkPosition) -> Waiting:
        """The backlog, not counting gap events.

        Raises:
            StoreError: The store can't be read.
        """
        with self._open() as database:
            return Waiting(
                *database.execute(
                    f"SELECT count(*), coalesce(sum(size), 0), min(stored) FROM events {self._where}",  # noqa: S608
                    (max(at), *self._values),
                )[0]
            )

    def losses(
        self, at: SinkPosition, waiting: Waiting, limits: SinkLimits, now: float, missing_disk: int = 0
    ) -> list[Loss]:
        """The oldest events, beyond the limits; once a limit is reached, the backlog is cut to 90 % of it.

        Args:
            at: The sink's position.
            waiting: Its backlog.
            limits: The limits of the backlog.
            now: Seconds since the epoch, UTC, by which ages count.
            missing_disk: So many bytes are to be freed, where more than a few events wait.

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
                severities = {SEVERITIES[severity_class(severity)][0]: 1}
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
            raise StoreError(f"{self._path}: event {row[0]} isn't what was stored", damaged=True)
        return OutboxRow._make((*row[:6], payload))

    def missing_disk(self, limits: SinkLimits) -> int:
        """Bytes that the disk is short of what is to be left free, unused pages of the store counted.

        Raises:
            StoreError: The store or the disk can't be asked.
        """
        try:
            disk = os.statvfs(self._path.parent)
        except OSError as error:
            raise StoreError(f"{self._path.parent}: {error.strerror}", temporary=True) from error
        with self._open() as database:
            unused = database.number("PRAGMA freelist_count") * database.number("PRAGMA page_size")
        return int(limits.free_disk_bytes - disk.f_bavail * disk.f_frsize - unused)
