"""Cells with a sensor or two each: they report the silences that one cell with all sensors does, with the same ids."""

from __future__ import annotations

from collections import defaultdict

import pytest
from cell_stores import Names
from fleet_plant import CONFIGURATION, SOURCE, Sent, records, undisturbed

from config.loading import parse
from edge.fleet.engines.keyed_cells import KeyedCells
from edge.fleet.engines.packs import PackedRecord, Records
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing
from tests.edge.core.cells.plant import LAST


@pytest.mark.long
@pytest.mark.parametrize("batch", [500, 100_000])
@pytest.mark.parametrize("cells", [12, 200])
def test_more_cells_than_devices_change_no_event(cells: int, batch: int) -> None:
    configuration = parse(CONFIGURATION, "test").configuration
    plan = plan_of(configuration, cells)
    topics, worker = TopicPlacing.of(configuration, plan), KeyedCells(plan)
    states, found = defaultdict[int, Names](Names), list[str]()
    for first in range(0, len(records()), batch):
        shares: dict[int, list[PackedRecord]] = {}
        for offset, each in enumerate(records()[first : first + batch], first):
            if (number := topics.cell(f"{SOURCE}/{each.key}")) is not None:
                shares.setdefault(number, []).append(packed(offset, each))
        for number, those in shares.items():
            outcome = worker.run(str(number), states[number], Records.of(those), "log", None)
            found += [each.id for each in outcome.events]
    for number, state in states.items():
        outcome = worker.run(str(number), state, Records(), "log", LAST)
        found += [each.id for each in outcome.events]
    assert len(states) >= 8
    assert {*found} == undisturbed()


def packed(offset: int, sent: Sent) -> PackedRecord:
    return PackedRecord(offset, f"{SOURCE}/{sent.key}", sent.value, sent.time_ms / 1000)
