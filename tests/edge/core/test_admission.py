from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.core.admission import DUPLICATE, LATE, STEP, TAKEN, Admission
from edge.core.messages import Batch


def judge(admission: Admission, pairs: list[tuple[int, float]]) -> list[int]:
    if pairs:
        admission.grow(max(slot for slot, _ in pairs) + 1)
    slots = np.array([slot for slot, _ in pairs], dtype=np.intp)
    times = np.array([time for _, time in pairs], dtype=np.float64)
    return admission.judge(Batch(slots, times, times, slots)).tolist()


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


def naive(pairs: list[tuple[int, float]]) -> list[int]:
    last: dict[int, float] = {}
    late: dict[int, tuple[float, int]] = {}
    verdicts = []
    for slot, time in pairs:
        before = last.get(slot, -math.inf)
        previous, run = late.get(slot, (-math.inf, 0))
        if time == before:
            verdicts.append(DUPLICATE)
            continue
        if time < before:
            run = run + 1 if time > previous else 1
            if run < STEP:
                late[slot] = (time, run)
                verdicts.append(LATE)
                continue
        last[slot] = time
        late.pop(slot, None)
        verdicts.append(TAKEN)
    return verdicts


PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12).map(float)), max_size=60)


@given(PAIRS, st.integers(1, 60))
def test_the_verdicts_are_those_of_a_plain_loop_however_the_readings_are_cut(
    pairs: list[tuple[int, float]], cut: int
) -> None:
    admission = Admission()
    verdicts = [
        verdict for start in range(0, len(pairs), cut) for verdict in judge(admission, pairs[start : start + cut])
    ]
    assert verdicts == naive(pairs)
