"""Slow conditions of sensors of like names have a common cause if they are found within the time they take to show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.daily.drift import DAY, SPAN
from edge.core.incidents.groups.grouping import Grouping
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.sentences.group_sentences import AffectedSensors, group_sentence
from edge.core.incidents.state_machine import Transition
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.peers.deviation import PeerDeviation
from edge.core.scoring.sensors.sensor_summary import SensorSummary
from tests.edge.core.pipelines import START

HOUR_S, DAY_S = 3600.0, 86_400.0
AN_HOUR, SIX_HOURS = SPAN.values()
DISKS = [f"nas/{each}/temperature" for each in "abcdef"]


def found(slot: int, time: float, opinion: Opinion, value: float = 40.0) -> IncidentChange:
    """A finding about a sensor that reports every five minutes."""
    observation = Observation(time, value, 4.0, [opinion])
    incident, order = Incident.from_observation(observation), (0, 1, 0.0, slot)
    summary = SensorSummary(300.0, 0.0, time)
    return IncidentChange(slot, Transition.RAISED, incident, 0, observation, time, [], order, summary)


def drift(about: str, by: float = 1.0) -> Opinion:
    return Opinion("drift", "drift", 9.0, level=4.0, now=38.0 + by, usual=38.0, about=about)


def stuck(steps: float) -> Opinion:
    """Stuck for this many readings, of which half were so far the most."""
    return Opinion("flatline", "flatline", 9.0, level=4.0, now=steps, usual=steps / 2)


SHIFT = Opinion("cusum", "level_shift", 9.0, 38.0, level=4.0)
TREND = Opinion("trend", "trend", 9.0, level=4.0, now=39.0, usual=38.0, about="mean 7")
STEP = Opinion("rate", "rate", 9.0, 38.0, level=4.0)


def raised(names: list[str], *findings: IncidentChange) -> list[int]:
    """The sensors whose incidents are reported on their own."""
    told = Grouping(names).follow(findings, findings[-1].clock + HOUR_S)
    return [each.slot for each in told if each.transition is Transition.RAISED]


def test_a_warm_evening_of_six_disks_is_one_incident() -> None:
    late = [0.0, 600.0, 1800.0, 2400.0, 2400.0, 3300.0]
    assert raised(DISKS, *(found(slot, START + each, drift(AN_HOUR)) for slot, each in enumerate(late))) == [0]


@pytest.mark.parametrize(
    ("second", "within_s"),
    [
        (drift(AN_HOUR), HOUR_S),
        (drift(SIX_HOURS), 6 * HOUR_S),
        (drift(DAY), 12 * HOUR_S),
        (TREND, DAY_S),
        (SHIFT, 3600.0),
    ],
)
def test_a_slow_condition_belongs_to_one_of_a_like_name_within_its_own_time_scale(
    second: Opinion, within_s: float
) -> None:
    for late, alone in ((within_s - 60.0, [0]), (within_s + 60.0, [0, 1])):
        assert raised(DISKS, found(0, START, second), found(1, START + late, second)) == alone


def test_a_step_that_follows_a_slow_condition_of_another_sensor_is_news() -> None:
    assert raised(DISKS, found(0, START, drift(DAY)), found(1, START + HOUR_S, STEP)) == [0, 1]


def test_slow_conditions_in_opposite_directions_or_of_unlike_names_are_separate_incidents() -> None:
    assert raised(DISKS, found(0, START, drift(AN_HOUR)), found(1, START + 600.0, drift(AN_HOUR, -1.0))) == [0, 1]
    unlike = ["nas/a/temperature", "nas/fan"]
    assert raised(unlike, found(0, START, drift(AN_HOUR)), found(1, START + 600.0, drift(AN_HOUR))) == [0, 1]


def test_trends_of_one_place_that_are_found_when_a_day_ends_are_separate_incidents() -> None:
    assert raised(["hall/pump", "hall/air"], found(0, START, TREND), found(1, START, TREND)) == [0, 1]


TURBINES = [f"farm/{each}/{what}" for each in range(4) for what in ("power", "pitch")]


def test_turbines_that_rest_from_about_the_same_time_on_are_one_incident_with_what_else_rests_there() -> None:
    findings = [(0, 0.0, 31.0), (2, 3600.0, 31.0), (4, 5400.0, 50.0), (6, 9000.0, 49.0), (3, 9000.0, 60.0)]
    assert raised(TURBINES, *(found(slot, START + late, stuck(steps), 0.0) for slot, late, steps in findings)) == [0]


def test_what_has_rested_for_another_time_or_at_another_value_is_an_incident_of_its_own() -> None:
    first = found(0, START, stuck(31.0), 0.0)
    for late, value in ((6 * HOUR_S, 0.0), (600.0, 20.0)):
        assert raised(TURBINES, first, found(2, START + late, stuck(31.0), value)) == [0, 2]


def test_disks_that_have_warmed_up_together_end_as_one_incident_whenever_each_is_back() -> None:
    grouping = Grouping(DISKS)
    findings = [found(slot, START + 300.0 * slot, drift(SIX_HOURS)) for slot in range(4)]
    grouping.follow(findings, START + HOUR_S)
    ends = [replace(each, transition=Transition.CLEARED, clock=START + 12 * HOUR_S) for each in findings[:3]]
    told = grouping.follow(ends, START + 30 * HOUR_S)
    assert {(each.slot, each.transition) for each in told} == {(0, Transition.UPDATED)}
    last = replace(findings[3], transition=Transition.CLEARED, clock=START + 30 * HOUR_S)
    told = grouping.follow([last], START + 31 * HOUR_S)
    assert [(each.slot, each.transition) for each in told] == [(0, Transition.CLEARED)]


def test_a_disk_that_stays_warm_for_a_day_longer_than_the_others_is_reported_on_its_own() -> None:
    grouping = Grouping(DISKS)
    findings = [found(slot, START + 300.0 * slot, drift(SIX_HOURS)) for slot in range(4)]
    grouping.follow(findings, START + HOUR_S)
    ends = [replace(each, transition=Transition.CLEARED, clock=START + 12 * HOUR_S) for each in findings[:3]]
    told = grouping.follow(ends, START + 12 * HOUR_S + DAY_S + 60.0)
    assert [each.slot for each in told if each.transition is Transition.RAISED] == [3]


ROOMS = [f"school/{each}/{what}" for each in range(4) for what in ("co2", "light")]


def undue(hours: float, about: str = "rest", *, on: bool = False) -> Opinion:
    """Not as usual at this hour for so many hours."""
    band = (
        {"lower": 470.0}
        if about == "rest"
        else {"lower": 0.0, "upper": 50.0}
        if on
        else {"lower": 450.0, "upper": 500.0}
    )
    return Opinion("states", "state", 9.0, level=4.0, now=hours * HOUR_S, usual=HOUR_S, about=about, **band)


def test_rooms_in_which_nobody_is_on_a_holiday_are_one_incident_whenever_each_is_found() -> None:
    findings = [(0, 0.0, 6.9), (2, 300.0, 6.9), (4, HOUR_S, 7.9), (6, 2.5 * HOUR_S, 9.2)]
    assert raised(ROOMS, *(found(slot, START + late, undue(hours)) for slot, late, hours in findings)) == [0]


def test_lights_that_are_on_at_night_in_several_rooms_are_one_incident_and_one_that_is_off_is_another() -> None:
    findings = [found(slot, START, undue(1.0, "hour", on=slot != 5), 60.0) for slot in (1, 3, 5)]
    assert raised(ROOMS, *findings) == [1, 5]


def test_a_room_that_is_empty_from_another_hour_on_is_an_incident_of_its_own() -> None:
    assert raised(ROOMS, found(0, START, undue(2.0)), found(2, START + 2 * HOUR_S, undue(1.0))) == [0, 2]


def test_what_rests_in_one_room_is_one_incident_and_what_is_in_a_wrong_state_there_is_another() -> None:
    assert raised(ROOMS, found(0, START, undue(2.0)), found(1, START, undue(2.0))) == [0]
    assert raised(ROOMS, found(0, START, undue(2.0)), found(1, START + 600.0, undue(2.0, "hour"))) == [0, 1]


def test_a_room_whose_hours_end_later_remains_in_the_incident_of_the_holiday() -> None:
    grouping = Grouping(ROOMS)
    findings = [found(slot, START, undue(2.0)) for slot in (0, 2, 4)]
    grouping.follow(findings, START)
    ends = [replace(each, transition=Transition.CLEARED, clock=START + HOUR_S) for each in findings[:2]]
    assert {each.slot for each in grouping.follow(ends, START + 5 * HOUR_S)} == {0}
    assert 4 in {each.slot for each in grouping.follow([], START + 8 * HOUR_S)}


WHEELS = [f"truck/3/{each}/temperature" for each in ("fl", "fr", "rl")]


def parted(slot: int, time: float, now: float = 9.0, companions: tuple[str, ...] = ("pressure",)) -> IncidentChange:
    """A finding that a wheel's temperature no longer follows others of the wheel, which suggest 12 to 14."""
    deviation = PeerDeviation(now, 12.0, 14.0, False, 1, 1800.0, time, f"wheel {slot}", companions)
    observation = Observation(time, now, 4.0, [], deviation=deviation)
    incident = Incident.from_peers(observation, deviation)
    incident.differ(observation, deviation)
    order = (0, 1, 0.0, slot)
    summary = SensorSummary(300.0, 0.0, time)
    return IncidentChange(slot, Transition.RAISED, incident, 0, observation, time, [], order, summary)


def test_wheels_that_no_longer_follow_their_pressure_since_one_frost_are_one_incident() -> None:
    assert raised(WHEELS, *(parted(slot, START + late) for slot, late in enumerate((0.0, 0.0, 1800.0)))) == [0]


@pytest.mark.parametrize(
    "other",
    [
        parted(1, START + 3 * HOUR_S),
        parted(1, START, now=19.0),
        parted(1, START, companions=("speed",)),
    ],
)
def test_a_relation_that_breaks_later_or_to_the_other_side_or_is_another_one_is_an_incident_of_its_own(
    other: IncidentChange,
) -> None:
    assert raised(WHEELS, parted(0, START), other) == [0, 1]


def test_devices_that_no_longer_follow_are_told_together() -> None:
    told = Grouping(WHEELS).follow([parted(0, START), parted(1, START)], START + HOUR_S)
    said = group_sentence(AffectedSensors(WHEELS[0], WHEELS[:2], 0, 2, ()), told[-1])
    assert said.startswith("2 sensors of truck/3 no longer follow others of their devices: fl/temperature, fr")
    over = replace(told[-1], transition=Transition.EXPIRED)
    assert "have not followed their devices for" in group_sentence(
        AffectedSensors(WHEELS[0], WHEELS[:2], 2, 0, ()), over
    )
