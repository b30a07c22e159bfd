"""A level is wrong for the hour if like days never had it then, whatever other hours, days and seasons have."""

from __future__ import annotations

import math

import numpy as np
import pytest
from naive_hours import NaiveHours

from detectors.hours import Hours
from detectors.hours.ring import DAYS, HALVES, LENGTH, UNKNOWN, Ring, keep
from detectors.numeric.arrays import Floats
from detectors.state import StateTable

START_S, DAY_S = 20_000 * 86_400.0, 86_400.0
MONDAY = 4
"""The day of the start is a Thursday, so this is the first Monday."""

STEPS = {60.0: 1440, 600.0: 144, 3600.0: 24}
"""Readings per day by the seconds between them."""


def days_of(days: int, step: float = 600.0) -> tuple[Floats, Floats, Floats]:
    """Number of the day, hour of the day, and noise, each of shape (readings,)."""
    place = np.arange(days * STEPS[step])
    return place // STEPS[step], place % STEPS[step] * step / 3600.0, np.random.default_rng(5).normal(size=len(place))


def within(hour: Floats, since: float, until: float) -> Floats:
    return (hour >= since) & (hour < until)


def shifts(day: Floats, hour: Floats, noise: Floats) -> Floats:
    """A machine that works in two shifts on workdays."""
    works = ((day - MONDAY) % 7 < 5) & within(hour, 6, 22)
    return np.where(works, 140.0 + 8.0 * noise, 6.0 + 0.5 * noise)


def heated(hour: Floats, noise: Floats) -> Floats:
    """A supply that is heated by day only."""
    return np.where(within(hour, 6, 22), 50.0, 30.0) + 0.3 * noise


def scores_of(
    values: Floats, step: float = 600.0, table: StateTable | None = None, *, since: float = 0.0, held: bool = False
) -> Floats:
    """The scores of one sensor's readings, from a day on."""
    table = table or StateTable(Hours(), rows=1)
    times = START_S + since * DAY_S + step * np.arange(len(values))
    pairs = zip(values.tolist(), times.tolist(), strict=True)
    return np.array([table.update_one(0, value, time, held=held).score for value, time in pairs])


@pytest.mark.parametrize("step", STEPS)
def test_a_machine_that_stops_in_its_shift_is_told_although_it_stands_each_night_and_weekend(step: float) -> None:
    day, hour, noise = days_of(20, step)
    values, stops = shifts(day, hour, noise), (day == 19) & within(hour, 9, 13)
    values[stops] = 6.0 + 0.5 * noise[stops]
    scores = scores_of(values, step)
    assert np.nanmax(scores[day < 19]) < Hours.floor
    told = np.flatnonzero((scores >= Hours.floor) & stops)
    assert len(told)
    assert hour[told[0]] <= 10.0


def test_a_machine_that_runs_at_night_is_told_until_it_stops() -> None:
    day, hour, noise = days_of(18)
    values, runs = shifts(day, hour, noise), (day == 14) & within(hour, 1, 4)
    values[runs] = 140.0 + 8.0 * noise[runs]
    scores = scores_of(values)
    assert (scores[(day == 14) & within(hour, 1.5, 4)] >= Hours.floor).all()
    assert scores[(day == 14) & within(hour, 4.5, 6)].max() < Hours.floor


@pytest.mark.parametrize("odd", [8, 14])
def test_one_holiday_among_the_like_days_is_allowed_and_two_are_not(odd: int) -> None:
    day, hour, noise = days_of(20)
    values, stops = shifts(day, hour, noise), (day == 19) & within(hour, 9, 13)
    values[stops | (day == odd)] = 6.0 + 0.5 * noise[stops | (day == odd)]
    assert np.nanmax(scores_of(values)[stops]) >= Hours.floor
    values[day == 13] = 6.0 + 0.5 * noise[day == 13]
    assert np.nanmax(scores_of(values)[stops]) < Hours.floor


def test_a_day_on_which_no_shift_begins_is_a_holiday_unless_each_day_has_one() -> None:
    day, hour, noise = days_of(20)
    holiday, values = day == 19, shifts(day, hour, noise)
    values[holiday] = 6.0 + 0.5 * noise[holiday]
    assert np.nanmax(scores_of(values)) < Hours.floor
    values = np.where(within(hour, 6, 22) & ~holiday, 140.0 + 8.0 * noise, 6.0 + 0.5 * noise)
    scores = scores_of(values)
    assert np.nanmax(scores[~holiday]) < Hours.floor
    assert hour[holiday][np.argmax(scores[holiday] >= Hours.floor)] <= 9.0


def test_work_on_the_weekday_of_a_holiday_is_no_news_a_week_later() -> None:
    day, hour, noise = days_of(20)
    values = shifts(day, hour, noise)
    values[day == 12] = 6.0 + 0.5 * noise[day == 12]
    assert np.nanmax(scores_of(values)) < Hours.floor


def test_a_weekend_is_not_told_because_those_before_were_incidents() -> None:
    day, hour, noise = days_of(20)
    values, weekend = shifts(day, hour, noise), (day - MONDAY) % 7 >= 5
    times = START_S + 600.0 * np.arange(len(values))
    table = StateTable(Hours(), rows=1)
    readings = zip(values.tolist(), times.tolist(), (weekend & (day < 14)).tolist(), strict=True)
    scores = np.array([table.update_one(0, value, time, held=held).score for value, time, held in readings])
    assert np.nanmax(scores[weekend & (day >= 14)], initial=0.0) < Hours.floor


def test_a_day_without_heating_is_told_although_summer_had_no_other_days() -> None:
    day, hour, noise = days_of(20)
    summer, table = day < 10, StateTable(Hours(), rows=1)
    values = np.where(summer | (day == 19), 22.0 + 0.3 * noise, heated(hour, noise))
    values[day == 19] = np.minimum(values, 30.0)[day == 19] + 8.0
    scores_of(values[summer], table=table)
    scores_of(values[day == 10], table=table, since=10, held=True)
    table.detector.adopt(table.arrays, 0, float(values[day == 10][-1]))
    winter = scores_of(values[day > 10], table=table, since=11)
    last = day[day > 10] == 19
    assert np.nanmax(winter[~last]) < Hours.floor
    assert np.nanmax(winter[last]) >= Hours.floor


def test_a_level_that_is_usual_for_its_hour_is_adopted_without_forgetting_its_days() -> None:
    _, hour, noise = days_of(10)
    table = StateTable(Hours(), rows=1)
    scores_of(heated(hour, noise), table=table)
    table.detector.adopt(table.arrays, 0, 30.0)
    assert table.arrays["codes"].any()
    table.detector.adopt(table.arrays, 0, 50.0)
    assert not table.arrays["codes"].any()


def test_half_hours_of_an_incident_are_not_learned_and_all_are_forgotten_after_two_weeks() -> None:
    day, hour, noise = days_of(10 + DAYS)
    table, values = StateTable(Hours(), rows=1), heated(hour, noise)
    scores_of(values[day < 10], table=table)
    known = np.count_nonzero(table.arrays["codes"])
    scores_of(values[day == 10], table=table, since=10, held=True)
    assert np.count_nonzero(table.arrays["codes"]) <= known + 1
    scores_of(values[day > 10], table=table, since=11, held=True)
    assert np.count_nonzero(table.arrays["codes"]) <= 1


def test_a_silence_of_two_weeks_leaves_nothing_of_the_days_before() -> None:
    _, hour, noise = days_of(10)
    table, values = StateTable(Hours(), rows=1), heated(hour, noise)
    scores_of(values, table=table)
    scores_of(values[:4], table=table, since=10 + DAYS)
    assert np.count_nonzero(table.arrays["codes"]) == 1


def test_irregular_days_have_no_usual_hours() -> None:
    rng = np.random.default_rng(8)
    works = np.repeat(rng.random(40 * 8) < 0.5, STEPS[600.0] // 8)
    values = np.where(works, 140.0, 6.0) + rng.normal(size=len(works))
    assert not np.nanmax(scores_of(values)) >= Hours.floor


def test_a_lone_reading_far_outside_is_left_to_others() -> None:
    day, hour, noise = days_of(20)
    values = heated(hour, noise)
    spike = np.flatnonzero((day == 18) & within(hour, 12, 13))[0]
    values[spike] = 5000.0
    assert scores_of(values)[spike : spike + 12].max() < Hours.floor


def test_the_return_from_a_stop_is_not_told() -> None:
    day, hour, noise = days_of(20)
    values, stops = heated(hour, noise), (day == 19) & within(hour, 9, 11)
    values[stops] = 32.0
    scores = scores_of(values)
    assert scores[stops].max() >= Hours.floor
    assert scores[(day == 19) & within(hour, 11, 22)].max() < Hours.floor


def test_a_half_hour_in_which_an_incident_has_ended_is_not_told() -> None:
    _, hour, noise = days_of(12, 60.0)
    values, table = heated(hour, noise), StateTable(Hours(), rows=1)
    scores_of(values, 60.0, table)
    night = [30.0] * (6 * 60), [50.0] * (3 * 60)
    scores_of(np.concatenate(night), 60.0, table, since=12)
    scores_of(np.full(20, 30.0), 60.0, table, since=12 + 9 / 24, held=True)
    after = scores_of(np.full(30, 49.0), 60.0, table, since=12 + 9 / 24 + 20 / 1440)
    assert after.max() < Hours.floor


def test_half_hours_are_kept_to_a_hundredth_of_their_range_however_it_grows_and_shrinks() -> None:
    rng = np.random.default_rng(3)
    ring = Ring(np.zeros((1, LENGTH), dtype=np.uint8), np.zeros(1), np.ones(1))
    kept: dict[int, float] = {}
    reaches: list[float] = []
    for half in range(3 * LENGTH):
        size = 1e-3 if half < LENGTH // 2 else 40.0 if half < LENGTH else 1e6 if half == LENGTH else 5.0
        mean = 1000.0 + size * rng.normal()
        ring, kept[half % LENGTH] = keep(ring, np.array([half % LENGTH]), np.array([mean])), mean
        found = ring.base + (ring.codes[0] - 1.0) * ring.step
        reaches.append(max(kept.values()) - min(kept.values()))
        worst = max(abs(found[place] - level) for place, level in kept.items())
        assert worst <= max(*reaches[-LENGTH - HALVES :], 0.1) / 100, half
    assert np.count_nonzero(ring.codes == UNKNOWN) == 0


@pytest.mark.parametrize("step", [600.0, 3600.0])
def test_the_detector_agrees_with_its_counterpart_over_weeks(step: float) -> None:
    day, hour, noise = days_of(24, step)
    values = shifts(day, hour, noise)
    odd = (day == 19) & within(hour, 9, 13) | (day == 17) & within(hour, 2, 4)
    values[odd] = 70.0
    kept = np.random.default_rng(9).random(len(values)) > 0.05
    values, times = values[kept], START_S + step * np.flatnonzero(kept)
    table, twin = StateTable(Hours(), rows=1), NaiveHours(Hours())
    opinions = told = 0
    for value, time in zip(values.tolist(), times.tolist(), strict=True):
        fast = table.update(np.array([0]), np.array([value]), np.array([time]))
        score, _, low, high = twin.step(value, time)
        opinions += math.isfinite(score)
        told += score > 1.0
        found = [float(each[0]) for each in (fast.score, fast.lower, fast.upper)]
        np.testing.assert_allclose(found, [score, low, high], rtol=1e-6, atol=1e-6)
    assert opinions > len(values) / 4
    assert told > 3


def test_one_reading_and_many_give_the_same_bits() -> None:
    day, hour, noise = days_of(17)
    values = np.stack([shifts(day, hour, noise), heated(hour, noise), 70.0 + noise], axis=1)
    values[day == 16] = 32.0
    alone, together = (StateTable(Hours(), rows=3) for _ in range(2))
    slots = np.arange(3)
    for place, row in enumerate(values):
        time, held = START_S + 600.0 * place, day[place] == 5
        many = together.update(slots, row.copy(), np.full(3, time), np.full(3, held))
        ones = [alone.update_one(slot, float(row[slot]), time, held=bool(held)) for slot in slots.tolist()]
        np.testing.assert_array_equal(many.score, [each.score for each in ones])
    for name, array in together.arrays.items():
        np.testing.assert_array_equal(array, alone.arrays[name])
