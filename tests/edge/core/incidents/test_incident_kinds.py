from __future__ import annotations

import math

import pytest

from edge.core.incidents.state_machine import StateMachine, Transition
from edge.core.incidents.state_table import MachineInput
from edge.core.scoring.limit_conditions import BrokenLimit
from edge.core.scoring.opinions import Observation, Opinion
from tests.edge.core.incidents.machines import SETTINGS, bounded_by, calm, raised, surprising


def test_the_agreement_of_another_detector_is_kept_for_the_next_event() -> None:
    tracker = raised()
    assert tracker.incident is not None
    tracker.incident.publish(0.0)
    other = Observation(61.0, 9.0, 4.0, [Opinion("median", "spike", 8.0, 5.0, 4.0, 6.0)])
    assert tracker.step(MachineInput.EXCEEDS, other, SETTINGS) is None
    assert set(tracker.incident.evidence) == {"ewma", "median"}


def test_a_condition_of_the_kind_of_the_incident_is_not_news() -> None:
    tracker, incident = bounded_by(200)
    for time in (1.0, 2.0, 61.0):
        tracker.step(MachineInput.EXCEEDS, surprising(time), SETTINGS)
    incident.publish(61.0)
    shifted = Observation(62.0, 9.0, 4.0, [Opinion("cusum", "level_shift", 9.0, 5.0, 4.0, 6.0)])
    assert incident.kind == "level_shift"
    assert tracker.step(MachineInput.EXCEEDS, shifted, SETTINGS) is None
    assert incident.conditions["level_shift"] == 62.0


def test_another_kind_waits_for_the_interval() -> None:
    tracker, incident = bounded_by(200)
    for time in (1.0, 2.0, 3.0):
        assert tracker.step(MachineInput.EXCEEDS, surprising(time), SETTINGS) is None
    assert incident.kind == "level_shift"
    moved = tracker.step(MachineInput.EXCEEDS, surprising(61.0), SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.UPDATED


def test_a_condition_of_another_kind_is_reported_immediately() -> None:
    tracker = raised()
    for time in (0.1, 0.2):  # by then it has reached its highest severity
        tracker.step(MachineInput.EXCEEDS, surprising(time), SETTINGS)
    assert tracker.incident is not None
    tracker.incident.publish(0.0)
    other = Observation(1.0, 9.0, 4.0, [Opinion("flatline", "flatline", 9.0, 5.0, 4.0, 6.0)])
    moved = tracker.step(MachineInput.EXCEEDS, other, SETTINGS)
    assert moved is not None
    assert moved[0] is Transition.UPDATED
    assert moved[1].conditions == {"spike": 0.0, "flatline": 1.0}
    moved[1].publish(1.0)
    assert tracker.step(MachineInput.EXCEEDS, other, SETTINGS) is None


def test_a_spike_that_lasts_on_one_side_becomes_a_level_shift() -> None:
    tracker = raised()
    for time in (1.0, 2.0, 3.0):
        tracker.step(MachineInput.EXCEEDS, surprising(time), SETTINGS)
    assert tracker.incident is not None
    assert tracker.incident.kind == "level_shift"


def test_spikes_to_both_sides_become_variance() -> None:
    tracker = raised()
    for time, value in ((1.0, 1.0), (2.0, 9.0), (3.0, 1.0)):
        tracker.step(MachineInput.EXCEEDS, surprising(time, value=value), SETTINGS)
    assert tracker.incident is not None
    assert tracker.incident.kind == "variance"


def shifted() -> StateMachine:
    tracker = raised()
    for time in (1.0, 2.0, 3.0):
        tracker.step(MachineInput.EXCEEDS, surprising(time), SETTINGS)
    assert tracker.incident is not None
    tracker.incident.publish(3.0)
    return tracker


def saying(time: float, *opinions: Opinion) -> Observation:
    return Observation(time, 9.0, 4.0, sorted(opinions, key=lambda each: -each.ratio))


PLACE = Opinion("ewma", "spike", 8.0, 5.0, 4.0, 6.0, level=4.0)


def test_a_shift_that_is_stuck_at_its_new_level_remains_a_shift_and_lists_both() -> None:
    tracker = shifted()
    moved = tracker.step(
        MachineInput.EXCEEDS, saying(20.0, Opinion("flatline", "flatline", 80.0, level=4.0), PLACE), SETTINGS
    )
    assert moved is not None
    assert (moved[0], moved[1].kind) == (Transition.UPDATED, "level_shift")
    assert moved[1].conditions == {"spike": 0.0, "flatline": 20.0}


def test_a_stuck_value_without_other_faults_is_called_stuck() -> None:
    tracker = shifted()
    tracker.step(MachineInput.EXCEEDS, saying(20.0, Opinion("flatline", "flatline", 80.0)), SETTINGS)
    assert tracker.incident is not None
    assert tracker.incident.kind == "flatline"


@pytest.mark.parametrize(("score", "kind"), [(8.0, "level_shift"), (9.0, "drift")])
def test_an_incident_is_renamed_by_a_condition_that_is_worse_by_a_class(score: float, kind: str) -> None:
    tracker = shifted()
    tracker.step(
        MachineInput.EXCEEDS, saying(20.0, Opinion("cusum", "drift", score, 5.0, 4.0, 6.0, level=4.0), PLACE), SETTINGS
    )
    assert tracker.incident is not None
    assert tracker.incident.kind == kind


def test_a_silence_that_joins_is_reported_immediately_and_renames_nothing() -> None:
    tracker = shifted()
    moved = tracker.step(MachineInput.SILENCE, saying(20.0, Opinion("silence", "missing", 4.0)), SETTINGS)
    assert moved is not None
    assert (moved[0], moved[1].kind) == (Transition.UPDATED, "level_shift")
    assert moved[1].conditions == {"spike": 0.0, "missing": 20.0}


def test_the_end_of_a_silence_within_an_incident_is_told_once() -> None:
    tracker = shifted()
    moved = tracker.step(MachineInput.SILENCE, saying(20.0, Opinion("silence", "missing", 4.0)), SETTINGS)
    assert moved is not None
    moved[1].publish(20.0)
    assert tracker.was_told_silent
    back = tracker.step(MachineInput.RETURN, calm(30.0), SETTINGS)
    assert back is not None
    assert (back[0], back[1].kind) == (Transition.UPDATED, "level_shift")
    back[1].publish(30.0)
    assert not tracker.was_told_silent


def test_an_incident_lists_its_limits_and_error_values() -> None:
    tracker = raised()
    tracker.step(MachineInput.NO_VALUE, Observation(1.0, -127.0, 4.0, []), SETTINGS)
    tracker.step(MachineInput.VALUE, Observation(2.0, 9.0, 4.0, []), SETTINGS)
    beyond = surprising(3.0)
    beyond.broken = [BrokenLimit("limits", "range", "high", 8.0, 12.0, math.nan, 8.0)]
    tracker.step(MachineInput.EXCEEDS, beyond, SETTINGS)
    assert tracker.incident is not None
    assert tracker.incident.conditions == {"spike": 0.0, "error_value": 1.0, "range": 3.0}
