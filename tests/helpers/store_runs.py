"""Runs of a store on a disk in memory, and of the trivial model: the same actions on both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st
from model_store import ModelStore
from power_cut import Disk, PowerCutConnection
from store_examples import DAY, LIMITS, answers, drop_surplus, events, letter, numbered, rows_of_model

from edge.core.incidents.events.event import Event
from edge.shell.store import SqliteStore, Store

Durability = Literal["power", "process"]
Action = tuple[Any, ...]

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), events(), st.integers(0, 3), st.sampled_from([0, 0, 1, 9, 700, 9000])),
        st.tuples(st.just("remember"), st.sampled_from([1, 20_000])),
        st.tuples(st.just("confirm"), st.lists(st.integers(0, 20), max_size=8)),
        st.tuples(st.just("prune"), st.floats(0, 2)),
        st.tuples(st.just("reopen")),
    ),
    min_size=2,
    max_size=14,
)


class Moment(NamedTuple):
    """The content that a store must have after a commit.

    Attributes:
        calls: Number of changes of the disk until then.
        rows: All rows.
        answers: What it answers.
    """

    calls: int
    rows: dict[str, Any]
    answers: dict[str, Any]


class Run:
    """A store on a disk in memory and the model, with the same actions on both.

    Args:
        folder: A real file name; the disk in memory uses it.
        empty: A file of an empty store.
        durability: What a commit survives.
    """

    def __init__(self, folder: Path, empty: Path, durability: Durability) -> None:
        self.path = folder / "store.db"
        self.disk = Disk({str(self.path): empty.read_bytes()})
        self.durability = durability
        self.model = ModelStore(LIMITS)
        self.store = self._open()
        self.next = 1
        self.now = 200.0
        self.moments = [self._moment()._replace(calls=0)]

    def _open(self) -> SqliteStore:
        connection = PowerCutConnection(self.disk, self.path)
        return SqliteStore(self.path, self.durability, LIMITS, connection)

    def _moment(self) -> Moment:
        return Moment(len(self.disk.changes), rows_of_model(self.model), answers(self.model))

    def do(self, action: Action, retry: Callable[[Callable[[], object]], object] = lambda once: once()) -> None:
        if action[0] == "reopen":
            self.store.close()
            self.store = self._open()
            return
        if action[0] == "prune":
            self.now += DAY * action[1]
        for deed in self._deeds(action):
            assert retry(lambda: deed(self.store)) == deed(self.model)  # noqa: B023 - called at once
            self.moments.append(self._moment())
        if action[0] == "append":
            self.next += len(action[1])

    def _deeds(self, action: Action) -> list[Callable[[Store], object]]:
        """The parts of an action, each of which is a commit."""
        if action[0] == "prune":
            return [lambda store: store.prune(self.now), lambda store: drop_surplus(store, self.now)]
        return [self._deed(action)]

    def _deed(self, action: Action) -> Callable[[Store], object]:
        name, *arguments = action
        if name == "append":
            some: list[Event] = numbered(arguments[0], self.next)
            letters = [letter() for _ in range(arguments[1])]
            entry = bytes([self.next]) * arguments[2] or None
            return lambda store: store.append(some, letters, entry, now=self.now)
        if name == "remember":
            state = bytes([self.next]) * arguments[0]
            return lambda store: store.remember(state, "digest", self.now)
        return lambda store: store.confirm([self.next - each for each in arguments[0]], self.now)

    def possible(self, calls: int) -> list[Moment]:
        """The possible contents if the power fails after the given number of changes."""
        done = sum(each.calls <= calls for each in self.moments)
        earliest = done - 1 if self.durability == "power" else 0
        return self.moments[earliest : done + 1]
