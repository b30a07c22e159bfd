"""A store with a long journal, which takes a service some time to replay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge.core.model.readings.messages import Batch
from edge.core.model.sensors.sensors import Repetition
from edge.core.persistence.journal import Readings, pack
from edge.shell.store import SqliteStore, StoreLimits

ENTRY = 500
"""Readings of one entry."""

START = 1_700_000_000.0


def journal_entries(readings: int, sensor: str = "plant/a") -> Iterator[bytes]:
    """Journal entries that hold the given number of readings of one sensor, ten seconds apart."""
    chance = np.random.default_rng(3)
    for first in range(0, readings, ENTRY):
        count = min(ENTRY, readings - first)
        slots = np.zeros(count, dtype=np.intp)
        batch = Batch(slots, 20 + chance.normal(size=count), START + 10.0 * (first + np.arange(count)), slots)
        yield pack([Readings(batch, [(sensor, Repetition.PERIODIC, False)] if first == 0 else [], [])])


def fill(path: Path, readings: int, *, state: bytes | None = None, digest: str = "") -> None:
    """Create a store with a journal of the given number of readings, and optionally a snapshot of all of them."""
    store = SqliteStore(path, "process", StoreLimits(free_disk_bytes=0))
    for number, entry in enumerate(journal_entries(readings)):
        store.append([], [], entry, now=START + number)
    if state is not None:
        store.remember(state, digest, START)
    store.close()
