"""The work of a step doesn't grow with the number of sensors, and finds the same silences as a check of all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.scoring.sensors.sensor_statistics import SensorStatistics
from tests.edge.core.pipelines import START, Line, pipeline, plant, reading

DEADLINES = st.sampled_from([1.0, 5.0, 20.0, 21.5, 40.0, np.inf])
CHANGES = st.one_of(
    st.tuples(st.just("expect one"), st.integers(0, 4), DEADLINES),
    st.tuples(st.just("expect some"), st.integers(0, 3), DEADLINES),
    st.tuples(st.just("shift"), st.sampled_from([-15.0, 3.0])),
    st.tuples(st.just("grow")),
    st.tuples(st.just("forgive")),
    st.tuples(st.just("look"), st.floats(0.0, 60.0)),
)


@settings(deadline=None)
@given(st.lists(CHANGES, max_size=40))
def test_overdue_sensors_equal_those_found_by_a_full_check(changes: list[tuple[Any, ...]]) -> None:
    statistics, sensors = SensorStatistics(), 5
    statistics.grow(sensors)
    for change, *given_ in changes:
        if change == "expect one":
            statistics.expect(given_[0], given_[1])
        elif change == "expect some":
            slots = np.array([given_[0], given_[0] + 1])
            statistics.expect(slots, np.array([given_[1], given_[1] + 7.0]))
        elif change == "shift":
            statistics.shift_deadlines(given_[0])
        elif change == "grow":
            sensors += 20
            statistics.grow(sensors)
        elif change == "forgive":
            statistics.forgive(1e9, 100.0)
        else:
            expected = [slot for slot, deadline in enumerate(statistics.deadline) if deadline < given_[0]]
            assert statistics.overdue(given_[0]) == expected


class Untouchable:
    """An array that must not be read as a whole."""

    def __len__(self) -> int:
        raise AssertionError("all deadlines were looked at")

    def __lt__(self, other: object) -> bool:
        raise AssertionError("all deadlines were looked at")


def test_before_the_soonest_deadline_no_full_check_is_made() -> None:
    statistics = SensorStatistics()
    statistics.grow(100)
    statistics.expect(np.arange(100), np.arange(50.0, 150.0))
    assert statistics.overdue(49.0) == []
    deadlines, statistics.deadline = statistics.deadline, Untouchable()  # type: ignore[assignment]
    assert statistics.overdue(50.0) == []
    statistics.deadline = deadlines
    assert statistics.overdue(50.5) == [0]


def test_a_silence_is_found_among_sensors_that_continue() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(40.0), "paced/a", "paced/b"))
    line.take([reading("paced/b", START + 41.0 + each, 20.5) for each in range(60)])
    assert line.missing() == ["paced/a"]


def names_called(line: Line, time: float) -> list[str]:
    """The functions called by a step with one reading, in Python and in C, in order."""
    message = reading("paced/0", time, 20.2)
    return names_called_by(lambda: line.pipeline.process([message]))


def names_called_by(act: Callable[[], object]) -> list[str]:
    """The functions that an action calls, in Python and in C, in order."""
    names: list[str] = []

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            names.append(frame.f_code.co_qualname)
        elif event == "c_call":
            names.append(argument.__name__)

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return names


def test_a_step_calls_the_same_functions_for_any_number_of_sensors() -> None:
    called = []
    for sensors in (20, 500):
        line = Line(pipeline()).take([reading(f"paced/{each}", START, 20.0) for each in range(sensors)])
        line.take(plant(START + np.arange(1.0, 40.0), "paced/0", "paced/1"))
        called.append(names_called(line, START + 40.0))
    assert called[0] == called[1]
    assert not {"Engine.grow", "Desk.know", "Engine.protect", "Devices.grow"} & set(called[0])


def test_a_lone_reading_is_split_copied_selected_and_grouped_nowhere() -> None:
    """What a step does although nothing is to be done costs most: its code has left the caches since the last one."""
    line = Line(pipeline()).take(plant(START + np.arange(40.0), "paced/0", "paced/1"))
    called = names_called(line, START + 40.0)
    assert not {"Batch.take", "_reconstruct", "searchsorted", "arange", "Grouping.follow"} & set(called)


def test_time_that_passes_without_effect_costs_a_few_calls() -> None:
    line = Line(pipeline()).take(plant(START + np.arange(40.0), "paced/0", "paced/1"))
    assert len(names_called_by(lambda: line.pipeline.tick(0.5))) <= 20


def test_sensors_added_one_by_one_are_found_in_their_slots() -> None:
    line = Line(pipeline())
    for each in range(300):
        line.take([reading(f"paced/{each}", START + each / 100, 20.0)])
    places = line.pipeline.engine._places
    members = line.pipeline.engine.members
    order = line.pipeline.engine.ordered_groups
    assert [(order[places.group[slot]], places.row[slot]) for slot in range(300)] == members


def test_sensors_of_one_rule_share_their_profile_and_a_plain_topic_is_the_name_itself() -> None:
    many = pipeline()
    many.process([reading(f"paced/{each}", START, 1.0) for each in range(3)])
    assert len({id(many.registry.profile(slot)) for slot in range(3)}) == 1
    facts = many.registry.facts(0)
    assert facts.topic is facts.name
