from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulators.signals.machines import Counter, FillDrain, MachineCycle, OnOff, SetPoint
from simulators.signals.noise import HeavyTailed, MeanReverting, RandomWalk, WhiteNoise
from simulators.signals.randomness import Randomness
from simulators.signals.signals import DAY, HOUR, WEEK, Level, SeasonalSignal, Shared, Signal, Sum, WorkWeek

Run = Callable[..., tuple[Any, Any]]

EVERY_KIND = [
    Level(3.0),
    SeasonalSignal(2.0),
    WorkWeek(5.0),
    Sum((Level(1.0), WhiteNoise(1.0))),
    Shared("pump", MeanReverting(1.0, HOUR), 2.0),
    WhiteNoise(1.0),
    HeavyTailed(1.0),
    MeanReverting(1.0, HOUR),
    RandomWalk(1.0),
    MachineCycle(0.0, 10.0, 1500.0),
    FillDrain(20.0, 80.0, 7200.0, 1200.0),
    OnOff(1800.0, 900.0),
    SetPoint((1.0, 2.0, 3.0), 4 * HOUR),
    Counter(Level(0.1), reset_s=DAY),
]


@pytest.mark.parametrize("signal", EVERY_KIND, ids=lambda each: type(each).__name__)
def test_a_signal_is_finite_and_has_one_value_for_each_time(signal: Signal, run_signal: Run) -> None:
    times, values = run_signal(signal)
    assert values.shape == times.shape
    assert np.isfinite(values).all()


@pytest.mark.parametrize("signal", EVERY_KIND, ids=lambda each: type(each).__name__)
def test_the_same_seed_gives_the_same_signal(signal: Signal, run_signal: Run) -> None:
    assert run_signal(signal)[1].tobytes() == run_signal(signal)[1].tobytes()


@pytest.mark.parametrize(
    "signal",
    [each for each in EVERY_KIND if not isinstance(each, Level | SeasonalSignal | WorkWeek | Counter)],
    ids=lambda each: type(each).__name__,
)
def test_another_seed_gives_another_signal(signal: Signal, run_signal: Run) -> None:
    assert not np.array_equal(run_signal(signal)[1], run_signal(signal, seed=8)[1])


def test_a_season_repeats_after_its_period(run_signal: Run) -> None:
    _, values = run_signal(SeasonalSignal(4.0, peak_s=15 * HOUR), readings=2880)
    assert np.allclose(values[:1440], values[1440:])
    assert values[:1440].argmax() == 15 * 60
    assert abs(values[:1440].mean()) < 1e-9


def test_a_season_may_be_a_week_long(run_signal: Run) -> None:
    _, values = run_signal(SeasonalSignal(4.0, period_s=WEEK), readings=14 * 24, interval_s=HOUR)
    assert np.allclose(values[:168], values[168:])
    assert not np.allclose(values[:24], values[24:48])


def test_a_work_week_rests_at_night_and_at_weekends(run_signal: Run) -> None:
    times, values = run_signal(WorkWeek(100.0), readings=14 * 24, interval_s=HOUR)
    weekday = ((times // DAY).astype(int) + 3) % 7
    hour = (times % DAY) // HOUR
    assert (values[weekday >= 5] == 0).all()
    assert (values[(weekday < 5) & (hour == 12)] == 100).all()
    assert (values[hour < 6] == 0).all()


def test_a_sum_has_a_floor(run_signal: Run) -> None:
    _, values = run_signal(Sum((Level(0.5), WhiteNoise(1.0)), low=0.0))
    assert values.min() == 0.0


def test_the_shared_part_is_equal_for_all_and_scaled_for_each() -> None:
    load = MeanReverting(1.0, HOUR)
    one = Shared("pump", load, 2.0).source(Randomness(1, "temperature"), 60.0)(np.arange(100) * 60.0)
    other = Shared("pump", load, -3.0).source(Randomness(1, "pressure"), 60.0)(np.arange(100) * 60.0)
    stranger = Shared("tank", load, 2.0).source(Randomness(1, "temperature"), 60.0)(np.arange(100) * 60.0)
    assert np.allclose(one * -1.5, other)
    assert not np.allclose(one, stranger)


def test_a_detached_signal_has_the_same_law_but_is_independent() -> None:
    shared = Shared("pump", MeanReverting(1.0, 600.0), 2.0)
    times = np.arange(20_000) * 60.0
    common = shared.source(Randomness(1, "temperature"), 60.0)(times)
    alone = shared.detached(Randomness(1, "temperature"), 60.0)(times)
    assert alone.std() == pytest.approx(common.std(), rel=0.1)
    assert abs(np.corrcoef(common, alone)[0, 1]) < 0.1


def test_noise_has_its_spread_and_no_memory(run_signal: Run) -> None:
    _, values = run_signal(WhiteNoise(3.0), readings=20_000)
    assert values.std() == pytest.approx(3.0, rel=0.03)
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.03


def test_heavy_tails_go_further_than_gaussian_ones(run_signal: Run) -> None:
    _, heavy = run_signal(HeavyTailed(1.0, freedom=4.0), readings=20_000)
    _, gaussian = run_signal(WhiteNoise(1.0), readings=20_000)
    assert np.median(np.abs(heavy)) == pytest.approx(np.median(np.abs(gaussian)), rel=0.15)
    assert np.abs(heavy).max() > 2 * np.abs(gaussian).max()


def test_a_reverting_signal_has_its_spread_and_forgets(run_signal: Run) -> None:
    _, values = run_signal(MeanReverting(2.0, 600.0), readings=50_000)
    assert values.std() == pytest.approx(2.0, rel=0.1)
    assert np.corrcoef(values[10:], values[:-10])[0, 1] == pytest.approx(np.exp(-1), abs=0.07)
    assert abs(np.corrcoef(values[200:], values[:-200])[0, 1]) < 0.1


def test_a_random_walk_spreads_with_the_root_of_time(run_signal: Run) -> None:
    ends = np.array([run_signal(RandomWalk(1.0), readings=1500, seed=seed)[1][[239, 959]] for seed in range(200)])
    assert ends.std(axis=0)[0] == pytest.approx(2.0, rel=0.2)
    assert ends.std(axis=0)[1] == pytest.approx(4.0, rel=0.2)


def test_a_machine_cycles_between_its_levels_at_its_period(run_signal: Run) -> None:
    _, values = run_signal(MachineCycle(10.0, 50.0, 1200.0), readings=6000)
    starts = np.flatnonzero((values[1:] > 30) & (values[:-1] <= 30))
    assert values.min() == 10.0
    assert values.max() == pytest.approx(50.0)
    assert np.diff(starts).mean() == pytest.approx(20.0, rel=0.02)
    assert np.diff(starts).std() > 0


def test_a_tank_drains_slowly_and_fills_fast(run_signal: Run) -> None:
    _, values = run_signal(FillDrain(20.0, 80.0, 7200.0, 1200.0), readings=6000)
    rising = np.diff(values) > 0
    assert values.min() >= 20.0
    assert values.max() <= 80.0
    assert rising.mean() == pytest.approx(1 / 7, abs=0.03)


def test_on_and_off_are_the_only_values_and_have_the_given_durations(run_signal: Run) -> None:
    _, values = run_signal(OnOff(3000.0, 1200.0), readings=20_000)
    assert set(values) == {0.0, 1.0}
    assert values.mean() == pytest.approx(3000 / 4200, abs=0.05)
    assert np.count_nonzero(np.diff(values)) == pytest.approx(2 * 20_000 / 70, rel=0.1)


def test_a_set_point_stays_and_then_takes_another_of_its_levels(run_signal: Run) -> None:
    _, values = run_signal(SetPoint((10.0, 20.0, 40.0), 2 * HOUR), readings=20_000)
    changes = np.count_nonzero(np.diff(values))
    assert set(values) == {10.0, 20.0, 40.0}
    assert changes == pytest.approx(20_000 / 120, rel=0.35)


def test_a_counter_never_falls(run_signal: Run) -> None:
    _, values = run_signal(Counter(Sum((Level(0.1), WhiteNoise(0.2))), begins_at=500.0))
    assert (np.diff(values) >= 0).all()
    assert values[0] >= 500.0
    assert values[-1] > 600.0


def test_a_counter_is_reset_at_midnight(run_signal: Run) -> None:
    times, values = run_signal(Counter(Level(1 / 60), reset_s=DAY), readings=4320)
    falls = np.flatnonzero(np.diff(values) < 0) + 1
    assert (times[falls] % DAY == 0).all()
    assert len(falls) == 2
    assert np.allclose(values[falls], 1.0)


def test_a_counter_is_reset_when_it_is_full(run_signal: Run) -> None:
    _, values = run_signal(Counter(Level(1 / 60), full_at=100.0), readings=1000)
    assert values.max() < 100.0
    assert np.count_nonzero(np.diff(values) < 0) == 10
