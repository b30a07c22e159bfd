"""Division: cells that become several go on with what was learned, and change no event."""

from __future__ import annotations

from functools import cache

import pytest

from config.loading import parse
from edge.core.cells import Cell, CellStateError
from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Message
from edge.fleet.division import divided
from edge.fleet.plan import plan_of
from edge.fleet.topics import TopicPlacing
from tests.edge.core.cells.plant import LOG, bare, readings

CONFIGURATION = parse('[gateway]\nname = "fleet"\n[[input]]\ntopic = "readings/#"\n', "test").configuration


@cache
def messages() -> tuple[Message, ...]:
    return tuple(Message(f"readings/{each.sensor}", b"%r" % each.value, each.time) for each in readings())


class Fleet:
    """Cells that read the plant's log by topics, as engines do."""

    def __init__(self, cells: int) -> None:
        self.cells = [Cell(plan_of(CONFIGURATION, cells)) for _ in range(cells)]
        self.events: list[Event] = []

    @property
    def topics(self) -> TopicPlacing:
        return TopicPlacing.of(CONFIGURATION, plan_of(CONFIGURATION, len(self.cells)))

    def take(self, first: int, last: int) -> None:
        topics = self.topics
        for number, cell in enumerate(self.cells):
            places = [place for place in range(first, last) if topics.cell(messages()[place].topic) == number]
            self.events += cell.process([messages()[each] for each in places], LOG, places).events
            self.events += cell.tick(messages()[last - 1].arrived).events

    def divide(self, cells: int, *, keeps_entries: bool) -> None:
        """Go on with another number of cells."""
        before, self.cells = self.cells, [Cell(plan_of(CONFIGURATION, cells)) for _ in range(cells)]
        for number, cell in enumerate(before):
            entry = cell.entry()
            saved = (None, [entry] if entry else []) if keeps_entries else (cell.state(), [])
            plan = plan_of(CONFIGURATION, cells)
            for new, state in divided(number, *saved, len(before), plan, self.topics).items():
                self.cells[new].take_in(state)


@pytest.mark.long
@pytest.mark.parametrize("keeps_entries", [False, True], ids=["snapshot", "entries"])
def test_cells_that_are_divided_change_no_event(*, keeps_entries: bool) -> None:
    alone, fleet, half = Fleet(1), Fleet(4), len(readings()) // 2
    alone.take(0, half)
    alone.take(half, len(readings()))
    fleet.take(0, half)
    known = sum(len(each.sensors()) for each in fleet.cells)
    fleet.divide(12, keeps_entries=keeps_entries)
    assert sum(len(each.sensors()) for each in fleet.cells) == known
    assert max(len(each.sensors()) for each in fleet.cells) < known // 4
    fleet.take(half - 300, len(readings()))  # what was read before comes again
    assert len(alone.events) > 20
    assert bare(fleet.events) == bare(alone.events)
    assert len(fleet.events) == len(alone.events)


def test_topics_of_sensors_are_part_of_states_and_entries() -> None:
    plan = plan_of(CONFIGURATION, 1)
    cell, told = Cell(plan), Message("readings/a", b'{"x": 1, "y": 2}', 1.7e9)
    cell.process([told], LOG, [0])
    expected = {"readings/a/x": "readings/a", "readings/a/y": "readings/a"}
    assert cell.topics == expected
    entry, state = cell.entry(), cell.state()
    assert entry is not None
    for saved in ((None, [entry]), (state, [])):
        other = Cell(plan)
        other.load(*saved)
        assert other.topics == expected
        assert other.forget(["readings/a/x"], 1.7e9 + 1).journal is not None
        assert other.topics == {"readings/a/y": "readings/a"}


def test_a_state_without_topics_stays_in_the_cell_that_it_was_in() -> None:
    cell = Cell(plan_of(CONFIGURATION, 2))
    cell.process_readings(readings()[:50], LOG, range(50))
    names = {*cell.sensors()}
    assert cell.topics == {}
    plan = plan_of(CONFIGURATION, 4)
    found = {}
    for number, state in divided(1, cell.state(), [], 2, plan, TopicPlacing.of(CONFIGURATION, plan)).items():
        found[number] = Cell(plan)
        found[number].take_in(state)
    assert {number: {*each.sensors()} for number, each in found.items()} == {1: names, 3: set()}


def test_an_unreadable_state_is_an_error() -> None:
    plan = plan_of(CONFIGURATION, 2)
    with pytest.raises(CellStateError):
        divided(0, b"\x91\x09", [], 1, plan, TopicPlacing.of(CONFIGURATION, plan))
