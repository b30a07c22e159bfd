"""Cells over an engine's keyed state: repeated records don't count, and time follows the log."""

from __future__ import annotations

import random

import msgspec
import pytest
from cell_stores import Names

from edge.core.cells import CellStateError
from edge.core.incidents.events.event import Event
from edge.fleet.engines.keyed_cells import KeyedCells
from edge.fleet.engines.packs import PackedRecord, Records
from edge.fleet.keyed_store import KeyedStore
from edge.fleet.store import DamagedStoreError
from tests.edge.core.cells.plant import bare, plan
from tests.edge.core.pipelines import START

LOG = "readings/0"


def steady(first: int, last: int, value: float = 20.0) -> list[PackedRecord]:
    """One reading per second of two sensors, by the gateway's clock."""
    return [
        PackedRecord(
            2 * each + field, f"paced/a/{'xy'[field]}", repr(value + (each * 7) % 5 / 10).encode(), START + each
        )
        for each in range(first, last)
        for field in range(2)
    ]


def told_by(
    cells: KeyedCells, state: Names, some: list[PackedRecord], time: float | None, log: str = LOG
) -> list[Event]:
    """The events of a run."""
    return cells.run("0", state, Records.of(some), log, time).events


def test_repeated_or_overlapping_packs_change_nothing() -> None:
    chance, state, told = random.Random(4), Names(), list[Event]()
    records = steady(0, 300) + steady(300, 330, 90.0) + steady(330, 500)
    undisturbed = told_by(KeyedCells(plan(1)), Names(), records, None)
    done = 0
    while done < len(records):
        first, last = chance.randrange(max(1, done - 40), done + 1) if done else 0, done + chance.randrange(1, 60)
        cells = KeyedCells(plan(1), entries=5)  # another worker each time
        told += told_by(cells, state, records[first:last], None)
        done = last
    assert len(undisturbed) > 0
    assert bare(told) == bare(undisturbed)


class Changelog(Names):
    """A state that records each change."""

    def __init__(self, state: Names, changes: list[tuple[str, bytes | None]]) -> None:
        super().__init__(state)
        self._changes = changes

    def put(self, name: str, value: bytes) -> None:  # type: ignore[override]
        self[name] = value
        self._changes.append((name, value))

    def remove(self, name: str) -> None:
        self.pop(name, None)
        self._changes.append((name, None))


def stored(state: Names) -> tuple[bytes | None, list[bytes]]:
    """What a worker would load."""
    store = KeyedStore({0: state}.__getitem__)
    return store.snapshot(0), store.entries(0)


@pytest.mark.parametrize("lost", [1, 2, 4])
def test_changes_that_were_never_committed_spoil_no_state_that_is_restored_from_all(lost: int) -> None:
    changes: list[tuple[str, bytes | None]] = []
    pieces = [steady(first, first + 20) for first in range(0, 400, 20)]
    state, killed = Changelog(Names(), changes), KeyedCells(plan(1), entries=3, rewrites=True)
    for piece in pieces[:8]:
        told_by(killed, state, piece, None)
    committed = Names(state)
    for piece in pieces[8 : 8 + lost]:
        told_by(killed, state, piece, None)
    state, successor = Changelog(committed, changes), KeyedCells(plan(1), entries=50, rewrites=True)
    for piece in pieces[8:]:
        told_by(successor, state, piece, None)
        restored = Names()
        for name, value in changes:
            restored.pop(name, None)
            if value is not None:
                restored[name] = value
        assert stored(restored) == stored(state)


def test_a_tick_means_that_time_has_passed_in_the_log() -> None:
    cells, state = KeyedCells(plan(1)), Names()
    cells.run("0", state, Records.of(steady(0, 100)), LOG, START + 99.0)
    assert told_by(cells, state, [], START + 100.5) == []
    silent = told_by(cells, state, [], START + 1000.0)
    assert {each.kind for each in silent} == {"missing"}


@pytest.mark.parametrize("is_new", [False, True], ids=["same_worker", "new_worker"])
def test_a_repeated_tick_lets_no_time_pass(*, is_new: bool) -> None:
    cells, state = KeyedCells(plan(1)), Names()
    due = cells.run("0", state, Records.of(steady(0, 100)), LOG, START + 99.0).due
    tick = START + 99.0 + 0.7 * (due - START - 99.0)
    for _ in range(10):
        cells = KeyedCells(plan(1)) if is_new else cells
        assert told_by(cells, state, [], tick) == []
    assert {each.kind for each in told_by(cells, state, [], START + 1000.0)} == {"missing"}


@pytest.mark.parametrize("is_new", [False, True], ids=["same_worker", "new_worker"])
def test_short_ticks_add_up(*, is_new: bool) -> None:
    cells, state = KeyedCells(plan(1)), Names()
    cells.run("0", state, Records.of(steady(0, 100)), LOG, START + 99.0)
    found = []
    for second in range(1, 31):
        cells = KeyedCells(plan(1)) if is_new else cells
        found += told_by(cells, state, [], START + 99.0 + second)
    assert {each.kind for each in found} == {"missing"}


def test_senders_whose_clocks_are_behind_are_not_silent() -> None:
    cells, state = KeyedCells(plan(1)), Names()
    for each in steady(0, 200):
        body = b'{"time": %r, "value": %s}' % (each.arrived - 3600.0, each.payload)
        behind = each._replace(payload=body)
        assert told_by(cells, state, [behind], each.arrived) == []


def test_a_tick_for_a_cell_without_messages_stores_nothing() -> None:
    state = Names()
    assert told_by(KeyedCells(plan(1)), state, [], START) == []
    assert state == {}


def test_a_topic_that_was_recreated_is_read_from_its_beginning() -> None:
    cells, state = KeyedCells(plan(1)), Names()
    cells.run("0", state, Records.of(steady(0, 100)), f"{LOG}@old", None)
    again = [each._replace(offset=each.offset - 200) for each in steady(100, 110, 90.0)]
    assert told_by(cells, state, again, None, f"{LOG}@old") == []
    assert [each.transition for each in told_by(cells, state, again, None, f"{LOG}@new")][:1] == ["raised"]


def test_a_state_of_a_later_version_is_an_error_and_is_kept() -> None:
    state = Names(head=msgspec.msgpack.encode([2, "nonce", 0, 1]))
    before = dict(state)
    with pytest.raises(DamagedStoreError, match="version 2"):
        KeyedCells(plan(1)).run("0", state, Records.of(steady(0, 1)), LOG, None)
    state = Names(before, head=msgspec.msgpack.encode([1, "nonce", 0, 1]), **{"snapshot-0": b"\x91\x09"})
    with pytest.raises(CellStateError):
        KeyedCells(plan(1)).run("0", state, Records.of(steady(0, 1)), LOG, None)


def test_large_snapshots_are_stored_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.fleet.keyed_store.PIECE_BYTES", 300)
    state = Names()
    KeyedCells(plan(1), entries=1).run("0", state, Records.of(steady(0, 100)), LOG, None)
    pieces = [len(value) for name, value in state.items() if name.startswith("snapshot-")]
    assert len(pieces) > 3
    assert max(pieces) == 300
    other = KeyedCells(plan(1), entries=1)
    assert told_by(other, state, steady(100, 110, 90.0), None) != []
    assert other.host.loads == 1
