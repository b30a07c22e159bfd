"""Read-only access to the events and readings of a store, also while a service is writing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from edge.core.incidents.events.sensor_events import KIND as SENSOR
from edge.core.model.notation.globs import fits
from edge.core.model.readings.messages import Batch
from edge.core.model.sensors.vacancies import had_it_last, is_vacant
from edge.core.persistence.journal import (
    JournalError,
    Part,
    Readings,
    SensorsForgotten,
    forgotten_by,
    note_names,
    unpack,
)
from edge.core.persistence.snapshot import SENSORS, KnownSensor
from edge.shell.store.base import StoreError
from edge.shell.store.database import Database, look_on
from edge.shell.store.snapshots import read_snapshot

EVENT_COLUMNS = (
    "sequence", "id", "sensor", "topic", "time", "incident", "transition", "kind", "severity", "message", "payload",
    "confirmed",
)  # fmt: skip


class EventFilter(NamedTuple):
    """A filter for events; None matches any.

    Attributes:
        sensor: Glob on the sensor's name, `*` within a level and `**` across levels; the printed form also matches.
        kinds: Kinds of incident.
        transitions: Transitions to include; `discovered` and `forgotten` are included only if listed.
        severity: Minimum severity.
        since: Earliest time, seconds since the epoch, UTC.
        until: Exclusive upper bound of the time.
    """

    sensor: str | None = None
    kinds: tuple[str, ...] = ()
    transitions: tuple[str, ...] = ()
    severity: int = 1
    since: float | None = None
    until: float | None = None


class History(NamedTuple):
    """The journal of a store.

    Attributes:
        sensors: Sensors known before its first part, in the form of `Pipeline.register_sensors()`.
        parts: Its parts in order, read lazily.
    """

    sensors: list[KnownSensor]
    parts: Iterator[Part]


def read_events(path: Path, chosen: EventFilter, after: int = 0, last: int | None = None) -> list[dict[str, Any]]:
    """Read events.

    Args:
        path: The store's file.
        chosen: The filter.
        after: Exclusive lower bound of the sequence.
        last: Maximum number, latest first kept; None for all.

    Returns:
        The public columns of the table `events`, in order of sequence.

    Raises:
        StoreError: The file doesn't exist, or isn't a store.
    """
    wanted: list[tuple[str, Iterable[Any]]] = [("sequence > ?", [after]), ("severity >= ?", [chosen.severity])]
    if chosen.sensor is not None:
        wanted.append(("fits(sensor)", []))
    if not chosen.transitions:
        wanted.append(("kind != ?", [SENSOR]))
    for column, words in (("kind", chosen.kinds), ("transition", chosen.transitions)):
        if words:
            wanted.append((f"{column} IN ({', '.join('?' * len(words))})", words))
    if chosen.since is not None:
        wanted.append(("time >= ?", [chosen.since]))
    if chosen.until is not None:
        wanted.append(("time < ?", [chosen.until]))
    where = " AND ".join(condition for condition, _ in wanted)
    values = [value for _, bound in wanted for value in bound]
    database = look_on(path)
    if chosen.sensor is not None:
        database.define("fits", partial(fits, chosen.sensor))
    try:
        rows = database.execute(
            f"SELECT {', '.join(EVENT_COLUMNS)} FROM events WHERE {where}"  # noqa: S608 - columns are ours
            " ORDER BY sequence DESC LIMIT ?",
            [*values, -1 if last is None else last],
        )
    finally:
        database.close()
    return [dict(zip(EVENT_COLUMNS, row, strict=True)) for row in reversed(rows)]


def read_sensor_names(path: Path) -> list[str]:
    """The names of all sensors known to a store, in order of appearance.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or its snapshot or readings are damaged.
    """
    history = read_history(path, since=math.inf)
    names = [name for name, *_ in history.sensors]
    for part in history.parts:
        note_names(names, part)
    return [name for name in names if not is_vacant(name)]


def read_history(path: Path, since: float | None = None) -> History:
    """Read the journal.

    Args:
        path: The store's file.
        since: Earliest arrival time, seconds since the epoch, UTC.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or contains damaged readings.
    """
    database = look_on(path)
    try:
        database.execute("BEGIN")
        found = read_snapshot(path, database, {SENSORS})
    except StoreError:
        database.close()
        raise
    sensors = found.snapshot.known_sensors() if found is not None else []
    covered = found.journal if found is not None else 0
    if since is None or since < math.inf:
        sensors = _as_they_were(sensors)
    return History(sensors, _parts(path, database, covered, since))


def names_before(database: Database, path: Path, row: int) -> list[str]:
    """The names of the sensors, by slot, as a row of the journal begins.

    Raises:
        StoreError: The store can't be read.
    """
    found = read_snapshot(path, database, {SENSORS})
    sensors = _as_they_were(found.snapshot.known_sensors()) if found is not None else []
    names = [name for name, *_ in sensors]
    covered = found.journal if found is not None else 0
    for number, entry in database.iterate(
        "SELECT number, entry FROM journal WHERE number > ? AND number < ? ORDER BY number", (covered, row)
    ):
        try:
            for part in _only_names(unpack(entry)):
                note_names(names, part)
        except JournalError as error:
            raise StoreError(f"{path}: row {number} of the journal: {error}", damaged=True) from error
    return names


def _as_they_were(sensors: list[KnownSensor]) -> list[KnownSensor]:
    """The sensors including those forgotten since, which the journal may refer to; no name occurs twice."""
    names = {name for name, *_ in sensors}
    were = []
    for name, *how in sensors:
        before = had_it_last(name)
        were.append((name if before in names else before, *how))
        names.add(before)
    return were  # type: ignore[return-value]


def _parts(path: Path, database: Database, covered: int, since: float | None) -> Iterator[Part]:
    """The parts since a time, preceded by earlier names that the snapshot doesn't contain."""
    try:
        for number, arrived, entry in database.iterate(
            "SELECT number, arrived, entry FROM journal WHERE number > ? OR arrived >= ? ORDER BY number",
            (covered, since or 0.0),
        ):
            try:
                found = unpack(entry)
            except JournalError as error:
                raise StoreError(f"{path}: row {number} of the journal: {error}", damaged=True) from error
            yield from found if since is None or arrived >= since else _only_names(found)
    finally:
        database.close()


def _only_names(parts: list[Part]) -> Iterator[Part]:
    """The sensors named in journal parts, without their readings."""
    for part in parts:
        if isinstance(part, Readings) and (part.new_sensors or part.refilled):
            yield Readings(Batch(), part.new_sensors, refilled=part.refilled)
        elif forgotten := forgotten_by(part):
            yield SensorsForgotten(list(forgotten), list(forgotten), 0.0)
