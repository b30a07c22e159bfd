"""Division of a fleet on Quix Streams: new cells continue the earlier ones whose sensors they have."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy

import pytest
from cell_stores import Names

from config.loading import parse
from edge.core.incidents.events.event import Event
from edge.fleet.engines.keyed_cells import KeyedCells
from edge.fleet.engines.packs import VERSION, Pack, PackedRecord, Records
from edge.fleet.engines.quix_division import InheritingCells, inherit
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing
from tests.edge.core.cells.plant import bare, readings

CONFIGURATION = parse('[gateway]\nname = "fleet"\n[[input]]\ntopic = "readings/#"\n', "test").configuration
PLACE, LOG = "readings/0", "readings/0@id"


class Partition:
    """The states of a partition's cells, run by a new worker each time."""

    def __init__(self) -> None:
        self.states: defaultdict[str, Names] = defaultdict(Names)
        self.events: list[Event] = []
        self.inherited: list[str] = []

    def run(self, first: int, last: int, cells: int) -> None:
        plan = plan_of(CONFIGURATION, cells)
        topics, worker = TopicPlacing.of(CONFIGURATION, plan), KeyedCells(plan, entries=4)
        records = [
            PackedRecord(place, f"readings/{each.sensor}", b"%r" % each.value, each.time)
            for place, each in enumerate(readings()[first:last], first)
        ]
        for number in range(cells):
            name = f"{PLACE}/{number}of{cells}"
            its_own = Records.of([each for each in records if topics.cell(each.topic) == number])
            if inherit(name, self.states.__getitem__, plan, topics):
                self.inherited.append(name)
            self.events += worker.run(name, self.states[name], its_own, LOG, records[-1].arrived).events

    def run_through(self, cuts: dict[int, int]) -> None:
        """Run all readings: up to each position with that number of cells, re-reading 200 readings each time."""
        first = 0
        for last, cells in cuts.items():
            self.run(max(0, first - 200), last, cells)
            first = last


@pytest.mark.long
def test_more_cells_change_no_event_even_if_readings_are_repeated() -> None:
    alone, divided, whole = Partition(), Partition(), len(readings())
    alone.run_through({whole // 3: 1, whole // 2: 1, whole: 1})
    divided.run_through({whole // 3: 2, whole // 2: 6, whole: 12})
    assert len(alone.events) > 20
    assert alone.inherited == []
    assert bare(divided.events) == bare(alone.events)
    assert len(divided.events) == len(alone.events)


def test_a_cell_inherits_once_from_the_earlier_cell_with_the_latest_records() -> None:
    partition = Partition()
    partition.run(0, 100, 2)
    partition.run(100, 200, 4)
    partition.run(200, 300, 8)
    partition.run(300, 400, 8)
    assert partition.inherited == [f"{PLACE}/{each}of{cells}" for cells in (4, 8) for each in range(cells)]
    assert b"".join(partition.states[f"{PLACE}/0of8"].values()) != b""


def test_a_division_that_was_never_committed_is_repeated(caplog: pytest.LogCaptureFixture) -> None:
    partition, plan = Partition(), plan_of(CONFIGURATION, 2)
    partition.run(0, 200, 1)
    worker = InheritingCells(plan, TopicPlacing.of(CONFIGURATION, plan))
    tick = Pack(VERSION, LOG, readings()[199].time, Records())
    caplog.set_level("INFO")
    for _ in range(2):
        states = deepcopy(partition.states)  # as they were committed
        for _ in range(3):
            worker.run(f"{PLACE}/1of2", states.__getitem__, tick)
        assert states[f"{PLACE}/1of2"]["head"]
    assert caplog.messages == [f"divided cell={PLACE}/1of2"] * 2


def test_a_number_of_cells_that_is_no_multiple_inherits_nothing() -> None:
    partition = Partition()
    partition.run(0, 100, 4)
    partition.run(100, 200, 6)
    assert partition.inherited == []


def test_cells_of_an_earlier_number_whose_packs_still_wait_inherit_nothing() -> None:
    partition, plan = Partition(), plan_of(CONFIGURATION, 4)
    partition.run(0, 100, 1)
    assert not inherit(f"{PLACE}/1of2", partition.states.__getitem__, plan, TopicPlacing.of(CONFIGURATION, plan))


@pytest.mark.long
def test_a_stale_state_is_replaced_by_a_share_of_the_cell_that_went_on() -> None:
    went_back, straight, part = Partition(), Partition(), len(readings()) // 4
    went_back.run(0, part, 2)
    went_back.run(part, 2 * part, 4)  # these states are stale later
    straight.run(0, part, 2)
    for each in (went_back, straight):
        each.run(2 * part, 3 * part, 2)
        each.inherited.clear()
        each.events.clear()
        each.run(3 * part, 4 * part, 4)
        assert each.inherited == [f"{PLACE}/{number}of4" for number in range(4)]
    assert len(straight.events) > 10
    assert bare(went_back.events) == bare(straight.events)
