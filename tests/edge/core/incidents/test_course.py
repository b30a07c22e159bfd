"""What lasts is adopted only if it is a level that has been reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from config.schema import IncidentSettings
from edge.core.incidents.incident import Incident
from edge.core.incidents.lasting.course import SLOW_S, STEADY_S, Course
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.sentence import sentence
from edge.core.incidents.state_machine import StateMachine, Transition
from edge.core.incidents.state_table import MachineInput
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.opinions import Observation, Opinion

SETTINGS = IncidentSettings()
HOUR_S, DAY_S, EVERY_S = 3600.0, 86_400.0, 300.0
FREEZER = Yardstick(-18.5, -16.5)


def far(time: float, value: float = 1.2) -> Observation:
    return Observation(time, value, 4.0, [Opinion("ewma", "level_shift", 8.0, 4.0, 3.8, 4.2)])


def near(time: float) -> Observation:
    return Observation(time, 4.0, 4.0, [Opinion("ewma", "spike", 0.2, 4.0, 3.8, 4.2)])


def pump(away: int, calm: int) -> StateMachine:
    """Ten cycles of a pump that is away for some readings, then calm for others."""
    machine, time = StateMachine(), 0.0
    for _ in range(10):
        for number in range(away + calm):
            time += 60.0
            if number < away:
                machine.step(MachineInput.EXCEEDS, far(time), SETTINGS)
            else:
                machine.step(MachineInput.CALM, near(time), SETTINGS)
    return machine


def test_what_is_away_for_five_minutes_in_an_hour_is_no_level() -> None:
    assert not pump(away=5, calm=55).is_level
    assert pump(away=55, calm=5).is_level


def test_returns_are_counted_and_told_at_the_end() -> None:
    machine = pump(away=5, calm=55)
    machine.step(MachineInput.EXCEEDS, far(1e5), SETTINGS)
    moved = machine.step(MachineInput.CALM_ENOUGH, near(1e5 + HOUR_S), SETTINGS)
    assert moved is not None
    said = sentence(SensorChange("well/pressure", "bar", *moved, near(1e5 + HOUR_S), None))
    assert said == "well/pressure is back to normal at 4 bar after 1.2 d, in which it came and went 11 times"


def test_a_few_calm_readings_are_no_end_and_what_follows_no_return() -> None:
    assert pump(away=55, calm=SETTINGS.clear_after - 1).incident.course.returns == 0  # type: ignore[union-attr]


def course_of(value_at: Callable[[float], float], days: float) -> list[tuple[float, float]]:
    """The course of a freezer's value: time of each reading, and when it was last seen to worsen."""
    course, seen = Course(), []
    for reading in range(int(days * DAY_S / EVERY_S)):
        time = reading * EVERY_S
        swing = 0.6 if reading % 12 < 6 else -0.6
        course.see(value_at(time) + swing, time, FREEZER, away=True, returns=False)
        seen.append((time, course.worsened))
    return seen


@pytest.mark.parametrize("rate", [0.3, 0.6, 2.0, -0.6])
def test_what_gets_worse_day_by_day_is_seen_to_worsen_each_day(rate: float) -> None:
    start = -16.0 if rate > 0 else -19.0
    seen = course_of(lambda time: start + rate * time / DAY_S, 8.0)
    assert all(time - worsened < STEADY_S for time, worsened in seen if time > DAY_S)


def test_a_step_has_stopped_to_worsen_before_it_counts_as_slow() -> None:
    seen = course_of(lambda _: -12.0, 3.0)
    assert max(worsened for _, worsened in seen) < SLOW_S


def test_what_is_adopted_is_described_by_where_the_value_has_been() -> None:
    machine = StateMachine()
    for time, value in ((0.0, 1.6), (60.0, 1.1), (120.0, 1.3)):
        machine.step(MachineInput.EXCEEDS, far(time, value), SETTINGS)
    moved = machine.step(MachineInput.ADOPTION, far(DAY_S, 1.2), SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.EXPIRED
    said = sentence(SensorChange("well/pressure", "bar", *moved, far(DAY_S, 1.2), None))
    assert said == "well/pressure has been between 1.1 and 1.6 bar for 1 d; that is taken as normal from here on"


def test_a_level_that_still_worsens_after_half_a_day_must_be_steady_for_a_whole_one() -> None:
    machine = StateMachine()
    machine.step(MachineInput.EXCEEDS, far(0.0), SETTINGS)
    assert isinstance(machine.incident, Incident)
    assert machine.least_steady_s == 0.0
    machine.incident.course.worsened = SLOW_S
    assert (machine.steady_since, machine.least_steady_s) == (SLOW_S, STEADY_S)


def stuck(time: float, value: float, *, endures: bool = True) -> Observation:
    observed = far(time, value)
    observed.endures = endures
    return observed


def stopped(hours: float) -> StateMachine:
    """A fan, usually at 1100 to 1300, that has stood still for so many hours."""
    machine, usual = StateMachine(), Yardstick(1100.0, 1300.0)
    for reading in range(int(hours * HOUR_S / EVERY_S) + 1):
        machine.step(MachineInput.EXCEEDS, stuck(reading * EVERY_S, 0.0), SETTINGS, yardstick=usual)
    return machine


LIFE_S = 16 * DAY_S


def test_the_reading_that_ends_a_stuck_value_is_not_adopted() -> None:
    machine = stopped(hours=36.0)
    assert not machine.has_lasted(stuck(36 * HOUR_S, 0.0), LIFE_S, SETTINGS)
    assert not machine.has_lasted(stuck(36.1 * HOUR_S, 1350.0, endures=False), LIFE_S, SETTINGS)


def test_another_level_after_a_stuck_value_is_adopted_when_it_has_lasted_itself() -> None:
    machine = stopped(hours=36.0)
    for reading in range(int(20 * HOUR_S / EVERY_S)):
        time = 36 * HOUR_S + (reading + 1) * EVERY_S
        observed = stuck(time, 1300.0, endures=False)
        assert machine.has_lasted(observed, LIFE_S, SETTINGS) == (time >= (36 + 18) * HOUR_S + EVERY_S)
        machine.step(MachineInput.HOLDS, observed, SETTINGS)


def test_what_is_back_in_the_usual_range_is_not_at_the_level_that_has_lasted() -> None:
    machine = StateMachine()
    for reading in range(12 * 20):
        observed = far(reading * EVERY_S, 5.0)
        machine.step(MachineInput.EXCEEDS, observed, SETTINGS, yardstick=Yardstick(1.0, 2.0))
    assert machine.has_lasted(far(20 * HOUR_S, 5.1), LIFE_S, SETTINGS)
    assert not machine.has_lasted(far(20 * HOUR_S, 1.9), LIFE_S, SETTINGS)
    assert not machine.has_lasted(far(20 * HOUR_S, 0.5), LIFE_S, SETTINGS)


def test_in_the_first_days_what_goes_away_and_returns_is_learned_although_it_is_back() -> None:
    machine = StateMachine()
    for reading in range(12 * 13):
        observed = far(reading * EVERY_S, 5.0)
        machine.step(MachineInput.EXCEEDS, observed, SETTINGS, yardstick=Yardstick(1.0, 2.0))
    assert machine.has_lasted(far(13 * HOUR_S, 1.9), 2.9 * DAY_S, SETTINGS)
    assert not machine.has_lasted(far(13 * HOUR_S, 1.9), 3.1 * DAY_S, SETTINGS)


def test_a_silence_within_an_incident_is_no_level() -> None:
    machine = StateMachine()
    machine.step(MachineInput.EXCEEDS, far(0.0), SETTINGS)
    machine.step(MachineInput.RETURN, far(20 * HOUR_S), SETTINGS)
    assert not machine.has_lasted(far(20 * HOUR_S), LIFE_S, SETTINGS)
    for reading in range(12 * 18 + 1):
        machine.step(MachineInput.EXCEEDS, far(20 * HOUR_S + reading * EVERY_S), SETTINGS)
    assert machine.has_lasted(far(38.1 * HOUR_S), LIFE_S, SETTINGS)
