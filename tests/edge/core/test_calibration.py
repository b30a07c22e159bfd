"""The raising level follows from a sensor's own scores, so that the budget comes true, and no fault deafens."""

from __future__ import annotations

import math

import numpy as np
import pytest

from config.schema import IncidentSettings
from edge.core.calibration import HIGHEST, LOWEST, MEMORY_S, REACH, REMEMBERED, Calibration, Scored, level_for

DAY = 86_400.0
ASSUMED = 6.0
NOBODY = np.zeros(1, dtype=bool)


def settings(alarms: float) -> IncidentSettings:
    return IncidentSettings(false_alarms_per_sensor_per_day=alarms)


class Watched:
    """Sensors whose scores are given, one round after the other; incidents as the engine raises them."""

    def __init__(self, sensors: int, alarms: float) -> None:
        self.calibration = Calibration()
        self.calibration.grow(sensors)
        self.settings = settings(alarms)
        self.slots = np.arange(sensors)
        self.assumed = np.full(sensors, ASSUMED)
        self.level = self.assumed.copy()
        self.open = np.zeros(sensors, dtype=bool)
        self.calm = np.zeros(sensors, dtype=int)
        self.raised: list[tuple[float, int]] = []

    def see(self, scores: np.ndarray, time: float) -> None:
        was_open = self.open.copy()
        self.level = np.where(was_open, self.level, self.calibration.levels(self.slots, self.assumed))
        for slot in np.flatnonzero((scores >= self.level) & ~was_open).tolist():
            self.open[slot] = True
            self.raised.append((time, slot))
            self.calibration.raised(slot, time, self.settings, ASSUMED)
        self.calm = np.where(scores >= self.level / 2, 0, self.calm + 1)
        self.open &= self.calm < self.settings.clear_after
        scored = Scored(self.slots, scores, np.full(len(scores), time), was_open, self.level, self.assumed)
        self.calibration.note(scored, self.settings)

    def since(self, time: float) -> int:
        return sum(each >= time for each, _ in self.raised)


def tails(kind: str, rng: np.random.Generator, sensors: int) -> np.ndarray:
    """Scores of models that are right, three times too sure, or of a tail that is far too light."""
    decades = -np.log10(rng.random(sensors))
    return {"right": decades, "too sure": 3.0 * decades, "too light": decades**2}[kind]


@pytest.mark.parametrize("alarms", [0.1, 1.0])
@pytest.mark.parametrize("kind", ["right", "too sure", "too light"])
def test_as_many_alarms_come_as_were_asked_for_whatever_the_scores_are_worth(kind: str, alarms: float) -> None:
    rng, sensors, days = np.random.default_rng(3), 60, 12
    watched = Watched(sensors, alarms)
    for reading in range(days * 288):
        watched.see(tails(kind, rng, sensors), 300.0 * reading)
    came = watched.since(3 * DAY) / sensors / (days - 3)
    assert alarms / 2 <= came <= alarms * 2


def quiet_then(scores: list[float], alarms: float = 0.1, days: float = 2.0) -> tuple[Watched, float]:
    """A sensor of ordinary noise, and what follows."""
    rng, watched = np.random.default_rng(5), Watched(1, alarms)
    time = 0.0
    while time < days * DAY:
        watched.see(np.minimum(tails("right", rng, 1), 4.0), time)
        time += 60.0
    for score in scores:
        watched.see(np.array([score]), time)
        time += 60.0
    return watched, time


def test_a_fault_raises_its_sensors_level_by_a_bounded_step() -> None:
    before = quiet_then([])[0].calibration.level[0]
    after = quiet_then([300.0] * 200 + [0.0] * 20)[0].calibration.level[0]
    assert before < after <= REACH * REACH * max(before, ASSUMED)


def test_a_fault_that_comes_and_goes_within_an_incident_is_one_excursion() -> None:
    watched, _ = quiet_then([20.0, 1.0, 1.0, 1.0] * 100 + [0.0] * 20)
    beyond = watched.calibration.peaks[0] > 5.0
    assert beyond.sum() == 1


def test_a_sensor_without_excursions_becomes_as_sensitive_as_can_be() -> None:
    watched = Watched(1, 1.0)
    for reading in range(10 * 288):
        watched.see(np.array([0.5]), 300.0 * reading)
    assert watched.calibration.level[0] == LOWEST


def test_what_happens_every_day_is_no_alarm_after_some_days() -> None:
    watched = Watched(1, 0.1)
    rng = np.random.default_rng(6)
    for reading in range(21 * 288):
        job = 12.0 if reading % 288 == 72 else 0.0
        watched.see(np.maximum(tails("right", rng, 1), job), 300.0 * reading)
    jobs = [time for time, _ in watched.raised if round(time / 300.0) % 288 == 72]
    assert 1 <= len(jobs) <= 5
    assert max(jobs) < 7 * DAY


def test_early_excursions_are_forgotten() -> None:
    watched = Watched(1, 1.0)
    rng = np.random.default_rng(7)
    for reading in range(10 * 288):
        wild = 100.0 if reading < 100 and reading % 6 == 0 else 0.0
        watched.see(np.maximum(tails("right", rng, 1), wild), 300.0 * reading)
    assert watched.calibration.level[0] < 6.0


def test_time_without_readings_is_no_time_that_was_watched() -> None:
    watched, time = quiet_then([])
    level, days = watched.calibration.level[0], watched.calibration.watched[0]
    watched.see(np.array([0.1]), time + 300 * DAY)
    assert watched.calibration.watched[0] <= days + 1.0
    assert watched.calibration.level[0] == pytest.approx(level, rel=0.3)


def test_a_clock_that_is_set_moves_what_is_remembered() -> None:
    one, time = quiet_then([5.0] + [0.0] * 8)
    other, _ = quiet_then([5.0] + [0.0] * 8)
    other.calibration.shift(np.array([0]), 1e6)
    for watched, offset in ((one, 0.0), (other, 1e6)):
        watched.see(np.array([4.0]), time + DAY / 2 + offset)
    assert other.calibration.level[0] == pytest.approx(one.calibration.level[0])


def test_readings_without_a_score_and_sensors_without_detectors_cost_nothing() -> None:
    watched = Watched(1, 0.1)
    for reading in range(100):
        watched.see(np.array([np.nan]), 60.0 * reading)
    assert math.isnan(watched.calibration.began[0])
    assert math.isnan(watched.calibration.level[0])


@pytest.mark.parametrize("alarms", [0.05, 1.0, 20.0])
def test_the_level_rises_with_what_is_remembered_and_falls_with_what_is_allowed(alarms: float) -> None:
    peaks = [3.0 + each / 10 for each in range(REMEMBERED)]
    level = level_for(peaks, MEMORY_S[0], 2 * MEMORY_S[0], alarms, 0.0)
    assert level_for([each * 2 for each in peaks], MEMORY_S[0], 2 * MEMORY_S[0], alarms, 0.0) > level
    assert level_for(peaks, MEMORY_S[0], 2 * MEMORY_S[0], alarms * 2, 0.0) < level
    assert level_for(peaks, MEMORY_S[0], 2 * MEMORY_S[0], alarms, 1.0) > level
    assert LOWEST <= level <= HIGHEST


def test_nothing_is_said_of_a_sensor_that_is_new() -> None:
    assert math.isnan(level_for([5.0] * REMEMBERED, DAY / 10, DAY / 5, 0.1, 0.0))
    assert math.isnan(level_for([5.0], DAY, 2 * DAY, 0.1, 0.0))
