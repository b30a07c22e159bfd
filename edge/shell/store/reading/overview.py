"""Overview: the current contents of a store: open incidents, learned state, refused input, sizes.

Read-only, also while a service is writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.core.incidents.events.event import Event
from edge.core.incidents.events.open_incidents import ENDED, OpenIncidents
from edge.core.incidents.state_machine import Transition
from edge.core.model.notation.topics import Topics
from edge.core.persistence.checkpoint import load, whole
from edge.core.persistence.components.recognised_sensors import COMPONENT, PACES, recognised_counters, recognised_states
from edge.core.persistence.journal import JournalError, Part, Readings, unpack
from edge.core.persistence.snapshot import SENSORS, Snapshot
from edge.shell.store.base import StoreError
from edge.shell.store.database import look_on
from edge.shell.store.snapshots import FoundSnapshot, read_snapshot

TELLING = (Transition.RAISED.value, Transition.UPDATED.value)
"""Transitions whose sentence describes the fault."""

OPEN_EVENTS = "open_events"
LEARNED = {SENSORS, "units", "statistics", "levels"}
"""Components of a snapshot that are read."""

LETTER_COLUMNS = ("number", "arrived", "topic", "reason", "path", "detail", "beginning", "size")


class StoreState(NamedTuple):
    """The state at a hypothetical restart.

    Attributes:
        snapshot: The newest snapshot, or None.
        taken: Time of the snapshot, in seconds since the epoch, UTC; None without one.
        since: Later journal parts in order.
    """

    snapshot: Snapshot | None
    taken: float | None
    since: list[Part]


class StoreSize(NamedTuple):
    """The sizes of a store.

    Attributes:
        file_bytes: Size of the file and of its log.
        events: Number of events, including waiting ones.
        waiting: Number of events without a broker's confirmation.
        waiting_since: Storage time of the oldest of them, in seconds since the epoch, UTC; None if there is none.
        dead_letters: Number of dead letters.
        last_arrival: Time at which a reading was last stored, in seconds since the epoch, UTC; None if there was none.
    """

    file_bytes: int
    events: int
    waiting: int
    waiting_since: float | None
    dead_letters: int
    last_arrival: float | None


class OpenIncident(NamedTuple):
    """An incident that is open.

    Attributes:
        event: Its last event, as published.
        sentence: Sentence of the last event that has one; acknowledgements have none.
    """

    event: dict[str, Any]
    sentence: str

    @property
    def severity(self) -> int:
        """Severity from 1 to 1000."""
        return int(self.event["data"]["severity"])

    @property
    def sensor(self) -> str:
        """Name of the sensor or device."""
        return str(self.event["subject"])

    def order(self) -> tuple[int, str, str]:
        """Sort key: most severe first, then oldest."""
        return -self.severity, str(self.event["data"]["started"]), self.sensor


class LetterFilter(NamedTuple):
    """A filter for dead letters; None matches any.

    Attributes:
        reasons: Reasons for the refusal.
        topic: MQTT topic filter, or the topic itself.
        since: Earliest time, seconds since the epoch, UTC.
    """

    reasons: tuple[str, ...] = ()
    topic: str | None = None
    since: float | None = None


def read_state(path: Path) -> StoreState:
    """The newest snapshot and the journal since.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or its snapshot or readings are damaged.
    """
    with closing(look_on(path)) as database:
        database.execute("BEGIN")
        found = read_snapshot(path, database, LEARNED)
        covered = found.journal if found is not None else 0
        positions = _positions(found)
        parts: list[Part] = []
        for number, entry in database.execute(
            "SELECT number, entry FROM journal WHERE number > ? ORDER BY number", (covered,)
        ):
            try:
                parts += [_unknown(each, number, positions) for each in unpack(entry)]
            except JournalError as error:
                raise StoreError(f"{path}: row {number} of the journal: {error}", damaged=True) from error
    return StoreState(None, None, parts) if found is None else StoreState(found.snapshot, found.taken, parts)


def read_learned(path: Path) -> tuple[Snapshot, float] | None:
    """The newest snapshot and its time, seconds since the epoch, UTC; None if there is none yet.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or its snapshot is damaged.
    """
    with closing(look_on(path)) as database:
        found = read_snapshot(path, database, LEARNED)
    return None if found is None else (found.snapshot, found.taken)


def read_recognised(path: Path) -> dict[int, list[float]]:
    """The state values of each sensor with states in the newest snapshot, by slot.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or its snapshot is damaged.
    """
    with closing(look_on(path)) as database:
        found = read_snapshot(path, database, {COMPONENT})
    return {} if found is None else recognised_states(found.snapshot.parts)


def read_counters(path: Path) -> dict[int, tuple[float, float]]:
    """The paces of the counters in the newest snapshot, by slot.

    Returns:
        Time unit of the pace and its minimum stretch, both in seconds.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or its snapshot is damaged.
    """
    with closing(look_on(path)) as database:
        found = read_snapshot(path, database, {PACES})
    return {} if found is None else recognised_counters(found.snapshot.parts)


def _positions(found: FoundSnapshot | None) -> NDArray[np.int64]:
    """The journal row up to which the snapshot's statistics include each sensor's readings, by slot."""
    if found is None:
        return np.zeros(0, dtype=np.int64)
    positions = np.full(len(found.snapshot.known_sensors()), found.journal)
    for position, part in zip(found.positions, found.snapshot.parts, strict=True):
        if part.component == "statistics":
            positions[part.first :] = position
    return positions


def _unknown(part: Part, number: int, positions: NDArray[np.int64]) -> Part:
    """A part of a journal row without the readings already included in the snapshot's statistics."""
    if not isinstance(part, Readings):
        return part
    known = part.batch.slots < len(positions)
    known[known] = positions[part.batch.slots[known]] >= number
    return msgspec.structs.replace(part, batch=part.batch.take(~known))


def read_open(path: Path) -> list[OpenIncident]:
    """The open incidents, most severe first.

    Raises:
        StoreError: The file doesn't exist, isn't a store, or its snapshot is damaged.
    """
    latest: dict[str, tuple[str, bytes | str]] = {}
    found: list[OpenIncident] = []
    with closing(look_on(path)) as database:
        database.execute("BEGIN")
        snapshot = read_snapshot(path, database, {OPEN_EVENTS})
        for event in open_events(snapshot.snapshot) if snapshot is not None else ():
            latest[event.incident] = (event.transition, event.payload)
        # Events later than the snapshot take precedence; older ones may have been deleted.
        for incident, transition, payload in database.iterate(
            "SELECT incident, transition, payload FROM events WHERE sequence IN"
            " (SELECT max(sequence) FROM events WHERE transition NOT IN ('gap', 'discovered', 'forgotten')"
            " GROUP BY incident)"
        ):
            latest[incident] = (transition, payload)
        for incident, (transition, payload) in latest.items():
            if transition in ENDED:
                continue
            event = msgspec.json.decode(payload)
            sentence = event["data"]["message"]
            if transition not in TELLING:
                sentence = database.number(
                    "SELECT message FROM events WHERE incident = ? AND transition IN (?, ?)"
                    " ORDER BY sequence DESC LIMIT 1",
                    (incident, *TELLING),
                )
            found.append(OpenIncident(event, sentence or event["data"]["message"]))
    return sorted(found, key=OpenIncident.order)


def open_events(snapshot: Snapshot) -> list[Event]:
    """The last event of each incident open at the time of a snapshot."""
    known = OpenIncidents(Topics(""))
    load([whole(OPEN_EVENTS, known)], snapshot.parts)
    return list(known.events.values())


def read_dead_letters(path: Path, chosen: LetterFilter, last: int | None = None) -> list[dict[str, Any]]:
    """Read dead letters in order of arrival.

    Args:
        path: The store's file.
        chosen: The filter.
        last: Maximum number, latest first kept; None for all.

    Raises:
        StoreError: The file doesn't exist, or isn't a store.
    """
    from edge.core.intake.routes import match  # noqa: PLC0415 - only for a topic filter

    wanted = ["1"]
    values: list[Any] = []
    if chosen.reasons:
        wanted.append(f"reason IN ({', '.join('?' * len(chosen.reasons))})")
        values += chosen.reasons
    if chosen.since is not None:
        wanted.append("arrived >= ?")
        values.append(chosen.since)
    with closing(look_on(path)) as database:
        if chosen.topic is not None:
            levels = chosen.topic.split("/")
            database.define("fits", lambda topic: match(levels, topic.split("/")) is not None)
            wanted.append("fits(topic)")
        rows = database.execute(
            f"SELECT {', '.join(LETTER_COLUMNS)} FROM dead_letter WHERE {' AND '.join(wanted)}"  # noqa: S608 - ours
            " ORDER BY number DESC LIMIT ?",
            [*values, -1 if last is None else last],
        )
    return [dict(zip(LETTER_COLUMNS, row, strict=True)) for row in reversed(rows)]


def read_size(path: Path) -> StoreSize:
    """The sizes of a store.

    Raises:
        StoreError: The file doesn't exist, or isn't a store.
    """
    with closing(look_on(path)) as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(events)")}
        stored = "stored" if "stored" in columns else "time"  # the first format had no such column
        waiting, since = database.execute(
            f"SELECT count(*), min({stored}) FROM events WHERE confirmed IS NULL"  # noqa: S608 - ours
        )[0]
        return StoreSize(
            sum(_sizes(path)),
            database.number("SELECT count(*) FROM events"),
            waiting,
            since,
            database.number("SELECT count(*) FROM dead_letter"),
            database.number("SELECT arrived FROM journal ORDER BY number DESC LIMIT 1"),
        )


def _sizes(path: Path) -> Iterator[int]:
    for end in ("", "-wal"):
        try:
            yield Path(f"{path}{end}").stat().st_size
        except FileNotFoundError:
            continue
