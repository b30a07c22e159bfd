"""Cells over an engine's keyed state: repeated records don't count, and time follows the log."""

from __future__ import annotations

import random

import msgspec
import pytest
from cell_stores import Names

from edge.core.cells import CellStateError
from edge.core.incidents.events.event import Event
from edge.fleet.engines.keyed_cells import KeyedCells
from edge.fleet.engines.packs import PackedRecord
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


def test_repeated_or_overlapping_packs_change_nothing() -> None:
    chance, state, told = random.Random(4), Names(), list[Event]()
    records = steady(0, 300) + steady(300, 330, 90.0) + steady(330, 500)
    undisturbed = KeyedCells(plan(1)).run("0", Names(), records, LOG, None).events
    done = 0
    while done < len(records):
        first, last = chance.randrange(max(1, done - 40), done + 1) if done else 0, done + chance.randrange(1, 60)
        cells = KeyedCells(plan(1), entries=5)  # another worker each time
        told += cells.run("0", state, records[first:last], LOG, None).events
        done = last
    assert len(undisturbed) > 0
    assert bare(told) == bare(undisturbed)


def test_a_tick_means_that_time_has_passed_in_the_log() -> None:
    cells, state = KeyedCells(plan(1)), Names()
    cells.run("0", state, steady(0, 100), LOG, START + 99.0)
    assert cells.run("0", state, [], LOG, START + 100.5).events == []
    silent = cells.run("0", state, [], LOG, START + 1000.0).events
    assert {each.kind for each in silent} == {"missing"}


@pytest.mark.parametrize("is_new", [False, True], ids=["same_worker", "new_worker"])
def test_a_repeated_tick_lets_no_time_pass(*, is_new: bool) -> None:
    cells, state = KeyedCells(plan(1)), Names()
    due = cells.run("0", state, steady(0, 100), LOG, START + 99.0).due
    tick = START + 99.0 + 0.7 * (due - START - 99.0)
    for _ in range(10):
        cells = KeyedCells(plan(1)) if is_new else cells
        assert cells.run("0", state, [], LOG, tick).events == []
    assert {each.kind for each in cells.run("0", state, [], LOG, START + 1000.0).events} == {"missing"}


@pytest.mark.parametrize("is_new", [False, True], ids=["same_worker", "new_worker"])
def test_short_ticks_add_up(*, is_new: bool) -> None:
    cells, state = KeyedCells(plan(1)), Names()
    cells.run("0", state, steady(0, 100), LOG, START + 99.0)
    found = []
    for second in range(1, 31):
        cells = KeyedCells(plan(1)) if is_new else cells
        found += cells.run("0", state, [], LOG, START + 99.0 + second).events
    assert {each.kind for each in found} == {"missing"}


def test_senders_whose_clocks_are_behind_are_not_silent() -> None:
    cells, state = KeyedCells(plan(1)), Names()
    for each in steady(0, 200):
        late = msgspec.structs.replace(each, arrived=each.arrived)
        body = b'{"time": %r, "value": %s}' % (each.arrived - 3600.0, each.payload)
        behind = msgspec.structs.replace(late, payload=body)
        assert cells.run("0", state, [behind], LOG, each.arrived).events == []


def test_a_tick_for_a_cell_without_messages_stores_nothing() -> None:
    state = Names()
    assert KeyedCells(plan(1)).run("0", state, [], LOG, START).events == []
    assert state == {}


def test_a_topic_that_was_recreated_is_read_from_its_beginning() -> None:
    cells, state = KeyedCells(plan(1)), Names()
    cells.run("0", state, steady(0, 100), f"{LOG}@old", None)
    again = [msgspec.structs.replace(each, offset=each.offset - 200) for each in steady(100, 110, 90.0)]
    assert cells.run("0", state, again, f"{LOG}@old", None).events == []
    assert [each.transition for each in cells.run("0", state, again, f"{LOG}@new", None).events][:1] == ["raised"]


def test_a_state_of_a_later_version_is_an_error_and_is_kept() -> None:
    state = Names(head=msgspec.msgpack.encode([2, "nonce", 0, 1]))
    before = dict(state)
    with pytest.raises(DamagedStoreError, match="version 2"):
        KeyedCells(plan(1)).run("0", state, steady(0, 1), LOG, None)
    state = Names(before, head=msgspec.msgpack.encode([1, "nonce", 0, 1]), **{"snapshot-0": b"\x91\x09"})
    with pytest.raises(CellStateError):
        KeyedCells(plan(1)).run("0", state, steady(0, 1), LOG, None)


def test_large_snapshots_are_stored_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.fleet.keyed_store.PIECE_BYTES", 300)
    state = Names()
    KeyedCells(plan(1), entries=1).run("0", state, steady(0, 100), LOG, None)
    pieces = [len(value) for name, value in state.items() if name.startswith("snapshot-")]
    assert len(pieces) > 3
    assert max(pieces) == 300
    other = KeyedCells(plan(1), entries=1)
    assert other.run("0", state, steady(100, 110, 90.0), LOG, None).events != []
    assert other.host.loads == 1
