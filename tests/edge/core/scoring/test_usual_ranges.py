from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest

from edge.core.model.packing.encoding import encode_arrays
from edge.core.scoring.sensors.usual_ranges import BLOCK_S, UsualRanges

HOUR_S = 3600.0
NOWHERE = (math.inf, -math.inf)


def learned(values: Iterable[tuple[float, float]]) -> UsualRanges:
    """The range learned from these values, (time, value)."""
    made = UsualRanges()
    made.grow(1)
    for time, value in values:
        if made.stand_out(0, value, time, apart=False):
            made.learn(0, value, time)
    return made


def yardstick(of: UsualRanges, time: float, interval: float = 0.0) -> tuple[float, float, float, float]:
    found = of.yardstick(0, time, interval, 1000, is_device=False)
    return found.low, found.high, found.sure, found.episode_s


def test_the_range_holds_every_value_so_far() -> None:
    made = learned([(each * HOUR_S, 50.0 + 10.0 * math.sin(each)) for each in range(1, 20)])
    low, high, sure, _ = yardstick(made, 37 * HOUR_S)
    assert 40.0 <= low < 41.0
    assert 59.0 < high <= 60.0
    assert sure == pytest.approx(0.5)


def test_a_monthly_refill_stays_within_the_range() -> None:
    days = ((day * BLOCK_S, 95.0 - 2.5 * (day % 30)) for day in range(90))
    low, high, *_ = yardstick(learned(days), 90 * BLOCK_S)
    assert high > 88.0
    assert low < 30.0


def watched(hours: int, last: Iterable[float]) -> UsualRanges:
    """A sensor that was between 20 and 22 for so many hours, and at these values in the last ones."""
    values = [20.0 + each % 3 for each in range(hours)] + list(last)
    return learned([(each * HOUR_S, value) for each, value in enumerate(values)])


def test_what_led_to_an_incident_is_no_part_of_the_range() -> None:
    made = watched(240, [23.0, 24.0, 25.0])
    assert yardstick(made, 243 * HOUR_S)[1] == 22.0
    made.doubt(0)
    for hour in range(244, 300):
        made.learn(0, 21.0, hour * HOUR_S)
    assert yardstick(made, 300 * HOUR_S)[1] == pytest.approx(22.0, abs=0.1)


def test_what_led_to_no_incident_within_hours_becomes_a_part_of_the_range() -> None:
    made = watched(240, [25.0, *[21.0] * 12])
    assert yardstick(made, 252 * HOUR_S)[1] == 25.0


def test_what_came_before_a_pause_is_old_enough_after_it() -> None:
    made = watched(240, [25.0])
    made.learn(0, 21.0, 260 * HOUR_S)
    assert yardstick(made, 260 * HOUR_S)[1] == 25.0


def test_in_the_first_days_every_value_is_a_part_of_the_range_at_once() -> None:
    assert yardstick(watched(20, [25.0]), 21 * HOUR_S)[1] == 25.0


def test_a_state_of_a_version_that_held_nothing_back_is_read() -> None:
    made, again = watched(240, []), UsualRanges()
    again.grow(1)
    again.load(0, encode_arrays({name: each[:1] for name, each in made.arrays.items() if name not in again.LATER}))
    again.learn(0, 30.0, 240 * HOUR_S)
    assert yardstick(again, 240 * HOUR_S)[:2] == (20.0, 22.0)


def test_a_value_that_has_not_occurred_for_years_is_forgotten() -> None:
    days = ((day * BLOCK_S, 500.0 if day == 0 else 20.0 + day % 3) for day in range(1500))
    _, high, *_ = yardstick(learned(days), 1500 * BLOCK_S)
    assert high < 23.0


def test_nothing_is_known_of_a_sensor_without_values() -> None:
    low, high, *_ = yardstick(learned([]), 0.0)
    assert math.isnan(low)
    assert math.isnan(high)


def test_a_round_needs_the_same_checks_as_its_readings_one_by_one() -> None:
    made = UsualRanges()
    made.grow(5)
    for slot, value in ((0, 1.0), (0, 3.0), (1, 1.0), (1, 3.0), (2, 1.0), (2, 3.0)):
        made.learn(slot, value, 0.0)
    slots, values = np.arange(5), np.array([2.0, 4.0, np.nan, 2.0, 2.0])
    times, apart = np.array([5.0, 5.0, 5.0, 5.0, 5.0]), np.array([False, False, True, False, True])
    together = made.stand_out(slots, values, times, apart).tolist()
    columns = zip(slots.tolist(), values.tolist(), times.tolist(), apart.tolist(), strict=True)
    assert together == [bool(made.stand_out(*each)) for each in columns] == [False, True, False, True, False]


def test_a_round_teaches_the_same_as_its_readings_one_by_one() -> None:
    together, alone = UsualRanges(), UsualRanges()
    for each in (together, alone):
        each.grow(4)
    for turn, values in enumerate(([1.0, -0.0, 5.0, 2.0], [3.0, 0.0, 4.0, 2.0], [0.5, -0.0, 9.0, 1.0])):
        slots, times = np.arange(4), np.array([0.3, 0.4, 0.5, 0.6]) * turn * BLOCK_S
        together.learn_all(slots, np.array(values), times)
        for row in zip(slots.tolist(), values, times.tolist(), strict=True):
            alone.learn(*row)
    for name, array in alone.arrays.items():
        assert array.tobytes() == together.arrays[name].tobytes(), name


def test_the_usual_length_of_an_incident_follows_many_and_not_a_single_one() -> None:
    once, often = learned([]), learned([])
    once.learn_incident(0, 2 * BLOCK_S, *NOWHERE)
    for _ in range(40):
        often.learn_incident(0, 600.0, *NOWHERE)
    assert yardstick(once, 0.0)[3] < 1.3 * HOUR_S
    assert yardstick(often, 0.0)[3] == pytest.approx(600.0, rel=0.01)
    assert yardstick(often, 0.0, interval=HOUR_S)[3] == 10 * HOUR_S


def test_a_clock_that_is_set_does_not_age_a_sensor() -> None:
    made = learned([(0.0, 1.0), (HOUR_S, 2.0)])
    before = yardstick(made, HOUR_S)
    made.shift(np.array([0]), 10 * BLOCK_S)
    assert yardstick(made, HOUR_S + 10 * BLOCK_S) == before


def test_the_end_point_of_incidents_becomes_usual_only_if_it_repeats() -> None:
    days = [(day * BLOCK_S, 20.0 + day % 3) for day in range(10)]
    once, often = learned(days), learned(days)
    once.learn_incident(0, 600.0, 20.0, 1000.0)
    for _ in range(8):
        often.learn_incident(0, 600.0, 12.0, 30.0)
    assert yardstick(once, 10 * BLOCK_S)[1] == pytest.approx(26.0, abs=0.1)
    low, high, *_ = yardstick(often, 10 * BLOCK_S)
    assert 12.0 < low < 12.2
    assert 29.8 < high < 30.0
