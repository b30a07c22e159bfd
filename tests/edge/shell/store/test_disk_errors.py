"""A disk that fails for a moment: an action happens as a whole or raises, and the store works afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_examples import answers, event, scratch
from store_runs import ACTIONS, Action, Run

from edge.shell.store import SqliteStore, StoreError

T = TypeVar("T")

# apsw reports errors that SQLite ignores, as it may when it copies its log into the file.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without content."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    SqliteStore(path, "process").close()
    return path


def insisted(once: Callable[[], T]) -> T:
    """Retry an action until it succeeds, as the service does."""
    while True:
        try:
            return once()
        except StoreError as error:
            if not error.temporary:
                raise


@settings(max_examples=30, database=None)
@given(actions=ACTIONS, data=st.data())
def test_an_action_that_the_disk_refuses_can_be_retried(
    empty: Path, actions: list[Action], data: st.DataObject
) -> None:
    with scratch() as folder:
        run = Run(folder, empty, "power")

        def insist(once: Callable[[], object]) -> object:
            first = run.disk.calls + data.draw(st.integers(1, 40))
            run.disk.failing = range(first, first + data.draw(st.integers(1, 3)))
            return insisted(once)

        for action in actions:
            run.do(action, insist)
            run.disk.failing = range(0)
            assert answers(run.store) == answers(run.model)
        run.store.close()


def test_whichever_call_fails_no_event_is_dropped_before_its_gap_is_stored(empty: Path, tmp_path: Path) -> None:
    for call in range(60):
        run = Run(tmp_path, empty, "power")
        run.store.append([event(each, size=80) for each in range(1, 41)], [], now=1.0)
        run.disk.failing = range(run.disk.calls + call, run.disk.calls + call + 1)
        assert insisted(lambda store=run.store: told(store)) == 22
        run.disk.failing = range(0)
        assert run.store.backlog().events == 18 + 1
        run.store.close()


def told(store: SqliteStore) -> int | None:
    """Drop the overflow as the service does, with an event about the gap; returns the number of dropped events."""
    (surplus,) = store.surplus(2.0)
    store.append([event(99, transition="gap")], [], instead_of=surplus.sequences)
    return surplus.gap.number
