"""Sensors that freeze together are one incident, also those of which something else was found first."""

from __future__ import annotations

from edge.core.incidents.groups.grouping import Grouping
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.sensors.sensor_summary import SensorSummary
from tests.edge.core.common_plants import found
from tests.edge.core.pipelines import START


def stuck(slot: int, time: float, *kinds: str, transition: Transition = Transition.RAISED) -> IncidentChange:
    """A finding about a sensor that reports every minute and has been at one value, its own, for ten."""
    opinions = [Opinion("x", each, 9.0, 2.0, level=4.0, now=10.0, usual=3.0) for each in ("flatline", *kinds)]
    observation = Observation(time, 60.0 + slot, 4.0, opinions)
    incident = Incident.from_observation(observation)
    order = (0, 1, 0.0, slot)
    return IncidentChange(slot, transition, incident, 0, observation, time, [], order, SensorSummary(60.0, 0.0, time))


def test_a_sensor_that_turns_out_to_be_stuck_has_that_in_common_with_those_found_later() -> None:
    grouping = Grouping(["press/a", "press/b", "press/c"])
    grouping.follow([found(0, START, "level_shift")], START)
    grouping.follow([stuck(0, START + 300.0, "level_shift", transition=Transition.UPDATED)], START + 300.0)
    told = grouping.follow([stuck(1, START + 360.0), stuck(2, START + 9_000.0)], START + 360.0)
    assert [each.slot for each in told if each.transition is Transition.RAISED] == [2]
    assert list(grouping.members(0)) == [0, 1]


def test_a_sensor_that_turns_out_to_be_stuck_refers_to_those_that_were_found_before() -> None:
    for late, cause in ((60.0, (1, START + 300.0)), (9_000.0, None)):
        grouping, now = Grouping(["press/a", "press/b"]), START + 300.0 + late
        grouping.follow([found(0, START, "level_shift"), stuck(1, START + 300.0)], START + 300.0)
        told = grouping.follow([stuck(0, now, "level_shift", transition=Transition.UPDATED)], now)
        assert (told[-1].slot, told[-1].cause) == (0, cause)


def test_half_of_a_site_that_freezes_at_one_moment_is_one_incident() -> None:
    names = [f"field/mast{mast}/{what}" for mast in (1, 2, 3) for what in ("heat", "wind")]
    grouping = Grouping(names)
    told = grouping.follow([stuck(slot, START + 11.0 * slot) for slot in range(6)], START + 300.0)
    assert [each.slot for each in told if each.transition is Transition.RAISED] == [0]
    assert told[-1].sensors == list(range(6))


def test_less_than_half_of_a_site_that_freezes_is_an_incident_of_each_place() -> None:
    names = [f"field/mast{mast}/{what}" for mast in range(6) for what in ("heat", "wind")]
    grouping = Grouping(names)
    found_now = [stuck(slot, START + 11.0 * slot) for slot in range(4)]
    assert [each.slot for each in grouping.follow(found_now, START + 33.0) if each.transition is Transition.RAISED] == [
        0
    ]
    later = grouping.follow([], START + 142.0)
    assert [each.slot for each in later if each.transition is Transition.RAISED] == [2]


def test_a_sensor_of_a_frozen_site_that_was_found_otherwise_refers_to_its_incident() -> None:
    names = [f"field/mast{mast}/{what}" for mast in (1, 2, 3) for what in ("heat", "wind")]
    grouping = Grouping(names)
    grouping.follow([found(5, START, "level_shift"), *(stuck(slot, START + 300.0) for slot in range(4))], START + 300.0)
    told = grouping.follow([stuck(5, START + 310.0, "level_shift", transition=Transition.UPDATED)], START + 310.0)
    assert (told[-1].slot, told[-1].cause) == (5, (0, START + 300.0))
