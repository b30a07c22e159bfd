"""The detectors catch what they claim to catch, and are quiet on noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import repeat

import numpy as np
import pytest
from detector_examples import example

from detectors import DETECTORS
from detectors.base import Detector
from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from edge.evaluation.noises import ALARMING, clock, noises

SENSORS = 8
SURPRISING = 6.0
RAISES = 5.0
LEARNERS = sorted(name for name, each in DETECTORS.items() if each.kind != "missing" and name != "limits")


class Watch:
    """A detector under the rules of incidents: nothing is learned while one is open, and a lasting one is adopted."""

    def __init__(self, detector: Detector, sensors: int) -> None:
        self.table = StateTable(detector, sensors)
        self.open = np.zeros(sensors, dtype=bool)
        self.calm = np.zeros(sensors)
        self.age = np.zeros(sensors)
        self.raised = np.zeros(sensors)

    def see(self, values: Floats, time: float) -> Floats:
        count = len(values)
        score = self.table.update(np.arange(count), values, np.full(count, time), self.open).score
        exceeds = score >= RAISES
        self.raised += exceeds & ~self.open
        self.calm = np.where(score >= RAISES / 2, 0, self.calm + 1)
        self.age = np.where(self.open, self.age + 1, 0)
        adopted = self.age >= 360
        self.table.reset(np.flatnonzero(adopted))
        self.open = (self.open | exceeds) & (self.calm < 5) & ~adopted
        return score

    def watch(self, values: Floats, times: Floats) -> Floats:
        return np.array([self.see(row.copy(), time) for row, time in zip(values, times.tolist(), strict=True)])


Fault = Callable[[Floats, np.random.Generator], Floats]
"""Turns readings of noise around 20 with a standard deviation of 1, shape (n, sensors), into faulty ones."""


def noise_burst(values: Floats, rng: np.random.Generator) -> Floats:
    values[:60] += 12.0 * rng.normal(size=(60, values.shape[1]))
    return values


def spike(values: Floats, rng: np.random.Generator) -> Floats:
    values[0] += 15.0
    return values


def level_shift(values: Floats, rng: np.random.Generator) -> Floats:
    return values + 9.0


def drift(values: Floats, rng: np.random.Generator) -> Floats:
    return values + np.minimum(np.arange(len(values)) / 150.0, 1.0)[:, None] * 12.0


def stuck(values: Floats, rng: np.random.Generator) -> Floats:
    return np.repeat(values[:1], len(values), axis=0)


def dropout(values: Floats, rng: np.random.Generator) -> Floats:
    values[:20] = 0.0
    return values


def unit_jump(values: Floats, rng: np.random.Generator) -> Floats:
    return values * 1.8 + 32.0


def lost_season(values: Floats, rng: np.random.Generator) -> Floats:
    return np.repeat(values[:1], len(values), axis=0) + 0.3 * rng.normal(size=values.shape)


FAULTS: dict[str, Fault] = {
    each.__name__: each for each in (noise_burst, spike, level_shift, drift, stuck, dropout, unit_jump, lost_season)
}
CLAIMS = [(name, word) for name, each in DETECTORS.items() for word in sorted(each.catches) if word != "silence"]
OTHERWISE_SHOWN = {"drift", "extremes", "hours", "limits", "silence", "states", "swing", "trend"}


@cache
def normal(seasonal: bool) -> tuple[Floats, Floats]:
    """Times and readings, both (1400,) or (1400, SENSORS): quarters of an hour, with or without a daily pattern."""
    rng = np.random.default_rng(11)
    if seasonal:
        times = clock(1400, 900.0)
        return times, 20.0 + 8.0 * np.sin(times / 86_400 * 2 * np.pi)[:, None] + 0.5 * rng.normal(size=(1400, SENSORS))
    return clock(1400), 20.0 + rng.normal(size=(1400, SENSORS))


def test_every_detector_has_a_scenario() -> None:
    assert {name for name, _ in CLAIMS} | OTHERWISE_SHOWN == set(DETECTORS)


@pytest.mark.parametrize(("name", "word"), CLAIMS)
def test_the_detector_catches_what_it_claims(name: str, word: str) -> None:
    times, values = normal(name == "seasonal" or word == "lost_season")
    begin = 1000
    faulty = values.copy()
    faulty[begin:] = FAULTS[word](faulty[begin:].copy(), np.random.default_rng(2))
    scores = Watch(DETECTORS[name](), SENSORS).watch(faulty, times)
    assert not (scores[begin - 300 : begin] >= SURPRISING).any()
    assert (scores[begin:] >= SURPRISING).any(axis=0).all()


def test_limits_are_certain_beyond_a_limit_and_quiet_within() -> None:
    table = StateTable(example("limits"), rows=1)
    seen = [
        float(table.update(np.array([0]), np.array([value]), np.array([0.0])).score[0])
        for value in (0.0, 3.1, 2.9, 2.7, 26.0, 24.9, 24.7, 0.0, -1.6, -1.4, -1.2, -9.0)
    ]
    calm, beyond, critical = 0.0, 12.0, 96.0
    assert seen == [calm, beyond, beyond, calm, critical, critical, beyond, calm, beyond, beyond, calm, critical]


@pytest.mark.parametrize("name", ["ewma", "median"])
def test_ten_standard_deviations_stand_out_after_two_hundred_readings(name: str) -> None:
    values = np.random.default_rng(4).normal(size=(201, 40))
    values[200] = 10.0
    scores = Watch(DETECTORS[name](), 40).watch(values, clock(201))
    assert (scores[200] > SURPRISING).all()


NOISES = noises(1740, 4)


@cache
def incidents_a_day(name: str) -> dict[str, float]:
    """Incidents per sensor in 1440 readings of each kind of noise, after 300 readings."""
    values = np.concatenate(list(NOISES.values()), axis=1)
    watch = Watch(DETECTORS[name](), values.shape[1])
    watch.watch(values[:300], clock(300))
    before = watch.raised.copy()
    watch.watch(values[300:], clock(len(values))[300:])
    each = (watch.raised - before).reshape(len(NOISES), -1).mean(axis=1)
    return dict(zip(NOISES, each.tolist(), strict=True))


@pytest.mark.long
@pytest.mark.parametrize("name", LEARNERS)
def test_the_detector_is_quiet_on_noise(name: str) -> None:
    loud = {kind: rate for kind, rate in incidents_a_day(name).items() if rate > (2.5 if kind in ALARMING else 0.8)}
    assert loud == {}


@pytest.mark.parametrize("name", LEARNERS)
def test_the_detector_becomes_quiet_after_a_long_fault_that_was_not_learned(name: str) -> None:
    times, values = normal(name == "seasonal")
    values = values.copy()
    values[700:1200] += 50.0
    table = StateTable(DETECTORS[name](), SENSORS)
    held = np.ones(SENSORS, dtype=bool)
    scores = np.array(
        [
            table.update(np.arange(SENSORS), row, np.full(SENSORS, time), held if index > 700 else None).score
            for index, (row, time) in enumerate(zip(values, times.tolist(), strict=True))
        ]
    )
    assert not (scores[1300:] >= RAISES).any()


def test_a_long_fault_that_was_not_learned_makes_cusum_no_less_sensitive() -> None:
    times, values = normal(seasonal=False)
    faulty, held, everyone = values.copy(), np.ones(SENSORS, dtype=bool), np.arange(SENSORS)
    faulty[700:770] -= 50.0
    undisturbed, disturbed = (StateTable(DETECTORS["cusum"](), SENSORS) for _ in range(2))
    for index, time in enumerate(times[:1000].tolist()):
        is_open = held if 700 <= index < 775 else None
        undisturbed.update(everyone, values[index], np.full(SENSORS, time), is_open)
        disturbed.update(everyone, faulty[index], np.full(SENSORS, time), is_open)
    assert np.array_equal(undisturbed.arrays["wandering"], disturbed.arrays["wandering"])


@pytest.mark.parametrize("name", ["rate", "ewma", "median"])
def test_one_huge_spike_does_not_desensitise_the_detector(name: str) -> None:
    times, values = normal(seasonal=False)
    values = values.copy()
    values[700] = 1e9
    values[1200] += 20.0
    scores = Watch(DETECTORS[name](), SENSORS).watch(values, times)
    assert (scores[700] >= SURPRISING).all()
    assert (scores[1200] >= SURPRISING).all()


@pytest.mark.parametrize("name", ["rate", "ewma", "median"])
def test_repetition_becomes_normal(name: str) -> None:
    times, values = normal(seasonal=False)
    values = values.copy()
    values[300::50] += 30.0
    scores = Watch(DETECTORS[name](), SENSORS).watch(values, times)
    assert (scores[300] >= SURPRISING).all()
    assert not (scores[900:] >= RAISES).any()


@pytest.mark.long
def test_a_rest_every_night_becomes_normal_for_flatline() -> None:
    minutes = np.arange(7 * 1440)
    moving = np.where(minutes % 1440 < 1140, np.random.default_rng(6).normal(size=len(minutes)), 0.0)
    watch = Watch(DETECTORS["flatline"](), 1)
    scores = watch.watch(moving[:, None], clock(len(minutes)))
    assert (scores[1140:1440] >= SURPRISING).any()
    assert not (scores[3 * 1440 :] >= RAISES).any()


def dark_at_night(days: int) -> np.ndarray:
    """The power of a solar panel every five minutes from noon on: nothing from 18:00 to 06:00."""
    hours = 12.0 + np.arange(days * 288) / 12.0
    light = np.maximum(np.sin((hours - 6.0) / 24.0 * 2.0 * np.pi), 0.0)
    return light * (2000.0 + np.random.default_rng(8).normal(0.0, 100.0, len(hours))).round(1)


def test_a_rest_at_the_lowest_value_is_not_stuck_in_the_first_nights_or_later() -> None:
    values = dark_at_night(6)
    scores = Watch(DETECTORS["flatline"](), 1).watch(values[:, None], clock(len(values), 300.0))
    assert not (scores >= RAISES).any()


def test_a_sensor_that_reported_changes_only_is_not_stuck_once_it_reports_at_intervals() -> None:
    values, times = dark_at_night(8), clock(8 * 288, 300.0)
    is_new = np.append(True, np.diff(values) != 0)
    kept = is_new | (np.arange(len(values)) > 5 * 288)
    scores = Watch(DETECTORS["flatline"](), 1).watch(values[kept][:, None], times[kept])
    assert not (scores >= RAISES).any()


def test_a_value_stuck_for_longer_than_a_night_is_found_though_each_night_rests() -> None:
    values = dark_at_night(12)
    values[10 * 288 :] = 500.0
    scores = Watch(DETECTORS["flatline"](), 1).watch(values[:, None], clock(len(values), 300.0))
    assert (scores[10 * 288 :] >= RAISES).any()


def test_a_value_stuck_in_the_middle_of_its_range_is_found_on_the_first_day() -> None:
    values = np.random.default_rng(9).normal(size=(400, 1))
    values[300:] = 0.1
    assert (Watch(DETECTORS["flatline"](), 1).watch(values, clock(400))[300:] >= RAISES).any()


def test_a_counter_that_stops_is_found_on_the_first_day() -> None:
    values = np.random.default_rng(9).uniform(0.5, 1.5, size=(400, 1)).cumsum(axis=0)
    values[300:] = values[299]
    assert (Watch(DETECTORS["flatline"](), 1).watch(values, clock(400))[300:] >= RAISES).any()


def test_a_sensor_that_was_always_constant_is_not_flat() -> None:
    scores = Watch(DETECTORS["flatline"](), 1).watch(np.full((2000, 1), 3.0), clock(2000))
    assert np.isnan(scores).all()


def patience(times: list[float], decades: float = 6.0, values: Iterable[float] = repeat(1.0)) -> float:
    detector = DETECTORS["silence"]()
    table = StateTable(detector, rows=1)
    for time, value in zip(times, values, strict=False):
        table.update(np.array([0]), np.array([value]), np.array([time]))
    return float(detector.patience(table.arrays, np.array([0]), decades)[0])


@pytest.mark.parametrize("interval_s", [1.0, 60.0, 3600.0])
def test_silence_is_noticed_within_five_intervals_of_a_regular_sensor(interval_s: float) -> None:
    assert "silence" in DETECTORS["silence"].catches
    found = patience([interval_s * each for each in range(100)])
    assert 3.0 * interval_s <= found <= 5.0 * interval_s


def test_silence_has_no_meaning_before_ten_gaps_are_known() -> None:
    assert patience([60.0 * each for each in range(10)]) == np.inf
    assert patience([60.0 * each for each in range(11)]) < np.inf


def test_more_surprise_requires_a_longer_silence() -> None:
    times = np.cumsum(np.random.default_rng(8).exponential(60.0, 300)).tolist()
    assert patience(times, 3.0) < patience(times, 6.0) < patience(times, 12.0)


@pytest.mark.long
def test_random_gaps_are_not_silence() -> None:
    gaps = np.random.default_rng(9).exponential(60.0, 20_000)
    detector = DETECTORS["silence"]()
    table, late = StateTable(detector, rows=1), 0
    for index, time in enumerate(np.cumsum(gaps).tolist()):
        if index:
            late += gaps[index] > detector.patience(table.arrays, np.array([0]), 5.0)[0]
        table.update(np.array([0]), np.array([1.0]), np.array([time]))
    assert late <= 2


def test_a_rest_every_night_becomes_normal_for_silence() -> None:
    nights = [day * 86_400.0 + 60.0 * minute for day in range(4) for minute in range(720)]
    assert patience(nights[:720]) < 600.0
    assert patience(nights) > 12 * 3600.0


def test_a_new_sensor_that_reports_at_its_changes_may_be_quiet_for_hours() -> None:
    times = np.cumsum(600.0 * np.random.default_rng(10).choice([1, 1, 1, 2, 3], 500)).tolist()
    values = (45 + np.arange(500.0) % 7).tolist()
    assert patience(times[:40], 3.0) < 3 * 3600.0
    assert patience(times[:40], 3.0, values) >= 4 * 3600.0
    assert patience(times, 3.0, values) < 3 * 3600.0


def test_a_new_light_sensor_may_be_quiet_for_its_first_night() -> None:
    day = [600.0 * each for each in range(60)]
    light = [*(100.0 + each for each in range(59)), 0.0]
    assert patience(day) < 3600.0
    assert patience(day, values=light) > 12 * 3600.0
    assert patience(day, values=[*light[:-1], 50.0]) < 3600.0


def test_one_long_outage_does_not_make_silence_patient() -> None:
    before = [60.0 * each for each in range(200)]
    after = [before[-1] + 7 * 86_400.0 + 60.0 * each for each in range(200)]
    assert patience([*before, *after]) < 1800.0


def test_a_reset_counter_is_not_a_new_level() -> None:
    pieces = np.cumsum(np.random.default_rng(5).poisson(3.0, size=(3000, SENSORS)), axis=0) % 1500
    watch = Watch(example("ewma"), SENSORS)
    watch.watch(pieces.astype(np.float64), clock(3000, 600.0))
    assert (watch.raised == 0).all()


def test_a_falling_level_is_found_even_where_readings_fall_as_often_as_they_rise() -> None:
    values = 20.0 + np.random.default_rng(6).normal(size=(600, SENSORS))
    values[500:] -= 15.0
    watch = Watch(example("ewma"), SENSORS)
    watch.watch(values, clock(600, 600.0))
    assert (watch.raised >= 1).all()
