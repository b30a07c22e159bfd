from __future__ import annotations

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.core.model.readings.stream_clock import ALONE, TOLERANCE_S, Skip, StreamClock

Readings = list[tuple[int, float]]


def clocks(clock: StreamClock, readings: Readings) -> list[float]:
    slots = np.array([slot for slot, _ in readings], dtype=np.intp)
    return clock.advance(slots, np.array([time for _, time in readings])).tolist()


def plain(readings: Readings) -> list[float]:
    """Properties of the clock, reading by reading: a leap needs two sensors, or a sensor that is the only one."""
    now, several, waiting, run = -math.inf, False, None, 0
    clock = []
    for slot, time in readings:
        several = several or slot > 0
        if now == -math.inf or not several or time <= now + TOLERANCE_S:
            now = max(now, time)
            if waiting is None or slot != waiting[0]:
                run = 0
        elif waiting is not None and slot == waiting[0]:
            waiting, run = (slot, time), run + 1
            if run >= ALONE:
                now = time
        elif waiting is None or waiting[1] <= now + TOLERANCE_S:
            waiting, run = (slot, time), 1
        else:
            earlier, run = min(time, waiting[1]), 0
            if time > waiting[1]:
                waiting = (slot, time)
            now = earlier
        clock.append(now)
    return clock


TIMES = st.one_of(
    st.integers(0, 30).map(float),
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, TOLERANCE_S, 2 * TOLERANCE_S, 2.0000001, 1e9]),
)
READINGS = st.lists(st.tuples(st.integers(0, 3), TIMES), min_size=1, max_size=60)


@pytest.mark.parametrize(("few", "together"), [(0, 1), (0, 2), (3, 1), (8, 64)])
@given(readings=READINGS, cut=st.integers(1, 60))
@example(readings=[(0, 0.0), (0, -0.0)], cut=1)
def test_the_clock_equals_that_of_a_plain_loop_in_any_batching(
    few: int, together: int, readings: Readings, cut: int
) -> None:
    with patch.multiple("edge.core.model.readings.stream_clock", FEW=few, AFTER_A_LEAP=together):
        walk(readings, cut)


def walk(readings: Readings, cut: int) -> None:
    clock, times, skips = StreamClock(), list[float](), list[Skip]()
    for start in range(0, len(readings), cut):
        times += clocks(clock, readings[start : start + cut])
        skips += [each._replace(place=start + each.place) for each in clock.skips]
    assert times == plain(readings)
    whole = StreamClock()
    clocks(whole, readings)
    assert whole.skips == skips
    assert whole.state() == clock.state()


@given(READINGS)
def test_the_clock_never_goes_back_and_never_beyond_the_latest_reading(readings: Readings) -> None:
    clock = clocks(StreamClock(), readings)
    latest = np.maximum.accumulate([time for _, time in readings])
    assert clock == sorted(clock)
    assert (np.array(clock) <= latest).all()


@given(
    st.lists(st.tuples(st.integers(1, 3), st.floats(0.01, 30.0), st.integers(0, ALONE - 1)), min_size=1, max_size=40),
    st.floats(0.0, 60.0) | st.sampled_from([0.5, TOLERANCE_S, 3.0, 1e3, 1e9]),
)
def test_a_sensor_that_runs_ahead_moves_the_clock_by_no_more_than_the_tolerance(
    others: list[tuple[int, float, int]], ahead: float
) -> None:
    readings: Readings = [(1, 0.0)]
    truth, now = [0.0], 0.0
    for slot, gap, wrong in others:
        for turn in range(1, wrong + 1):
            readings.append((0, now + gap * turn / (wrong + 1) + ahead))
            truth.append(now + gap * turn / (wrong + 1))
        now += gap
        readings.append((slot, now))
        truth.append(now)
    assert all(
        clock <= time + min(ahead, TOLERANCE_S) + 1e-6
        for clock, time in zip(clocks(StreamClock(), readings), truth, strict=True)
    )


def test_a_single_sensor_is_trusted_immediately() -> None:
    assert clocks(StreamClock(), [(0, 0.0), (0, 100.0), (0, 7_000.0)]) == [0.0, 100.0, 7_000.0]


def test_a_plant_that_pauses_continues_with_the_second_sensor() -> None:
    before = [(slot, float(time)) for time in range(5) for slot in range(3)]
    assert clocks(StreamClock(), [*before, (1, 1000.0), (0, 1001.0), (2, 1001.5)])[-3:] == [4.0, 1000.0, 1001.5]


def test_the_last_sensor_of_a_plant_is_trusted_after_some_readings() -> None:
    alone = [(1, 100.0 * turn) for turn in range(1, ALONE + 2)]
    assert clocks(StreamClock(), [(0, 0.0), (1, 0.0), *alone])[2:] == [0.0] * (ALONE - 1) + [500.0, 600.0]


def test_a_sensor_far_in_the_past_delays_no_other() -> None:
    readings = [each for time in range(10) for each in ((0, time - 1e6), (1, float(time)), (2, time + 0.5))]
    assert clocks(StreamClock(), readings)[-1] == 9.5


@pytest.mark.parametrize("few", [0, 8])
@given(readings=READINGS, cut=st.integers(1, 60), by_arrival=st.lists(st.booleans(), min_size=4, max_size=4))
def test_arrivals_move_the_clock_at_once_in_any_batching(
    few: int, readings: Readings, cut: int, by_arrival: list[bool]
) -> None:
    with patch.multiple("edge.core.model.readings.stream_clock", FEW=few):
        batched, single = StreamClock(), StreamClock()
        batched.by_arrival = single.by_arrival = by_arrival
        one_by_one = [single.reach(*each) for each in readings]
        assert (
            clocks(batched, readings[:cut]) + (clocks(batched, readings[cut:]) if readings[cut:] else []) == one_by_one
        )
        assert batched.state() == single.state()
    latest = -math.inf
    for (slot, time), now in zip(readings, one_by_one, strict=True):
        latest = max(latest, time) if by_arrival[slot] else latest
        assert now >= latest
    if all(by_arrival):
        assert now == latest
        assert batched.skips == []
