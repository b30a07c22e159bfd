"""How long a level must last until it is normal depends on how far it is from the usual range."""

from __future__ import annotations

import pytest

from config.schema import IncidentSettings
from edge.core.incidents.lasting.patience import patience
from edge.core.incidents.state_machine import StateMachine
from edge.core.incidents.state_table import MachineInput
from edge.core.scoring.consequence import Yardstick
from tests.edge.core.incidents.machines import surprising

HOUR_S, DAY_S = 3600.0, 86_400.0
MOST_S = 18 * HOUR_S
SETTINGS = IncidentSettings(adopt_after_s=MOST_S)
USUAL = Yardstick(low=4.0, high=6.0)


@pytest.mark.parametrize(
    ("beyond", "hours"), [(0.0, 18.0), (1.0, 54.0), (2.0, 90.0), (50.0, 90.0)], ids=["near", "far", "very", "most"]
)
def test_what_is_far_outside_of_the_usual_range_takes_longer_within_bounds(beyond: float, hours: float) -> None:
    assert patience(60 * DAY_S, MOST_S, is_level=True, beyond=beyond) == hours * HOUR_S


@pytest.mark.parametrize(("beyond", "share"), [(0.0, 1 / 6), (1.0, 1 / 3), (2.0, 1 / 2)])
def test_of_a_young_sensor_it_takes_a_share_of_its_life(beyond: float, share: float) -> None:
    assert patience(DAY_S, MOST_S, is_level=True, beyond=beyond) == pytest.approx(max(share, 1 / 6) * DAY_S)
    assert patience(600.0, MOST_S, is_level=True, beyond=beyond) == HOUR_S


def hours_until_adopted(value: float, usual: Yardstick = USUAL, *, way: float = 0.25) -> int:
    """Hours after which a value that is always surprising is adopted, if it has first come a part of its way."""
    tracker = StateMachine()
    for half in range(600):
        observation = surprising(half * HOUR_S / 2, value=5.0 + (value - 5.0) * (1.0 if half else way))
        if tracker.has_lasted(observation, 60 * DAY_S, SETTINGS):
            return half // 2
        tracker.step(MachineInput.EXCEEDS, observation, SETTINGS, yardstick=usual)
    return -1


def test_a_level_far_outside_of_the_usual_range_stays_an_incident_for_days() -> None:
    assert hours_until_adopted(6.0) == 18
    assert hours_until_adopted(8.0) in {54, 55}
    assert hours_until_adopted(0.0) == 90


def test_a_level_that_was_reached_at_once_is_adopted_however_far_it_is() -> None:
    assert hours_until_adopted(9.0, way=1.0) == 18
    assert hours_until_adopted(9.0, way=0.8) == 18


def test_what_is_hardly_known_is_not_far() -> None:
    assert hours_until_adopted(9.0, Yardstick(low=4.0, high=6.0, sure=0.0)) == 18
    assert hours_until_adopted(9.0, Yardstick()) == 18


def test_what_returns_from_far_is_not_adopted_on_its_way() -> None:
    tracker = StateMachine()
    for half in range(72):
        observation = surprising(half * HOUR_S / 2, value=(9.0 if half else 6.3) if half < 60 else 6.2)
        assert not tracker.has_lasted(observation, 60 * DAY_S, SETTINGS)
        tracker.step(MachineInput.EXCEEDS, observation, SETTINGS, yardstick=USUAL)
