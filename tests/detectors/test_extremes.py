"""A value held beyond all that any day has shown is told at once; heavy tails, rain and what wanders stay calm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.daily.extremes import DAY_S, KEPT, Extremes
from detectors.numeric.arrays import Floats
from detectors.state import StateTable

START_S = 20_000 * DAY_S
A_DAY = 288
"""Readings."""

SENSORS = 4


def followed(values: Floats, table: StateTable | None = None, begin: int = 0) -> tuple[Floats, StateTable]:
    """Scores of readings each five minutes, shape (readings, sensors), and the state after them."""
    table = table or StateTable(Extremes(), values.shape[1])
    slots, scores = np.arange(values.shape[1]), np.empty(values.shape)
    for place, row in enumerate(values, begin):
        scores[place - begin] = table.update(slots, row.copy(), np.full(len(row), START_S + 300.0 * place)).score
    return scores, table


def told_of(table: StateTable, day: Floats, begin: int) -> Floats:
    """The highest scores of a day of which three surprising readings raise an incident, until it is usual again."""
    slots, run, highest = np.arange(SENSORS), np.zeros(SENSORS), np.zeros(SENSORS)
    for place, row in enumerate(day, begin):
        times = np.full(SENSORS, START_S + 300.0 * place)
        score = table.update(slots, row.copy(), times, run >= 3).score
        run = np.where(score >= Extremes.floor, run + 1, 0)
        highest = np.maximum(highest, score)
    return highest


def time_of(days: int) -> tuple[Floats, Floats]:
    """Days since the beginning, shape (readings, 1), and normal noise, shape (readings, sensors)."""
    noise = np.random.default_rng(7).normal(size=(days * A_DAY, SENSORS))
    return np.arange(len(noise))[:, None] / A_DAY, noise


def oven(days: int) -> Floats:
    """An oven at 240 in the night, cold by day, and closed on each seventh."""
    day, noise = time_of(days)
    return np.where((day % 1 < 0.4) & (day // 1 % 7 < 6), 240 + 1.5 * noise, 26 + 0.5 * noise)


def rain(days: int) -> Floats:
    """Showers on a third of the days, of very different strength."""
    day, _ = time_of(days)
    strength = np.exp(np.random.default_rng(8).normal(0, 1.2, size=(days, SENSORS)))
    falls = np.random.default_rng(9).random(size=(days, SENSORS)) < 0.33
    return np.where((day % 1 > 0.5) & (day % 1 < 0.55), np.repeat(strength * falls, A_DAY, axis=0), 0.0)


def gusts(days: int) -> Floats:
    _, noise = time_of(days)
    return np.maximum(4 * np.exp(0.5 * noise), 0.0)


def weather(days: int) -> Floats:
    """A temperature that wanders over days."""
    day, _ = time_of(days)
    steps = np.random.default_rng(10).normal(0, 0.6, size=(len(day) // 24, SENSORS))
    return 5 * np.sin(2 * np.pi * day) + np.repeat(np.cumsum(steps, axis=0), 24, axis=0)


def tank(days: int) -> Floats:
    """A tank that empties by the same amount each day."""
    day, noise = time_of(days)
    return 900 - 14 * day + 0.3 * noise


def test_a_hot_oven_is_told_although_it_is_cold_for_half_of_each_day() -> None:
    usual = oven(15)
    scores, table = followed(usual)
    assert np.nanmax(scores) < Extremes.floor
    hot, _ = followed(np.full((12, SENSORS), 270.0), table, begin=len(usual))
    assert (hot[2:] >= Extremes.floor).all(), hot


def test_two_readings_are_no_level_and_three_are() -> None:
    usual = oven(15)
    _, table = followed(usual)
    hot, _ = followed(np.full((3, SENSORS), 290.0), table, begin=len(usual))
    assert (hot[:2] == 0).all()
    assert (hot[2] >= Extremes.floor).all(), hot


def test_what_falls_far_below_is_told_too() -> None:
    usual = -oven(15)
    _, table = followed(usual)
    deep, _ = followed(np.full((3, SENSORS), -290.0), table, begin=len(usual))
    assert (deep[2] >= Extremes.floor).all(), deep


def disk(days: int, resolution: float = 1.0) -> Floats:
    """A temperature with a daily course, in whole degrees."""
    day, _ = time_of(days)
    noise = np.random.default_rng(11).normal(0, 0.4, size=(len(day) // 12, SENSORS))
    return np.round((37.5 + 1.7 * np.sin(2 * np.pi * day) + np.repeat(noise, 12, axis=0)) / resolution) * resolution


def test_a_disk_far_above_its_whole_degrees_is_told() -> None:
    usual = disk(15)
    _, table = followed(usual)
    hot, _ = followed(np.full((3, SENSORS), 50.0), table, begin=len(usual))
    assert (hot[2] >= Extremes.floor).all(), hot


def half_degrees(days: int) -> Floats:
    return disk(days, 0.5)


@pytest.mark.parametrize("kind", [oven, rain, gusts, weather, tank, disk, half_degrees])
def test_ordinary_sensors_are_calm(kind: Callable[[int], Floats]) -> None:
    scores, _ = followed(kind(60))
    days = np.nan_to_num(scores).reshape(60, A_DAY, SENSORS).max(axis=1)
    assert (days >= Extremes.floor).sum() == 0, np.argwhere(days >= Extremes.floor)


def boiler(days: int, dirt: float) -> Floats:
    """Flue gas of a boiler that burns ten times a day, hotter by so much each day of the last week."""
    day, noise = time_of(days)
    hotter = dirt * np.maximum(day - (days - 7), 0.0)
    return np.where(day * 10 % 1 < 0.4, 138 + 1.5 * noise + hotter, 45 + noise)


def test_a_peak_that_is_a_little_higher_each_day_leaves_its_record_behind() -> None:
    slowly, _ = followed(boiler(21, 7.0))
    calm, _ = followed(boiler(21, 0.0))
    assert (np.nanmax(slowly[: -2 * A_DAY], axis=0) >= Extremes.floor).all(), np.nanmax(slowly, axis=0)
    assert np.nanmax(calm) < Extremes.floor


def test_a_value_a_little_beyond_the_record_is_no_news() -> None:
    usual = oven(15)
    _, table = followed(usual)
    warm, _ = followed(np.full((12, SENSORS), 252.0), table, begin=len(usual))
    assert (warm < Extremes.floor).all(), warm


def test_a_young_sensor_is_not_judged() -> None:
    scores, _ = followed(oven(7))
    assert np.isnan(scores).all()


def test_an_adopted_level_is_no_news_at_any_hour() -> None:
    usual, hotter = oven(15), oven(17)[15 * A_DAY :] + 40
    _, table = followed(usual)
    held = np.ones(SENSORS, dtype=bool)
    for place, row in enumerate(hotter[: A_DAY + A_DAY // 2], len(usual)):
        scores = table.update(np.arange(SENSORS), row.copy(), np.full(SENSORS, START_S + 300.0 * place), held).score
    assert (table.arrays["high_record"] < 250).all()
    for row in range(SENSORS):
        table.detector.adopt(table.arrays, row, float(hotter[0, row]))
    scores, _ = followed(hotter[A_DAY + A_DAY // 2 :], table, begin=len(usual) + A_DAY + A_DAY // 2)
    scores, _ = followed(hotter, table, begin=len(usual) + 2 * A_DAY)
    assert (scores < Extremes.floor).all(), scores.max()


def test_what_led_to_an_incident_makes_the_next_day_no_less_surprising() -> None:
    usual, day = oven(14), oven(15)[14 * A_DAY :]
    _, table = followed(usual)
    broken = np.where(day > 200, day + 25.0, day)
    first, again = (told_of(table, broken, place) for place in (len(usual), len(usual) + A_DAY))
    assert (first >= Extremes.floor).all(), first
    assert (again >= Extremes.floor).all(), again


def test_a_record_is_known_for_longer_than_the_days_that_are_kept() -> None:
    usual = oven(15)
    usual[:A_DAY] = np.where(usual[:A_DAY] > 200, 290.0, usual[:A_DAY])
    _, table = followed(np.concatenate([usual, oven(KEPT + 4)]))
    assert (table.arrays["high_record"] > 270).all()
    assert (table.arrays["high_days"] < 260).all()
