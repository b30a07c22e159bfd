from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.faults.schedule import BETWEEN, SEASONS_FIRST_S, Schedule
from simulators.faults.sizes import LENGTHS, Case
from simulators.plant.character import Character
from simulators.plant.plant import plant
from simulators.signals.faults import Injection
from simulators.signals.label import FAULT_KINDS
from simulators.signals.signals import DAY

START = 1_700_006_400.0
WEEK_S = 7 * DAY


def plan(schedule: Schedule, sensors: int = 20, seed: int = 1, duration_s: float = WEEK_S) -> list[Injection]:
    return schedule.plan(plant(sensors, seed).sensors, seed, START, duration_s)


@settings(max_examples=10)
@given(
    st.integers(1, 30),
    st.integers(0, 1000),
    st.floats(0.0, 1.0),
    st.floats(0.0, 0.9),
    st.floats(3600.0, 8 * DAY),
)
def test_a_plan_follows_its_rules(sensors: int, seed: int, share: float, warm_up: float, duration_s: float) -> None:
    built = plant(sensors, seed)
    planned = Schedule(share, warm_up, each=4).plan(built.sensors, seed, START, duration_s)
    interval = {each.name: each.interval_s for each in built.sensors}
    by_sensor = defaultdict(list)
    for fault, _ in planned:
        by_sensor[fault.sensor].append(fault)
        assert fault.start >= START + warm_up * (duration_s - 60.0)
        assert fault.end < START + duration_s
        assert fault.start <= fault.end
        assert fault.size > 0
    assert len(by_sensor) <= max(1, round(share * sensors)) * (share > 0)
    for name, faults in by_sensor.items():
        assert len(faults) <= 4
        faults.sort(key=lambda each: each.start)
        assert faults[-1].end <= START + duration_s - 9 * interval[name]
        for one, other in pairwise(faults):
            assert other.start - one.end >= BETWEEN * interval[name]


def test_by_default_a_third_of_the_sensors_have_faults_and_every_kind_occurs() -> None:
    planned = plan(Schedule())
    assert len({each.fault.sensor for each in planned}) == 6
    assert {each.fault.kind for each in planned} == set(FAULT_KINDS)


def test_a_plan_is_sorted_by_start_and_follows_from_the_seed() -> None:
    planned = plan(Schedule())
    assert [each.fault.start for each in planned] == sorted(each.fault.start for each in planned)
    assert planned == plan(Schedule())
    assert planned != plan(Schedule(), seed=2)


def test_without_a_share_there_are_no_faults() -> None:
    assert plan(Schedule(share=0.0)) == []


def test_a_run_too_short_for_faults_has_none() -> None:
    assert plan(Schedule(), duration_s=900.0) == []


def test_only_the_requested_kinds_are_planned() -> None:
    assert {each.fault.kind for each in plan(Schedule(share=1.0, kinds=("stuck", "drift")))} == {
        "stuck",
        "drift",
    }


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_faults_go_to_sensors_that_can_show_them(seed: int) -> None:
    built = plant(40, seed)
    sensors = {each.name: each for each in built.sensors}
    for fault, _ in Schedule(share=1.0, each=10).plan(built.sensors, seed, START, 3 * WEEK_S):
        sensor = sensors[fault.sensor]
        character = Character.of(sensor, seed, START)
        if fault.kind == "lost_season":
            assert sensor.seasons
            assert fault.start >= START + SEASONS_FIRST_S
            assert fault.end - fault.start >= DAY - 60
        elif fault.kind == "broken_correlation":
            assert sensor.shared
        elif fault.kind == "stuck":
            assert not fault.sensor.endswith("running")
            assert (fault.end - fault.start) / 60 + 1 >= max(60, 8 * character.rest)
        elif fault.kind in {"drift", "noise_burst"}:
            assert not sensor.counts
        if fault.kind in LENGTHS and fault.kind != "stuck":
            shortest, longest = LENGTHS[fault.kind]
            assert shortest <= round((fault.end - fault.start) / 60) + 1 <= longest


def test_sizes_are_clear_and_multiplied() -> None:
    once, twice = plan(Schedule(share=1.0)), plan(Schedule(share=1.0, size=2.0))
    character = {each.name: Character.of(each, 1, START) for each in plant(20).sensors}
    for (fault, amount), (_, doubled) in zip(once, twice, strict=True):
        usual = character[fault.sensor]
        if fault.kind == "spike":
            assert 10 <= abs(amount) / usual.step <= 20
        elif fault.kind == "level_shift":
            assert 8 <= abs(amount) / usual.deviation <= 12
        elif fault.kind == "drift":
            assert abs(amount) / usual.deviation == pytest.approx(10)
        elif fault.kind == "noise_burst":
            assert amount / usual.noise == pytest.approx(8)
        else:
            continue
        assert doubled == pytest.approx(2 * amount)


def test_the_value_of_a_dropout_is_far_from_the_usual_ones() -> None:
    for fault, amount in plan(Schedule(share=1.0, kinds=("dropout",))):
        usual = Character.of(next(each for each in plant(20).sensors if each.name == fault.sensor), 1, START)
        assert not usual.low - usual.deviation < amount < usual.high + usual.deviation


def test_every_fault_has_a_sentence() -> None:
    assert all(len(each.fault.sentence) > 20 for each in plan(Schedule(share=1.0)))


def test_a_resting_sensor_is_distinguished_from_one_that_moves() -> None:
    sensors = {each.name: each for each in plant(20).sensors}
    running = sensors["plant/line1/motor1/running"]
    force = sensors["plant/line1/press1/force"]
    assert not Case(running, Character.of(running, 1, START)).suits("stuck")
    assert Case(force, Character.of(force, 1, START)).suits("stuck")


def test_measures_are_plain_and_finite() -> None:
    for sensor in plant(20).sensors:
        character = Character.of(sensor, 1, START)
        assert all(math.isfinite(each) for each in vars(character).values())
        assert character.step > 0
