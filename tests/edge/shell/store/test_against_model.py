"""The store on disk and a simple model give the same answers after any actions."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from model_store import ModelStore
from store_examples import DAY, LIMITS, answers, events, letter, numbered, pruned, rows_of, rows_of_model

from edge.core.incidents.events.event import Event
from edge.core.persistence.snapshot import Part
from edge.shell.store import SinkPosition, SqliteStore, Store


class StoreAgainstModel(RuleBasedStateMachine):
    """Random actions on both stores, which must always agree."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "store.db"
        self.store: Store = SqliteStore(self.path, "process", LIMITS)
        self.model = ModelStore(LIMITS)
        self.next = 1
        self.now = 200.0
        self.is_writing = False

    @rule(
        unnumbered=events(),
        letters=st.integers(0, 3),
        journal=st.none() | st.binary(min_size=1, max_size=12),
        gone=st.lists(st.integers(1, 60), max_size=2),
    )
    def append(self, unnumbered: list[Event], letters: int, journal: bytes | None, gone: list[int]) -> None:
        for each in (self.store, self.model):
            each.append(
                numbered(unnumbered, self.next),
                [letter() for _ in range(letters)],
                journal,
                now=self.now,
                instead_of=gone,
            )
        self.next += len(unnumbered)

    @precondition(lambda self: self.model.events)
    @rule(data=st.data())
    def append_again(self, data: st.DataObject) -> None:
        known = data.draw(st.sampled_from(self.model.events))
        for each in (self.store, self.model):
            each.append([known._replace(sequence=self.next, payload=b"other")], [], now=self.now)
        self.next += 1

    @rule()
    def remember(self) -> None:
        for each in (self.store, self.model):
            each.remember(b"after %d" % self.next, "digest", self.now)
        self.is_writing = False

    @rule()
    def begin_snapshot(self) -> None:
        self.is_writing = True
        for each in (self.store, self.model):
            each.begin_snapshot()

    @precondition(lambda self: self.is_writing)
    @rule(count=st.integers(1, 3))
    def add_parts(self, count: int) -> None:
        parts = [Part("levels", 1, self.next + number, b"rows") for number in range(count)]
        for each in (self.store, self.model):
            each.add_parts(parts)

    @precondition(lambda self: self.is_writing)
    @rule()
    def complete_snapshot(self) -> None:
        self.is_writing = False
        for each in (self.store, self.model):
            each.complete_snapshot(b"completed %d" % self.next, "digest", self.now)

    @rule(most=st.integers(1, 3))
    def forget_parts(self, most: int) -> None:
        self.store.forget_parts(most)

    @rule(data=st.data(), others=st.lists(st.integers(1, 60), max_size=1))
    def confirm(self, data: st.DataObject, others: list[int]) -> None:
        waiting = [row.sequence for row in self.model.pending(0, 1000)]
        chosen = data.draw(st.lists(st.sampled_from(waiting), unique=True)) if waiting else []
        for each in (self.store, self.model):
            each.confirm(chosen + others, self.now)

    @rule(days=st.floats(-0.5, 2), keep=st.lists(st.integers(1, 60), max_size=5))
    def prune(self, days: float, keep: list[int]) -> None:
        self.now += DAY * days
        assert pruned(self.store, self.now, keep) == pruned(self.model, self.now, keep)

    @rule(
        positions=st.dictionaries(
            st.sampled_from("ab"), st.builds(SinkPosition, st.integers(0, 60), st.integers(0, 60))
        )
    )
    def note_sinks(self, positions: dict[str, SinkPosition]) -> None:
        for each in (self.store, self.model):
            each.note_sinks(positions)

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = SqliteStore(self.path, "process", LIMITS)
        self.is_writing = False

    @invariant()
    def agree(self) -> None:
        assert answers(self.store) == answers(self.model)

    @invariant()
    def hold_the_same_rows(self) -> None:
        assert rows_of(self.path) == rows_of_model(self.model)

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=15, stateful_step_count=25, database=None)
