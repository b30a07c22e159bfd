"""A large plant's snapshot is written in slices between steps, and a recovery is exact at any time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from edge.core.persistence.journal import pack
from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline
from edge.shell.service.state.checkpointer import (
    FEWEST_ROWS,
    MOST_ROWS,
    MOST_TRIES,
    RETRY_S,
    SLICE_S,
    SMALL,
    Checkpointer,
    adapted,
    write_snapshot,
)
from edge.shell.service.state.snapshot_policy import OVERDUE, RECOVERY_S, SnapshotPolicy
from edge.shell.service.state.stored_state import resume
from edge.shell.store import SqliteStore, StoreError
from tests.edge.core.pipelines import START, differing, pipeline, plant

NAMES = [f"paced/s{number}" for number in range(SMALL + 80)]


class TickingClock:
    """A clock on which every look takes a thousandth of a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


class Running:
    """A core, its store and its checkpointer, connected as in a service."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path = path
        self.store = SqliteStore(path, "process")
        self.line = pipeline()
        self.clock = TickingClock()
        self.policy = SnapshotPolicy()
        self.checkpointer = Checkpointer(
            self.store, self.line, "digest", "inputs", self.policy, lambda: START, self.clock
        )
        self._names = names
        self._seconds = count()

    def commit(self, step: Step) -> None:
        parts = [] if step.journal is None else [step.journal]
        self.store.append(step.events, step.dead_letters, pack(parts) if parts else None, now=START)
        self.checkpointer.committed(parts)

    def go_on(self, seconds: int = 1) -> None:
        """Take in the given number of readings of each sensor; one sensor has a fault every seventh time."""
        for _ in range(seconds):
            second = next(self._seconds)
            messages = plant([START + second], *self._names)
            if second % 7 == 3:
                messages += plant([START + second + 0.9], *self._names[second % 5 :: 50])
            self.commit(self.line.process(messages))

    def finish(self) -> int:
        """Take in readings between slices until the snapshot is complete; returns the number of slices."""
        for slices in count():
            if not self.checkpointer.is_writing:
                return slices
            self.go_on()
            self.checkpointer.turn()
        raise AssertionError

    def parts(self) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute("SELECT count(*) FROM snapshot_part").fetchone()[0])

    def saved(self, component: str) -> int:
        """The number of stored parts of a component, those of a snapshot that is being written too."""
        with closing(sqlite3.connect(self.path)) as connection:
            query = "SELECT count(*) FROM snapshot_part WHERE component = ?"
            return int(connection.execute(query, (component,)).fetchone()[0])

    def resumed(self) -> tuple[Pipeline, int]:
        """The state that another process would recover, and the number of gaps it would report."""
        found, _, gaps = resume(pipeline, SqliteStore(self.path, "process"), "digest", "inputs", START)
        return found, len(gaps)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path / "store.db", NAMES)
    made.go_on(8)
    yield made
    made.store.close()


def test_a_snapshot_is_written_in_slices_and_a_recovery_is_exact(running: Running) -> None:
    running.policy.hurry()
    running.checkpointer.turn()
    assert running.checkpointer.is_writing
    assert running.store.recall().state is None
    assert running.finish() > 2
    assert running.store.recall().state is not None
    running.go_on(3)
    found, gaps = running.resumed()
    assert gaps == 0
    assert differing(found, running.line) == []


@pytest.mark.parametrize("slices", range(1, 12, 2))
def test_a_kill_while_a_snapshot_is_written_leaves_the_one_before_valid(running: Running, slices: int) -> None:
    running.checkpointer.write()
    running.go_on(2)
    before = running.store.recall().state
    running.policy.hurry()
    for _ in range(slices):
        running.go_on()
        running.checkpointer.turn()
    is_complete = not running.checkpointer.is_writing
    assert (running.store.recall().state == before) == (not is_complete)
    found, gaps = running.resumed()
    assert gaps == 0
    assert differing(found, running.line) == []


def test_sensors_that_appear_meanwhile_are_recovered_too(running: Running) -> None:
    running.policy.hurry()
    running.checkpointer.turn()
    running._names = [*NAMES, "paced/new", "now/other"]
    running.finish()
    found, _ = running.resumed()
    assert found.sensors.names[-2:] == ["paced/new", "now/other"]
    assert differing(found, running.line) == []


def test_a_snapshot_is_abandoned_when_what_it_holds_of_peers_has_changed(running: Running) -> None:
    running.policy.hurry()
    while running.saved("peers") == 0:
        running.checkpointer.turn()
    assert running.checkpointer.is_writing
    running.commit(running.line.process(plant([START + 4000.0], *NAMES)))
    assert not running.checkpointer.is_writing


INTERRUPTIONS: dict[str, Callable[[Running], None]] = {
    "the clock was set": lambda running: running.commit(running.line.clock_stepped(-3.0)),
    "the connection was lost": lambda running: running.line.interrupted(),
}


@pytest.mark.parametrize("what", INTERRUPTIONS)
def test_a_snapshot_is_abandoned_when_it_is_disturbed_and_started_again(running: Running, what: str) -> None:
    running.policy.hurry()
    running.checkpointer.turn()
    INTERRUPTIONS[what](running)
    running.go_on()
    assert not running.checkpointer.is_writing
    running.go_on(3)
    running.checkpointer.turn()
    running.finish()
    found, _ = running.resumed()
    assert differing(found, running.line) == []


def test_a_snapshot_that_is_never_finished_is_written_at_once_when_it_is_overdue(running: Running) -> None:
    running.policy.cost_s = OVERDUE * RECOVERY_S
    for _ in range(MOST_TRIES):
        running.checkpointer.turn()
        running.commit(running.line.clock_stepped(1.0))
        assert running.store.recall().state is None
    running.checkpointer.turn()
    assert running.store.recall().state is not None
    assert not running.policy.is_due


def test_replaced_or_abandoned_snapshots_are_deleted_in_small_steps(running: Running) -> None:
    for _ in range(2):
        running.policy.hurry()
        running.checkpointer.turn()
        running.finish()
    both = running.parts()
    for _ in range(both):
        running.checkpointer.turn()
    one = running.parts()
    assert 0 < one < both
    assert one == len(list(running.store.parts()))


def test_steps_wait_less_for_their_commit_while_a_snapshot_is_written(running: Running) -> None:
    assert running.checkpointer.commit_s(2.0) == 2.0
    running.policy.hurry()
    running.checkpointer.turn()
    assert running.checkpointer.commit_s(2.0) < 0.5


def test_a_failing_store_is_retried_later(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise StoreError("disk full", temporary=True)

    running.policy.hurry()
    with monkeypatch.context() as patch:
        patch.setattr(running.store, "add_parts", fails)
        with pytest.raises(StoreError):
            running.checkpointer.turn()
    running.checkpointer.turn()
    assert not running.checkpointer.is_writing
    running.clock.now += RETRY_S
    running.checkpointer.turn()
    running.finish()
    assert differing(running.resumed()[0], running.line) == []


def test_a_missing_part_is_damage(running: Running) -> None:
    running.policy.hurry()
    running.checkpointer.turn()
    running.finish()
    with closing(sqlite3.connect(running.path)) as connection, connection:
        connection.execute("DELETE FROM snapshot_part WHERE number = 5")
    found, gaps = running.resumed()
    assert gaps == 1
    assert found.sensors.names == NAMES


def test_a_whole_snapshot_is_equivalent(running: Running) -> None:
    write_snapshot(running.store, running.line, "digest", "inputs", START)
    found, gaps = running.resumed()
    assert gaps == 0
    assert running.store.recall().since == []
    assert running.parts() > 0
    assert differing(found, running.line) == []


def test_the_snapshot_of_a_small_plant_is_one_row(tmp_path: Path) -> None:
    running = Running(tmp_path / "store.db", NAMES[:SMALL])
    running.go_on(3)
    running.policy.hurry()
    running.checkpointer.turn()
    assert not running.checkpointer.is_writing
    assert running.parts() == 0
    assert differing(running.resumed()[0], running.line) == []
    running.store.close()


def journal(slots: list[int]) -> Step:
    line = pipeline()
    names = [f"paced/s{number}" for number in range(max(slots) + 1)]
    line.register_sensors([(name, "periodic", False) for name in names])
    seconds = np.cumsum(np.ones(len(slots)))
    return line.process([plant([START + second], names[slot])[0] for slot, second in zip(slots, seconds, strict=True)])


def cost(slots: list[int]) -> float:
    policy, step = SnapshotPolicy(), journal(slots)
    assert step.journal is not None
    policy.committed([step.journal])
    return policy.cost_s


def test_readings_of_many_sensors_together_cost_less_than_as_many_of_one() -> None:
    assert cost(list(range(200))) < cost([0] * 200) / 5


def test_a_busy_sensor_costs_as_much_as_its_own_readings() -> None:
    assert cost([*range(200), *[0] * 50]) == pytest.approx(cost(list(range(200))) + cost([0] * 50), rel=0.1)


def test_a_snapshot_is_due_according_to_the_cost_of_a_recovery_and_of_the_last_one() -> None:
    policy = SnapshotPolicy()
    policy.cost_s = RECOVERY_S
    assert policy.is_due
    policy.begun()
    policy.cost_s += RECOVERY_S
    policy.completed(0.1)
    assert policy.is_due
    policy.begun()
    policy.completed(10.0)
    policy.cost_s = 9.0
    assert not policy.is_due
    policy.hurry()
    assert policy.is_due


def test_fewer_rows_are_prepared_together_only_if_they_take_longer_than_a_slice() -> None:
    assert [adapted(64, SLICE_S * part) for part in (1.01, 0.9, 0.2, 0.1)] == [32, 64, 64, 96]
    assert adapted(FEWEST_ROWS, 10 * SLICE_S) == FEWEST_ROWS
    assert adapted(MOST_ROWS, 0.0) == MOST_ROWS


def test_a_busy_machine_postpones_no_snapshot(tmp_path: Path) -> None:
    made = Running(tmp_path / "store.db", NAMES)
    for took_s, due_s in ((0.3, RECOVERY_S), (6.0, 8.0)):
        elapsed = count(0.0, 1000.0)
        looks = iter((0.0, took_s))
        policy = SnapshotPolicy()
        write = Checkpointer(
            made.store, made.line, "digest", "inputs", policy, lambda: START, elapsed.__next__, looks.__next__
        )
        write.write()
        assert policy.due_s == due_s
