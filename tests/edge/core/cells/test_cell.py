"""Cells report the same as one process: for any batches, wherever a cell dies, and however often it is divided."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from edge.core.cells import Cell, CellStateError, Placing
from edge.core.model.packing.encoding import encode
from edge.core.model.readings.messages import Reading
from tests.edge.core.cells.plant import LOG, Fleet, bare, plan, readings, run
from tests.edge.core.pipelines import START, Line, differing, pipeline, plant, reading

COUNT = len(readings())
SENSORS = ["paced/a/x", "paced/a/y", "paced/b/x"]
UNREADABLE = [b"", b"\xff", encode([9, {}, b""]), encode([1, {"a": "x"}, b""]), encode([1, {}, b"x"])]


def whole() -> dict[str, bytes]:
    return bare(run(1).events)


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, bytes]:
    expected = whole()
    kinds = Counter(each.split("-")[-1] for each in expected)
    assert kinds["raised"] > 20
    assert kinds["cleared"] > 10
    return expected


@pytest.mark.parametrize("cells", [2, *(pytest.param(each, marks=pytest.mark.long) for each in (8, 64))])
def test_any_number_of_cells_reports_the_same_as_one_process(undisturbed: dict[str, bytes], cells: int) -> None:
    assert bare(run(cells, range(500, COUNT, 500)).events) == undisturbed


@pytest.mark.long
def test_dividing_64_cells_into_128_changes_no_event(undisturbed: dict[str, bytes]) -> None:
    fleet = Fleet(64)
    half = COUNT // 2
    fleet.take(0, half)
    fleet.divide()
    fleet.take(half - 500, COUNT)  # the earlier readings are delivered again to all 128 cells
    assert len(fleet.cells) == 128
    assert bare(fleet.events) == undisturbed
    assert len(fleet.events) == len(undisturbed)


@pytest.mark.long
@seed(20)
@settings(max_examples=5, deadline=None, phases=[Phase.generate])  # shrinking takes minutes
@given(st.data())
def test_batches_kills_and_division_change_no_event(undisturbed: dict[str, bytes], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, COUNT - 1), min_size=1, max_size=10), label="cuts"))
    divided = data.draw(st.sampled_from(cuts), label="divided at")
    fleet = Fleet(8)
    for first, last in zip([0, *cuts], [*cuts, COUNT], strict=True):
        if first == divided:
            fleet.divide()
        fleet.take(first, last)
        for number in data.draw(st.sets(st.integers(0, len(fleet.cells) - 1), max_size=4), label="kept"):
            fleet.keep(number)
        for number in data.draw(st.sets(st.integers(0, len(fleet.cells) - 1), max_size=4), label="killed"):
            fleet.kill(number)
        again = data.draw(st.integers(0, last - 1), label="given again from")
        if data.draw(st.booleans(), label="whether it is given again"):
            fleet.take(again, last)
    assert bare(fleet.events) == undisturbed
    assert len(fleet.events) == len(undisturbed)


def test_a_cell_reports_the_same_about_messages_of_devices_as_a_gateway() -> None:
    messages = plant([START + each for each in range(300)], "paced/a/x", "paced/a/y")
    messages += [reading("paced/a/x", START + 301 + each, 95.0) for each in range(20)]
    gateway = Line(pipeline()).take(messages)
    cell = Cell(plan(1))
    events = cell.process(messages, LOG, range(len(messages))).events
    assert len(events) > 0
    assert [each.payload for each in events] == [each.payload for each in gateway.events]


def test_records_before_the_position_are_skipped() -> None:
    messages = plant([START + each for each in range(50)], *SENSORS)
    once, twice = Cell(plan(1)), Cell(plan(1))
    once.process(messages, LOG, range(len(messages)))
    twice.process(messages[:100], LOG, range(100))
    twice.process(messages[40:], LOG, range(40, len(messages)))
    assert differing(once.pipeline, twice.pipeline) == []
    assert twice.positions == {LOG: len(messages) - 1}
    assert twice.process(messages, LOG, range(len(messages))).events == []


def test_each_log_has_its_own_position_of_any_size() -> None:
    messages = plant([START], *SENSORS)
    shard = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898
    cell = Cell(plan(1))
    cell.process(messages[:1], "topic/0", [7])
    cell.process(messages[1:], "shard-1", [shard, shard + 5])
    entry = cell.entry()
    assert entry is not None
    revived = Cell(plan(1))
    revived.load(None, [entry])
    assert revived.positions == {"topic/0": 7, "shard-1": shard + 5}
    other = Cell(plan(1))
    other.load(cell.state())
    assert other.positions == revived.positions


@pytest.mark.parametrize("offsets", [[3, 3], [4, 3], [1], [1, 2, 3]])
def test_offsets_that_do_not_ascend_are_an_error(offsets: list[int]) -> None:
    cell = Cell(plan(1))
    with pytest.raises(ValueError, match="offsets must ascend"):
        cell.process(plant([START], *SENSORS[:2]), LOG, offsets)
    assert cell.positions == {}


def test_an_entry_holds_everything_since_the_last_one() -> None:
    messages = plant([START + each for each in range(40)], *SENSORS)
    cell, entries = Cell(plan(1)), []
    for first in range(0, len(messages), 30):
        cell.process(messages[first : first + 30], LOG, range(first, first + 30))
        entries.append(cell.entry())
    assert cell.entry() is None
    revived = Cell(plan(1))
    revived.load(None, entries)
    assert differing(cell.pipeline, revived.pipeline) == []


def test_a_message_without_readings_moves_the_position() -> None:
    cell = Cell(plan(1))
    cell.process([reading("elsewhere/x", START, 1.0)], LOG, [5])
    entry = cell.entry()
    assert entry is not None
    revived = Cell(plan(1))
    revived.load(None, [entry])
    assert revived.positions == {LOG: 5}


def test_silence_is_found_when_the_cell_is_given_the_time() -> None:
    cell = Cell(plan(1))
    cell.process(plant([START + each for each in range(60)], *SENSORS), LOG, range(180))
    due = cell.due()
    assert START + 60 < due < START + 3600
    assert cell.tick(due - 1.0).events == []
    assert {each.kind for each in cell.tick(due + 60.0).events} == {"missing"}
    assert cell.entry() is not None


def test_a_cell_that_has_read_nothing_waits_for_nothing() -> None:
    cell = Cell(plan(1))
    assert cell.due() == math.inf
    assert cell.tick(START).events == []
    assert cell.entry() is None


def test_a_tick_never_moves_time_back() -> None:
    cell = Cell(plan(1))
    cell.process(plant([START + each for each in range(60)], *SENSORS), LOG, range(180))
    cell.entry()
    assert cell.tick(START).journal is None
    assert cell.entry() is None


def test_sensors_of_two_devices_that_stop_together_are_reported_separately() -> None:
    cell = Cell(plan(1))
    sensors = ["paced/a/x", "paced/a/y", "paced/b/x", "paced/b/y"]
    cell.process(plant([START + each for each in range(60)], *sensors), LOG, range(240))
    raised = [each for each in cell.tick(START + 120.0).events if each.transition == "raised"]
    assert [each.sensor for each in raised] == ["paced/a/x", "paced/b/x"]


def test_a_forgotten_sensor_ends_its_incident_and_is_new_when_it_comes_back() -> None:
    cell = Cell(plan(1))
    cell.process(plant([START + each for each in range(60)], *SENSORS), LOG, range(180))
    cell.process([reading("paced/b/x", START + 61 + each, 99.0) for each in range(3)], LOG, range(180, 183))
    step = cell.forget(["paced/b/x", "never/heard"], START + 70.0)
    assert [each.transition for each in step.events] == ["expired", "forgotten"]
    assert cell.sensors() == ["paced/a/x", "paced/a/y"]
    cell.process([reading("paced/c/x", START + 71, 20.0)], LOG, [183])
    entry, revived = cell.entry(), Cell(plan(1))
    assert entry is not None
    revived.load(None, [entry])
    assert differing(cell.pipeline, revived.pipeline) == []
    assert len(cell.pipeline.sensors) == 3  # its slot was given to the next sensor


def test_an_exported_cell_contains_only_its_own_sensors() -> None:
    cell = Cell(plan(1))
    cell.process(plant([START + each for each in range(60)], *SENSORS), LOG, range(180))
    other = Cell(plan(2))
    other.take_in(cell.export(SENSORS[:2]))
    assert other.sensors() == SENSORS[:2]
    assert other.positions == cell.positions
    assert cell.sensors() == SENSORS
    assert cell.entry() is not None  # what wasn't saved yet must still be sent


def test_a_cell_with_state_imports_no_other() -> None:
    cell = Cell(plan(1))
    cell.process(plant([START], *SENSORS), LOG, range(3))
    with pytest.raises(ValueError, match="without state"):
        cell.take_in(cell.export(SENSORS))


@pytest.mark.parametrize("state", UNREADABLE)
def test_an_unreadable_state_is_reported(state: bytes) -> None:
    with pytest.raises(CellStateError):
        Cell(plan(1)).load(state)
    with pytest.raises(CellStateError):
        Cell(plan(1)).load(None, [state])


def test_sensors_of_a_device_share_a_cell_and_devices_are_distributed() -> None:
    placing = Placing(64)
    assert placing.cell("hall/press1/temperature") == placing.cell("hall/press1/pressure")
    counts = Counter(placing.cell(f"hall/press{each}/x") for each in range(6400))
    assert len(counts) == 64
    assert max(counts.values()) < 150


def test_configured_devices_are_never_split() -> None:
    placing = Placing(1000, lambda sensor: ("line", None) if sensor.startswith("line/") else None)  # type: ignore[arg-type,return-value]
    assert len({placing.cell(f"line/m{each}/x") for each in range(20)}) == 1
    assert placing.device("line/") == placing.device("line/m1/x")


@pytest.mark.parametrize(("sensor", "cell"), [("hall/press1/temperature", 9), ("lone", 29), ("Halle Süd/ä", 38)])
def test_the_cell_of_a_sensor_never_changes(sensor: str, cell: int) -> None:
    assert Placing(64).cell(sensor) == cell
    assert Placing(32).cell(sensor) == cell % 32


def test_there_is_at_least_one_cell() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Placing(0)


def test_readings_that_were_decoded_elsewhere_are_accepted_once() -> None:
    cell = Cell(plan(1))
    some = [Reading("a/x", START + each, 20.0) for each in range(10)]
    cell.process_readings(some, LOG, range(10))
    cell.process_readings(some, LOG, range(10))
    assert cell.pipeline.counters.readings == 10
