"""The readings of the journal in packs, for a forwarder: the next ones, the backlog, and what is missing.

A pack holds readings of one device from one row of the journal, in their order, in SenML (RFC 8428, JSON). A row gives
the same packs whenever it is read, so a position is a row and a pack in it. The journal doesn't wait for forwarders:
rows that it has deleted before they were read are a gap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from config.notation.topics import glob_pattern
from edge.core.incidents.events.gaps import Gap
from edge.core.model.sensors.vacancies import had_it_last
from edge.core.persistence.journal import JournalError, Part, Readings, note_names, unpack
from edge.shell.store.base import OutboxRow, SinkPosition, StoreError
from edge.shell.store.database import Database, read_beside
from edge.shell.store.reading.reading import names_before
from edge.shell.store.reading.sink_reading import Loss, SinkBacklog, SinkLimits

PACKS = 1_000_000
"""A position is the number of a row times this, plus that of the pack."""

SPAN_S = 2.0
"""Readings in a pack are less than this apart, even in a backlog: consumers of the packs rely on their times."""

PACKED = 500
"""Readings in a pack, at most."""


def at_end_of(row: int) -> int:
    """The position behind the last pack of a row."""
    return (row + 1) * PACKS - 1


class JournalPacks:
    """Reads the packs that a forwarder gets; see `SinkReader`.

    Args:
        path: The store's file.
        name: Name of the forwarder.
        sensors: Globs, one of which fits the sensor.
        prefix: Prefix of the sensor names.
        device: Returns the part of a sensor's name that is common to a device.
    """

    def __init__(
        self, path: Path, name: str, sensors: Sequence[str], prefix: str, device: Callable[[str], str]
    ) -> None:
        self._path = path
        self._name = name
        self._patterns = [] if "**" in sensors else [glob_pattern(each) for each in sensors]
        self._prefix = prefix
        self._device = device
        self._names: list[str] = []
        self._read: int | None = None
        self._wanted: dict[str, bool] = {}

    def next(self, at: SinkPosition, most: int) -> tuple[list[OutboxRow], int]:
        """See `SinkReader.next()`: the packs of whole rows, until there are `most` or more."""
        position, found = max(at), list[OutboxRow]()
        with self._open() as database:
            read, self._read = self._read, None  # and None after an error
            if read is None or position != at_end_of(read):  # the first time, sent back, or sent ahead
                row = (position + 1) // PACKS
                self._names, read = names_before(database, self._path, row), row - 1
            for number, entry in database.iterate(
                "SELECT number, entry FROM journal WHERE number > ? ORDER BY number", (read,)
            ):
                if number > read + 1 and position:
                    break  # rows are gone; `losses()` tells
                parts = self._unpacked(number, entry)
                found += [each for each in self._packs(number, parts) if each.sequence > position]
                read = number
                if len(found) >= most:
                    break
                position = max(position, at_end_of(number))
        self._read = read
        return found, max(position, at_end_of(read))

    def waiting(self, at: SinkPosition) -> SinkBacklog:
        """The rows and bytes of the journal that weren't forwarded yet."""
        row = (max(at) + 1) // PACKS
        with self._open() as database:
            found = database.execute(
                "SELECT count(*), coalesce(sum(length(entry)), 0), min(arrived) FROM journal WHERE number >= ?", (row,)
            )[0]
        return SinkBacklog(*found)

    def losses(
        self,
        at: SinkPosition,
        waiting: SinkBacklog,  # noqa: ARG002 - the journal has limits of its own
        limits: SinkLimits,  # noqa: ARG002
        now: float,  # noqa: ARG002
        missing_disk: int = 0,  # noqa: ARG002
    ) -> list[Loss]:
        """The rows that the journal has deleted before they were forwarded."""
        expected = (max(at) + 1) // PACKS
        with self._open() as database:
            found = database.execute(
                "SELECT number, arrived FROM journal WHERE number >= ? ORDER BY number LIMIT 1", (expected,)
            )
        if not found or found[0][0] == expected or not max(at):
            return []
        number, arrived = found[0]
        return [Loss(Gap("readings", "forward_journal", None, None, arrived, sink=self._name), at_end_of(number - 1))]

    def missing_disk(self, limits: SinkLimits) -> int:  # noqa: ARG002
        """Nothing can be let go of here."""
        return 0

    def _packs(self, number: int, parts: Sequence[Part]) -> Iterator[OutboxRow]:
        """The packs of a row, in order."""
        count = 0
        for part in parts:
            note_names(self._names, part)
            for device, readings in self._of_devices(part) if isinstance(part, Readings) else ():
                for first in range(0, len(readings), PACKED):
                    payload = msgspec.json.encode(readings[first : first + PACKED])
                    yield OutboxRow(number * PACKS + count, device, "forwarded", "", 0, device, payload)
                    count += 1

    def _of_devices(self, part: Readings) -> Iterator[tuple[str, list[dict[str, object]]]]:
        """The readings of each device, a span of time after the other, so that no device is far ahead of others."""
        units, begin = dict(part.units), math.inf
        packs: dict[str, list[dict[str, object]]] = {}
        columns = (each.tolist() for each in (part.batch.slots, part.batch.times, part.batch.values))
        for slot, time, value in zip(*columns, strict=True):
            name = had_it_last(self._names[slot])
            if not self._is_wanted(name):
                continue
            if not packs:
                begin = time
            elif abs(time - begin) >= SPAN_S:
                yield from packs.items()
                packs, begin = {}, time
            reading: dict[str, object] = {"n": f"{self._prefix}{name}", "t": time, "v": value}
            if units.get(slot):
                reading["u"] = units.pop(slot)
            packs.setdefault(f"{self._prefix}{self._device(name)}", []).append(reading)
        yield from packs.items()

    def _is_wanted(self, name: str) -> bool:
        if not self._patterns:
            return True
        if len(self._wanted) > PACKS:
            self._wanted.clear()
        known = self._wanted.get(name)
        if known is None:
            known = self._wanted[name] = any(each.fullmatch(name) for each in self._patterns)
        return known

    def _unpacked(self, number: int, entry: bytes) -> list[Part]:
        try:
            return unpack(entry)
        except JournalError as error:
            raise StoreError(f"{self._path}: row {number} of the journal: {error}", damaged=True) from error

    @contextmanager
    def _open(self) -> Iterator[Database]:
        database = read_beside(self._path)
        try:
            database.execute("BEGIN")
            yield database
        finally:
            database.close()
