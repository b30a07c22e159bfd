"""Devices: the rows formed by their sensors, for any interval, order, clocks and batches."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model.readings.messages import Batch
from edge.core.scoring.devices import HELD_INTERVALS, Devices, Rows

A, B, C, D = 0, 1, 2, 3
NONE = math.nan
Seen = tuple[int, float, float]


def devices(*, most: int = 16, hold_s: float | None = None) -> Devices:
    """Two devices: A, B and C in slot 4, and D alone, which needs none."""
    made = Devices()
    for slot in (A, B, C):
        made.join(slot, "pump/", most, hold_s)
    made.join(D, "other/", most, hold_s)
    made.allot("pump/", 4)
    made.grow(5)
    return made


def batch(seen: list[Seen]) -> Batch:
    """Readings: slot, time, value."""
    slots, times, values = zip(*seen, strict=True) if seen else ((), (), ())
    origins = np.arange(len(seen))
    return Batch(np.array(slots, dtype=np.intp), np.array(values, dtype=float), np.array(times, dtype=float), origins)


def plain(rows: Rows | None, first: int = 0) -> list[tuple[float, list[float], int]]:
    """Time, values and position of each row."""
    if rows is None:
        return []
    assert (rows.slots == 4).all()
    every = zip(rows.times.tolist(), rows.values.tolist(), rows.positions.tolist(), strict=True)
    return [(time, values, first + position) for time, values, position in every]


def same(one: object, other: object) -> bool:
    return repr(one) == repr(other)  # NaN is NaN here


def test_a_row_is_complete_when_each_sensor_has_sent_a_value() -> None:
    made = devices()
    first = [(A, 1.0, 10.0), (B, 1.1, 20.0), (D, 1.1, 5.0), (C, 1.2, 30.0)]
    assert made.assemble(batch(first)) is None
    told = plain(made.assemble(batch([(C, 2.2, 31.0), (A, 2.0, 11.0), (D, 2.1, 6.0), (B, 2.1, 21.0), (A, 3.0, 12.0)])))
    assert told == [(2.0, [11.0, 21.0, 31.0], 3)]


def test_the_fastest_sensor_sets_the_pace_and_the_values_of_the_others_are_held() -> None:
    made = devices()
    seen = [(A, 0.0, 0.0), (B, 0.0, 50.0), (C, 0.0, 90.0), (B, 4.0, 51.0)]
    made.assemble(batch(seen))
    told = plain(made.assemble(batch([(A, float(t), float(t)) for t in range(5, 12)])))
    assert [row[1][:2] for row in told[:3]] == [[5.0, 51.0], [6.0, 51.0], [7.0, 51.0]]


def test_a_value_that_is_too_old_is_missing_from_the_row() -> None:
    made = devices(hold_s=2.0)
    made.assemble(batch([(A, 0.0, 0.0), (B, 0.0, 1.0), (C, 0.0, 2.0)]))
    told = plain(made.assemble(batch([(A, 2.0, 1.0), (B, 2.0, 1.5), (A, 3.0, 2.0), (B, 3.0, 2.5), (A, 4.0, 3.0)])))
    assert same(told, [(2.0, [1.0, 1.5, 2.0], 2), (3.0, [2.0, 2.5, NONE], 4)])


def test_by_default_a_value_is_held_for_several_usual_intervals_of_its_sensor() -> None:
    made = devices()
    usual = [(slot, 10.0 * step, 1.0) for step in range(5) for slot in (A, B, C)]
    made.assemble(batch(usual))
    silent = [(slot, 40.0 + 10.0 * step, 1.0) for step in range(1, 8) for slot in (A, B)]
    missing = [math.isnan(row[1][C]) for row in plain(made.assemble(batch(silent)))]
    assert missing == [step > HELD_INTERVALS for step in range(1, 1 + len(missing))]
    assert True in missing


def test_a_single_value_is_not_a_row() -> None:
    made = devices(hold_s=1.0)
    assert made.assemble(batch([(A, float(t), 1.0) for t in range(10)])) is None


def test_a_sensor_whose_clock_runs_ahead_removes_no_sensor_from_the_rows() -> None:
    made = devices(hold_s=5.0)
    seen = [(slot, step + (3600.0 if slot == C else 0.0), float(step)) for step in range(20) for slot in (A, B, C)]
    told = plain(made.assemble(batch(seen)))
    assert told[-1] == (19.0, [19.0, 19.0, 19.0], 59)
    assert [row[0] for row in told] == sorted(row[0] for row in told)


def test_a_reading_from_before_the_last_row_is_too_late_for_one() -> None:
    made = devices(hold_s=50.0)
    packs = [(A, float(t), 1.0 * t) for t in range(10)] + [(B, float(t), 2.0 * t) for t in range(10)]
    made.assemble(batch([(A, -1.0, 0.0), (B, -1.0, 0.0)]))
    told = plain(made.assemble(batch(packs)))
    assert [row[0] for row in told] == [*(float(t) for t in range(9)), 8.0]
    assert told[-1][1][:2] == [9.0, 16.0]


def test_the_number_of_sensors_of_a_device_is_limited() -> None:
    made = devices(most=2)
    assert made.members(4) == [A, B]
    seen = [(slot, step, 1.0) for step in (0.0, 1.0) for slot in (C, A, B)]
    assert plain(made.assemble(batch(seen))) == [(1.0, [1.0, 1.0], 5)]


def test_a_clock_that_is_set_moves_the_held_times() -> None:
    still, moved = devices(hold_s=2.0), devices(hold_s=2.0)
    seen = [(slot, float(step), float(step)) for step in range(5) for slot in (A, B, C)]
    for each in (still, moved):
        each.assemble(batch(seen))
    moved.shift(np.array([A, B, C, D]), -100.0)
    later = [(A, 5.0, 7.0), (B, 5.0, 8.0), (A, 6.0, 9.0)]
    one = plain(still.assemble(batch(later)))
    two = plain(moved.assemble(batch([(slot, time - 100.0, value) for slot, time, value in later])))
    assert [(time - 100.0, values, position) for time, values, position in one] == two
    assert moved.devices_of([B, D]) == [4]


def test_only_devices_of_at_least_two_sensors_need_a_slot() -> None:
    made = devices()
    assert made.unallotted() == []
    made.join(5, "other/", 16, None)
    assert [each.name for each in made.unallotted()] == ["other/"]


def test_shares_are_sorted_by_size_and_name_their_sensors() -> None:
    made = devices()
    assert made.contributions(4, [0.2, 0.0, 0.8, 0.0]) == [(C, 0.8), (A, 0.2)]


READINGS = st.lists(
    st.tuples(st.sampled_from([A, B, C, D]), st.sampled_from([0.0, 0.4, 1.0, 7.0]), st.sampled_from([0.0, 0.0, -3.0])),
    max_size=60,
)


@given(READINGS, st.lists(st.integers(0, 60), max_size=6), st.sampled_from([None, 3.0]))
def test_rows_are_the_same_in_any_batches_and_after_a_restart(
    drawn: list[tuple[int, float, float]], cuts: list[int], hold_s: float | None
) -> None:
    now, seen = 0.0, []
    for index, (slot, elapsed, late) in enumerate(drawn):
        now += elapsed
        seen.append((slot, now + late, float(index)))
    whole = devices(hold_s=hold_s)
    at_once = plain(whole.assemble(batch(seen)))
    made, told = devices(hold_s=hold_s), []
    edges = sorted({0, *(min(cut, len(seen)) for cut in cuts), len(seen)})
    for first, last in pairwise(edges):
        saved = made.state(0, len(made))
        made = made.anew()
        made.load(0, saved)
        assert made.unloaded() == []
        told += plain(made.assemble(batch(seen[first:last])), first)
    trimmed = [[(t, [v for v in values if not math.isnan(v)], p) for t, values, p in each] for each in (at_once, told)]
    assert trimmed[0] == trimmed[1]
    assert whole.state(0, len(whole)) == made.state(0, len(made))
    assert [row[0] for row in told] == sorted(row[0] for row in told)


def test_a_device_with_other_sensors_than_before_starts_again() -> None:
    made, saved = devices(), devices()
    next(iter(saved._devices.values())).members = [A, B]
    made.load(0, saved.state(0, 1))
    assert made.unloaded() == [4]
    made.load(0, devices().state(0, 1))
    assert made.unloaded() == []


@pytest.mark.parametrize("slot", [A, D])
def test_only_slots_of_devices_are_devices(slot: int) -> None:
    assert not devices().is_device(slot)
    assert devices().is_device(4)
