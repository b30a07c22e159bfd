"""Playing recorded readings through a pipeline, some thousand at a time: those of files, and those of a journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from edge.core.events import Event
from edge.core.journal import join
from edge.core.messages import Reading
from edge.core.pipeline import Pipeline
from edge.shell.store import read_history

CHUNK = 5_000
"""Readings that go through at a time."""


def play(pipeline: Pipeline, readings: Iterable[Reading]) -> Iterator[list[Event]]:
    """Play readings to their end; the events of each chunk, and of what was held back until then."""
    for chunk in chunks(readings):
        yield pipeline.process_readings(chunk).events
    yield pipeline.flush().events


def play_journal(pipeline: Pipeline, store: Path, since: float | None = None) -> Iterator[list[Event]]:
    """Play the readings that a store has kept, likewise.

    Args:
        pipeline: One that has seen nothing yet.
        store: The store's file.
        since: Leave out what arrived before this time, seconds since the epoch, UTC.

    Raises:
        StoreError: There is no such file, it is no store, or it holds damaged readings.
    """
    history = read_history(store, since)
    pipeline.know(history.sensors)
    for part in join(history.parts, CHUNK):
        yield pipeline.relive([part])
    yield pipeline.flush().events


def chunks(readings: Iterable[Reading]) -> Iterator[list[Reading]]:
    """Readings, `CHUNK` at a time."""
    waiting = iter(readings)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk
