from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.faults.schedule import Schedule
from simulators.plant.plant import plant
from simulators.plant.series import Series, SimulatedSensor
from simulators.signals.faults import Injection
from simulators.signals.label import Fault
from simulators.signals.noise import MeanReverting, WhiteNoise
from simulators.signals.signals import HOUR, Level, Shared

START = 1_700_006_400.0
SENSOR = SimulatedSensor(
    "plant/pump/pressure",
    "bar",
    (Level(5.0), Shared("pump", MeanReverting(1.0, HOUR), 1.0), WhiteNoise(0.1)),
    10.0,
)
FAULTS = [
    Injection(Fault(SENSOR.name, kind, START + 1000.0 * (n + 1), START + 1000.0 * (n + 1) + 500.0, 1.0, ""), 3.0)
    for n, kind in enumerate(("drift", "stuck", "noise_burst", "silence", "broken_correlation", "level_shift"))
]


@settings(max_examples=30)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=12))
def test_the_size_of_portions_has_no_influence_on_the_readings(portions: list[int]) -> None:
    whole = Series(SENSOR, 3, START, FAULTS).take(sum(portions))
    series = Series(SENSOR, 3, START, FAULTS)
    parts = [series.take(count) for count in portions]
    assert np.concatenate([each.times for each in parts]).tobytes() == whole.times.tobytes()
    assert np.concatenate([each.values for each in parts]).tobytes() == whole.values.tobytes()


@settings(max_examples=6)
@given(st.floats(1.0, 50_000.0))
def test_the_window_of_a_plant_has_no_influence(window_s: float) -> None:
    small = plant(6, seed=5)
    injections = Schedule(share=0.5, warm_up=0.1).plan(small.sensors, 5, START, 20_000.0)
    assert injections
    reference = list(small.readings(START, START + 20_000.0, injections))
    assert list(small.readings(START, START + 20_000.0, injections, window_s)) == reference


def test_readings_come_at_the_interval_starting_with_the_phase() -> None:
    sensor = SimulatedSensor("a", "", (Level(1.0),), interval_s=0.1, phase_s=0.05)
    times = Series(sensor, 1, START).take(1000).times
    assert times[0] == START + 0.05
    assert times[-1] == round(START + 0.05 + 99.9, 3)


def test_until_returns_everything_before_a_time_and_nothing_twice() -> None:
    series = Series(SENSOR, 1, START)
    assert series.until(START).times.size == 0
    assert series.until(START + 20.0).times.tolist() == [START, START + 10.0]
    assert series.until(START + 20.0).times.size == 0
    assert series.until(START + 21.0).times.tolist() == [START + 20.0]


def test_values_are_multiples_of_the_quantum_within_the_limits() -> None:
    sensor = SimulatedSensor("a", "", (Level(1.0), WhiteNoise(1.0)), quantum=0.5, low=0.0, high=2.0)
    assert set(Series(sensor, 1, START).take(2000).values) == {0.0, 0.5, 1.0, 1.5, 2.0}


def test_a_sensor_knows_its_device_and_its_ingredients() -> None:
    assert SENSOR.device == "plant/pump"
    assert len(SENSOR.shared) == 1
    assert not SENSOR.seasons
    assert not SENSOR.counts


def test_another_sensor_in_the_plant_changes_no_readings() -> None:
    few = list(plant(4, seed=2).readings(START, START + 3600.0))
    names = {each.sensor for each in few}
    assert [each for each in plant(9, seed=2).readings(START, START + 3600.0) if each.sensor in names] == few


def test_the_first_twenty_sensors_hold_at_least_ten_kinds_of_signal() -> None:
    kinds = {type(part) for sensor in plant(20).sensors for part in sensor.parts}
    assert len(kinds) >= 10


def test_a_plant_has_the_requested_number_of_sensors_with_unique_names() -> None:
    sensors = plant(137).sensors
    assert len({each.name for each in sensors}) == 137
    assert all(each.name.startswith("plant/") for each in sensors)


def test_the_readings_of_a_plant_are_sorted_by_time_and_end_before_the_end() -> None:
    times = [each.time for each in plant(20).readings(START, START + 7200.0)]
    assert times == sorted(times)
    assert len(times) == 20 * 120
    assert times[0] >= START
    assert times[-1] < START + 7200.0


def test_the_sensors_of_a_pump_move_together() -> None:
    values = {each.name: Series(each, 1, START).take(2000).values for each in plant(4).sensors}
    matrix = np.abs(np.corrcoef(list(values.values())))
    assert matrix.min() > 0.75


def test_no_plausible_quantity_is_negative() -> None:
    for sensor in plant(20).sensors:
        if sensor.unit != "Cel":
            assert Series(sensor, 1, START).take(5000).values.min() >= 0, sensor.name


def test_readings_a_second_counts_all_sensors() -> None:
    assert plant(30, interval_s=10.0).readings_per_second == pytest.approx(3.0)
