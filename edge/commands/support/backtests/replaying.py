"""Playing: runs recorded readings of files or a journal through a pipeline, some thousand at a time.

During pauses of a recording, time passes as in live operation, see `pauses.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Reading
from edge.core.model.readings.pauses import Pauses
from edge.core.persistence.journal import ClockStep, Part, Readings, join, joined
from edge.core.pipeline import Pipeline
from edge.shell.store import read_history

CHUNK = 5_000
"""Number of readings processed at a time."""


def play(pipeline: Pipeline, readings: Iterable[Reading]) -> Iterator[list[Event]]:
    """Play readings to their end; yields the events of each chunk, and of readings held until then."""
    for chunk, quiet_until in chunks(readings):
        yield pipeline.process_readings(chunk, quiet_until).events
    yield pipeline.flush().events


def play_journal(pipeline: Pipeline, store: Path, since: float | None = None) -> Iterator[list[Event]]:
    """Play the readings in a store in the same way.

    Args:
        pipeline: A new pipeline.
        store: The store's file.
        since: Earliest arrival time, seconds since the epoch, UTC.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or contains damaged readings.
    """
    history = read_history(store, since)
    pipeline.register_sensors(history.sensors)
    for part in with_pauses(join(history.parts, CHUNK)):
        yield pipeline.replay([part])
    yield pipeline.flush().events


def chunks(readings: Iterable[Reading]) -> Iterator[tuple[list[Reading], list[float]]]:
    """Readings in chunks of `CHUNK`, with the time that had passed before each arrived."""
    pauses, slots = Pauses(), dict[str, int]()
    chunk, quiet_until = list[Reading](), list[float]()
    for reading in readings:
        chunk.append(reading)
        quiet_until += pauses.add(slots.setdefault(reading.sensor, len(slots)), reading.time)
        if len(quiet_until) >= CHUNK:
            decided = len(quiet_until)
            yield chunk[:decided], quiet_until
            chunk, quiet_until = chunk[decided:], []
    quiet_until += pauses.end()
    if chunk:
        yield chunk, quiet_until


def with_pauses(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts of a journal; those of readings include the time that had passed before each arrived.

    A part whose last readings wait for later ones is joined with the next part, if that continues with readings.
    """
    pauses, quiet_until = Pauses(), list[float]()
    held: Readings | None = None
    for part in parts:
        if held is not None and not (isinstance(part, Readings) and part.goes_on):
            yield _paused(held, quiet_until + pauses.settle())
            held = None
        if isinstance(part, ClockStep) or (isinstance(part, Readings) and part.interrupted):
            pauses.interrupt()
        if not isinstance(part, Readings):
            yield part
            continue
        held, quiet_until = (part, []) if held is None else (joined([held, part]), quiet_until)
        leaps = dict(part.leaps)
        for place, (slot, time) in enumerate(zip(part.batch.slots.tolist(), part.batch.times.tolist(), strict=True)):
            if place in leaps:
                pauses.leap(leaps[place])
            quiet_until += pauses.add(slot, time)
        if len(quiet_until) == len(held):
            yield _paused(held, quiet_until)
            held = None
    if held is not None:
        yield _paused(held, quiet_until + pauses.end())


def _paused(part: Readings, quiet_until: list[float]) -> Readings:
    part.batch.quiet_until = np.array(quiet_until, dtype=np.float64)
    return part
