"""The raising level follows from a sensor's own scores: the budget is met, and no fault makes the sensor deaf."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import IncidentSettings
from detectors.base import Detector
from detectors.contextual import Contextual
from detectors.univariate.ewma import EwmaZScore
from edge.core.scoring.levels.alarm_levels import SHARE, AlarmLevels
from edge.core.scoring.levels.calibration import BEYOND, HIGHEST, MOST_CORRECTION, REMEMBERED, STEP, Calibration
from edge.core.scoring.levels.tails import LOWEST, habit_of, tail_of

DAY = 86_400.0
ASSUMED = 6.0


class FromTheBottom(EwmaZScore):
    """A detector whose level may sink as far as the sensor's scores allow."""

    floor = LOWEST


FROM_THE_BOTTOM = FromTheBottom()


def settings(alarms: float) -> IncidentSettings:
    return IncidentSettings(false_alarms_per_sensor_per_day=alarms)


class Watched:
    """Sensors with given scores, one round after the other, and the incidents that the engine raises for them."""

    def __init__(
        self,
        sensors: int,
        alarms: float,
        detector: Detector = FROM_THE_BOTTOM,
        assumed: float = ASSUMED,
        interval: float = 300.0,
    ) -> None:
        self.levels = AlarmLevels()
        self.levels.grow(sensors)
        self.detector = detector
        self.assumed = assumed
        self.intervals = np.full(sensors, interval)
        self.settings = settings(alarms)
        self.slots = np.arange(sensors)
        self.level = np.full(sensors, ASSUMED)
        self.open = np.zeros(sensors, dtype=bool)
        self.calm = np.zeros(sensors, dtype=int)
        self.raised: list[tuple[float, int]] = []

    def see(self, scores: np.ndarray, time: float) -> None:
        was_open = self.open.copy()
        times = np.full(len(scores), time)
        (self.level,) = self.levels.levels(
            [self.detector],
            self.slots,
            times,
            was_open,
            self.intervals,
            lambda intervals: np.full(len(intervals), self.assumed),
            self.settings,
        )
        for slot in np.flatnonzero((scores >= self.level) & ~was_open).tolist():
            self.open[slot] = True
            self.raised.append((time, slot))
            self.levels.raised(slot, [self.detector.name])
        self.calm = np.where(scores >= self.level / 2, 0, self.calm + 1)
        self.open &= self.calm < self.settings.clear_after
        self.levels.note([self.detector], self.slots, [scores], was_open, self.settings)

    @property
    def calibration(self) -> Calibration:
        return self.levels.by_detector[self.detector.name]

    def since(self, time: float) -> int:
        return sum(each >= time for each, _ in self.raised)


def tails(kind: str, rng: np.random.Generator, sensors: int) -> np.ndarray:
    """Scores of models that are correct, too certain by a factor of three, or have far too light a tail."""
    decades = -np.log10(rng.random(sensors))
    return {"right": decades, "too sure": 3.0 * decades, "too light": decades**2}[kind]


@pytest.mark.long
@pytest.mark.parametrize("alarms", [0.1, 1.0])
@pytest.mark.parametrize("kind", ["right", "too sure", "too light"])
def test_a_detector_raises_as_many_alarms_as_its_share_of_the_budget_whatever_the_quality_of_its_scores(
    kind: str, alarms: float
) -> None:
    rng, sensors, days = np.random.default_rng(3), 60, 12
    watched = Watched(sensors, alarms)
    for reading in range(days * 288):
        watched.see(tails(kind, rng, sensors), 300.0 * reading)
    came = watched.since(3 * DAY) / sensors / (days - 3)
    assert alarms * SHARE / 2 <= came <= alarms


def quiet_then(scores: list[float], alarms: float = 0.1, days: float = 4.0) -> tuple[Watched, float]:
    """A sensor with ordinary noise, followed by the given readings."""
    rng, watched = np.random.default_rng(5), Watched(1, alarms)
    time = 0.0
    while time < days * DAY:
        watched.see(np.minimum(tails("right", rng, 1), 4.0), time)
        time += 60.0
    for score in scores:
        watched.see(np.array([score]), time)
        time += 60.0
    return watched, time


def test_a_fault_raises_the_level_of_its_sensor_by_a_bounded_step() -> None:
    before = quiet_then([0.0] * 400)[0].calibration.level[0]
    after = quiet_then([300.0] * 200 + [0.0] * 200)[0].calibration.level[0]
    assert before < after <= 1.5 * before


def test_even_many_faults_raise_it_by_a_bounded_correction() -> None:
    watched, _ = quiet_then(([300.0] * 5 + [0.0] * 20) * 20)
    assert watched.calibration.correction[0] <= MOST_CORRECTION


def test_time_without_incidents_lowers_the_correction_by_one_step_per_allowed_incident() -> None:
    watched, time = quiet_then([300.0] + [0.0] * 400)
    before, days = watched.calibration.correction[0], watched.levels.watched[0] / DAY
    for reading in range(10 * 24):
        watched.see(np.array([0.0]), time + 3600.0 * reading)
    passed = watched.levels.watched[0] / DAY - days
    assert watched.calibration.correction[0] == pytest.approx(before - STEP * SHARE * 0.1 * passed, abs=0.01)


def test_a_fault_that_comes_and_goes_within_an_incident_is_one_excursion() -> None:
    watched, _ = quiet_then([20.0, 1.0, 1.0, 1.0] * 100 + [0.0] * 20)
    beyond = watched.calibration.peaks[0] > 5.0
    assert beyond.sum() == 1
    assert watched.calibration.incidents[0] <= 2


def test_no_level_sinks_below_what_chance_requires_however_calm_the_sensor_is() -> None:
    for detector, lowest in ((EwmaZScore(), ASSUMED), (Contextual(), Contextual.floor)):
        watched = Watched(1, 1.0, detector)
        for reading in range(10 * 288):
            watched.see(np.array([0.5]), 300.0 * reading)
        assert watched.calibration.level[0] == lowest


def test_incidents_of_one_detector_desensitise_no_other() -> None:
    watched, time = quiet_then([300.0, 300.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] * 50)
    other = Contextual()
    calm = np.array([0.0])
    for reading in range(200):
        levels = watched.levels.levels(
            [watched.detector, other], np.array([0]), np.array([time + 300.0 * reading]), np.array([False]),
            np.array([300.0]), lambda intervals: np.full(len(intervals), ASSUMED), settings(0.1),
        )  # fmt: skip
        watched.levels.note([other], np.array([0]), [calm], np.array([False]), settings(0.1))
    assert levels[0][0] > ASSUMED
    assert levels[1][0] < ASSUMED


def test_a_score_clearly_above_all_earlier_ones_is_above_the_level() -> None:
    watched, _ = quiet_then([9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] * 400)
    assert watched.calibration.level[0] <= BEYOND * 9.0


def test_disturbances_in_quick_succession_are_one_excursion() -> None:
    watched, _ = quiet_then(([300.0] * 3 + [0.0] * 30) * 8)
    assert (watched.calibration.peaks[0] > 8.0).sum() == 1


def test_a_sensor_without_excursions_becomes_as_sensitive_as_possible() -> None:
    watched = Watched(1, 1.0)
    for reading in range(10 * 288):
        watched.see(np.array([0.5]), 300.0 * reading)
    assert watched.calibration.level[0] == LOWEST


def test_a_level_is_assumed_until_the_detector_itself_has_scored_for_three_days() -> None:
    warm_up = float(Contextual().warm_up_s(np.array([3600.0]))[0])
    watched = Watched(1, 0.1, Contextual(), interval=3600.0)
    levels = {}
    for hour in range(30 * 24):
        watched.see(np.array([np.nan if hour * 3600.0 < warm_up else 0.5]), 3600.0 * hour)
        levels[hour] = watched.calibration.level[0]
    assert warm_up == 150 * 3600.0
    assert {level for hour, level in levels.items() if hour < 150 + 72} == {ASSUMED}
    assert levels[719] == Contextual.floor


def test_few_excursions_lower_a_level_as_slowly_as_they_become_evidence() -> None:
    watched = Watched(1, 0.1, Contextual())
    levels = []
    for reading in range(16 * 288):
        excursion = 1.5 if reading in {400, 700, 1000} else 0.5
        watched.see(np.array([excursion]), 300.0 * reading)
        levels.append(watched.calibration.level[0])
    assert levels[4 * 288] > Contextual.floor + 1.0
    assert levels[-1] == Contextual.floor


def test_a_daily_event_is_not_an_alarm_after_some_days() -> None:
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


def test_time_without_readings_does_not_count_as_observed() -> None:
    watched, time = quiet_then([])
    level, seconds = watched.calibration.level[0], watched.levels.watched[0]
    watched.see(np.array([0.1]), time + 300 * DAY)
    assert watched.levels.watched[0] <= seconds + DAY / 4
    assert watched.calibration.level[0] == pytest.approx(level, rel=0.3)


def test_a_clock_that_is_set_moves_the_remembered_times() -> None:
    one, time = quiet_then([5.0] + [0.0] * 8)
    other, _ = quiet_then([5.0] + [0.0] * 8)
    other.levels.shift(np.array([0]), 1e6)
    for watched, offset in ((one, 0.0), (other, 1e6)):
        watched.see(np.array([4.0]), time + DAY / 2 + offset)
    assert other.calibration.level[0] == one.calibration.level[0]


def test_readings_without_a_score_are_not_excursions() -> None:
    watched = Watched(1, 0.1)
    for reading in range(100):
        watched.see(np.array([np.nan]), 60.0 * reading)
    assert watched.calibration.level[0] == ASSUMED
    assert not watched.calibration.peaks.any()


def test_a_sensor_in_its_first_hours_has_the_level_of_perfect_scores() -> None:
    watched = Watched(1, 0.1)
    for reading in range(60):
        watched.see(np.array([5.0 * (reading % 7 == 0)]), 300.0 * reading)
    assert watched.level[0] == ASSUMED


def test_sensors_are_independent() -> None:
    rng = np.random.default_rng(8)
    scores = tails("right", rng, 5 * 288 * 3).reshape(-1, 3) * [1.0, 2.0, 5.0]
    together = Watched(3, 1.0)
    alone = [Watched(1, 1.0) for _ in range(3)]
    for reading, row in enumerate(scores):
        together.see(row, 300.0 * reading)
        for place, each in enumerate(alone):
            each.see(row[place : place + 1], 300.0 * reading)
    assert together.calibration.level[:3].tolist() == [each.calibration.level[0] for each in alone]


Peaks = st.lists(st.floats(LOWEST, 50.0), min_size=5, max_size=REMEMBERED)


def tail(peaks: list[float], days: float = 10.0) -> float:
    padded = np.zeros((1, REMEMBERED))
    padded[0, : len(peaks)] = peaks
    return float(tail_of(padded.T, np.sort(padded).T, np.array([days])).level_for(0.1)[0])


@given(Peaks)
def test_the_tail_does_not_depend_on_the_order_and_falls_with_time(peaks: list[float]) -> None:
    assert tail(peaks) == pytest.approx(tail(peaks[::-1]))
    assert tail(peaks, days=20.0) < tail(peaks)


def test_a_tail_of_perfect_scores_gives_the_level_of_perfect_scores() -> None:
    days, rate = 20.0, 100.0
    peaks = np.log10(rate * days) - np.log10(np.arange(1, REMEMBERED + 1) - 0.5)
    assert tail(peaks.tolist(), days) == pytest.approx(np.log10(rate / 0.1), abs=0.2)


def test_a_habit_has_occurred_more_often_than_allowed() -> None:
    peaks = np.zeros((2, REMEMBERED))
    peaks[:, :4] = [[9.0, 9.0, 2.0, 2.0], [9.0, 9.0, 9.0, 2.0]]
    assert habit_of(np.sort(peaks).T, np.array([0.5, 0.5])).tolist() == [2.0, 9.0]


def test_levels_stay_within_their_bounds() -> None:
    for score in (0.0, 300.0):
        watched = Watched(1, 100.0 if score == 0.0 else 0.01)
        for reading in range(6 * 288):
            watched.see(np.array([score * (reading % 12 == 0)]), 300.0 * reading)
        assert LOWEST <= watched.calibration.level[0] <= HIGHEST
