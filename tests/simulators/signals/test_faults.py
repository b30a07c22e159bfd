from __future__ import annotations

import numpy as np
import pytest

from simulators.plant.series import BLOCK, Portion, Series, SimulatedSensor
from simulators.signals.faults import DISTURBANCES, FAHRENHEIT, BrokenCorrelation, Injection, Stretch
from simulators.signals.label import FAULT_KINDS, Fault
from simulators.signals.noise import MeanReverting, WhiteNoise
from simulators.signals.randomness import Randomness
from simulators.signals.signals import HOUR, Level, SeasonalSignal, Shared

START = 1_700_006_400.0
FIRST, LAST = 700, 1299
SENSOR = SimulatedSensor(
    "pump/temperature",
    "Cel",
    (Level(50.0), SeasonalSignal(5.0), Shared("pump", MeanReverting(3.0, HOUR), 1.0), WhiteNoise(0.1)),
    quantum=0.001,
)


def run(kind: str | None, amount: float = 0.0) -> Portion:
    """2,000 readings, 600 of which, across two blocks, are affected."""
    if kind is None:
        return Series(SENSOR, 1, START).take(2000)
    fault = Fault(SENSOR.name, kind, START + 60.0 * FIRST, START + 60.0 * LAST, 1.0, "")
    return Series(SENSOR, 1, START, [Injection(fault, amount)]).until(START + 60.0 * 2000)


CLEAN = run(None)
WITHIN = slice(FIRST, LAST + 1)


def test_every_kind_of_fault_has_an_effect() -> None:
    assert set(DISTURBANCES) == set(FAULT_KINDS)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_fault_affects_its_period_and_nothing_else(kind: str) -> None:
    faulty = run(kind, 3.0)
    outside = (CLEAN.times < START + 60.0 * FIRST) | (CLEAN.times > START + 60.0 * LAST)
    kept = np.isin(faulty.times, CLEAN.times[outside])
    assert np.array_equal(faulty.times[kept], CLEAN.times[outside])
    assert np.array_equal(faulty.values[kept], CLEAN.values[outside])
    assert len(faulty.times) < 2000 or not np.array_equal(faulty.values, CLEAN.values)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_faults_of_other_sensors_change_nothing(kind: str) -> None:
    fault = Fault("pump/pressure", kind, START, START + 6000.0, 1.0, "")
    values = Series(SENSOR, 1, START, [Injection(fault, 3.0)]).take(2000).values
    assert np.array_equal(values, CLEAN.values)


@pytest.mark.parametrize("kind", ["spike", "level_shift"])
def test_an_offset_is_added_from_first_to_last(kind: str) -> None:
    assert np.allclose((run(kind, -7.0).values - CLEAN.values)[WITHIN], -7.0)


def test_a_drift_begins_at_nothing_and_ends_at_its_amount() -> None:
    added = (run("drift", 12.0).values - CLEAN.values)[WITHIN]
    assert added[0] == 0.0
    assert added[-1] == pytest.approx(12.0, abs=0.002)
    assert np.allclose(np.diff(added), 12.0 / 599, atol=0.003)


def test_a_stuck_sensor_repeats_its_last_healthy_reading() -> None:
    assert set(run("stuck").values[WITHIN]) == {CLEAN.values[FIRST - 1]}


def test_a_sensor_stuck_from_the_start_repeats_its_first_reading() -> None:
    fault = Fault(SENSOR.name, "stuck", START, START + 600.0, 1.0, "")
    values = Series(SENSOR, 1, START, [Injection(fault)]).take(11).values
    assert set(values) == {CLEAN.values[0]}


def test_a_sensor_stuck_from_the_start_of_a_block_repeats_the_end_of_the_one_before() -> None:
    fault = Fault(SENSOR.name, "stuck", START + 60.0 * BLOCK, START + 60.0 * (BLOCK + 20), 1.0, "")
    values = Series(SENSOR, 1, START, [Injection(fault)]).take(BLOCK + 21).values
    assert set(values[BLOCK:]) == {CLEAN.values[BLOCK - 1]}


def test_a_noise_burst_adds_the_given_amount_of_noise() -> None:
    added = (run("noise_burst", 4.0).values - CLEAN.values)[WITHIN]
    assert added.std() == pytest.approx(4.0, rel=0.1)


def test_a_dropout_sends_its_value() -> None:
    assert set(run("dropout", -127.0).values[WITHIN]) == {-127.0}


def test_silence_leaves_the_readings_out() -> None:
    silent = run("silence")
    assert len(silent.times) == 2000 - 600
    assert np.diff(silent.times).max() == 60.0 * 601


def test_a_unit_jump_converts() -> None:
    assert np.allclose(run("unit_jump", FAHRENHEIT).values[WITHIN], CLEAN.values[WITHIN] * 1.8 + 32, atol=1e-6)
    assert np.allclose(run("unit_jump", 1000.0).values[WITHIN], CLEAN.values[WITHIN] * 1000)


def test_a_lost_season_begins_without_a_jump_and_stays() -> None:
    calm = SimulatedSensor(
        "room/temperature", "Cel", (Level(20.0), SeasonalSignal(5.0), WhiteNoise(0.01)), quantum=0.001
    )
    fault = Fault(calm.name, "lost_season", START + 60.0 * FIRST, START + 60.0 * LAST, 1.0, "")
    values = Series(calm, 1, START, [Injection(fault)]).take(2000).values
    assert abs(values[FIRST] - values[FIRST - 1]) < 0.1
    assert np.ptp(values[WITHIN]) < 0.1


def test_a_broken_correlation_begins_without_a_jump_and_keeps_the_usual_range() -> None:
    values = run("broken_correlation").values
    usual = np.abs(np.diff(CLEAN.values)).max()
    assert abs(values[FIRST] - values[FIRST - 1]) <= usual
    assert np.ptp(values[WITHIN]) < 2 * np.ptp(CLEAN.values)


def test_a_broken_correlation_leaves_the_others_behind_in_any_portions() -> None:
    fault = Fault("a", "broken_correlation", START, START + 6000.0, 1.0, "")
    fault_at_work = BrokenCorrelation(Injection(fault), Randomness(1, "a"))
    ten, none = np.full(50, 10.0), np.zeros(50)
    stretch = Stretch(START + np.arange(50) * 60.0, ten + 1.0, none, ten, none)
    values = np.concatenate([fault_at_work.on_signal(stretch), fault_at_work.on_signal(stretch)])
    assert values[0] == 11.0
    assert (np.diff(values) < 0).all()
    assert values[-1] == pytest.approx(1.0, abs=0.01)


def test_a_broken_correlation_ends_moving_together() -> None:
    load = MeanReverting(3.0, HOUR / 2)
    one, other = (
        SimulatedSensor(name, "", (Level(50.0), Shared("pump", load, 1.0), WhiteNoise(0.1)))
        for name in ("one", "other")
    )
    fault = Fault("one", "broken_correlation", START + 60.0 * 3000, START + 60.0 * 6000, 1.0, "")
    broken = Series(one, 1, START, [Injection(fault)]).take(9000).values
    sound = Series(other, 1, START).take(9000).values
    assert np.corrcoef(broken[:3000], sound[:3000])[0, 1] > 0.99
    assert abs(np.corrcoef(broken[3000:6001], sound[3000:6001])[0, 1]) < 0.4
    assert np.corrcoef(broken[6001:], sound[6001:])[0, 1] > 0.99
