"""Events, dead letters and limits for tests of stores, and everything that a store holds, for comparison."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from model_store import ModelStore

from edge.core.incidents.events.event import Event
from edge.core.incidents.events.gaps import Gap
from edge.core.model.readings.messages import DeadLetter, Refusal
from edge.shell.store import Store, StoreLimits

LIMITS = StoreLimits(
    events_days=1.0,
    events_bytes=400,
    outbox_events=20,
    outbox_bytes=1500,
    outbox_days=3.0,
    dead_letters=3,
    journal_days=2.0,
    journal_bytes=30,
    free_disk_bytes=0,
)
DAY = 86_400.0
TRANSITIONS = ("raised", "updated", "cleared", "expired", "gap")


def event(
    sequence: int, *, size: int = 2, severity: int = 300, incident: str = "incident", transition: str = "raised"
) -> Event:
    payload = b"{}" + b" " * (size - 2)
    return Event(sequence, f"id-{sequence}", "line1/pump", "base/anomaly/line1/pump", 100.0 + sequence, incident,
                 transition, "spike", severity, "line1/pump is at 9", payload)  # fmt: skip


@contextmanager
def scratch() -> Iterator[Path]:
    """A temporary folder, in memory where possible: hundreds of stores sync often."""
    memory = Path("/dev/shm")  # noqa: S108 - a name of our own follows
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


def letter(reason: str = "malformed") -> DeadLetter:
    return DeadLetter("plant/a", 5.0, Refusal(reason, "value", "not a number"), b"\xff\x00abc", 5)


def sequences(store: Store, after: int = 0, most: int = 100) -> list[int]:
    return [row.sequence for row in store.pending(after, most)]


def pruned(store: Store, now: float, keep: Sequence[int] = ()) -> list[Gap]:
    """Prune a store and drop its overflow; returns the gaps to report to subscribers."""
    store.prune(now)
    return drop_surplus(store, now, keep)


def drop_surplus(store: Store, now: float, keep: Sequence[int] = ()) -> list[Gap]:
    """Drop a store's overflow; returns the gaps to report to subscribers."""
    surplus = store.surplus(now, keep)
    store.append([], [], instead_of=[sequence for each in surplus for sequence in each.sequences])
    return [each.gap for each in surplus]


def answers(store: Store) -> dict[str, object]:
    """A store's answers to all queries that don't change it."""
    last = store.last_sequence()
    return {
        "pending": store.pending(0, 10_000),
        "some pending": store.pending(2, 4, 9),
        "pending open": store.pending_open(0, 10_000, last),
        "some pending open": store.pending_open(1, 5, last - 1),
        "pending before": [store.pending_before(each, 3) for each in range(1, last + 2)],
        "recall": store.recall(),
        "parts": list(store.parts()),
        "past": list(store.past()),
        "past, newest first": list(store.past(newest_first=True)),
        "backlog": store.backlog(),
        "told": list(store.events_after(1)),
        "ended": store.ended(),
        "last sequence": last,
        "sinks": store.sinks(),
    }


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a store's file that a model knows, too."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            "events": connection.execute("SELECT sequence, id, payload, confirmed FROM events ORDER BY 1").fetchall(),
            "letters": connection.execute("SELECT topic, reason FROM dead_letter ORDER BY number").fetchall(),
            "journal": connection.execute("SELECT number, arrived, entry FROM journal ORDER BY 1").fetchall(),
            "snapshot": connection.execute("SELECT journal, state FROM snapshot").fetchall(),
        }


def rows_of_model(model: ModelStore) -> dict[str, list[tuple[Any, ...]]]:
    """Likewise of the model."""
    return {
        "events": [
            (e.sequence, e.id, e.payload.decode(), model.confirmed.get(e.sequence)) for e in sorted(model.events)
        ],
        "letters": [(each.topic, each.refusal.reason) for each in model.letters],
        "journal": [(number, *row) for number, row in model.journal.items()],
        "snapshot": [] if model.state is None else [(model.covered, model.state)],
    }


def events() -> st.SearchStrategy[list[Event]]:
    """Some events without numbers."""
    one = st.builds(
        lambda size, severity, incident, transition: event(
            0, size=size, severity=severity, incident=incident, transition=transition
        ),
        st.integers(2, 150),
        st.integers(1, 1000),
        st.sampled_from("abcdef"),
        st.sampled_from(TRANSITIONS),
    )
    return st.lists(one, max_size=6)


def numbered(events: list[Event], first: int) -> list[Event]:
    """Events with their numbers, ids and times."""
    return [each._replace(sequence=n, id=f"id-{n}", time=100.0 + n) for n, each in enumerate(events, first)]
