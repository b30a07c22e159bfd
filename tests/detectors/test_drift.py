from __future__ import annotations

import numpy as np
import pytest

from detectors.daily.drift import LevelDrift
from detectors.numeric.arrays import Floats
from detectors.state import StateTable

MINUTES = 10
A_DAY = 1440 // MINUTES
MONDAY_S = 4 * 86_400.0
TELLS = LevelDrift.floor


def days_of(days: int, swing: float = 4.0, noise: float = 0.4) -> Floats:
    """A temperature every ten minutes, lower at weekends."""
    rng, each = np.random.default_rng(6), np.arange(days * A_DAY)
    weekend = each // A_DAY % 7 >= 5
    return 20.0 + swing * np.sin(each / A_DAY * 2 * np.pi) - 3.0 * weekend + noise * rng.normal(size=len(each))


def told(values: Floats) -> list[int]:
    """Readings for which something is reported, none of which are learned."""
    table, found, is_open = StateTable(LevelDrift(), rows=1), [], False
    for index, value in enumerate(values.tolist()):
        score = table.update_one(0, value, MONDAY_S + 60.0 * MINUTES * index, held=is_open).score
        is_open = score >= (TELLS / 2 if is_open else TELLS)
        if is_open:
            found.append(index)
    return found


def test_days_like_others_are_not_reported() -> None:
    assert told(days_of(60)) == []


def test_the_slow_change_of_a_season_is_not_reported() -> None:
    values = days_of(90)
    assert told(values + 6.0 * np.arange(len(values)) / len(values)) == []


def test_a_level_beyond_all_earlier_days_is_reported_until_it_is_back() -> None:
    values = days_of(20)
    begin, end = 15 * A_DAY, 17 * A_DAY
    values[begin:end] += 12.0 * np.arange(end - begin) / A_DAY
    found = told(values)
    assert begin + A_DAY / 4 <= found[0] <= begin + 1.5 * A_DAY
    assert end - A_DAY / 3 <= found[-1] <= end + 2


def test_an_offset_shows_at_night_however_usual_the_values_of_the_day_are() -> None:
    values = days_of(20)
    values[15 * A_DAY : 18 * A_DAY] -= 9.0
    assert {index // A_DAY for index in told(values)} >= {15, 16}


def test_a_single_jump_is_not_drift() -> None:
    values = days_of(20)
    values[15 * A_DAY] = -127.0
    assert len(told(values)) <= 1


@pytest.mark.parametrize("gap", [2, 7, 13])
def test_an_adopted_level_is_judged_again_when_its_days_are_known(gap: int) -> None:
    values = days_of(45)
    values[15 * A_DAY :] += 30.0
    values[(15 + gap) * A_DAY : (16 + gap) * A_DAY] += 15.0
    table, found = StateTable(LevelDrift(), rows=1), []
    for index, value in enumerate(values.tolist()):
        score = table.update_one(0, value, MONDAY_S + 60.0 * MINUTES * index, held=False).score
        if index > 16 * A_DAY and score >= TELLS:
            found.append(index // A_DAY - 15)
    assert set(found) == ({gap} if gap > 3 else set())


def cycles_of(days: int) -> Floats:
    """A refrigerator: each ten minutes, cycles of 70 minutes, a little warmer by day."""
    each, rng = np.arange(days * A_DAY), np.random.default_rng(7)
    cycle = 1.4 * np.abs(2.0 * (each / 7 % 1.0) - 1.0)
    return 4.0 + cycle + 0.15 * np.sin(each / A_DAY * 2 * np.pi) + 0.1 * rng.normal(size=len(each))


def beginnings(values: Floats) -> list[int]:
    """Readings at which something begins to be told."""
    found = told(values)
    return [index for place, index in enumerate(found) if place == 0 or index != found[place - 1] + 1]


@pytest.mark.parametrize("offset", [-5.0, 5.0])
def test_a_level_that_is_on_its_way_back_is_not_told_of_again(offset: float) -> None:
    values = cycles_of(20)
    begin, hours = 15 * A_DAY, np.arange(16 * A_DAY - 15 * A_DAY) / 6
    values[begin : begin + A_DAY] += offset * np.where(hours < 6, hours / 6, np.exp(-(hours - 6) / 3))
    assert len(beginnings(values)) == 1


def test_a_level_that_goes_farther_after_a_return_is_told_of_again() -> None:
    values = cycles_of(20)
    begin = 15 * A_DAY
    values[begin : begin + 36] += 3.0
    values[begin + 48 : begin + 80] += 6.0
    assert [(index - begin) // 48 for index in beginnings(values)] == [0, 1]


def flow_of(days: int) -> Floats:
    """The use of water, each ten minutes: by day, and nearly none for some hours of each night."""
    each, rng = np.arange(days * A_DAY), np.random.default_rng(8)
    by_day = np.maximum(0.0, np.sin((each % A_DAY / A_DAY - 0.25) * 2 * np.pi))
    return rng.exponential(1.0, len(each)) * (0.02 + 4.0 * by_day)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_flow_that_no_longer_rests_is_told_of_within_a_day_and_until_it_does(sign: float) -> None:
    values = flow_of(20)
    begin, end = 15 * A_DAY, 18 * A_DAY
    values[begin:end] += 1.5
    assert told(sign * flow_of(20)) == []
    found = told(sign * values)
    assert begin + A_DAY / 2 <= found[0] <= begin + 1.25 * A_DAY
    assert end <= found[-1] <= end + A_DAY / 4
    assert len(found) == found[-1] - found[0] + 1


def test_what_a_level_has_not_been_below_for_a_day_is_measured() -> None:
    values, table = flow_of(20), StateTable(LevelDrift(), rows=1)
    values[15 * A_DAY :] += 1.5
    for index, value in enumerate(values[: 16 * A_DAY + A_DAY // 2].tolist()):
        table.update_one(0, value, MONDAY_S + 60.0 * MINUTES * index, held=index >= 15 * A_DAY)
    measure = LevelDrift().measure(table.arrays, 0)
    assert measure.about == "day"
    assert 1.0 < measure.now < 1.8
    assert 0.0 < measure.usual < 0.4


def pressure_of(days: int, seed: int) -> Floats:
    """A pressure every ten minutes that returns to its middle within two hours."""
    rng, values = np.random.default_rng(seed), np.zeros(days * A_DAY)
    for index in range(1, len(values)):
        values[index] = 0.92 * values[index - 1] + 0.4 * rng.normal()
    return 5.0 + values


@pytest.mark.parametrize("day", [3, 4, 6])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_drift_far_beyond_all_that_was_seen_is_reported_in_the_first_week(day: int, sign: float) -> None:
    for usual in (days_of(8), pressure_of(8, seed=9)):
        values, begin = usual.copy(), day * A_DAY + 20
        values[begin : begin + 36] += sign * 10.0 * usual[: 2 * A_DAY].std() * np.arange(36) / 36
        assert begin < told(values)[0] < begin + 32


@pytest.mark.parametrize("start", range(7))
def test_a_first_week_of_days_like_others_is_not_reported_whatever_weekday_it_begins_with(start: int) -> None:
    assert told(days_of(17)[start * A_DAY :]) == []
    assert told(pressure_of(10, seed=20 + start)) == []


def test_the_first_warmer_day_of_a_week_is_not_reported() -> None:
    values = days_of(8)
    values[5 * A_DAY : 6 * A_DAY] += 6.0
    assert told(values) == []


@pytest.mark.parametrize("day", [4, 6, 9, 12])
def test_the_level_that_a_short_fault_has_left_is_reported_once(day: int) -> None:
    rng, begin = np.random.default_rng(8), day * A_DAY + 20
    values = 50.0 + 0.5 * rng.normal(size=(day + 1) * A_DAY)
    values[begin : begin + 3] += 30.0
    found = told(values)
    assert begin <= found[0] < begin + 3
    assert found == list(range(found[0], found[-1] + 1))


def test_the_level_just_after_an_outage_is_no_extreme_of_its_day() -> None:
    values, outage = days_of(14), slice(12 * A_DAY + 60, 12 * A_DAY + 84)
    interrupted = values.copy()
    interrupted[outage] = -40.0
    undisturbed, disturbed = (StateTable(LevelDrift(), rows=1) for _ in range(2))
    for index in range(len(values)):
        time, held = MONDAY_S + 60.0 * MINUTES * index, outage.start <= index < outage.stop + 4
        undisturbed.update_one(0, float(values[index]), time, held=False)
        disturbed.update_one(0, float(interrupted[index]), time, held=held)
    for name in ("hour_low_record", "quarter_low_record"):
        assert abs(disturbed.arrays[name][0] - undisturbed.arrays[name][0]) < 0.3


def test_a_level_that_is_adopted_while_it_is_told_is_learned_anew() -> None:
    values = days_of(30)
    values[20 * A_DAY :] += 12.0
    table, later = StateTable(LevelDrift(), rows=1), []
    for index, value in enumerate(values.tolist()):
        day = index / A_DAY
        score = table.update_one(0, value, MONDAY_S + 60.0 * MINUTES * index, held=20 <= day < 20.75).score
        if index == 20.75 * A_DAY:
            table.detector.adopt(table.arrays, 0, value)
        elif day > 20.75:
            later.append(score)
    assert np.nanmax(later) < TELLS


def test_an_adoption_of_another_kind_leaves_the_days_as_they_are() -> None:
    table = StateTable(LevelDrift(), rows=1)
    for index, value in enumerate(days_of(6).tolist()):
        table.update_one(0, value, MONDAY_S + 60.0 * MINUTES * index, held=False)
    days = table.arrays["days"][0]
    table.detector.adopt(table.arrays, 0, 20.0)
    assert table.arrays["days"][0] == days > 0
