"""What falls or rises faster than on any day before is told within hours; jumps, weather and known slopes aren't."""

from __future__ import annotations

import numpy as np
import pytest
from naive_trend import NaiveTrend

from detectors.daily.slopes import NEWS
from detectors.daily.trend import Trend
from detectors.numeric.arrays import Floats
from detectors.state import StateTable

HOUR_S, START_S, A_DAY, SENSORS = 3600.0, 20_000 * 86_400.0, 24, 8
FULL = 2400.0


def used(days: int, seed: int = 5) -> Floats:
    """Litres used in each hour: more by day, and by a tenth more or less from day to day, shape (hours, SENSORS)."""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * A_DAY)[:, None]
    of_day = 1.0 + 0.1 * rng.normal(size=(days, SENSORS)).repeat(A_DAY, axis=0)
    return (1.5 + np.sin(2 * np.pi * hour / A_DAY)) * of_day + 0.2 * rng.normal(size=(days * A_DAY, SENSORS))


def tank(consumption: Floats, refilled_at: float = 900.0) -> Floats:
    """The level of tanks that are filled when they are low."""
    level, levels = np.full(SENSORS, FULL) - 40.0 * np.arange(SENSORS), []
    for each in consumption:
        level = np.where(level < refilled_at, FULL, level - each)
        levels.append(level.round(0))
    return np.array(levels)


def scores_of(values: Floats, *, held: tuple[int, int] = (0, 0)) -> Floats:
    """Decades of the slope at hourly readings, of which those within `held` aren't learned; shape (hours, sensors)."""
    table, slots, scores = StateTable(Trend(), values.shape[1]), np.arange(values.shape[1]), []
    for place, row in enumerate(values):
        is_held = np.full(len(row), held[0] <= place < held[1])
        table.update(slots, row.copy(), np.full(len(row), START_S + HOUR_S * place), is_held)
        scores.append(table.arrays["steep"].copy())
    return np.array(scores)


def leaking(days: int, since: int, until: int, rate: float) -> Floats:
    consumption = used(days)
    consumption[since:until] += rate
    return tank(consumption)


def test_a_leak_of_twice_the_consumption_is_told_within_half_a_day_and_over_within_a_day() -> None:
    since, until = 20 * A_DAY + 6, 22 * A_DAY
    found = scores_of(leaking(26, since, until, 3.0)) >= Trend.floor
    assert not found[:since].any()
    assert found[since : since + 12].any(axis=0).all()
    assert found[since + 12 : until].all()
    assert not found[until + A_DAY :].any()


def test_a_tank_that_is_used_and_filled_as_always_is_not_told() -> None:
    assert not (scores_of(tank(used(40))) >= Trend.floor).any()


def test_a_theft_is_a_jump_and_no_slope() -> None:
    level = tank(used(24))
    level[18 * A_DAY + 3 :] -= 400.0
    assert not (scores_of(level) >= Trend.floor).any()


def test_what_had_an_incident_is_no_slope_of_an_ordinary_day() -> None:
    level = leaking(26, 20 * A_DAY, 26 * A_DAY, 4.0)
    level[15 * A_DAY + 3 : 15 * A_DAY + 9] -= 300.0  # as if some had been stolen and brought back
    place = slice(20 * A_DAY, 21 * A_DAY)
    assert (scores_of(level, held=(15 * A_DAY, 15 * A_DAY + 10))[place] >= Trend.floor).any(axis=0).all()
    assert not (scores_of(level)[place] >= Trend.floor).any(axis=0).all()


def test_the_way_back_from_an_incident_is_no_slope() -> None:
    level = -np.cumsum(used(24), axis=0)
    level[18 * A_DAY : 19 * A_DAY] += 300.0  # as if it had been filled at once, and sank back within half a day
    level[19 * A_DAY : 19 * A_DAY + 12] += np.linspace(275.0, 0.0, 12)[:, None]
    place = slice(19 * A_DAY, 21 * A_DAY)
    assert (scores_of(level)[place] >= Trend.floor).any(axis=0).all()
    assert not (scores_of(level, held=(18 * A_DAY, 19 * A_DAY + 10))[place] >= Trend.floor).any()


def test_the_way_back_from_a_level_that_was_adopted_is_no_slope() -> None:
    table, level = StateTable(Trend(), SENSORS), leaking(21, 20 * A_DAY, 21 * A_DAY, 4.0)
    for place, row in enumerate(level):
        if place == 20 * A_DAY:
            for slot in range(SENSORS):
                table.detector.adopt(table.arrays, slot, float(row[slot]))
        table.update(np.arange(SENSORS), row.copy(), np.full(SENSORS, START_S + HOUR_S * place))
        assert not (table.arrays["steep"] > 0).any()


def test_a_slope_that_lasts_for_days_is_known_then() -> None:
    since = 20 * A_DAY
    level = -np.cumsum(used(32) + np.where(np.arange(32 * A_DAY) >= since, 2.5, 0.0)[:, None], axis=0)
    found = scores_of(level) >= Trend.floor
    assert found[since : since + 12].any(axis=0).all()
    assert not found[since + NEWS + 2 * A_DAY :].any()


def test_weather_is_rarely_told() -> None:
    rng, weather = np.random.default_rng(4), np.zeros((60 * A_DAY, SENSORS))
    for place in range(1, len(weather)):
        weather[place] = 0.986 * weather[place - 1] + 0.17 * rng.normal(size=SENSORS)
    course = 3.0 * np.sin(2 * np.pi * np.arange(len(weather))[:, None] / A_DAY)
    found = scores_of(12.0 + course + 3.0 * weather) >= Trend.floor
    assert (found[1:] & ~found[:-1]).sum() <= 2  # in 480 sensor-days


def test_noise_is_not_told() -> None:
    assert not (scores_of(np.random.default_rng(6).normal(size=(40 * A_DAY, SENSORS))) >= Trend.floor).any()


def test_what_was_found_is_measured_by_the_change_and_the_largest_one_before() -> None:
    table, slots = StateTable(Trend(), SENSORS), np.arange(SENSORS)
    for place, row in enumerate(leaking(21, 20 * A_DAY, 21 * A_DAY, 4.0)):
        table.update(slots, row.copy(), np.full(SENSORS, START_S + HOUR_S * place))
    measure = table.detector.measure(table.arrays, 0)
    assert measure is not None
    assert measure.about in {"slope 6", "slope 24"}
    assert measure.now < 1.5 * measure.usual < 0
    assert np.isnan(measure.lower)


@pytest.mark.parametrize("kind", ["tank", "leak", "known", "gaps", "noise"])
def test_it_agrees_with_its_counterpart(kind: str) -> None:
    values = {
        "tank": tank(used(26)),
        "leak": leaking(26, 18 * A_DAY + 5, 20 * A_DAY, 3.0),
        "known": leaking(34, 18 * A_DAY, 34 * A_DAY, 2.5),
        "gaps": leaking(26, 18 * A_DAY, 20 * A_DAY, 3.0),
        "noise": np.random.default_rng(9).normal(size=(26 * A_DAY, SENSORS)),
    }[kind][:, :1]
    times = START_S + HOUR_S * np.arange(len(values))
    if kind == "gaps":
        times = times[np.arange(len(values)) % 17 != 3]
        values = values[: len(times)]
        times[200:] += 5 * HOUR_S
        times[300:] += 40 * HOUR_S
    table, twin, found = StateTable(Trend(), 1), NaiveTrend(Trend()), []
    for value, time in zip(values[:, 0], times, strict=True):
        found.append(table.update(np.array([0]), np.array([value]), np.array([time])).score[0])
        assert twin.step(float(value), float(time))[0] == pytest.approx(found[-1], rel=1e-5, nan_ok=True)
    assert (np.nanmax(found) > Trend.floor) == (kind in {"leak", "known", "gaps"})
