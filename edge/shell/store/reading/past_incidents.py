"""Past incidents of a store, one per row; read-only, also while a service is writing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from edge.core.incidents.events.open_incidents import ENDED
from edge.core.incidents.state_machine import Transition
from edge.shell.store.database import look_on

TELLING = (Transition.RAISED.value, Transition.UPDATED.value)
"""Transitions whose sentence describes the fault."""

OPERATORS = (Transition.ACKNOWLEDGED.value, Transition.SHELVED.value)


class IncidentFilter(NamedTuple):
    """A filter for incidents; None or empty matches any.

    Attributes:
        text: Text contained in the sensor's name or the first sentence, case-insensitive.
        sensor: Exact name of the sensor.
        kinds: Kinds of incident.
        severity: Minimum of the highest severity.
        since: Earliest time of being raised, seconds since the epoch, UTC.
        until: Exclusive upper bound of that time.
    """

    text: str = ""
    sensor: str = ""
    kinds: tuple[str, ...] = ()
    severity: int = 1
    since: float | None = None
    until: float | None = None


class PastIncident(NamedTuple):
    """An incident, open or ended.

    Attributes:
        sequence: Sequence of its first event; `read_incidents()` continues before it.
        incident: ID of the incident.
        sensor: Name of the sensor.
        kind: Kind in its last event.
        severity: Highest severity.
        raised: Start time, in seconds since the epoch, UTC.
        ended: End time; None while it is open.
        how: Final transition; empty while it is open.
        seen: Whether it was acknowledged or shelved.
        sentence: Sentence at the highest severity.
    """

    sequence: int
    incident: str
    sensor: str
    kind: str
    severity: int
    raised: float
    ended: float | None
    how: str
    seen: bool
    sentence: str


def read_incidents(path: Path, chosen: IncidentFilter, last: int, before: int | None = None) -> list[PastIncident]:
    """Read incidents, latest first.

    Args:
        path: The store's file.
        chosen: The filter.
        last: Maximum number.
        before: Upper bound (exclusive) of the sequence of the first event.

    Raises:
        StoreError: The file doesn't exist, or isn't a store.
    """
    where, values = _wanted(chosen, before)
    with closing(look_on(path)) as database:
        database.execute("BEGIN")
        if chosen.text:
            text = chosen.text.casefold()
            database.define("folded", lambda found: text in found.casefold())
        raised = database.execute(
            f"SELECT sequence, incident FROM events WHERE {where}"  # noqa: S608 - columns are ours
            " ORDER BY sequence DESC LIMIT ?",
            [*values, last],
        )
        if not raised:
            return []
        marks = ", ".join("?" * len(raised))
        rows = database.execute(
            "SELECT incident, sequence, sensor, time, transition, kind, severity, message FROM events"  # noqa: S608
            f" WHERE sequence >= ? AND incident IN ({marks}) ORDER BY sequence",
            [raised[-1][0], *(incident for _, incident in raised)],
        )
    by_incident: dict[str, list[tuple[Any, ...]]] = {}
    for incident, *rest in rows:
        by_incident.setdefault(incident, []).append(tuple(rest))
    return [_joined(incident, by_incident[incident]) for _, incident in raised]


def _wanted(chosen: IncidentFilter, before: int | None) -> tuple[str, list[Any]]:
    """The SQL condition on first events, and its values."""
    worst = "incident IN (SELECT incident FROM events WHERE severity >= ? AND transition != 'gap')"
    every: list[tuple[bool, str, Sequence[Any]]] = [
        (True, "transition = 'raised'", ()),
        (before is not None, "sequence < ?", [before]),
        (bool(chosen.sensor), "sensor = ?", [chosen.sensor]),
        (bool(chosen.text), "folded(sensor || ' ' || message)", ()),
        (bool(chosen.kinds), f"kind IN ({', '.join('?' * len(chosen.kinds))})", chosen.kinds),
        (chosen.since is not None, "time >= ?", [chosen.since]),
        (chosen.until is not None, "time < ?", [chosen.until]),
        (chosen.severity > 1, worst, [chosen.severity]),
    ]
    wanted = [(condition, bound) for is_wanted, condition, bound in every if is_wanted]
    return " AND ".join(condition for condition, _ in wanted), [value for _, bound in wanted for value in bound]


def _joined(incident: str, events: list[tuple[Any, ...]]) -> PastIncident:
    sequence, sensor, raised, *_ = events[0]
    _, _, time, transition, kind, *_ = events[-1]
    is_over = transition in ENDED
    telling = [each for each in events if each[3] in TELLING]
    worst = max(telling, key=lambda each: each[5])
    return PastIncident(
        sequence=sequence,
        incident=incident,
        sensor=sensor,
        kind=kind,
        severity=max(each[5] for each in events),
        raised=raised,
        ended=time if is_over else None,
        how=transition if is_over else "",
        seen=any(each[3] in OPERATORS for each in events),
        sentence=worst[6],
    )


def read_sentences(path: Path, incidents: Sequence[str]) -> dict[str, str]:
    """The sentences of incidents, each from the last event that has one; acknowledgements have none.

    Raises:
        StoreError: The file doesn't exist, or isn't a store.
    """
    with closing(look_on(path)) as database:
        rows = database.execute(
            "SELECT incident, message FROM events WHERE transition IN (?, ?)"  # noqa: S608 - nothing but marks
            f" AND incident IN ({', '.join('?' * len(incidents))}) ORDER BY sequence",
            [*TELLING, *incidents],
        )
    return dict(rows)
