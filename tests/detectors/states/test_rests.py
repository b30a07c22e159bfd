"""Rests: a sensor at rest at an hour when it is always active."""

from __future__ import annotations

import numpy as np
import pytest
from states_alike import highest_if_alike
from told_by_states import MONDAY_S, TELLS, told_by_states

from detectors.base import Measure
from detectors.numeric.arrays import Floats
from detectors.state import SavedState, StateTable
from detectors.states import States
from detectors.states.detector import REST
from detectors.states.rests import rests_layout

EVERY_S = 300.0
DAY, HOUR = 288, 12

Told = list[tuple[float, float, Measure]]


def inverter(days: int) -> Floats:
    """The power of a solar inverter in W: clouds by day, 0 at night."""
    rng, hours = np.random.default_rng(3), np.arange(days * DAY) / HOUR % 24
    sun = np.maximum(np.sin(np.pi * (hours - 6.3) / 12.1), 0.0)
    return np.round(5_000 * sun * rng.uniform(0.15, 1.0, len(hours)))


def furnace(days: int) -> Floats:
    """The power of a furnace in W that takes 9 kW in bursts on weekdays from 5 to 20 h, and 12 W otherwise."""
    rng, each = np.random.default_rng(4), np.arange(days * DAY)
    hours, works = each / HOUR % 24, each // DAY % 7 < 5
    on = works & (hours >= 5) & (hours < 20) & (rng.random(len(each)) < 0.4)
    return np.round(np.where(on, 9_000.0, 12.0) * rng.normal(1, 0.004, len(each)), 1)


def watch(values: Floats) -> Told:
    """What is told about the hour: when (in hours since the beginning), the value, and the measure."""
    told = told_by_states(values, EVERY_S)
    return [(index / HOUR, value, measure) for index, value, measure in told if measure.about == "rest"]


def during(values: Floats, begin: float, end: float, value: float) -> Floats:
    """The values, with others between two times in hours."""
    values = values.copy()
    values[int(begin * HOUR) : int(end * HOUR)] = value
    return values


@pytest.mark.parametrize("make", [inverter, furnace])
def test_nothing_is_told_of_usual_days(make: object) -> None:
    assert callable(make)
    assert watch(make(50)) == []


def test_an_inverter_without_power_by_day_is_told_within_an_hour_and_a_half() -> None:
    noon = 26 * 24 + 10.5
    told = watch(during(inverter(28), noon, noon + 7, 0.0))
    assert [each for each, _, _ in told] == [told[0][0]]
    assert noon + 1 <= told[0][0] <= noon + 1.5
    measure = told[0][2]
    assert (measure.about, measure.now, measure.usual) == ("rest", 3600.0 * (told[0][0] - noon), 3600.0)
    assert 0 < measure.lower < 300


def test_a_furnace_that_sleeps_through_a_weekday_is_told_although_it_pauses_at_any_hour() -> None:
    tuesday = 29 * 24
    told = watch(during(furnace(31), tuesday + 5, tuesday + 20, 12.0))
    assert [measure.about for _, _, measure in told] == ["rest"]
    assert tuesday + 6 <= told[0][0] <= tuesday + 9


def heat_pump(days: int) -> Floats:
    """The power of a heat pump in W every five minutes: at work for 45 to 90 minutes, at any power from 80 W on."""
    rng, values, at_work = np.random.default_rng(8), list[float](), True
    while len(values) < days * DAY:
        goal = rng.uniform(80, 1500)
        for _ in range(int(rng.integers(9, 18) if at_work else rng.integers(4, 9))):
            goal = np.clip(goal + rng.normal(0, 150), 80, 1500)
            values.append(float(round(goal) if at_work else 14.0))
        at_work = not at_work
    return np.array(values[: days * DAY])


def test_a_machine_without_states_that_starts_too_often_is_told() -> None:
    usual = heat_pump(12)
    assert [measure.about for _, _, measure in told_by_states(usual, EVERY_S)] == []
    begin, short = 10 * DAY, usual.copy()
    short[begin:] = np.where(np.arange(len(short) - begin) % 2 == 0, np.maximum(short[begin:], 600.0), 14.0)
    index, _, measure = told_by_states(short, EVERY_S)[0]
    assert measure.about == "starts"
    assert begin < index <= begin + 2 * HOUR
    assert measure.now > 1.5 * measure.usual


def test_a_rest_that_comes_again_and_again_is_no_longer_told() -> None:
    values = inverter(60)
    for day in range(24, 60, 2):
        values = during(values, 24 * day + 10, 24 * day + 15, 0.0)
    days = [int(hour // 24) for hour, *_ in watch(values)]
    assert days
    assert max(days) <= 40


def test_a_shorter_day_and_an_hour_of_daylight_saving_time_are_not_told() -> None:
    values = inverter(50)
    values = np.concatenate([values[: 30 * DAY], values[30 * DAY + HOUR :]])
    assert watch(values) == []


def test_a_sensor_that_rests_at_no_particular_hour_has_no_timetable() -> None:
    rng, values = np.random.default_rng(5), 50.0 + np.random.default_rng(6).normal(0, 5, 40 * DAY).round(1)
    for day in range(40):
        values = during(values, begin := 24 * day + rng.uniform(0, 20), begin + 3.5, 0.0)
    assert watch(values) == []


def test_a_state_that_the_timetable_can_tell_is_left_to_that() -> None:
    hours = np.arange(36 * DAY) / HOUR % 24
    values = np.where((hours >= 6) & (hours < 18), 240.0, 20.0) + np.random.default_rng(7).normal(0, 0.8, len(hours))
    for day in (26, 28):
        values = during(values, 24 * day + 6, 24 * day + 18, 20.0)
    assert watch(values.round(1)) == []


def test_what_is_left_to_the_timetable_is_not_told_in_an_hour_with_a_break_either() -> None:
    hours = np.arange(27 * DAY) / HOUR % 24
    works = (hours >= 6) & (hours < 22) & ~((hours >= 12) & (hours < 12.4)) & ~((hours >= 18) & (hours < 18.4))
    values = np.where(works, 240.0, 20.0) + np.random.default_rng(7).normal(0, 0.8, len(hours))
    table, told = StateTable(States(), rows=1), []
    for index, value in enumerate(during(values, 24 * 26 + 6, 24 * 26 + 22, 20.0).round(1).tolist()):
        held = index >= 26 * DAY + 7 * HOUR
        score = table.update_one(0, value, MONDAY_S + EVERY_S * index, held=held).score
        if index >= 26 * DAY and score > 0:
            told.append(float(table.arrays["about"][0]))
    assert told
    assert REST not in told


def test_an_error_value_below_zero_is_no_rest() -> None:
    values = inverter(28) + 40.0
    values[values == 40.0] = -200.0
    assert watch(during(values, 26 * 24 + 9, 26 * 24 + 16, -200.0)) == []


def test_a_wide_round_a_single_reading_and_the_simple_counterpart_agree() -> None:
    first = during(inverter(24), 22 * 24 + 10, 22 * 24 + 18, 0.0)
    second = during(furnace(24), 22 * 24 + 6, 22 * 24 + 18, 12.0)
    assert (highest_if_alike(first, second, EVERY_S) > TELLS).all()


def test_a_store_of_an_earlier_version_is_read_and_rests_are_learned_from_there_on() -> None:
    noon = 45 * 24 + 10.5
    values, table, told = during(inverter(46), noon, noon + 7, 0.0), StateTable(States(), rows=1), []
    for index, value in enumerate(values.tolist()):
        if index == 20 * DAY:
            saved = table.rows_of(slice(0, 1))
            arrays = {name: each for name, each in saved.arrays.items() if name not in rests_layout()}
            earlier = SavedState(saved.header, arrays)
            assert earlier.belongs_to(table)
            table = StateTable(States(), rows=1)
            table.take_rows(earlier, np.array([0]), np.array([0]))
        score = table.update_one(0, value, MONDAY_S + EVERY_S * index, held=False).score
        if score >= TELLS:
            told.append(index / HOUR)
    assert noon + 1 <= told[0] <= noon + 1.5
