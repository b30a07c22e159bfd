"""Movement that vanishes is told, whatever its shape; days that are calm now and then aren't."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from naive_swing import NaiveSwing

from detectors.daily.swing import BLOCK_S, KEPT, NEVER, SPANS, UNKNOWN, Swing
from detectors.numeric.arrays import Floats
from detectors.state import StateTable

START_S, DAY_S, HOUR_S = 20_000 * 86_400.0, 86_400.0, 3600.0
DAYS, FAULT = 19, 17
"""Length of a series, and the day on which its movement vanishes."""


def clock(step: float, days: float = DAYS) -> Floats:
    return START_S + step * np.arange(round(days * DAY_S / step))


def noise(times: Floats) -> Floats:
    return np.random.default_rng(7).normal(size=len(times))


def each_day(times: Floats, spread: float, seed: int = 2) -> Floats:
    """A size that differs from day to day."""
    sizes = np.exp(spread * np.random.default_rng(seed).normal(size=100))
    return sizes[((times - START_S) // DAY_S).astype(int)]


def sawtooth(times: Floats, period: float) -> Floats:
    """-0.5 to 0.5, in cycles of a period that differs by a tenth."""
    ends = times[0] + np.cumsum(period * (1 + 0.1 * np.random.default_rng(3).normal(size=20_000)))
    place = np.interp(times, ends, np.arange(len(ends)))
    return place - np.floor(place) - 0.5


def tide(times: Floats) -> Floats:
    return 1.5 * np.cos(2 * np.pi * times / 44_714) + 0.5 * np.cos(2 * np.pi * times / 43_200 + 0.8)


def course(times: Floats) -> Floats:
    """A daily course, of a size that differs by a seventh."""
    return 3.0 * each_day(times, 0.15) * np.sin(2 * np.pi * times / DAY_S)


def peaks(times: Floats) -> Floats:
    """Two peaks a day, smaller ones on two days of the week."""
    hour, weekend = times % DAY_S / HOUR_S, (times - START_S) // DAY_S % 7 >= 5
    shape = np.exp(-(((hour - 8) / 1.5) ** 2)) + 0.8 * np.exp(-(((hour - 18) / 2) ** 2))
    return 9.0 * shape * np.where(weekend, 0.6, 1.0)


SHAPES: dict[str, tuple[float, Callable[[Floats], Floats], float, float]] = {
    "a tide": (600.0, tide, 0.02, 0.35),
    "a tide of one reading an hour": (3600.0, tide, 0.02, 0.35),
    "cycles of a compressor": (60.0, lambda times: 3.0 * sawtooth(times, 2400.0), 0.05, 0.33),
    "cycles that are too fast to follow": (300.0, lambda times: 0.8 * sawtooth(times, 400.0), 0.02, 0.33),
    "cycles of an hour and a half": (300.0, lambda times: 3.0 * sawtooth(times, 5400.0), 0.05, 0.33),
    "a tank": (60.0, lambda times: 50.0 * sawtooth(times, 4 * 3600.0), 0.3, 0.33),
    "a slow tank": (600.0, lambda times: 50.0 * sawtooth(times, 14 * 3600.0), 0.3, 0.33),
    "a dosing pump": (120.0, lambda times: 0.25 * np.sin(2 * np.pi * sawtooth(times, 7200.0)), 0.01, 0.33),
    "a daily course": (600.0, course, 0.1, 0.2),
    "a daily course of one reading a quarter": (900.0, course, 0.1, 0.2),
    "noise": (300.0, lambda times: 2.0 * np.random.default_rng(9).normal(size=len(times)), 0.0, 0.25),
}


def series(name: str, *, fault: bool = True, days: float = DAYS) -> tuple[Floats, Floats, Floats]:
    """Times, values and days since the start."""
    step, shape, rough, share = SHAPES[name]
    times = clock(step, days)
    day = (times - START_S) / DAY_S
    amount = np.where((day >= FAULT + 0.3) & fault, share, 1.0)
    return times, np.round(20.0 + amount * shape(times) + rough * noise(times), 2), day


def scores_of(times: Floats, values: Floats, table: StateTable | None = None, held: Floats | None = None) -> Floats:
    """The scores of one sensor's readings."""
    table = table or StateTable(Swing(), rows=1)
    held = np.zeros(len(times), dtype=bool) if held is None else held
    readings = zip(values.tolist(), times.tolist(), held.tolist(), strict=True)
    return np.array([table.update_one(0, value, time, held=is_held).score for value, time, is_held in readings])


def smallest(table: StateTable) -> float:
    """The smallest range of all days that are kept."""
    kept = table.arrays["kept"]
    return float(kept[kept != UNKNOWN].min())


@pytest.mark.parametrize("name", SHAPES)
def test_a_movement_that_vanishes_is_told_and_an_ordinary_one_never(name: str) -> None:
    times, values, day = series(name)
    scores = scores_of(times, values)
    assert not (scores[day < FAULT + 0.3] >= Swing.floor).any()
    assert (scores[day >= FAULT + 0.3] >= Swing.floor).any()


def test_it_is_over_as_soon_as_the_sensor_moves_again() -> None:
    times, values, day = series("a tide")
    usual = series("a tide", fault=False)[1]
    values = np.where(day < DAYS - 0.5, values, usual)
    scores = scores_of(times, values)
    assert scores[day < DAYS - 0.5][-1] >= Swing.floor
    assert not (scores[day >= DAYS - 0.2] >= Swing.floor).any()


@pytest.mark.parametrize("name", ["a tide", "a tank", "a daily course", "noise"])
def test_long_series_are_judged_as_by_the_counterpart(name: str) -> None:
    times, values, day = series(name)
    chosen = day >= 5
    times, values = times[chosen][::3], values[chosen][::3]
    twin = NaiveSwing(Swing())
    slow = [twin.step(value, time)[0] for value, time in zip(values.tolist(), times.tolist(), strict=True)]
    np.testing.assert_allclose(scores_of(times, values), slow, rtol=1e-5, atol=1e-5)


def test_peaks_that_do_not_come_are_left_to_others_as_the_sensor_stays_at_its_lowest_level() -> None:
    times = clock(900.0)
    peaked = np.where((times - START_S) / DAY_S >= FAULT + 0.3, 0.0, peaks(times))
    assert not (scores_of(times, 20.0 + peaked + 0.1 * noise(times)) >= Swing.floor).any()


def test_weather_that_differs_from_day_to_day_is_hardly_ever_told() -> None:
    times = clock(900.0, 40)
    hours = times / HOUR_S
    told = 0
    for seed in range(20):
        values = 12.0 + 4.0 * each_day(times, 0.5, seed) * np.sin(2 * np.pi * hours / 24) + 0.1 * noise(times)
        told += bool((scores_of(times, values) >= Swing.floor).any())
    assert told <= 1


def test_a_rest_at_weekends_is_usual_after_a_week_and_isnt_told() -> None:
    times = clock(600.0, 30)
    weekend = (times - START_S) // DAY_S % 7 >= 5
    values = 20.0 + np.where(weekend, 0.2, 5.0) * sawtooth(times, 7200.0) + 0.05 * noise(times)
    assert not (scores_of(times, values) >= Swing.floor).any()


def test_one_smallest_step_less_means_nothing() -> None:
    times = clock(600.0, 30)
    values = 20.0 + np.where((times - START_S) // DAY_S == 20, 1.0, 2.0) * (times % 7200.0 < 3600.0)
    assert not (scores_of(times, values) >= Swing.floor).any()


def test_a_random_walk_and_a_shift_of_the_level_arent_told() -> None:
    times = clock(600.0, 40)
    walk = np.cumsum(noise(times))
    assert not (scores_of(times, walk) >= Swing.floor).any()
    shifted = noise(times) + np.where(times - START_S > 20 * DAY_S, 30.0, 0.0)
    assert not (scores_of(times, shifted) >= Swing.floor).any()


def test_a_block_with_few_readings_says_nothing() -> None:
    times, values, day = series("a daily course", fault=False)
    few = (day >= FAULT) & (np.arange(len(times)) % 9 > 0)
    assert not (scores_of(times[~few], values[~few]) >= Swing.floor).any()


def test_what_has_an_incident_is_not_learned() -> None:
    times, values, day = series("a tank", fault=False)
    stuck = (day >= 10) & (day < 12)
    values = np.where(stuck, 20.0, values)
    held, free = StateTable(Swing(), rows=1), StateTable(Swing(), rows=1)
    scores_of(times, values, held, stuck)
    scores_of(times, values, free)
    assert smallest(held) > 10.0
    assert smallest(free) == 0.0


def test_a_movement_that_is_told_stays_so_and_is_not_learned() -> None:
    times, values, day = series("a tank", days=24)
    table = StateTable(Swing(), rows=1)
    scores = scores_of(times, values, table)
    assert (scores[day >= FAULT + 1] >= Swing.floor).all()
    assert smallest(table) > 20.0


def test_a_level_that_is_adopted_begins_with_no_days() -> None:
    times, values, _ = series("a tank")
    table = StateTable(Swing(), rows=1)
    scores_of(times, values, table)
    table.detector.adopt(table.arrays, 0, 20.0)
    assert (table.arrays["kept"] == UNKNOWN).all()
    assert math.isnan(table.update_one(0, 20.0, START_S + DAYS * DAY_S, held=False).score)


def test_blocks_of_a_silence_are_unknown() -> None:
    times, values, _ = series("a tank", fault=False)
    table = StateTable(Swing(), rows=1)
    scores_of(times, values, table)
    scores_of(times[:400] + (DAYS + 3) * DAY_S, values[:400], table)
    assert (table.arrays["lows"][0, 2:] == NEVER).all()
    assert (table.arrays["lows"][0, :2] < NEVER).all()


def test_it_says_how_little_the_sensor_has_moved_and_within_what_time() -> None:
    times, values, day = series("a tank")
    table = StateTable(Swing(), rows=1)
    scores_of(times, values, table)
    said = table.detector.measure(table.views.cells, 0)
    assert said is not None
    last = values[day >= DAYS - int(said.about) * HOUR_S / DAY_S]
    assert int(said.about) * HOUR_S in {each * BLOCK_S for each in SPANS}
    assert said.now == pytest.approx(np.ptp(last), rel=0.2)
    assert said.usual > 2 * said.now


def test_it_takes_as_many_bytes_as_it_says() -> None:
    table = StateTable(Swing(), rows=1)
    assert f"State: {table.bytes_per_sensor} bytes" in (Swing.__doc__ or "")
    assert table.arrays["kept"].shape == (1, len(SPANS) * KEPT)
