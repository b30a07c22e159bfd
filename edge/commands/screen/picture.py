"""Picture: the screen's data: open incidents, sensors and health, read from the store and its status file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.commands.screen.reading_table import ReadingTable
from edge.commands.support.service.service_state import ServiceState, service_state
from edge.commands.support.service.well_being import well_being
from edge.shell.store import StoreError
from edge.shell.store.database import look_on
from edge.shell.store.reading.overview import OpenIncident, StoreSize, read_open, read_size

if TYPE_CHECKING:
    from config.schema import Configuration

SIZE_S = 10.0
"""Interval at which the store's size and backlog are read."""


class Picture(NamedTuple):
    """The data shown.

    Attributes:
        now: Time of reading, seconds since the epoch, UTC.
        state: State of the service, and its last report.
        problems: Problems, one sentence each.
        notes: Notes worth checking.
        incidents: Open incidents, worst first.
        sensors: All sensors; see `ReadingTable.rows`.
        size: Size of the store; None if it can't be read.
        trouble: Why the store can't be read; empty if it can.
    """

    now: float
    state: ServiceState
    problems: list[str]
    notes: list[str]
    incidents: list[OpenIncident]
    sensors: dict[str, dict[str, Any]]
    size: StoreSize | None
    trouble: str


class PictureReader:
    """Reads pictures repeatedly; unchanged data isn't read again.

    Args:
        store: The store's file.
        configuration: Contains the rules of sensors; None if not available.
        clock: The current time, seconds since the epoch, UTC.
        monotonic: Seconds that never step.

    Attributes:
        table: The sensors.
    """

    def __init__(
        self,
        store: Path,
        configuration: Configuration | None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._clock, self._monotonic = store, clock, monotonic
        self.table = ReadingTable(store, configuration, monotonic)
        self._incidents: list[OpenIncident] = []
        self._file, self._newest = -1, -1
        self._size: StoreSize | None = None
        self._sized_at: float | None = None

    def read(self) -> Picture:
        """Read the present picture; if the store can't be read, the previous one with the reason.

        Raises:
            StoreError: The lock file can't be read.
        """
        now, trouble = self._clock(), ""
        state = service_state(self._store)
        try:
            self._read_store()
        except StoreError as error:
            trouble = str(error).removeprefix(f"{self._store}: ")
        since = None if self._size is None else self._size.waiting_since
        how = well_being(state, None if since is None else max(0.0, now - since))
        return Picture(
            now, state, how.problems, how.notes, self._incidents, self.table.rows, self._size, trouble
        )  # fmt: skip

    def _read_store(self) -> None:
        turn = self._monotonic()
        if self._sized_at is None or turn - self._sized_at >= SIZE_S:
            self._size = read_size(self._store)
            self._sized_at = turn
        with closing(look_on(self._store)) as database:
            newest = database.number("SELECT max(sequence) FROM events")
        file = self._store.stat().st_ino
        if file != self._file:
            self.table.forget()
        if (file, newest) != (self._file, self._newest):
            self._incidents = read_open(self._store)
        self._file, self._newest = file, newest
        self.table.refresh()
