"""One cause, one incident: sensors that freeze, send error values or jump together are reported as one."""

from __future__ import annotations

import math
from dataclasses import replace

from edge.core.incidents.events.event import Event
from edge.core.incidents.groups.grouping import Grouping
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Reading
from tests.edge.core.common_plants import CLOCK, QUIET, every, found, merged
from tests.edge.core.pipelines import (
    SETTINGS,
    START,
    Line,
    detectors,
    pipeline,
    plant,
    reading,
    rule,
)


def test_sensors_of_one_place_that_jump_together_are_one_incident() -> None:
    usual = plant(every(1.0, START, QUIET), "now/press/a", "now/press/b", "now/far/c")
    after = [reading(each, QUIET, 60.0) for each in ("now/press/a", "now/press/b", "now/far/c")]
    line = Line(pipeline(lambda _: rule(*detectors(ewma={})))).take(merged(usual, after, CLOCK[:70]))
    raised = [each.sensor for each in line.events if each.transition == "raised" and each.kind != "missing"]
    assert sorted(raised) == ["now/far/c", "now/press/a"]


NODES = [f"now/node{each}/moisture" for each in range(4)]
RAIN = START + 300_000.0


def field_of_nodes(changes: dict[str, tuple[float, float]]) -> list[str]:
    """The events of nodes that report each 600 s, each at its own second, of which some change by so much, so late."""
    phases = [0.0, 110.0, 230.0, 410.0]
    readings = [
        reading(name, time, 20.0 + round(time / 600) % 7 / 10 + (by if time >= RAIN + late else 0.0))
        for name, phase in zip(NODES, phases, strict=True)
        for time in every(600.0, START + phase, RAIN + 6_000.0)
        for late, by in [changes.get(name, (math.inf, 0.0))]
    ]
    clock = plant(every(100.0, START, RAIN + 6_000.0), "now/other/clock")
    patient = rule(*detectors(ewma={}), settings=SETTINGS.replaced(adopt_after_s=86_400.0))
    line = Line(pipeline(lambda _: patient)).take(merged(readings, clock))
    return [f"{each.transition} {each.message}" for each in line.events if each.transition in {"raised", "updated"}]


def test_sensors_of_like_names_that_jump_one_after_the_other_are_one_incident() -> None:
    said = field_of_nodes({name: (3_000.0 * (name == NODES[-1]), 40.0) for name in NODES})
    assert len([each for each in said if each.startswith("raised")]) == 1
    assert "4 sensors of now have jumped together" in said[-1]


def test_sensors_of_like_names_that_move_apart_or_at_different_times_are_separate_incidents() -> None:
    for late, by in ((0.0, -40.0), (3_000.0, 40.0)):
        said = field_of_nodes({NODES[0]: (0.0, 40.0), NODES[1]: (late, by)})
        assert len([each for each in said if each.startswith("raised")]) == 2


def told(line: Line) -> list[str]:
    return [each.message for each in line.events if each.sensor.startswith("now/press/")]


def test_what_is_found_of_each_sensor_soon_after_a_common_jump_is_no_other_incident() -> None:
    names = ["now/press/a", "now/press/b", "now/press/c"]
    usual = plant(every(1.0, START, QUIET), *names)
    after = [reading(each, QUIET + time, 60.0 + time % 3) for time in range(30) for each in names]
    back = plant(every(1.0, QUIET + 30.0, QUIET + 600.0), *names)
    watched = detectors(ewma={}, rate={}, cusum={}, flatline={})
    line = Line(pipeline(lambda _: rule(*watched))).take(merged(usual, after, back))
    mine = [each for each in line.events if each.sensor.startswith("now/press/")]
    assert {each.sensor for each in mine} == {"now/press/a"}
    assert told(line)[1] == (
        "3 sensors of now/press have jumped together: a (60, expected 19.3 to 21.6), b (60, expected 19.3 to 21.6), "
        "c (60, expected 19.3 to 21.6)"
    )
    assert told(line)[-1].startswith("3 sensors of now/press are back to normal after ")


def test_the_second_sensor_of_a_slow_group_is_heard_of_within_seconds() -> None:
    names = ["now/press/a", "now/press/b"]
    usual = [reading(each, START + 600.0 * time, 20.0 + time % 7 / 10) for time in range(500) for each in names]
    after = [reading(each, START + 300_000.0, 60.0) for each in names]
    clock = plant(every(1.0, START + 300_000.0, START + 300_060.0), "now/other/clock")
    line = Line(pipeline(lambda _: rule(*detectors(ewma={})))).take(merged(usual, after, clock))
    assert told(line)[-1] == (
        "2 sensors of now/press have jumped together: a (60, expected 19.5 to 21), b (60, expected 19.5 to 21)"
    )


def test_sensors_of_a_bus_that_send_error_values_together_are_one_incident() -> None:
    names = ["now/press/a", "now/press/b", "now/press/c"]
    usual = plant(every(10.0, START, QUIET), *names)
    broken = [reading(each, QUIET + 10.0 * time, -127.0) for time in range(6) for each in names]
    back = [reading(each, QUIET + 60.0 + 10.0 * time, 20.0 + time % 3) for time in range(9) for each in names]
    watched = replace(rule(*detectors(ewma={})), no_value=(-127.0,))
    line = Line(pipeline(lambda _: watched)).take(merged(usual, broken, back))
    assert told(line)[0] == "now/press/a sends -127, an error value"
    assert told(line)[1] == "3 sensors of now/press send error values: a, b, c"
    assert told(line)[-1].startswith("3 sensors of now/press have real values again after ")


def test_columns_of_a_station_that_send_error_values_together_are_one_incident_and_its_jumps_are_two() -> None:
    names = ["co", "humidity"]
    times = every(1.0, START, QUIET + 6.0)

    def replayed(then: float) -> list[Event]:
        rows = [Reading(each, at, 20.0 + at % 3 if at < QUIET else then) for at in times for each in names]
        watched = replace(rule(*detectors(ewma={})), no_value=(-200.0,))
        made = pipeline(lambda _: watched)
        return [*made.process_readings(rows).events, *made.tick(60.0).events]

    assert [each.message for each in replayed(-200.0)] == [
        "co sends -200, an error value",
        "2 sensors send error values: co, humidity",
    ]
    assert {each.sensor for each in replayed(60.0)} == set(names)


def test_sensors_of_one_place_that_are_polled_in_turn_jump_together() -> None:
    names = ["now/press/a", "now/press/b"]
    usual = [
        reading(each, START + 600.0 * time + 40.0 * place, 20.0 + time % 7 / 10)
        for time in range(500)
        for place, each in enumerate(names)
    ]
    after = [reading(each, START + 300_000.0 + 40.0 * place, 60.0) for place, each in enumerate(names)]
    line = Line(pipeline(lambda _: rule(*detectors(ewma={})))).take(merged(usual, after))
    assert [each.sensor for each in line.events if each.transition == "raised"] == ["now/press/a"]


def test_sensors_that_freeze_at_one_moment_are_one_incident_however_long_each_may_repeat_itself() -> None:
    names = ["now/press/a", "now/press/b", "now/press/c"]
    usual = [
        reading(each, START + 60.0 * time, 20.0 + time // (1 + 3 * place) % 7 / 10)
        for time in range(5000)
        for place, each in enumerate(names)
    ]
    frozen = [reading(each, START + 60.0 * time, 20.35) for time in range(5000, 5400) for each in names]
    line = Line(pipeline(lambda _: rule(*detectors(flatline={})))).take(usual + frozen)
    assert [each.sensor for each in line.events if each.transition == "raised"] == ["now/press/a"]
    assert line.events[-1].message == (
        "3 sensors of now/press are stuck: a (20.35), c (20.35), b (20.35); unusual for 53 min"
    )


def test_a_stuck_sensor_that_is_where_it_usually_does_not_stay_remains_with_the_others() -> None:
    grouping = Grouping(["press/a", "press/b"])
    grouping.follow([found(0, START, "flatline"), found(1, START, "flatline")], START)
    later = found(1, START + 9_000.0, "state", "flatline", transition=Transition.UPDATED)
    assert [each.slot for each in grouping.follow([later], START + 9_000.0)] == [0]
    assert list(grouping.members(0)) == [0, 1]


def test_a_sensor_that_goes_its_own_way_is_not_counted_among_those_that_have_settled() -> None:
    grouping = Grouping(["press/a", "press/b", "press/c"])
    grouping.follow([found(slot, START, "level_shift") for slot in range(3)], START)
    stuck = found(2, START + 9_000.0, "flatline", transition=Transition.UPDATED)
    assert [each.slot for each in grouping.follow([stuck], START + 9_000.0)][-1] == 2
    ends = [found(slot, START + 9_600.0, "level_shift", transition=Transition.CLEARED) for slot in range(2)]
    last = grouping.follow(ends, START + 9_600.0)[-1]
    assert last.one_cause is not None
    assert last.one_cause.ended == [0, 1]
