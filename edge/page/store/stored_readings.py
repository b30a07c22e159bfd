"""Stored readings of a few sensors, read from outside the service."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from detectors.numeric.arrays import Floats
from edge.core.persistence.journal import Readings
from edge.core.persistence.snapshot import KnownSensor
from edge.shell.store import read_history


class StoredReadings(NamedTuple):
    """Readings of one sensor in order of time, seconds since the epoch, UTC; both arrays have shape (n,)."""

    times: Floats
    values: Floats

    def within(self, since: float, until: float) -> StoredReadings:
        """The readings in a period."""
        chosen = (self.times >= since) & (self.times <= until)
        return StoredReadings(self.times[chosen], self.values[chosen])

    def rows(self) -> Floats:
        """Readings in the form of a `Decimator`, without scores, shape (7, n)."""
        nothing = np.full(len(self.times), np.nan)
        return np.array([self.times, self.values, self.values, nothing, np.zeros(len(self.times)), nothing, nothing])


NONE = StoredReadings(np.zeros(0), np.zeros(0))


def kept_readings(
    store: Path, names: frozenset[str], since: float
) -> tuple[dict[str, StoredReadings], dict[str, KnownSensor]]:
    """The readings of sensors that arrived since a time, and the known state of each sensor, by name.

    Args:
        store: The store's file.
        names: Names of the sensors.
        since: Seconds since the epoch, UTC.

    Raises:
        StoreError: The store can't be read.
    """
    history = read_history(store, since)
    every: list[KnownSensor] = list(history.sensors)
    wanted = {slot: known[0] for slot, known in enumerate(every) if known[0] in names}
    found: dict[str, list[Floats]] = {name: [] for name in names}
    for part in history.parts:
        if not isinstance(part, Readings):
            continue
        for known in part.new_sensors:
            if known[0] in names:
                wanted[len(every)] = known[0]
            every.append(known)
        slots = part.batch.slots
        for slot, name in wanted.items():
            mine = slots == slot
            if mine.any():
                found[name].append(np.array([part.batch.times[mine], part.batch.values[mine]]))
    known_ones = {known[0]: known for known in every if known[0] in names}
    return {name: _in_order(pieces) for name, pieces in found.items()}, known_ones


def _in_order(pieces: list[Floats]) -> StoredReadings:
    if not pieces:
        return NONE
    times, values = np.concatenate(pieces, axis=1)
    times, first = np.unique(times, return_index=True)
    return StoredReadings(times, values[first])
