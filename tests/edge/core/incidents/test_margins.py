"""A reading barely beyond its level is an incident only if it lasts; one far beyond it is an incident immediately."""

from __future__ import annotations

import math
from typing import Any

import pytest

from config.schema import IncidentSettings
from detectors.univariate.rate import RateOfChange
from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.state_table import State
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.opinions import Observation, Opinion, is_clear
from edge.core.scoring.profiles import Group, Profile
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

LEVEL = 5.0


def observation(*scores: float, kind: str = "rate", value: float = 9.0) -> Observation:
    opinions = [Opinion(f"d{place}", kind, score, 0.0, -8.0, 8.0, LEVEL) for place, score in enumerate(scores)]
    return Observation(0.0, value, LEVEL, opinions)


def raised(run: int, *scores: float, raise_after: int = 1, state: State = State.NORMAL, **of: Any) -> bool:
    """Whether the last of `run` exceeding readings raises an incident."""
    group = Group(Profile((RateOfChange(),), IncidentSettings(raise_after=raise_after)))
    group.add()
    statistics, levels = SensorStatistics(), AlarmLevels()
    for each in (statistics, levels):
        each.grow(1)
    tracker = IncidentTracker([(group, 0)], statistics, levels)
    tracker.grow(1)
    tracker.tracker(0).state = state
    statistics.exceeding[0] = run
    tracker.judge(0, observation(*scores, **of), 0, math.nan)
    return bool(tracker.take_findings())


@pytest.mark.parametrize("state", [State.NORMAL, State.SETTLING])
def test_a_reading_barely_beyond_its_level_is_reported_after_three_readings(state: State) -> None:
    assert [raised(run, 5.1, state=state) for run in (1, 2, 3, 4)] == [False, False, True, True]


def test_a_reading_far_beyond_its_level_is_reported_immediately() -> None:
    assert not raised(1, 7.4)
    assert raised(1, 7.5)
    assert not raised(1, 5.1, value=-9.9)
    assert raised(1, 5.1, value=-10.0)


def test_a_second_detector_confirms_a_reading_from_three_quarters_of_its_own_level_on() -> None:
    assert raised(1, 5.1, 5.05)
    assert raised(1, 5.1, 3.75)
    assert not raised(1, 5.1, 3.74)


def test_detectors_that_nearly_reach_their_levels_dont_raise_an_incident_together() -> None:
    assert not is_clear(observation(4.9, 4.9), run=3)


def test_a_value_within_the_band_of_the_only_surprised_detector_is_no_incident_however_long_that_lasts() -> None:
    assert not raised(30, 5.1, kind="contextual", value=7.0)
    assert raised(30, 5.1, 3.8, kind="contextual", value=7.0)
    assert raised(1, 7.5, kind="contextual", value=7.0)


def test_a_detector_without_a_band_is_believed_after_three_readings() -> None:
    opinion = Opinion("contextual", "contextual", 5.1, level=LEVEL)
    assert [is_clear(Observation(0.0, 9.0, LEVEL, [opinion]), run) for run in (2, 3)] == [False, True]


@pytest.mark.parametrize("kind", ["drift", "flatline", "state", "variance", "level_shift"])
def test_a_condition_that_spans_several_readings_needs_no_second_one(kind: str) -> None:
    assert raised(1, 5.1, kind=kind)


def test_a_configured_number_of_readings_applies_unchanged() -> None:
    assert not raised(4, 9.0, raise_after=5)
    assert raised(5, 9.0, raise_after=5)
