"""The conditions of limits, compared with the table of learned conditions: every state, every signal, every limit."""

from __future__ import annotations

import math

import pytest

from config.schema import IncidentSettings
from edge.core.incidents.incident import Incident
from edge.core.incidents.state_machine import StateMachine, Transition
from edge.core.incidents.state_table import TABLE, MachineInput, State
from edge.core.scoring.limit_conditions import BrokenLimit, hold_against_limits, severity_beyond
from edge.core.scoring.opinions import Observation, Opinion

HIGH = BrokenLimit("limits", "range", "high", 20.0, 12.0, math.nan, 20.0)
CRITICAL = BrokenLimit("limits", "range", "high_critical", 24.0, 96.0, math.nan, 20.0)
SETTINGS = IncidentSettings(update_s=8e4, clear_after=2)
OF_READINGS = {
    MachineInput.EXCEEDS,
    MachineInput.HOLDS,
    MachineInput.CALM,
    MachineInput.CALM_ENOUGH,
    MachineInput.SETTLES,
    MachineInput.ADOPTION,
}
CASES = [(state, signal) for state, signal in TABLE if signal in OF_READINGS]
ADOPTED = [case for case in CASES if case[1] is MachineInput.ADOPTION]


def observation(time: float, value: float = 10.0, *broken: BrokenLimit) -> Observation:
    return Observation(time, value, 4.0, [Opinion("ewma", "spike", 8.0, 5.0, 4.0, 6.0)], broken=list(broken))


def tracker(state: State) -> StateMachine:
    """One in the given state, with its incident, as if reported long ago."""
    made = StateMachine(state, since=1.0)
    if state.holds_open:
        made.incident = Incident.from_observation(observation(1.0))
        made.incident.publish(1.0)
    return made


def follow(made: StateMachine, moved: tuple[Transition, Incident] | None, time: float) -> Transition | None:
    if moved is None:
        return None
    moved[1].publish(time)
    return moved[0]


@pytest.mark.parametrize(("state", "signal"), CASES)
def test_a_broken_limit_is_reported_in_every_learned_state(state: State, signal: MachineInput) -> None:
    made = tracker(state)
    said = follow(made, made.step(signal, observation(2.0, 21.0, HIGH), SETTINGS), 2.0)
    assert said is (Transition.UPDATED if state.holds_open else Transition.RAISED)
    assert made.incident is not None
    assert made.incident.limits.keys() == {HIGH.key}
    assert (made.incident.kind, made.incident.last.value) == ("range", 21.0)
    assert made.incident.severity >= severity_beyond(HIGH.score)


@pytest.mark.parametrize(("state", "signal"), CASES)
def test_a_critical_limit_is_reported_again_and_is_worse(state: State, signal: MachineInput) -> None:
    made = tracker(state)
    follow(made, made.step(signal, observation(2.0, 21.0, HIGH), SETTINGS), 2.0)
    before = made.incident.severity if made.incident is not None else 0
    later = MachineInput.CALM if (made.state, MachineInput.CALM) in TABLE else MachineInput.HOLDS
    said = follow(made, made.step(later, observation(3.0, 25.0, HIGH, CRITICAL), SETTINGS), 3.0)
    assert said is Transition.UPDATED
    assert made.incident is not None
    assert made.incident.limits.keys() == {HIGH.key, CRITICAL.key}
    assert made.incident.severity == 1000 >= before
    assert severity_beyond(CRITICAL.score) > severity_beyond(HIGH.score)


@pytest.mark.parametrize(("state", "signal"), CASES)
def test_a_limit_that_is_met_again_leaves_and_the_rest_follows_its_own_rules(
    state: State, signal: MachineInput
) -> None:
    made = tracker(state)
    follow(made, made.step(signal, observation(2.0, 21.0, HIGH), SETTINGS), 2.0)
    kept = MachineInput.HOLDS
    assert follow(made, made.step(kept, observation(3.0), SETTINGS), 3.0) is None
    said = follow(made, made.step(kept, observation(4.0), SETTINGS), 4.0)
    if made.state.holds_open:
        assert said is Transition.UPDATED
        assert made.incident is not None
        assert (made.incident.limits, made.incident.kind) == ({}, "spike")
    else:
        assert said is Transition.CLEARED
        assert made.incident is None


@pytest.mark.parametrize(("state", "signal"), CASES)
def test_a_learned_condition_ends_while_a_limit_is_broken_without_ending_the_incident(
    state: State, signal: MachineInput
) -> None:
    made = tracker(state)
    follow(made, made.step(signal, observation(2.0, 21.0, HIGH), SETTINGS), 2.0)
    for ending in (MachineInput.CALM_ENOUGH, MachineInput.CALM_ENOUGH):
        if (made.state, ending) in TABLE:
            assert made.step(ending, observation(3.0, 21.0, HIGH), SETTINGS) is None
    assert made.incident is not None
    assert (made.incident.kind, made.incident.learned_kind) == ("range", "")


@pytest.mark.parametrize("state", [State.OPEN, State.CALMING, State.SILENT])
def test_declaring_normal_leaves_the_limit_open(state: State) -> None:
    made = tracker(state)
    assert made.incident is not None
    made.incident.let([*hold([HIGH], 2.0)], [])
    moved = made.step(MachineInput.DECLARED_NORMAL, Observation(3.0, 21.0, 4.0, []), SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.UPDATED
    assert (made.state.holds_open, made.incident is not None, moved[1].kind) == (False, True, "range")


def hold(broken: list[BrokenLimit], time: float) -> list:  # type: ignore[type-arg]
    return hold_against_limits(broken, time, 21.0, {}, {}, raise_after=1, clear_after=1).joined


@pytest.mark.parametrize("state", [State.NORMAL, State.SETTLING, State.ADOPTING])
def test_a_sensor_beyond_its_limit_that_falls_silent_and_returns_has_both_reported(state: State) -> None:
    made = tracker(state)
    made.step(MachineInput.HOLDS, observation(2.0, 21.0, HIGH), SETTINGS)
    silence = Observation(9.0, 21.0, 4.0, [Opinion("silence", "missing", 4.0)])
    assert follow(made, made.step(MachineInput.SILENCE, silence, SETTINGS), 9.0) is Transition.UPDATED
    assert made.incident is not None
    assert made.incident.kind == "missing"
    back = made.step(MachineInput.RETURN, Observation(12.0, 21.0, 4.0, []), SETTINGS)
    assert follow(made, back, 12.0) is Transition.UPDATED
    assert (made.incident.kind, made.state) == ("range", State.NORMAL)


def test_a_limit_that_joins_has_not_been_acknowledged() -> None:
    made = tracker(State.OPEN)
    assert made.incident is not None
    made.incident.acknowledged = True
    made.step(MachineInput.HOLDS, observation(2.0, 21.0, HIGH), SETTINGS)
    assert not made.incident.acknowledged


def test_readings_in_a_row_are_required_and_one_within_restarts_the_count() -> None:
    made, careful = StateMachine(), IncidentSettings(raise_after=3)
    for time, value in enumerate((21.0, 21.0, 19.0, 21.0, 21.0, 21.0)):
        broken = [HIGH] if value > 20.0 else []
        moved = made.step(MachineInput.CALM, observation(time, value, *broken), careful)
        assert (moved is not None) == (time == 5)


def test_a_reading_within_the_deadband_counts_but_starts_nothing() -> None:
    made, careful = StateMachine(), IncidentSettings(raise_after=2)
    assert made.step(MachineInput.CALM, observation(1.0, 20.5, HIGH), careful) is None
    assert made.step(MachineInput.CALM, observation(2.0, 19.5, HIGH), careful) is None
    assert made.step(MachineInput.CALM, observation(3.0, 20.5, HIGH), careful) is not None


def test_the_peak_is_the_value_farthest_beyond() -> None:
    made = StateMachine()
    for time, value in enumerate((21.0, 23.0, 22.0)):
        made.step(MachineInput.CALM, observation(time, value, HIGH), SETTINGS)
    assert made.incident is not None
    assert (made.incident.peak.value, made.incident.count) == (23.0, 3)


def test_readings_within_the_limit_do_not_count() -> None:
    made = StateMachine()
    made.step(MachineInput.CALM, observation(1.0, 21.0, HIGH), SETTINGS)
    made.step(MachineInput.CALM, observation(2.0, 10.0), SETTINGS)
    assert made.incident is not None
    assert (made.incident.count, made.incident.last.value) == (1, 21.0)
