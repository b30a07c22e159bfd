"""Plateaus: a sensor that stays at a value which it otherwise only passes."""

from __future__ import annotations

import numpy as np
import pytest
from states_alike import highest_if_alike
from told_by_states import MONDAY_S, TELLS, told_by_states

from detectors.base import Measure
from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from detectors.states import States

EVERY_S = 120.0
DAY = 720

Told = list[tuple[int, float, Measure]]


def charger(days: int) -> Floats:
    """The power of a charger in W, every two minutes: 11 kW for some hours on most days, rising and falling slowly."""
    rng = np.random.default_rng(7)
    values = np.round(4 + rng.normal(0, 0.3, days * DAY), 1)
    for day in range(days):
        if rng.random() < 0.8:
            begin, length = day * DAY + int(rng.integers(440, 520)), int(rng.integers(40, 150))
            ramp = np.linspace(500, 11_000, 9)
            course = np.concatenate([ramp, np.full(length, 11_000), ramp[::-1]])
            values[begin : begin + len(course)] = np.round(course * rng.normal(1, 0.004, len(course)))
    return values


def staying(values: Floats, begin: int, length: int, at: float) -> Floats:
    """The values, with `length` readings from `begin` on close to a value."""
    values = values.copy()
    values[begin : begin + length] = np.round(at + np.random.default_rng(8).normal(0, 12, length))
    return values


def watch(values: Floats) -> Told:
    """What is told of a sensor, and when: index, value, and what it is about."""
    return told_by_states(values, EVERY_S)


@pytest.fixture(scope="module")
def charging() -> Floats:
    return charger(26)


NOON = 21 * DAY + 300


def test_a_charger_that_works_is_not_reported(charging: Floats) -> None:
    assert watch(charging) == []


def test_a_charger_that_stays_where_no_reading_has_been_is_reported_within_minutes(charging: Floats) -> None:
    told = watch(staying(charging, NOON, 120, 1_400.0))
    assert [each for each, _, _ in told] == [told[0][0]]
    assert NOON < told[0][0] <= NOON + 8
    assert told[0][2].about == "value"


def test_a_charger_that_stays_where_it_only_passed_is_reported_within_an_hour(charging: Floats) -> None:
    told = watch(staying(charging, NOON, 120, 7_300.0))
    assert [each for each, _, _ in told] == [told[0][0]]
    assert NOON + 15 <= told[0][0] <= NOON + 30
    measure = told[0][2]
    assert measure.about == "stay"
    assert measure.now == EVERY_S * (told[0][0] - NOON)
    assert measure.usual < 900.0


def test_it_is_reported_if_the_sensor_had_only_jumped_across_the_value() -> None:
    values = np.where(np.arange(20 * DAY) % 90 < 30, 50.0, 0.0)
    values[::7] += 0.5
    values[15 * DAY : 15 * DAY + 60] = 31.0
    assert next(each.about for _, value, each in watch(values) if value == 31.0) in {"stay", "value"}


def test_what_has_come_twice_is_usual(charging: Floats) -> None:
    values = charging
    for day in (18, 20, 22, 24):
        values = staying(values, day * DAY + 200, 120, 7_300.0)
    assert [index // DAY for index, _, _ in watch(values)] == [18, 20]


def test_a_new_sensor_is_not_reported(charging: Floats) -> None:
    assert watch(staying(charging[: 7 * DAY], 5 * DAY + 200, 120, 7_300.0)) == []


def test_a_sensor_whose_range_has_grown_is_not_reported_for_a_week_as_its_plateaus_are_learned_anew(
    charging: Floats,
) -> None:
    values = charging.copy()
    values[18 * DAY + 100 : 18 * DAY + 160 : 8] = 90_000.0
    told = watch(staying(values, NOON, 120, 7_300.0))
    assert "stay" not in {measure.about for index, _, measure in told if index >= NOON}


def test_a_rest_does_not_show_that_what_was_found_at_work_is_over(charging: Floats) -> None:
    table = StateTable(States(), rows=1)
    for index, value in enumerate(charging[: 16 * DAY].tolist()):
        table.update_one(0, value, MONDAY_S + EVERY_S * index, held=False)
    pauses = []
    for index, value in enumerate((4.0, 11_000.0, 11_000.0, 4.0), 16 * DAY):
        table.update_one(0, value, MONDAY_S + EVERY_S * index, held=False)
        pauses.append(table.detector.pauses(table.arrays, 0))
    assert pauses == [True, False, False, True]


def test_neither_does_a_return_to_where_it_was_found(charging: Floats) -> None:
    values = staying(charging[: 22 * DAY], NOON, 60, 7_300.0)[: NOON + 60].tolist()
    table, pauses = StateTable(States(), rows=1), []
    for index, value in enumerate([*values, 4.0, 7_310.0, 11_000.0, 11_000.0]):
        table.update_one(0, value, MONDAY_S + EVERY_S * index, held=index >= NOON + 30)
        pauses.append(table.detector.pauses(table.arrays, 0))
    assert pauses[-4:] == [True, True, False, False]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_temperature_lingers_anywhere(seed: int) -> None:
    rng, each = np.random.default_rng(seed), np.arange(40 * 144)
    walk = np.cumsum(rng.normal(0, 0.05, len(each)))
    walk -= np.convolve(walk, np.full(433, 1 / 433), mode="same")
    values = np.round(21 + 1.5 * np.sin(each / 144 * 2 * np.pi) + walk + rng.normal(0, 0.03, len(each)), 2)
    values[30 * 144 : 30 * 144 + 18] = values[30 * 144]
    table, scores = StateTable(States(), rows=1), []
    for index, value in enumerate(values.tolist()):
        scores.append(table.update_one(0, value, MONDAY_S + 600.0 * index, held=False).score)
    assert np.nan_to_num(scores).max() < TELLS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_temperature_that_was_reported_only_when_it_changed_lingers_anywhere_too(seed: int) -> None:
    each = np.arange(30 * 144)
    walk = 0.2 * np.cumsum(np.random.default_rng(seed).normal(0, 0.1, len(each)))
    values = np.round((21 + 1.5 * np.sin(each / 144 * 2 * np.pi) + walk) / 0.3) * 0.3
    kept = np.flatnonzero(np.append(True, np.diff(values) != 0) | (each >= 20 * 144)).tolist()
    table = StateTable(States(), rows=1)
    scores = [table.update_one(0, float(values[i]), MONDAY_S + 600.0 * i, held=False).score for i in kept]
    assert np.nan_to_num(scores).max() < TELLS


def test_a_wide_round_a_single_reading_and_the_simple_counterpart_agree(charging: Floats) -> None:
    values = staying(charging[: 16 * DAY], 14 * DAY + 200, 60, 7_300.0)
    noisy = values + np.random.default_rng(9).normal(0, 400, len(values))
    assert highest_if_alike(values, noisy, EVERY_S)[0] > TELLS


def test_learning_goes_on_the_same_after_a_restart(charging: Floats) -> None:
    values = staying(charging[: 16 * DAY], 14 * DAY + 200, 60, 7_300.0)
    straight, restarted = StateTable(States(), rows=1), StateTable(States(), rows=1)
    scores = np.empty((len(values), 2))
    for index, value in enumerate(values.tolist()):
        if index in {12 * DAY, 14 * DAY + 220}:
            saved = restarted.to_bytes()
            restarted = StateTable(States(), rows=1)
            restarted.from_bytes(saved)
        time = MONDAY_S + EVERY_S * index
        scores[index] = [table.update_one(0, value, time, held=False).score for table in (straight, restarted)]
    assert np.nan_to_num(scores).max() > TELLS
    np.testing.assert_array_equal(scores[:, 0], scores[:, 1])
