"""A sensor that moves on day by day has a trend; seasons, steps, weekends and tanks have none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from naive_trend import NaiveTrend

from detectors.daily.trend import KEPT, SIDES, Trend
from detectors.daily.weeks import LAGS
from detectors.numeric.arrays import Floats
from detectors.state import StateTable

HOUR_S, START_S, A_DAY = 3600.0, 20_000 * 86_400.0, 24
SENSORS = 6


def followed(values: Floats, *, alone: bool = False, held: bool = False) -> tuple[Floats, StateTable]:
    """Scores of hourly readings, shape (readings, sensors), and the state after them."""
    table, slots = StateTable(Trend(), values.shape[1]), np.arange(values.shape[1])
    scores = np.empty(values.shape)
    for place, row in enumerate(values):
        time = START_S + HOUR_S * place
        if alone:
            scores[place] = [table.update_one(slot, float(row[slot]), time, held=held).score for slot in slots.tolist()]
        else:
            scores[place] = table.update(slots, row.copy(), np.full(len(row), time), np.full(len(row), held)).score
    return scores, table


def told(values: Floats) -> list[int]:
    """The day on which the trend of each sensor is first told; -1 for never."""
    scores = followed(values)[0] >= Trend.floor
    return [int(each.argmax() // A_DAY) if each.any() else -1 for each in scores.T]


def days_of(days: int, seed: int = 3, sensors: int = SENSORS) -> tuple[Floats, Floats]:
    """Time in days, shape (readings, 1), and noise that is correlated over hours, shape (readings, sensors)."""
    rng, noise = np.random.default_rng(seed), np.zeros((days * A_DAY, sensors))
    for place in range(1, len(noise)):
        noise[place] = 0.9 * noise[place - 1] + 0.44 * rng.normal(size=sensors)
    return np.arange(len(noise))[:, None] / A_DAY, noise


def worn(day: Floats, since: float, rate: float) -> Floats:
    return rate * np.maximum(day - since, 0.0)


def machine(day: Floats, noise: Floats, wear: Floats) -> Floats:
    """A machine that works on weekdays, from six to nine."""
    works = (day % 1 > 0.25) & (day % 1 < 0.875) & (day // 1 % 7 < 5)
    return np.where(works, 2.4 + 0.1 * noise + wear, 0.2)


@pytest.mark.parametrize("rate", [0.05, -0.05])
def test_a_bearing_that_gets_two_percent_hotter_a_day_is_told_within_two_weeks(rate: float) -> None:
    day, noise = days_of(48)
    found = told(2.4 + 0.08 * noise + worn(day, 30, rate))
    assert all(34 <= each <= 44 for each in found), found


def test_wear_shows_in_the_highest_hours_of_a_machine_that_rests_at_night_and_on_weekends() -> None:
    day, noise = days_of(50)
    found = told(machine(day, noise, worn(day, 30, 0.09)))
    assert all(34 <= each <= 45 for each in found), found


def test_a_weekend_is_no_end_of_a_trend() -> None:
    day, noise = days_of(63)
    is_told = followed(machine(day, noise, worn(day, 36, 0.12)))[0] >= Trend.floor
    assert [bool(each[int(each.argmax()) :].all()) for each in is_told.T] == [True] * SENSORS
    assert is_told[-1].all()


def test_a_battery_that_sinks_faster_than_in_the_weeks_before_is_told() -> None:
    day, noise = days_of(52)
    found = told(3.6 - 0.002 * day + 0.004 * noise - worn(day, 32, 0.01))
    assert all(34 <= each <= 46 for each in found), found


CALM: dict[str, Callable[[Floats, Floats], Floats]] = {
    "ordinary days": lambda day, noise: noise + np.sin(2 * np.pi * day),
    "weekends": lambda day, noise: machine(day, noise, 0.0 * day),
    "season": lambda day, noise: noise + 0.1 * day,
    "tank": lambda day, noise: 80.0 - 3.0 * (day % 25) + 0.1 * noise,
    "step": lambda day, noise: noise + 20.0 * (day > 40),
    "weather": lambda day, noise: np.cumsum(noise, axis=0) / A_DAY,
    "nothing": lambda day, noise: 20.0 + 0.0 * noise + 0.0 * day,
}


@pytest.mark.parametrize("kind", CALM)
def test_what_has_no_trend_of_its_own_is_not_told(kind: str) -> None:
    assert sum(each >= 0 for each in told(CALM[kind](*days_of(80)))) <= (1 if kind == "weather" else 0)


def test_a_warm_week_after_weeks_of_weather_is_not_told() -> None:
    day, _ = days_of(60)
    rng = np.random.default_rng(4)
    weather = np.zeros((len(day), SENSORS))
    for place in range(1, len(day)):
        weather[place] = 0.986 * weather[place - 1] + 0.17 * rng.normal(size=SENSORS)
    warm = 2.0 * np.exp(-(((day - 50) / 3.5) ** 2))
    assert told(12.0 + 3.0 * np.sin(2 * np.pi * day) + 3.0 * (weather + warm)) == [-1] * SENSORS


def test_a_trend_is_told_until_it_ends_and_no_longer_three_days_after_it_is_mended() -> None:
    day, noise = days_of(66)
    scores, _ = followed(2.4 + 0.1 * noise + np.where(day < 58, worn(day, 30, 0.1), 0.0))
    assert (scores[44 * A_DAY : 58 * A_DAY] >= Trend.floor).mean() > 0.9
    assert not (scores[61 * A_DAY :] > 0).any()


def test_a_trend_that_is_mended_far_enough_ends_within_hours() -> None:
    day, noise = days_of(52)
    scores, _ = followed(2.4 + 0.1 * noise + np.where(day < 50.5, worn(day, 30, 0.2), 0.0))
    assert (scores[50 * A_DAY] >= Trend.floor).all()
    assert not (scores[50 * A_DAY + 16 : 51 * A_DAY] > 0).any()


def test_single_readings_give_the_same_to_the_bit_even_while_nothing_is_learned() -> None:
    day, noise = days_of(44)
    values = 2.4 + 0.1 * noise + worn(day, 30, 0.2)
    (scores, table), (lone, one) = followed(values, held=True), followed(values, alone=True, held=True)
    assert (scores > Trend.floor).any()
    np.testing.assert_array_equal(scores, lone)
    for name, array in table.arrays.items():
        np.testing.assert_array_equal(array, one.arrays[name], name)


@pytest.mark.parametrize("kind", ["wear", "faster", "rest", "mended", "weather"])
def test_it_agrees_with_its_counterpart_over_two_months(kind: str) -> None:
    day, noise = days_of(62, seed=8, sensors=1)
    values = {
        "wear": 2.4 + 0.1 * noise + worn(day, 28, 0.06),
        "faster": 3.6 - 0.002 * day + 0.004 * noise - worn(day, 32, 0.01),
        "rest": machine(day, noise, worn(day, 30, 0.05)),
        "mended": 2.4 + 0.1 * noise + np.where(day < 51, worn(day, 30, 0.2), 0.0),
        "weather": np.cumsum(noise, axis=0) / A_DAY,
    }[kind]
    twin = NaiveTrend(Trend())
    slow = [twin.step(float(each), START_S + HOUR_S * place)[0] for place, each in enumerate(values[:, 0])]
    scores, _ = followed(values)
    np.testing.assert_allclose(scores[:, 0], slow, rtol=1e-6, atol=1e-6)


def test_days_without_a_reading_repeat_the_last_one() -> None:
    _, noise = days_of(20)
    _, table = followed(noise[: 3 * A_DAY])
    slots, time = np.arange(SENSORS), START_S + 9.5 * 86_400.0
    table.update(slots, noise[0].copy(), np.full(SENSORS, time))
    assert (table.arrays["known"] == 9).all()
    kept = table.arrays["days"].reshape(SENSORS, len(SIDES), KEPT)
    assert (kept[:, :, :6] == kept[:, :, 6:7]).all()
    assert (kept[:, :, 6] != kept[:, :, 7]).all()


def test_a_trend_is_measured_by_two_days_that_show_it_and_the_range_before() -> None:
    day, noise = days_of(44)
    _, table = followed((2.4 + 0.1 * noise + worn(day, 30, 0.1))[:, :1])
    measure = table.detector.measure(table.arrays, 0)
    assert measure is not None
    side, days = measure.about.split()
    assert side in SIDES
    assert int(days) in LAGS
    assert 0.5 * 0.1 * int(days) <= measure.now - measure.usual <= 1.5 * 0.1 * int(days)
    assert 2.0 < measure.lower < measure.upper < measure.now


def test_a_trend_waits_for_as_many_days_as_its_operator_wants() -> None:
    day, noise = days_of(48)
    values = 2.4 + 0.1 * noise + worn(day, 22, 0.1)
    table, slots = StateTable(Trend(fewest_days=45.0), SENSORS), np.arange(SENSORS)
    late = []
    for place, row in enumerate(values):
        table.update(slots, row.copy(), np.full(SENSORS, START_S + HOUR_S * place))
        late.append(bool((table.arrays["score"] > 0).any()))
    assert min(told(values)) < 40
    assert late.index(True) >= 45 * A_DAY
