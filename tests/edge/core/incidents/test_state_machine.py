from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.incidents.incident import Incident
from edge.core.incidents.state_machine import StateMachine, Transition
from edge.core.incidents.state_table import TABLE, MachineInput, State
from edge.core.model.notation.severity import severity_class, severity_of
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.limit_conditions import BrokenLimit
from edge.core.scoring.opinions import Observation, Opinion
from tests.edge.core.incidents.machines import SETTINGS, bounded_by, calm, raised, surprising

READINGS = [MachineInput.EXCEEDS, MachineInput.HOLDS, MachineInput.CALM, MachineInput.CALM_ENOUGH]


def test_every_state_has_a_transition_for_every_reading() -> None:
    for state in (State.NORMAL, State.OPEN, State.CALMING, State.ADOPTING):
        for signal in [*READINGS, MachineInput.SILENCE]:
            assert (state, signal) in TABLE


def test_every_lasting_condition_can_be_adopted() -> None:
    for state in (State.OPEN, State.CALMING, State.ADOPTING):
        assert (state, MachineInput.ADOPTION) in TABLE


def adopting() -> StateMachine:
    tracker = raised()
    moved = tracker.step(MachineInput.ADOPTION, surprising(100.0), SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.EXPIRED
    return tracker


def test_while_a_level_is_being_adopted_nothing_is_raised_until_it_is_calm() -> None:
    tracker = adopting()
    assert tracker.step(MachineInput.EXCEEDS, surprising(101.0), SETTINGS) is None
    assert tracker.state is State.ADOPTING
    assert tracker.step(MachineInput.CALM_ENOUGH, calm(102.0), SETTINGS) is None
    moved = tracker.step(MachineInput.EXCEEDS, surprising(103.0), SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.RAISED


@pytest.mark.parametrize(("value", "is_news"), [(9.0, False), (5.0, False), (10.2, False), (10.3, True), (2.7, True)])
def test_while_a_level_is_being_adopted_only_what_is_far_beyond_it_and_the_usual_range_is_news(
    value: float, *, is_news: bool
) -> None:
    tracker = StateMachine()
    tracker.step(MachineInput.EXCEEDS, surprising(0.0), SETTINGS, yardstick=Yardstick(4.0, 6.0))
    tracker.step(MachineInput.ADOPTION, surprising(100.0), SETTINGS)
    moved = tracker.step(MachineInput.EXCEEDS, surprising(101.0, value=value), SETTINGS)
    assert (moved is not None and moved[0] is Transition.RAISED) == is_news
    assert (tracker.state is State.OPEN) == is_news


def test_a_sensor_that_falls_silent_while_its_level_is_being_adopted_is_reported() -> None:
    moved = adopting().step(MachineInput.SILENCE, surprising(150.0, kind="missing"), SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.RAISED


def test_the_time_to_adoption_starts_with_the_incident_and_again_with_the_learning() -> None:
    assert raised().since == 0.0
    assert adopting().since == 100.0


def test_an_incident_of_an_old_snapshot_counts_from_the_time_it_was_raised() -> None:
    incident = Incident.from_observation(surprising(7.0))
    assert StateMachine(State.OPEN, incident).since == 7.0


def test_the_return_of_a_silent_sensor_is_reported_first() -> None:
    signals = {signal for state, signal in TABLE if state is State.SILENT}
    assert signals == {
        MachineInput.SILENCE,
        MachineInput.RETURN,
        MachineInput.DECLARED_NORMAL,
        MachineInput.NO_VALUE,
        MachineInput.VALUE,
        MachineInput.DIFFERS,
        MachineInput.AGREES,
        MachineInput.PEERS_ADOPTED,
    }


def test_an_exceeding_reading_raises_an_incident() -> None:
    moved = StateMachine().step(MachineInput.EXCEEDS, surprising(7.0), SETTINGS)
    assert moved is not None
    transition, incident = moved
    assert transition is Transition.RAISED
    assert (incident.started, incident.kind, incident.count) == (7.0, "spike", 1)
    assert incident.evidence["ewma"].since == 7.0


def test_a_calm_reading_alone_does_not_clear() -> None:
    tracker = raised()
    assert tracker.step(MachineInput.CALM, calm(1.0), SETTINGS) is None
    assert tracker.state is State.CALMING
    assert tracker.incident is not None


def test_the_last_of_the_calm_readings_clears() -> None:
    tracker = raised()
    tracker.step(MachineInput.CALM, calm(1.0), SETTINGS)
    moved = tracker.step(MachineInput.CALM_ENOUGH, calm(2.0), SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.CLEARED
    assert tracker.state is State.NORMAL
    assert tracker.incident is None


def test_a_reading_between_the_levels_restarts_the_count_of_calm_ones() -> None:
    tracker = raised()
    tracker.step(MachineInput.CALM, calm(1.0), SETTINGS)
    tracker.step(MachineInput.HOLDS, calm(2.0), SETTINGS)
    assert tracker.calm == 0


def test_a_worse_class_of_severity_is_an_immediate_update() -> None:
    tracker = StateMachine()
    tracker.step(MachineInput.EXCEEDS, surprising(0.0, value=6.2), SETTINGS)
    assert tracker.incident is not None
    tracker.incident.publish(0.0)
    moved = tracker.step(MachineInput.EXCEEDS, surprising(3600.0, value=40.0), SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.UPDATED


def test_a_rise_to_warn_is_reported_some_time_after_the_last_event() -> None:
    tracker, incident = bounded_by(500)
    for time in (0.1, 100.0, 800.0):
        assert tracker.step(MachineInput.EXCEEDS, surprising(time, value=40.0), SETTINGS) is None or incident.news
        incident.news = False
    moved = tracker.step(MachineInput.HOLDS, calm(901.0), SETTINGS)  # although it is no longer beyond its level
    assert moved is not None
    assert moved[0] is Transition.UPDATED
    incident.publish(901.0)
    assert severity_class(incident.severity) == 1
    assert tracker.step(MachineInput.HOLDS, calm(2000.0), SETTINGS) is None


@pytest.mark.parametrize("far", [13.0, -5.0])
def test_a_value_far_beyond_what_was_told_is_reported_immediately(far: float) -> None:
    tracker = StateMachine()
    known = Yardstick(low=4.0, high=6.0, most=200)
    tracker.step(MachineInput.EXCEEDS, surprising(0.0, value=9.0), SETTINGS, yardstick=known)
    assert tracker.incident is not None
    tracker.incident.publish(0.0)
    assert tracker.step(MachineInput.EXCEEDS, surprising(0.1, value=9.5), SETTINGS) is None
    moved = tracker.step(MachineInput.EXCEEDS, surprising(0.2, value=far), SETTINGS)
    assert moved is not None
    tracker.incident.publish(0.2)
    assert tracker.step(MachineInput.EXCEEDS, surprising(0.3, value=far), SETTINGS) is None


def test_what_was_learned_is_reported_again_while_a_limit_holds_the_incident_open() -> None:
    tracker = StateMachine()
    limit = BrokenLimit("limits", "range", "high", 8.0, 12.0, math.nan, 8.0)

    def step(signal: MachineInput, observation: Observation) -> Transition | None:
        observation.broken = [limit]
        moved = tracker.step(signal, observation, SETTINGS)
        if moved is None:
            return None
        moved[1].publish(observation.time)
        return moved[0]

    assert step(MachineInput.EXCEEDS, surprising(0.0, value=9.0)) is Transition.RAISED
    assert step(MachineInput.CALM_ENOUGH, calm(1.0)) is None
    assert step(MachineInput.EXCEEDS, surprising(5000.0, value=9.0)) is Transition.UPDATED
    assert tracker.incident is not None
    assert tracker.incident.conditions == {"range": 0.0, "spike": 5000.0}
    assert step(MachineInput.CALM_ENOUGH, calm(5001.0)) is None
    assert step(MachineInput.EXCEEDS, surprising(5002.0, value=9.0)) is None


def test_a_rise_to_error_or_beyond_is_reported_immediately_even_after_one_to_warn() -> None:
    tracker, incident = bounded_by(1000)
    incident.severity = 300
    moved = tracker.step(MachineInput.EXCEEDS, surprising(60.0, value=40.0), SETTINGS)
    assert moved is not None
    incident.publish(60.0)
    assert severity_class(incident.severity) == 2
    assert tracker.step(MachineInput.EXCEEDS, surprising(61.0, value=40.0), SETTINGS) is None
    moved = tracker.step(MachineInput.EXCEEDS, surprising(3000.0, value=40.0), SETTINGS)
    assert moved is not None
    assert severity_class(moved[1].current_severity()) == 3


def test_a_silence_raises_and_the_return_clears() -> None:
    tracker = StateMachine()
    silence = Observation(10.0, 5.0, 4.0, [Opinion("silence", "missing", 4.0)])
    moved = tracker.step(MachineInput.SILENCE, silence, SETTINGS)
    assert moved is not None
    assert (moved[0], moved[1].kind) == (Transition.RAISED, "missing")
    back = tracker.step(MachineInput.RETURN, calm(20.0), SETTINGS)
    assert back is not None
    assert back[0] is Transition.CLEARED


@pytest.mark.parametrize(("ratio", "severity"), [(1, 250), (2, 500), (4, 750), (8, 1000), (100, 1000), (0.5, 1)])
def test_severity_grows_by_a_class_with_each_doubling_of_the_score(ratio: float, severity: int) -> None:
    assert severity_of(6.0 * ratio, 6.0) == severity


def test_severity_classes_are_quarters() -> None:
    assert [severity_class(each) for each in (1, 250, 251, 500, 501, 750, 751, 1000)] == [0, 0, 1, 1, 2, 2, 3, 3]


@given(
    st.lists(
        st.sampled_from([*READINGS, MachineInput.SILENCE, MachineInput.RETURN, MachineInput.ADOPTION]), max_size=80
    )
)
def test_raises_and_ends_alternate_for_any_input(signals: list[MachineInput]) -> None:
    tracker = StateMachine()
    seen: list[Transition] = []
    for time, signal in enumerate(signals):
        if (tracker.state, signal) not in TABLE:
            continue
        observation = (
            surprising(float(time)) if signal in {MachineInput.EXCEEDS, MachineInput.SILENCE} else calm(float(time))
        )
        moved = tracker.step(signal, observation, SETTINGS)
        if moved is not None:
            moved[1].publish(observation.time)
            seen.append(moved[0])
        assert (tracker.incident is None) == (tracker.state in {State.NORMAL, State.ADOPTING})
    opened = False
    for transition in seen:
        if transition is Transition.RAISED:
            assert not opened
            opened = True
        else:
            assert opened
            opened = transition is Transition.UPDATED


def test_an_incident_that_comes_and_goes_is_cleared_after_its_calm_only() -> None:
    tracker = raised()
    tracker.calm_s, tracker.calm = 1000.0, 10
    assert tracker.calm_signal(5, 999.0, lingers=False) is MachineInput.CALM
    assert tracker.calm_signal(5, 1000.0, lingers=False) is MachineInput.CALM_ENOUGH
    moved = tracker.step(MachineInput.CALM_ENOUGH, calm(1000.0), SETTINGS)
    assert moved is not None
    assert tracker.calm_s == 0.0


@pytest.mark.parametrize(
    ("about", "days", "waits"), [("stay", 3, True), ("value", 3, True), ("stay", 8, False), ("hour", 3, False)]
)
def test_a_rest_ends_only_what_is_about_the_hour(about: str, days: int, *, waits: bool) -> None:
    tracker = StateMachine()
    found = Opinion("states", "state", 8.0, level=2.5, about=about)
    tracker.step(MachineInput.EXCEEDS, Observation(0.0, 35.0, 2.5, [found]), SETTINGS)
    assert tracker.awaits_work(days * 86_400.0) is waits
