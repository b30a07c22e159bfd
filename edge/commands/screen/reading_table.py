"""Reading table: the sensors of a store with last values and sparklines, updated from the end of its journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.commands.support.sensor_rows import present_slots, sensor_rows
from edge.core.persistence.journal import Part, Readings, forgotten_by
from edge.shell.store.reading.journal_tail import read_tail
from edge.shell.store.reading.overview import read_state

if TYPE_CHECKING:
    from config.schema import Configuration

KEPT = 48
"""Number of values kept for a sensor's sparkline."""

ANEW_S = 300.0
"""Interval at which everything is read again, since learned state changes slowly."""

SHARE = 20
"""Minimum ratio of that interval to the time that reading took."""


class ReadingTable:
    """The rows of all sensors.

    Args:
        store: The store's file.
        configuration: Contains the rules of sensors; None if not available.
        monotonic: Seconds that never step.

    Attributes:
        rows: Rows of `sensor_rows()`, sorted by name, with current values and times.
    """

    def __init__(
        self, store: Path, configuration: Configuration | None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._configuration, self._monotonic = store, configuration, monotonic
        self.rows: dict[str, dict[str, Any]] = {}
        self._by_slot: list[dict[str, Any] | None] = []
        self._recent: NDArray[np.float32] = np.zeros((0, KEPT), np.float32)
        self._last = 0
        self._is_stale, self._read_at, self._took = True, 0.0, 0.0

    def forget(self) -> None:
        """Read everything the next time, because the store was replaced."""
        self._read_at = 0.0

    def refresh(self) -> None:
        """Read what the service has written since the last call.

        Raises:
            StoreError: The store can't be read.
        """
        now = self._monotonic()
        wait = self._took * SHARE if self._is_stale else max(ANEW_S, self._took * SHARE)
        if not self._read_at or now - self._read_at >= wait:
            self._read_all()
            self._read_at, self._took = now, self._monotonic() - now
            return
        tail = read_tail(self._store, self._last)
        self._last = tail.last
        for part in tail.parts:
            self._is_stale |= bool(forgotten_by(part))
            if isinstance(part, Readings):
                self._is_stale |= bool(part.new_sensors or part.refilled or part.units)
                self._take(part)
        self._update()

    def recent(self, sensor: str) -> Sequence[float]:
        """The recent values of a sensor in order of arrival; NaN where there are fewer than `KEPT`."""
        row = self.rows.get(sensor)
        return [] if row is None else self._recent[row["slot"]].tolist()

    def _read_all(self) -> None:
        tail = read_tail(self._store)
        state = read_state(self._store)
        slots = present_slots(state)
        self._by_slot = [None] * (max(slots) + 1 if slots else 0)
        for slot, known in zip(slots, sensor_rows(state, self._configuration), strict=True):
            self._by_slot[slot] = known | {"slot": slot}
        present = [each for each in self._by_slot if each is not None]
        self.rows = {each["sensor"]: each for each in sorted(present, key=lambda each: str(each["sensor"]))}
        self._recent = np.full((len(self._by_slot), KEPT), np.nan, np.float32)
        self._last, self._is_stale = tail.last, False
        self._times, self._values = (np.full(len(self._by_slot), each) for each in (-np.inf, np.nan))
        for part in tail.parts:
            self._clear_others(part)
            if isinstance(part, Readings):
                self._take(part)
        for slot, row in enumerate(self._by_slot):
            if row is not None and row["time"] is not None:
                self._times[slot], self._values[slot] = row["time"], row["value"]

    def _clear_others(self, part: Part) -> None:
        """Clear the history of slots that were reused for other sensors."""
        slots = [*forgotten_by(part)]
        if isinstance(part, Readings):
            slots += [slot for slot, *_ in part.refilled]
        for each in slots:
            if each < len(self._recent):
                self._recent[each], self._times[each] = np.nan, -np.inf

    def _take(self, part: Readings) -> None:
        """Add readings to the sparklines, and newer ones to the values."""
        slots, times, values = part.batch.slots, part.batch.times, part.batch.values
        known = slots < len(self._by_slot)
        self._is_stale |= not bool(known.all())
        known[known] = times[known] > self._times[slots[known]]  # those that came late or twice are refused
        slots, times, values = slots[known], times[known], values[known]
        if not len(slots):
            return
        order = np.argsort(slots, kind="stable")  # by sensor, and within each as they arrived
        slots, times, values = slots[order], times[order], values[order]
        present, first = np.unique(slots, return_index=True)
        for slot, begin, end in zip(present.tolist(), first.tolist(), [*first[1:].tolist(), len(slots)], strict=True):
            new = values[max(begin, end - KEPT) : end]
            self._recent[slot] = np.concatenate([self._recent[slot][len(new) :], new])
            self._times[slot], self._values[slot] = times[end - 1], values[end - 1]

    def _update(self) -> None:
        for slot, row in enumerate(self._by_slot):
            if row is not None and np.isfinite(self._times[slot]):
                row["time"], row["value"] = float(self._times[slot]), float(self._values[slot])
