"""Properties of the contextual detector beyond the contract of all detectors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.contextual import Contextual
from detectors.contextual.likelihood import FARTHEST, MOST, upper_tail
from detectors.contextual.season import share_of_a_visit
from detectors.contextual.spread import RECENT, variance_of_recent
from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from edge.evaluation.noises import START_S, clock, noises

DAY_S = 86_400.0


def scores_of(table: StateTable, values: Floats, times: Floats, held: bool = False) -> Floats:
    """Scores of readings, shape (n, sensors), at times of shape (n,)."""
    slots = np.arange(values.shape[1])
    mask = np.full(len(slots), held)
    rounds = zip(values, times.tolist(), strict=True)
    return np.array([table.update(slots, row.copy(), np.full(len(slots), time), mask).score for row, time in rounds])


@pytest.mark.parametrize(("size", "most"), [("light", 4 * 1024), ("full", 64 * 1024)])
def test_a_sensor_uses_no_more_memory_than_promised(size: str, most: int) -> None:
    assert StateTable(Contextual(size=size)).bytes_per_sensor <= most


def test_within_a_step_the_band_of_the_last_one_holds() -> None:
    table, slots = StateTable(Contextual(size="light", step_s=45.0), 1), np.array([0])
    values = 20.0 + np.random.default_rng(3).normal(size=2400)
    bands = [
        table.update(slots, np.array([value]), np.array([START_S + 10.0 * place])) for place, value in enumerate(values)
    ]
    ends = np.array([(each.lower[0], each.upper[0]) for each in bands[-20:]])
    assert np.isfinite(ends).all()
    assert len(np.unique(ends, axis=0)) <= 8


@pytest.mark.long
@pytest.mark.parametrize("size", ["light", "full"])
def test_a_shift_remains_surprising_as_long_as_it_is_not_learned(size: str) -> None:
    values = 20.0 + np.random.default_rng(3).normal(size=(3000, 4))
    table = StateTable(Contextual(size=size), 4)
    scores_of(table, values[:2000], clock(2000, 300.0))
    shifted = scores_of(table, values[2000:] + 9.0, clock(3000, 300.0)[2000:], held=True)
    assert (shifted[30:] > 3.0).mean() > 0.95


@pytest.mark.long
def test_a_known_rest_on_sundays_is_not_surprising_but_one_on_a_workday_is() -> None:
    times = clock(6 * 7 * 144, 600.0)
    rng = np.random.default_rng(4)
    hours = np.where((times % DAY_S >= 7 * 3600) & (times % DAY_S < 18 * 3600), 10.0, 0.0)
    sunday = (times - 3 * DAY_S) % (7 * DAY_S) < DAY_S
    values = np.where(sunday, 0.0, hours)[:, None] + 0.5 * rng.normal(size=(len(times), 4))
    scores = scores_of(StateTable(Contextual(size="light"), 4), values, times)
    weeks = (times - START_S) / (7 * DAY_S)
    assert not (scores[weeks >= 2] > 4.0).any()
    working = np.flatnonzero((weeks >= 5) & ~sunday & (hours > 0))[:66]
    table = StateTable(Contextual(size="light"), 4)
    idle = values.copy()
    idle[working] -= 10.0
    assert (scores_of(table, idle, times)[working].max(axis=0) > 3.0).all()


def test_an_unknown_season_is_not_surprising_by_itself() -> None:
    times = np.concatenate([START_S + day * DAY_S + 8 * 3600 + 300.0 * np.arange(48) for day in range(20)])
    later = times[-1] + 8 * 3600 + 300.0 * np.arange(24)
    values = 20.0 + np.random.default_rng(5).normal(size=(len(times) + 24, 4))
    scores = scores_of(StateTable(Contextual(size="light"), 4), values, np.append(times, later))
    assert not (scores[-24:] > 3.0).any()


@pytest.mark.parametrize("interval_s", [0.01, 1.0, 3600.0])
def test_a_level_shift_is_found_at_any_rate(interval_s: float) -> None:
    values = 20.0 + np.random.default_rng(6).normal(size=(4000, 2))
    values[3600:] += 9.0
    scores = scores_of(StateTable(Contextual(size="light"), 2), values, clock(4000, interval_s))
    assert np.mean(scores[:3600] > 4.0) < 0.005
    assert (scores[3600:].max(axis=0) > 4.0).all()


@pytest.mark.long
@pytest.mark.parametrize(("interval_s", "fewest", "most"), [(60.0, 3000, 3000), (10.0, 1500, 2500), (0.01, 900, 2500)])
def test_a_fast_sensor_comes_to_be_judged_in_steps_of_time(interval_s: float, fewest: int, most: int) -> None:
    table = StateTable(Contextual(size="light", step_s=20.0), 1)
    scores_of(table, np.random.default_rng(7).normal(size=(3000, 1)), clock(3000, interval_s))
    assert fewest <= table.arrays["place"][0] <= most


def test_the_last_score_remains_valid_between_steps() -> None:
    table = StateTable(Contextual(size="light"), 1)
    table.arrays["readings"][:], table.arrays["born"][:] = 1e6, START_S - 1e6
    table.arrays["stepped"][:], table.arrays["score"][:] = START_S, 2.5
    scores = table.update(np.array([0]), np.array([1.0]), np.array([START_S + 10.0]))
    assert scores.score[0] == 2.5
    assert np.isnan(scores.expected[0])


@pytest.mark.long
@pytest.mark.parametrize("by", [-7 * DAY_S, 70 * DAY_S])
def test_a_clock_that_is_set_changes_the_length_of_no_step_of_a_young_and_fast_sensor(by: float) -> None:
    values, times = np.random.default_rng(9).normal(size=(4000, 2)), clock(4000, 0.25)
    still, moved = (StateTable(Contextual(size="light"), 2) for _ in range(2))
    scores_of(still, values[:2000], times[:2000])
    scores_of(moved, values[:2000], times[:2000])
    moved.shift(np.arange(2), by)
    later = scores_of(still, values[2000:], times[2000:]), scores_of(moved, values[2000:], times[2000:] + by)
    assert later[0].tobytes() == later[1].tobytes()
    assert (still.arrays["place"] == moved.arrays["place"]).all()


def variances(values: Floats) -> Floats:
    """The variance of the last values after each round, shape (n, sensors)."""
    state, slots = StateTable(Contextual(size="light"), values.shape[1]).arrays, np.arange(values.shape[1])
    found = []
    for turn, row in enumerate(values):
        at = turn % RECENT
        gone = state["recent"][:, at].copy()
        state["recent"][:, at] = row
        found.append(variance_of_recent(state, slots, row, gone))
    return np.array(found)


@pytest.mark.parametrize("level", [0.0, 20.0, 1e4, 1e9])
def test_the_variance_is_right_however_far_from_zero_the_values_are(level: float) -> None:
    values = level + np.random.default_rng(10).normal(size=(1000, 5))
    exact = [np.var(values[end - RECENT : end] - values[end - RECENT], axis=0) for end in range(RECENT, 1001)]
    assert variances(values)[RECENT - 1 :] == pytest.approx(np.array(exact), rel=1e-7)
    assert (variances(np.full((300, 3), level))[RECENT - 1 :] <= 1e-24 * level**2).all()


def test_a_huge_value_has_no_effect_on_the_variance_once_it_is_gone() -> None:
    values = np.random.default_rng(11).normal(size=(400, 3))
    values[150], values[155] = (1e3, 1e9, -1e100), (1e3, 1e7, 1e90)
    later = slice(155 + RECENT, None)
    exact = np.array([np.var(values[end - RECENT : end], axis=0) for end in range(156 + RECENT, 401)])
    assert variances(values)[later] == pytest.approx(exact, rel=1e-7)


@pytest.mark.long
def test_a_huge_residual_has_no_effect_on_the_season_level() -> None:
    values = 20.0 + np.random.default_rng(12).normal(size=(1500, 2))
    spiked = values.copy()
    spiked[1000:1003] += np.array([[1e100], [-1e90], [1e30]])
    tables = [StateTable(Contextual(size="light"), 2) for _ in range(2)]
    for table, series in zip(tables, (values, spiked), strict=True):
        scores_of(table, series[:1000], clock(1500, 600.0)[:1000])
        scores_of(table, series[1000:1030], clock(1500, 600.0)[1000:1030], held=True)
        scores_of(table, series[1030:], clock(1500, 600.0)[1030:])
    sums = [table.arrays["residual_sum"] for table in tables]
    assert sums[1] == pytest.approx(sums[0], rel=1e-6)


def test_the_polynomial_of_the_tail_approximates_that_tail() -> None:
    deviations = np.linspace(1e-6, FARTHEST, 1000)
    exact = [-np.log10(math.erfc(each / math.sqrt(2.0)) / 2.0) for each in deviations]
    assert upper_tail(deviations) == pytest.approx(exact, abs=0.05)
    assert upper_tail(np.array([-1.0, 0.0, 1e9])) == pytest.approx([0.0, 0.0, MOST], abs=1e-3)


@pytest.mark.parametrize("share", [0.2, 0.4, 0.5])
def test_the_steps_of_a_visit_together_have_about_the_share_of_the_visit(share: float) -> None:
    steps = np.array([1.0, 2.0, 6.0, 30.0, 1800.0])
    assert share_of_a_visit(share, steps) == pytest.approx(1.0 - (1.0 - share) ** (1.0 / steps), rel=0.01)


def test_one_reading_in_a_wrong_unit_does_not_widen_the_range() -> None:
    values = 20.0 + np.random.default_rng(8).normal(size=(1000, 2))
    values[500] = 1e9
    table = StateTable(Contextual(size="light"), 2)
    scores_of(table, values, clock(1000))
    assert (table.arrays["high"] - table.arrays["low"] < 50.0).all()


@pytest.mark.long
def test_three_decades_are_about_three_decades_on_noise_of_every_kind() -> None:
    values = np.concatenate(list(noises(4000, 2, seed=12).values()), axis=1)
    scores = scores_of(StateTable(Contextual(size="light"), values.shape[1]), values, clock(4000))
    above = np.nan_to_num(scores[1000:]) >= 3.0
    new = above[20:] & ~np.array([above[row : row + 20].any(axis=0) for row in range(len(above) - 20)])
    assert 2.5 <= -np.log10(new.mean()) <= 3.5
