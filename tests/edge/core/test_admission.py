from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.core.admission import DUPLICATE, LATE, REMEMBERED, STEP, TAKEN, Admission
from edge.core.messages import Batch


def judge(admission: Admission, pairs: list[tuple[int, float]]) -> list[int]:
    if pairs:
        admission.grow(max(slot for slot, _ in pairs) + 1)
    slots = np.array([slot for slot, _ in pairs], dtype=np.intp)
    times = np.array([time for _, time in pairs], dtype=np.float64)
    return admission.judge(Batch(slots, -times, times, slots)).tolist()


def test_times_that_move_forward_are_taken() -> None:
    assert judge(Admission(), [(0, 1.0), (0, 2.0), (1, 1.5)]) == [TAKEN] * 3


def test_a_repeated_time_is_a_duplicate_and_an_earlier_one_is_late() -> None:
    assert judge(Admission(), [(0, 5.0), (0, 5.0), (0, 4.0), (0, 6.0)]) == [TAKEN, DUPLICATE, LATE, TAKEN]


def test_a_late_sensor_hurts_no_other() -> None:
    assert judge(Admission(), [(0, 100.0), (1, 5.0), (0, 90.0), (1, 6.0)]) == [TAKEN, TAKEN, LATE, TAKEN]


def test_a_clock_that_was_set_back_is_believed_after_some_readings() -> None:
    admission = Admission()
    late = [(0, float(time)) for time in range(1, STEP + 2)]
    assert judge(admission, [(0, 1000.0), *late]) == [TAKEN] + [LATE] * (STEP - 1) + [TAKEN, TAKEN]
    assert admission.clock_steps == 1


def test_late_readings_that_do_not_move_forward_are_no_new_clock() -> None:
    verdicts = judge(Admission(), [(0, 1000.0)] + [(0, 10.0 - each) for each in range(2 * STEP)])
    assert verdicts == [TAKEN] + [LATE] * (2 * STEP)


def test_late_readings_that_were_taken_before_are_duplicates_and_set_no_clock_back() -> None:
    admission = Admission()
    again = [(0, float(time)) for time in range(REMEMBERED)]
    judge(admission, again)
    assert judge(admission, again * 3) == [DUPLICATE] * 3 * REMEMBERED
    assert admission.clock_steps == 0


def test_a_repeat_amid_late_readings_neither_counts_nor_starts_them_anew() -> None:
    admission = Admission()
    judge(admission, [(0, 2.0), (0, 1000.0)])
    sent = [(0, 3.0), (0, 4.0), (0, 2.0), (0, 5.0), (0, 6.0), (0, 1000.0), (0, 7.0)]
    assert judge(admission, sent) == [LATE, LATE, DUPLICATE, LATE, LATE, DUPLICATE, TAKEN]


def test_a_late_reading_of_a_known_time_with_another_value_is_no_repeat() -> None:
    admission = Admission()
    judge(admission, [(0, 1.0), (0, 2.0)])
    other = Batch(np.array([0]), np.array([7.0]), np.array([1.0]), np.array([0]))
    assert admission.judge(other).tolist() == [LATE]


def test_repeats_of_long_ago_are_late() -> None:
    admission = Admission()
    judge(admission, [(0, float(time)) for time in range(REMEMBERED + 1)])
    assert judge(admission, [(0, 0.0), (0, 1.0)]) == [LATE, DUPLICATE]


def test_when_the_clock_that_stamps_them_is_set_back_readings_go_on_from_there() -> None:
    admission = Admission()
    judge(admission, [(0, 1000.0), (1, 1000.0)])
    admission.shift(np.array([0]), -900.0)
    assert judge(admission, [(0, 100.5), (1, 100.5)]) == [TAKEN, LATE]


def naive(pairs: list[tuple[int, float]], remembered: int = REMEMBERED) -> list[int]:
    taken: dict[int, list[float]] = {}
    late: dict[int, tuple[float, int]] = {}
    verdicts = []
    for slot, time in pairs:
        before = taken.setdefault(slot, [])
        last = before[-1] if before else -math.inf
        previous, run = late.get(slot, (-math.inf, 0))
        if time <= last and (time == last or time in before[-remembered:]):
            verdicts.append(DUPLICATE)
            continue
        if time < last:
            run = run + 1 if time > previous else 1
            if run < STEP:
                late[slot] = (time, run)
                verdicts.append(LATE)
                continue
        before.append(time)
        late.pop(slot, None)
        verdicts.append(TAKEN)
    return verdicts


PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12).map(float)), max_size=60)
LONG = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 150).map(float)), min_size=100, max_size=200)


@settings(max_examples=60)
@given(PAIRS | LONG, st.integers(1, 60))
@example([(0, 5.0), (1, 5.0), (0, 3.0), (1, 6.0), (0, 7.0), (1, 2.0)], 5)
def test_the_verdicts_are_those_of_a_plain_loop_however_the_readings_are_cut(
    pairs: list[tuple[int, float]], cut: int
) -> None:
    admission, whole = Admission(), Admission()
    verdicts = [
        verdict for start in range(0, len(pairs), cut) for verdict in judge(admission, pairs[start : start + cut])
    ]
    assert verdicts == naive(pairs)
    judge(whole, pairs)
    for name in ("last_time", "late_time", "late_run", "recent", "count"):
        assert getattr(admission, name).tolist() == getattr(whole, name).tolist()
