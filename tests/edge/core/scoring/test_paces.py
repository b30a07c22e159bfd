from __future__ import annotations

import math
from itertools import chain

import numpy as np
import pytest

from edge.core.scoring.paces import Finding, Paces

DAY_S = 86_400.0


def seen(values: list[float], every_s: float = 60.0, *, counter: bool | None = None) -> tuple[Paces, list[float]]:
    """The input of the detectors for the readings of one sensor."""
    paces = Paces()
    paces.grow(1)
    paces.declare(0, counter=counter)
    given = [paces.see(0, float(value), every_s * index, index == 0)[0] for index, value in enumerate(values)]
    return paces, given


def findings(values: list[float], every_s: float = 60.0) -> list[tuple[int, Finding]]:
    """What the readings of one sensor show, with the index of the reading."""
    paces, found = Paces(), list[tuple[int, Finding]]()
    paces.grow(1)
    for index, value in enumerate(values):
        found += [(index, each) for each in paces.see(0, float(value), every_s * index, index == 0)[1]]
    return found


def steady(days: float, start: float = 100.0) -> list[float]:
    """A counter that rises by 5 to 8 per minute."""
    rises = [5.0 + 0.25 * (7 * index % 13) for index in range(int(days * 1440))]
    return [start + sum_ for sum_ in np.cumsum(rises).tolist()]


def is_usual(given: list[float]) -> bool:
    """Whether the input consists only of the rates of a steady counter."""
    return all(4.99 < each < 8.01 for each in given)


def test_a_sensor_that_has_only_risen_for_a_day_is_given_as_its_rate() -> None:
    paces, given = seen(steady(1.5))
    assert paces.per[0] == 60.0
    assert is_usual(given[-10:])


def test_a_new_sensor_that_only_rises_is_withheld_until_its_kind_is_known() -> None:
    _, given = seen(steady(0.9))
    assert given[:2] == steady(0.9)[:2]
    assert all(map(math.isnan, given[2:]))


def test_a_sensor_that_falls_is_given_unchanged() -> None:
    values = [20.0 + math.sin(index / 300) for index in range(3 * 1440)]
    paces, given = seen(values)
    assert paces.per[0] == 0
    assert given[1000:] == values[1000:]


def test_a_sensor_that_had_risen_and_falls_on_its_first_day_is_given_again() -> None:
    _, given = seen([*map(float, range(300)), 150.0, 151.0, 152.0])
    assert given[-3:] == [150.0, 151.0, 152.0]


@pytest.mark.parametrize("kind", ["midnight", "overflow", "restart"])
def test_a_reset_is_not_news(kind: str) -> None:
    length = {"midnight": 1440, "overflow": 2300, "restart": 3100}[kind]
    period = [0.0, *steady(length / 1440, start=0.0)][:length]
    values = (period * 6)[: 5 * 1440]
    paces, given = seen(values)
    known = [each for each in given[1441:] if not math.isnan(each)]
    assert paces.per[0] == 60.0
    assert len(known) > 4 * 1400
    assert is_usual(known)
    assert all(each.fell_to is None for _, each in findings(values))


@pytest.mark.parametrize("size", [1000.0, 10_000.0, 65_536.0, 6553.6])
def test_a_counter_that_overflows_often_remains_one_and_its_rate_too(size: float) -> None:
    values = [each % size for each in steady(6, start=size / 2)]
    paces = Paces()
    paces.grow(1)
    paces.declare(0, counter=None)
    given, jumps = list[float](), 0
    for index, value in enumerate(values):
        jumps += paces.jumped(0, value, 60.0 * index, 60.0 * (index - 1)) is not None
        given.append(float(paces.see(0, value, 60.0 * index, index == 0)[0]))
    assert paces.per[0] == 60.0
    assert paces.strikes[0] < 1.5
    assert jumps == 0
    assert is_usual([each for each in given[-3000:] if not math.isnan(each)])


def test_a_counter_with_coarse_steps_is_averaged_over_several_of_them() -> None:
    paces, given = seen([float(index // 10) for index in range(3 * 1440)])
    known = [each for each in given[1441:] if not math.isnan(each)]
    assert 3000 <= paces.width[0] <= 3600
    assert known == pytest.approx([6.0] * len(known), abs=1.01)


def test_steps_that_vary_have_the_resolution_of_their_smallest_difference() -> None:
    rng = np.random.default_rng(5)
    flows = np.repeat(rng.choice([0, 5, 6, 8], 600), 5)
    paces, _ = seen(np.cumsum(flows).tolist())
    assert paces.finest[0] == 1.0
    assert paces.width[0] <= 60.0


def test_a_counter_that_is_back_from_a_fall_was_not_reset() -> None:
    values = steady(2)
    values[2000] = 0.0
    assert is_usual(seen(values)[1][2001:2002])
    assert findings(values) == [(1440, Finding(0)), (2001, Finding(0, 0.0))]


def test_a_meter_may_be_replaced_once() -> None:
    values = [*steady(2), *steady(2, start=4.0 * 100)]
    assert seen(values)[0].per[0] == 60.0
    assert seen([*values, *steady(0.1, start=700.0)])[0].per[0] == 0


def test_a_counter_that_becomes_a_gauge_is_given_unchanged_and_doubted_for_a_week() -> None:
    rng = np.random.default_rng(3)
    gauge = (50 + rng.normal(size=300)).tolist()
    paces, given = seen([*steady(1.2), *gauge, *steady(3, start=60.0)])
    before = int(1.2 * 1440)
    assert given[before + 10 : before + 300] == gauge[10:]
    assert paces.per[0] == 0


def test_a_counter_may_fluctuate_by_a_step() -> None:
    values = [float(index) - (1.0 if index % 400 == 399 else 0.0) for index in range(3 * 1440)]
    values = [value - (1.0 if index > 2000 and index % 300 == 0 else 0.0) for index, value in enumerate(values)]
    paces, _ = seen(values)
    assert paces.per[0] > 0


def test_a_rule_declares_a_sensor_a_counter_immediately() -> None:
    paces, given = seen(steady(0.05), counter=True)
    assert math.isnan(given[0])
    assert paces.per[0] == 60.0
    assert is_usual(given[-10:])


def test_a_declared_counter_that_has_fallen_often_still_has_resets() -> None:
    replaced = [*steady(0.5, 4e5), *steady(0.3, 1e5), *steady(0.2, 3e4)]
    _, given = seen([*replaced, *steady(0.5, 0.0), *steady(0.5, 0.0)], counter=True)
    assert min(each for each in given if not math.isnan(each)) > 0


def test_a_rule_declares_that_a_sensor_is_not_a_counter() -> None:
    values = steady(3)
    paces, given = seen(values, counter=False)
    assert paces.per[0] == 0
    assert given == values


def test_a_counter_is_not_one_once_a_rule_says_so() -> None:
    paces, _ = seen(steady(1.5))
    assert paces.declare(0, counter=False)
    assert paces.see(0, 1e5, 2e5, False)[0] == 1e5
    assert not paces.declare(0, counter=False)


def test_setting_a_clock_changes_no_rate() -> None:
    paces, _ = seen(steady(1.5))
    paces.shift(np.array([0]), 3_600.0)
    count = int(1.5 * 1440)
    value = steady(1.5)[-1] + 6.0
    assert paces.see(0, value, 60.0 * count + 3_600.0, False)[0] == pytest.approx(6.0)


def test_many_sensors_at_once_are_treated_like_each_alone() -> None:
    rng = np.random.default_rng(11)
    steps = rng.choice([0.0, 0.1, 1.0, 2.5], (3000, 12), p=[0.5, 0.2, 0.2, 0.1])
    values = np.cumsum(steps, axis=0)
    values[:, 3] = rng.normal(size=3000)
    values[:, 4] %= 50.0
    values[2200, 5] = 0.0
    values[2000:, 6] += rng.normal(size=1000)
    together, alone = Paces(), [Paces() for _ in range(12)]
    for each in (together, *alone):
        each.grow(12)
    slots = np.arange(12)
    for index, row in enumerate(values):
        times = np.full(12, 60.0 * index)
        given, found = together.see(slots, row, times, np.full(12, index == 0))
        each_alone = [each.see(slot, float(row[slot]), 60.0 * index, index == 0) for slot, each in enumerate(alone)]
        singly = [pace for pace, _ in each_alone]
        assert sorted(found) == sorted(chain.from_iterable(its for _, its in each_alone))
        assert np.array_equal(given, singly, equal_nan=True)
    for slot, each in enumerate(alone):
        for name, array in together.arrays.items():
            assert array[slot].tobytes() == each.arrays[name][slot].tobytes(), (slot, name)
    assert (together.per[:12] > 0).sum() >= 8


def jumps(values: list[float], times: list[float]) -> list[int]:
    """The readings that are jumps, for a sensor that a rule declares a counter."""
    paces = Paces()
    paces.grow(1)
    paces.declare(0, counter=True)
    found = []
    for index, (value, time) in enumerate(zip(values, times, strict=True)):
        if index and paces.jumped(0, value, time, times[index - 1]):
            found.append(index)
            paces.leap(0, value, time)
        else:
            paces.see(0, value, time, index == 0)
    return found


def test_the_rise_during_a_long_gap_is_not_a_jump() -> None:
    values = steady(21)
    kept = [*range(1440), *range(20 * 1440, 21 * 1440)]
    assert jumps([values[each] for each in kept], [60.0 * each for each in kept]) == []


def test_a_counter_that_suddenly_counts_much_faster_jumps_once() -> None:
    rises = [5.0] * 300 + [1e6] * 100
    values = np.cumsum(rises).tolist()
    assert jumps(values, [60.0 * each for each in range(400)]) == [300]


def test_a_counter_that_is_back_from_a_fall_has_not_jumped() -> None:
    values = steady(1)
    values[1000:1003] = [0.0] * 3
    assert jumps(values, [60.0 * each for each in range(1440)]) == []


def test_jumps_are_found_in_arrays_as_for_single_readings() -> None:
    paces = Paces()
    paces.grow(3)
    values = np.array([100.0, 100.0, 100.0])
    slots = np.arange(3)
    for slot in (0, 1):
        paces.declare(slot, counter=True)
    for minute in range(100):
        paces.see(slots, values + 5.0 * minute, np.full(3, 60.0 * minute), np.full(3, minute == 0))
    after, times, before = np.array([1e6, 600.0, 1e6]), np.full(3, 6000.0), np.full(3, 5940.0)
    assert paces.jumped(slots, after, times, before).tolist() == [True, False, False]
    assert [bool(paces.jumped(each, after[each].item(), 6000.0, 5940.0)) for each in range(3)] == [True, False, False]
    assert paces.jumped(slots, values + 500.0, times, before) is None


def test_readings_of_equal_time_have_no_pace_in_between() -> None:
    paces = Paces()
    paces.grow(1)
    given = list[float]()
    for index, value in enumerate(steady(2.0)[::15]):
        given.append(paces.see(0, value, 900.0 * index, index == 0)[0])
        if index % 10 == 0:
            given.append(paces.see(0, value + 1.0, 900.0 * index + 1e-6, False)[0])
    assert paces.per[0] > 0
    assert max(each for each in given[-50:] if not math.isnan(each)) < 10.0
