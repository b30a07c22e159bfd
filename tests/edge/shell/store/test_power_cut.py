"""A power cut between any two calls: everything a commit promised is there, and nothing is half written."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_examples import LIMITS, answers, rows_of, scratch
from store_runs import ACTIONS, Action, Durability, Run

from edge.shell.store import SqliteStore, database
from edge.shell.store.protection.write_ahead_log import lost_commits


@pytest.fixture(autouse=True, scope="module")
def _small_log() -> Iterator[None]:
    """The log is often checkpointed into the file, so that this is interrupted, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "LOG_PAGES", 12)
        yield


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without content."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    SqliteStore(path, "process").close()
    return path


def found(files: dict[str, bytes], durability: Durability) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows and answers of an ordinary store for the files.

    Without syncing, commits may be lost from the middle of the log; the store is told so, and then searches further.
    """
    with scratch() as folder:
        for name, content in files.items():
            (folder / Path(name).name).write_bytes(content)
        path = folder / "store.db"
        with pytest.MonkeyPatch.context() as patch:
            if lost_commits(Path(f"{path}-wal")):
                assert durability == "process"
                patch.setattr(database, "lost_commits", lambda _: 0)
            store = SqliteStore(path, "process", LIMITS)
        assert store._database.execute("PRAGMA integrity_check") == [("ok",)]
        answered = answers(store)
        store.close()
        return rows_of(path), answered


@pytest.mark.parametrize("durability", ["power", "process"])
@settings(max_examples=30, database=None)
@given(actions=ACTIONS, seed=st.integers(0, 2**32))
def test_a_power_cut_leaves_committed_data_and_no_half_of_other_data(
    empty: Path, durability: Durability, actions: list[Action], seed: int
) -> None:
    chance = random.Random(seed)
    with scratch() as folder:
        run = Run(folder, empty, durability)
        for action in actions:
            run.do(action)
        for calls in cuts(len(run.disk.changes), chance):
            rows, answered = found(run.disk.left_by_cut(calls, chance), durability)
            assert rows in [each.rows for each in run.possible(calls)]
            assert answered in [each.answers for each in run.possible(calls) if each.rows == rows]
        run.store.close()


def cuts(changes: int, chance: random.Random, most: int = 6) -> Iterator[int]:
    """Number of changes of the disk after which the power fails."""
    yield changes
    for _ in range(most):
        yield chance.randint(0, changes)
