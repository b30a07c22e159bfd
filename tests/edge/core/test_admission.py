from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.core.admission import (
    DUPLICATE,
    LATE,
    PACE,
    PACED_OVER,
    REMEMBERED,
    STEP,
    TAKEN,
    Admission,
    ArrivalsNoted,
    ArrivalsTold,
)
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


def judge_arrived(admission: Admission, sent: list[tuple[float, float]]) -> list[int]:
    """Verdicts on readings of one sensor: time and arrival."""
    admission.grow(1)
    times = np.array([time for time, _ in sent])
    batch = Batch(np.zeros(len(sent), dtype=np.intp), -times, times, np.arange(len(sent)))
    return admission.judge(batch, ArrivalsNoted(lambda origin: sent[origin][1])).tolist()


def test_an_old_queue_that_is_delivered_in_a_burst_sets_no_clock_back_however_long_it_is() -> None:
    admission = Admission()
    judge(admission, [(0, float(time)) for time in range(2000)])
    queue = [(float(time), 2000.0 + time / 1000) for time in range(1500)]
    assert judge_arrived(admission, queue) == [LATE] * 1500
    assert admission.clock_steps == 0


def test_a_clock_that_was_set_back_is_believed_when_its_readings_come_at_their_own_pace() -> None:
    admission = Admission()
    judge(admission, [(0, 100_000.0)])
    sent = [(float(time), 100_000.0 + time) for time in range(STEP)]
    assert judge_arrived(admission, sent) == [LATE] * (STEP - 1) + [TAKEN]


def test_a_new_clock_is_believed_after_a_burst_too() -> None:
    admission = Admission()
    judge(admission, [(0, 1e9)])
    burst = [(float(time), 1e9) for time in range(5000)]
    live = [(5000.0 + time, 1e9 + time) for time in range(PACED_OVER + STEP)]
    verdicts = judge_arrived(admission, burst + live)
    assert verdicts[: len(burst)] == [LATE] * len(burst)
    assert verdicts[-1] == TAKEN


def test_a_new_clock_is_believed_when_readings_come_in_packs() -> None:
    admission = Admission()
    judge(admission, [(0, 1e9)])
    packs = [(float(pack * 100 + each), 1e9 + pack * 100) for pack in range(3) for each in range(100)]
    assert judge_arrived(admission, packs)[-1] == TAKEN
    assert admission.clock_steps == 1


def test_arrivals_that_were_noted_give_the_same_verdicts_when_they_are_told() -> None:
    sent = [(5000.0, 5000.0)] + [(float(time), 5000.0 + time * time / 50) for time in range(300)]
    times = np.array([time for time, _ in sent])
    batch = Batch(np.zeros(len(sent), dtype=np.intp), -times, times, np.arange(len(sent)))
    live, again = Admission(), Admission()
    live.grow(1)
    again.grow(1)
    arrivals = ArrivalsNoted(lambda origin: sent[origin][1])
    verdicts = live.judge(batch, arrivals).tolist()
    assert LATE in verdicts
    assert TAKEN in verdicts[1:]
    assert again.judge(batch, ArrivalsTold(arrivals.noted)).tolist() == verdicts
    for name in ("last_time", "late_time", "late_run", "run_time", "run_arrived", "recent", "count"):
        assert getattr(again, name).tobytes() == getattr(live, name).tobytes()


def naive(pairs: list[tuple[int, float]], arrived: list[float] | None = None) -> list[int]:
    taken: dict[int, list[float]] = {}
    late: dict[int, list[tuple[float, float]]] = {}
    verdicts = []
    for index, (slot, time) in enumerate(pairs):
        arrival = math.nan if arrived is None else arrived[index]
        before = taken.setdefault(slot, [])
        last = before[-1] if before else -math.inf
        if time <= last and (time == last or time in before[-REMEMBERED:]):
            verdicts.append(DUPLICATE)
            continue
        if time < last:
            run = late.get(slot, [])
            run = [*run, (time, arrival)] if run and time > run[-1][0] and len(run) < PACED_OVER else [(time, arrival)]
            late[slot] = run
            too_fast = arrival - run[0][1] < PACE * (time - run[0][0])
            if len(run) < STEP or too_fast:
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


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40).map(float), st.integers(0, 12)), max_size=200),
    st.integers(1, 60),
)
def test_the_pace_is_judged_as_in_a_plain_loop_however_the_readings_are_cut(
    sent: list[tuple[int, float, int]], cut: int
) -> None:
    admission = Admission()
    admission.grow(2)
    slots = np.array([slot for slot, _, _ in sent], dtype=np.intp)
    times = np.array([time for _, time, _ in sent], dtype=np.float64)
    arrived = np.cumsum([waited / 8 for _, _, waited in sent])
    whole = Batch(slots, -times, times, np.arange(len(sent)))
    verdicts = []
    for start in range(0, len(sent), cut):
        batch = whole.take(np.arange(start, min(start + cut, len(sent))))
        verdicts += admission.judge(batch, ArrivalsNoted(lambda origin: float(arrived[origin]))).tolist()
    assert verdicts == naive([(slot, time) for slot, time, _ in sent], arrived.tolist())
