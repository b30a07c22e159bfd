"""The cell host trusts its memory only if no other host has written; events are output before state is stored."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cell_stores import CELL_STORES, Opener

from edge.core.cells import CellStateError, Placing
from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Message
from edge.fleet.host import CellHost, LogPortion
from edge.fleet.memory_store import MemoryStore
from edge.fleet.store import Head, StaleHeadError
from tests.edge.core.cells.plant import LOG, bare, plan, readings, run
from tests.edge.core.pipelines import START, plant, reading

COUNT = len(readings())
SENSORS = ["paced/a/x", "paced/a/y"]


def portion(first: int, last: int, placing: Placing | None = None, cell: int = 0) -> LogPortion:
    """The plant's readings from `first` to before `last`, limited to those of a cell."""
    mine = [each for each in range(first, last) if placing is None or placing.cell(readings()[each].sensor) == cell]
    return LogPortion(LOG, mine, readings=[readings()[each] for each in mine])


def messages(*seconds: int, value: float | None = None) -> LogPortion:
    some: list[Message] = []
    for each in seconds:
        some += plant([START + each], *SENSORS) if value is None else [reading(SENSORS[0], START + each, value)]
    return LogPortion("topic/0", [int(each.arrived - START) * 2 + (each.topic[-1] == "y") for each in some], some)


@pytest.fixture(params=["memory", "folder"])
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    with CELL_STORES[request.param](tmp_path) as opener:
        yield opener


class WorkerDiedError(Exception):
    """The points at which a test lets a worker die."""


@pytest.mark.long
def test_workers_that_die_at_any_moment_lose_nothing_and_repeat_only_known_ids(opener: Opener) -> None:
    undisturbed, told, chance = bare(run(1).events), list[Event](), random.Random(8)
    hosts = [CellHost(plan(8), opener(), entries=7, live=3) for _ in range(2)]
    placing, deaths = plan(8).placing, 0

    def tell(events: Sequence[Event]) -> None:
        told.extend(events)
        if chance.random() < 0.3:
            raise WorkerDiedError

    for first in range(0, COUNT, 500):
        last = min(first + 500, COUNT)
        for cell in range(8):
            while True:
                worker = chance.randrange(2)
                if chance.random() < 0.1:
                    hosts[worker] = CellHost(plan(8), opener(), entries=7, live=3)
                try:
                    hosts[worker].run(cell, [portion(first, last, placing, cell)], readings()[last - 1].time, tell)
                except WorkerDiedError:
                    deaths += 1
                    continue
                break
            if chance.random() < 0.1:  # a batch that is delivered again although it was stored
                hosts[worker].run(cell, [portion(first, last, placing, cell)], None, tell)
    assert deaths > 2
    assert bare(told) == undisturbed


def test_a_cell_in_memory_is_not_loaded_again() -> None:
    host = CellHost(plan(1), MemoryStore())
    for first in range(0, 1000, 100):
        host.run(0, [portion(first, first + 100)])
    assert host.loads == 0


def test_a_cell_that_another_worker_has_run_is_loaded_again() -> None:
    store = MemoryStore()
    one, two = CellHost(plan(1), store), CellHost(plan(1), store)
    one.run(0, [portion(0, 100)])
    two.run(0, [portion(100, 200)])
    one.run(0, [portion(200, 300)])
    assert (one.loads, two.loads) == (1, 1)


def test_of_two_workers_that_run_a_cell_at_once_one_gives_up() -> None:
    store = MemoryStore()
    one, two = CellHost(plan(1), store), CellHost(plan(1), store)
    one.run(0, [messages(*range(30))])
    two.run(0, [messages(*range(30, 40))])

    def meanwhile(_: Sequence[Event]) -> None:
        two.run(0, [messages(*range(40, 50))])

    with pytest.raises(StaleHeadError):
        one.run(0, [messages(*range(40, 45), value=99.0)], tell=meanwhile)
    outcome = one.run(0, [messages(*range(40, 50)), messages(*range(50, 55), value=99.0)])
    assert [each.transition for each in outcome.events][:1] == ["raised"]


def test_a_cell_that_is_written_while_it_is_loaded_outputs_nothing() -> None:
    class Slow(MemoryStore):
        meanwhile = ""

        def entries(self, cell: int) -> list[bytes]:
            before = self.head(cell)
            if self.meanwhile:
                nonce, self.meanwhile = self.meanwhile, ""
                self.put_snapshot(cell, b"of another worker", before, nonce)
                return []
            return super().entries(cell)

    store, told = Slow(), list[Event]()
    CellHost(plan(1), store).run(0, [messages(*range(30))])
    store.meanwhile = "another"
    with pytest.raises(StaleHeadError):
        CellHost(plan(1), store).run(0, [messages(*range(30, 35), value=99.0)], tell=told.extend)
    assert told == []


def test_a_batch_whose_events_cannot_be_output_is_not_stored() -> None:
    store = MemoryStore()
    host = CellHost(plan(1), store)
    host.run(0, [messages(*range(30))])
    before = store.head(0)

    def fail(_: Sequence[Event]) -> None:
        raise WorkerDiedError

    with pytest.raises(WorkerDiedError):
        host.run(0, [messages(*range(30, 35), value=99.0)], tell=fail)
    assert store.head(0) == before
    outcome = host.run(0, [messages(*range(30, 35), value=99.0)])
    assert [each.transition for each in outcome.events][:1] == ["raised"]


def test_a_batch_that_changes_nothing_writes_nothing() -> None:
    store = MemoryStore()
    host = CellHost(plan(1), store)
    assert host.run(0).events == []
    assert store.head(0) is None
    host.run(0, [messages(*range(30))])
    before = store.head(0)
    host.run(0, [messages(*range(30))])
    assert store.head(0) == before
    assert host.loads == 0


def test_snapshots_of_different_cells_are_taken_at_different_times() -> None:
    store = MemoryStore()
    host = CellHost(plan(1), store, entries=10, live=20)
    taken: dict[int, int] = {}
    for batch in range(10):
        for cell in range(10):
            host.run(cell, [portion(batch * 50, batch * 50 + 50)])
            if cell not in taken and store.snapshot(cell) is not None:
                taken[cell] = batch
    assert len(taken) == 10
    assert len({*taken.values()}) > 4
    assert store.entries(0) == []


def test_entries_never_exceed_their_maximum_number() -> None:
    store = MemoryStore()
    host = CellHost(plan(1), store, entries=3)
    for batch in range(20):
        host.run(0, [portion(batch * 20, batch * 20 + 20)])
        assert len(store.entries(0)) < 3
    CellHost(plan(1), store, entries=1).run(0, [portion(400, 420)])
    assert store.head(0) == Head(store.head(0).nonce, 0)  # type: ignore[union-attr]


def test_a_host_keeps_no_more_cells_in_memory_than_allowed() -> None:
    host = CellHost(plan(1), MemoryStore(), live=2)
    for cell in (0, 1, 2, 0):
        host.run(cell, [portion(0, 100)])
        host.run(cell, [portion(100, 200)])
    assert len(host._live) == 2
    assert host.loads == 1
    host.drop(0)
    assert [*host._live] == [2]


def test_refusals_are_counted_by_batch_and_the_first_are_shown() -> None:
    host = CellHost(plan(1), MemoryStore())
    bad = LogPortion("topic/0", [0, 1], [Message("paced/a/x", b"{", START), Message("paced/a/x", b"", START)])
    outcome = host.run(0, [bad])
    assert outcome.refused == {"malformed": 1, "empty": 1}
    assert [each.refusal.reason for each in outcome.dead_letters] == ["malformed", "empty"]
    assert host.run(0, [messages(1, 2)]).refused == {}


def test_a_cell_gives_the_time_of_its_next_run() -> None:
    host = CellHost(plan(1), MemoryStore())
    due = host.run(0, [messages(*range(60))]).due
    assert START + 60 < due < START + 3600
    assert {each.kind for each in host.run(0, now=due + 1.0).events} == {"missing"}


def test_forgetting_is_kept() -> None:
    store, told = MemoryStore(), list[Event]()
    CellHost(plan(1), store).run(0, [messages(*range(30)), messages(*range(30, 35), value=99.0)])
    CellHost(plan(1), store).forget(0, [SENSORS[0]], START + 40.0, told.extend)
    assert [each.transition for each in told] == ["expired", "forgotten"]
    assert CellHost(plan(1), store).forget(0, [SENSORS[0]], START + 40.0).events == []


def test_an_unreadable_state_is_an_error_and_is_kept() -> None:
    store = MemoryStore()
    store.put_snapshot(0, b"of a later version", None, "a")
    with pytest.raises(CellStateError):
        CellHost(plan(1), store).run(0, [messages(1)])
    assert store.snapshot(0) == b"of a later version"
