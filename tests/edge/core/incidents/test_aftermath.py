"""What follows from a common jump is no news; what goes farther, goes on or is something else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.incidents.groups.grouping import Grouping
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.sensors.sensor_summary import SensorSummary
from tests.edge.core.pipelines import START

HOUR = 3600.0
USUAL = Yardstick(40.0, 60.0)
NAMES = [f"park/inverter/{what}" for what in ("power", "voltage", "heat", "state")]


def finding(
    slot: int,
    time: float,
    *kinds: str,
    value: float = 0.0,
    since: dict[str, float] | None = None,
    transition: Transition = Transition.RAISED,
) -> IncidentChange:
    """A finding about a sensor that reports each minute, is usually at 40 to 60, and shows these kinds now.

    Args:
        slot: The sensor.
        time: Time of the reading.
        kinds: What it shows now.
        value: Its value.
        since: When its incident showed earlier kinds; None if it begins now.
        transition: The transition.
    """
    opinions = [Opinion("x", each, 9.0, 50.0, 40.0, 60.0, level=4.0) for each in kinds or ("rate",)]
    observation = Observation(time, value, 4.0, opinions)
    incident = Incident.from_observation(observation, USUAL)
    if since is not None:
        incident.conditions = since | {each: since.get(each, time) for each in kinds}
        incident.started = min(incident.conditions.values())
    summary = SensorSummary(60.0, 0.0, time)
    return IncidentChange(slot, transition, incident, 0, observation, time, [], (0, 1, 0.0, slot), summary)


def jumped(*only_rate: int) -> Grouping:
    """Four sensors that have jumped to 0 together; of all but these more than their step is surprising."""
    grouping = Grouping(NAMES)
    kinds = [("rate",) if slot in only_rate else ("rate", "level_shift") for slot in range(4)]
    told = grouping.follow([finding(slot, START, *kinds[slot]) for slot in range(4)], START)
    assert [each.slot for each in told if each.transition is Transition.RAISED] == [0]
    return grouping


def settle(grouping: Grouping, *slots: int, after: float = 600.0) -> list[IncidentChange]:
    """The reports when these, of which only the step was surprising, have settled."""
    ends = [finding(slot, START + after, since={"rate": START}, transition=Transition.CLEARED) for slot in slots]
    for each in ends:
        each.incident.conditions = {"rate": START}
    return grouping.follow(ends, START + after)


def said(changes: list[IncidentChange]) -> list[tuple[int, str]]:
    return [(each.slot, each.transition.value) for each in changes]


LATER = START + 2.3 * HOUR
SINCE = {"rate": START, "level_shift": START}


def test_those_whose_step_is_over_do_not_make_the_others_incidents_of_their_own() -> None:
    grouping = jumped(0, 1)
    told = settle(grouping, 0, 1) + grouping.follow([], LATER)
    assert {each.slot for each in told} == {0}
    assert told[-1].one_cause is not None
    assert (told[-1].one_cause.slots, told[-1].one_cause.ended) == ([2, 3], [0, 1])


def test_a_new_incident_of_the_first_sensor_continues_that_of_all() -> None:
    grouping = jumped(0)
    settle(grouping, 0)
    told = grouping.follow([finding(0, LATER, "state")], LATER)
    assert {each.transition for each in told} <= {Transition.UPDATED}
    ends = [finding(0, LATER + HOUR, since={"state": LATER}, value=50.0, transition=Transition.CLEARED)]
    ends += [finding(slot, LATER + HOUR, since=SINCE, value=50.0, transition=Transition.CLEARED) for slot in (1, 2, 3)]
    last = grouping.follow(ends, LATER + HOUR)[-1]
    assert (last.slot, last.transition, last.incident.started) == (0, Transition.CLEARED, START)
    assert set(last.sensors) == {0, 1, 2, 3}


def test_another_jump_of_the_first_sensor_is_told_by_the_incident_of_all() -> None:
    grouping = jumped(0)
    settle(grouping, 0)
    told = grouping.follow([finding(0, LATER, "rate", value=90.0)], LATER)
    assert said(told)[-1] == (0, "updated")
    assert told[-1].observation.value == 90.0
    assert told[-1].incident.started == START


def test_what_stays_where_it_jumped_to_together_with_others_is_no_news() -> None:
    grouping = jumped()
    for kind in ("drift", "contextual", "state"):
        later = finding(2, LATER, kind, since=SINCE, transition=Transition.UPDATED)
        assert 2 not in {each.slot for each in grouping.follow([later], LATER)}
    late = START + 7 * HOUR
    later = finding(2, late, "drift", since=SINCE, transition=Transition.UPDATED)
    assert said(grouping.follow([later], late))[-1] == (2, "raised")


def test_a_sensor_that_has_settled_and_stays_there_belongs_to_the_others_again() -> None:
    grouping = jumped(0, 2)
    settle(grouping, 2)
    assert 2 not in {each.slot for each in grouping.follow([finding(2, LATER, "contextual")], LATER)}
    assert 2 in grouping.members(0)


@pytest.mark.parametrize(("value", "is_told"), [(0.0, False), (-5.0, False), (150.0, True), (-140.0, True)])
def test_a_member_that_goes_much_farther_than_it_jumped_is_told(value: float, *, is_told: bool) -> None:
    grouping = jumped()
    later = finding(2, LATER, "drift", since=SINCE, value=value, transition=Transition.UPDATED)
    assert (2 in {each.slot for each in grouping.follow([later], LATER)}) is is_told
    grouping = jumped(2)
    settle(grouping, 2)
    again = finding(2, LATER, "drift", value=value)
    assert (2 in {each.slot for each in grouping.follow([again], LATER)}) is is_told


def test_a_member_that_shows_more_once_the_others_have_settled_is_told() -> None:
    grouping = jumped(0, 1, 2)
    settle(grouping, 0, 1)
    later = finding(3, LATER, "drift", since=SINCE, transition=Transition.UPDATED)
    assert said(grouping.follow([later], LATER))[-1] == (3, "raised")


def test_a_member_that_goes_on_when_the_others_have_recovered_is_told() -> None:
    grouping = jumped()
    grouping.follow([finding(3, LATER, "drift", since=SINCE, transition=Transition.UPDATED)], LATER)
    ends = [finding(slot, LATER + 60.0, since=SINCE, value=50.0, transition=Transition.CLEARED) for slot in (0, 1, 2)]
    grouping.follow(ends, LATER + 60.0)
    told = grouping.follow([], LATER + 60.0 + HOUR)
    assert said(told)[-1] == (3, "raised")
    assert told[-1].cause == (0, START)


def test_another_kind_of_fault_of_a_member_is_told() -> None:
    grouping = jumped()
    stuck = finding(2, LATER, "flatline", since=SINCE, transition=Transition.UPDATED)
    assert said(grouping.follow([stuck], LATER))[-1] == (2, "raised")


def test_the_jump_back_is_no_news_and_ends_the_incident() -> None:
    grouping = jumped(0, 2)
    settle(grouping, 0, 2)
    grouping.follow([], LATER - 60.0)
    back = [finding(slot, LATER, "rate", value=50.0) for slot in (0, 2)]
    back += [
        finding(slot, LATER, "rate", since={"level_shift": START}, value=50.0, transition=Transition.UPDATED)
        for slot in (1, 3)
    ]
    for each in back:
        each.incident.severity = 900  # it has lasted for hours
    assert grouping.follow(back, LATER) == []
    ends = [replace(each, transition=Transition.CLEARED, clock=LATER + 600.0) for each in back]
    told = grouping.follow(ends, LATER + 600.0)
    assert said(told)[-1] == (0, "cleared")
    assert not grouping.follow([], LATER + 6 * HOUR)


def test_those_that_are_back_and_not_calm_yet_are_not_told_again() -> None:
    grouping = jumped()
    back = finding(3, LATER, "rate", since={"level_shift": START}, value=50.0, transition=Transition.UPDATED)
    ends = [finding(slot, LATER + 60.0, since=SINCE, value=50.0, transition=Transition.CLEARED) for slot in (0, 1, 2)]
    told = grouping.follow([back, *ends], LATER + 60.0) + grouping.follow([], LATER + 3 * HOUR)
    assert {each.slot for each in told} == {0}


def test_a_forgotten_sensor_is_no_former_member_of_anything() -> None:
    grouping = jumped(0, 2)
    settle(grouping, 2)
    grouping.leave_behind([2], LATER - 60.0)
    assert said(grouping.follow([finding(2, LATER, "contextual")], LATER))[-1] == (2, "raised")


def test_a_restored_grouping_knows_who_has_settled() -> None:
    grouping, restored = jumped(0, 2), Grouping(NAMES)
    settle(grouping, 2)
    restored.load(grouping.state())
    again = finding(2, LATER, "contextual")
    assert said(restored.follow([again], LATER)) == said(grouping.follow([again], LATER))
    assert restored.state() == grouping.state()


def test_a_member_whose_level_is_taken_as_normal_is_counted_apart() -> None:
    grouping = jumped()
    grouping.follow([finding(2, LATER, since=SINCE, transition=Transition.EXPIRED)], LATER)
    ends = [finding(slot, LATER + 60.0, since=SINCE, value=50.0, transition=Transition.CLEARED) for slot in (0, 1, 3)]
    last = grouping.follow(ends, LATER + 60.0)[-1].one_cause
    assert last is not None
    assert (last.adopted, last.ended) == ([2], [0, 1, 2, 3])


def test_what_stands_where_it_has_jumped_to_has_not_gone_farther() -> None:
    """As with a torn cable, whose first values might be error values, so that nothing was said of how far they are."""
    for values, told in (([-80.0, -80.0], {0}), ([35.0, -80.0], {0, 1})):
        grouping = Grouping(NAMES)
        grouping.follow([finding(slot, START, "rate", "level_shift", value=35.0) for slot in range(3)], START)
        since, later = {"rate": START, "level_shift": START}, START + 2 * HOUR
        change = finding(1, later, "level_shift", value=-80.0, since=since, transition=Transition.UPDATED)
        for time, value in zip((START, later), values, strict=True):
            change.incident.course.see(value, time, USUAL, away=True, returns=False)
        assert {slot for slot, _ in said(grouping.follow([change], later))} == told


CELLS = [f"rack/cell{number}/voltage" for number in range(5)] + ["rack/room/heat"]


def drifted(
    slot: int, time: float, transition: Transition, *kinds: str, value: float = 35.0, first: str = "drift"
) -> IncidentChange:
    """A finding about a sensor that has gone below its usual 40 to 60 since the start, which it showed first so."""
    since = None if transition is Transition.RAISED else {first: START + 60.0 * slot}
    found = finding(slot, time, *kinds, value=value, since=since, transition=transition)
    opinions = [Opinion("drift", each, 9.0, 50.0, 40.0, 60.0, level=4.0, now=value, usual=40.0) for each in kinds]
    return replace(found, observation=replace(found.observation, opinions=opinions))


def after_a_drift(*slots: int, first: str = "drift") -> Grouping:
    """These have gone down together, one minute after another."""
    grouping = Grouping(CELLS)
    for slot in slots:
        when = START + 60.0 * slot
        grouping.follow([drifted(slot, when, Transition.RAISED, first)], when)
    assert set(grouping.members(slots[0])) == set(slots)
    return grouping


@pytest.mark.parametrize(
    ("slots", "first", "is_told"),
    [
        ((0, 1, 2, 3), "drift", False),
        ((0, 1, 2, 3), "contextual", False),
        ((0, 1, 2, 3), "rate", True),
        ((0, 1), "drift", True),
    ],
)
def test_what_several_sensors_of_like_names_drift_to_takes_each_of_them_farther(
    slots: tuple[int, ...], first: str, *, is_told: bool
) -> None:
    grouping = after_a_drift(*slots, first=first)
    late = START + 9 * HOUR
    changes = [drifted(1, late, Transition.UPDATED, "drift", "contextual", "spike", value=10.0, first=first)]
    assert (1 in {each.slot for each in grouping.follow(changes, late)}) is is_told
    assert (1 in grouping.members(0)) is not is_told


def test_a_sensor_that_goes_the_other_way_than_those_with_which_it_drifted_is_told() -> None:
    grouping = after_a_drift(0, 1, 2, 3)
    late = START + 2 * HOUR
    assert 1 in {
        each.slot for each in grouping.follow([drifted(1, late, Transition.UPDATED, "drift", value=90.0)], late)
    }
