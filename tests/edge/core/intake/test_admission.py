from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.core.intake.times.admission import DUPLICATE, LATE, TAKEN, Admission, ObservedArrivals, RecordedArrivals
from edge.core.intake.times.clock_evidence import AGAIN, PACE, REPORT_S, REPORTS, STEP
from edge.core.intake.times.recent_readings import MOMENT_S, REMEMBERED
from edge.core.model.readings.messages import Batch


def judge(admission: Admission, pairs: list[tuple[int, float]]) -> list[int]:
    if pairs:
        admission.grow(max(slot for slot, _ in pairs) + 1)
    slots = np.array([slot for slot, _ in pairs], dtype=np.intp)
    times = np.array([time for _, time in pairs], dtype=np.float64)
    return admission.judge(Batch(slots, -times, times, slots)).tolist()


def test_times_that_move_forward_are_accepted() -> None:
    assert judge(Admission(), [(0, 1.0), (0, 2.0), (1, 1.5)]) == [TAKEN] * 3


def test_a_repeated_time_is_a_duplicate_and_an_earlier_one_is_late() -> None:
    assert judge(Admission(), [(0, 5.0), (0, 5.0), (0, 4.0), (0, 6.0)]) == [TAKEN, DUPLICATE, LATE, TAKEN]


def test_a_late_sensor_affects_no_other() -> None:
    assert judge(Admission(), [(0, 100.0), (1, 5.0), (0, 90.0), (1, 6.0)]) == [TAKEN, TAKEN, LATE, TAKEN]


def test_a_clock_that_was_set_back_is_accepted_after_some_readings() -> None:
    admission = Admission()
    late = [(0, float(time)) for time in range(1, STEP + 2)]
    assert judge(admission, [(0, 1000.0), *late]) == [TAKEN] + [LATE] * (STEP - 1) + [TAKEN, TAKEN]
    assert admission.clock_steps == 1


def test_late_readings_that_do_not_move_forward_are_not_a_new_clock() -> None:
    verdicts = judge(Admission(), [(0, 1000.0)] + [(0, 10.0 - each) for each in range(2 * STEP)])
    assert verdicts == [TAKEN] + [LATE] * (2 * STEP)


def test_late_readings_that_were_accepted_before_are_duplicates_and_set_no_clock_back() -> None:
    admission = Admission()
    again = [(0, float(time)) for time in range(REMEMBERED)]
    judge(admission, again)
    assert judge(admission, again * 3) == [DUPLICATE] * 3 * REMEMBERED
    assert admission.clock_steps == 0


def test_a_repetition_among_late_readings_neither_counts_nor_restarts_the_count() -> None:
    admission = Admission()
    judge(admission, [(0, 2.0), (0, 1000.0)])
    sent = [(0, 3.0), (0, 4.0), (0, 2.0), (0, 5.0), (0, 6.0), (0, 1000.0), (0, 7.0)]
    assert judge(admission, sent) == [LATE, LATE, DUPLICATE, LATE, LATE, DUPLICATE, TAKEN]


def test_a_late_reading_of_a_known_time_with_another_value_is_not_a_repetition() -> None:
    admission = Admission()
    judge(admission, [(0, 1.0), (0, 2.0)])
    other = Batch(np.array([0]), np.array([7.0]), np.array([1.0]), np.array([0]))
    assert admission.judge(other).tolist() == [LATE]


def test_repetitions_from_long_ago_are_late() -> None:
    admission = Admission()
    judge(admission, [(0, float(time)) for time in range(REMEMBERED + 1)])
    assert judge(admission, [(0, 0.0), (0, 1.0)]) == [LATE, DUPLICATE]


def test_when_the_clock_that_stamps_them_is_set_back_readings_continue_from_there() -> None:
    admission = Admission()
    judge(admission, [(0, 1000.0), (1, 1000.0)])
    admission.shift(np.array([0]), -900.0)
    assert judge(admission, [(0, 100.5), (1, 100.5)]) == [TAKEN, LATE]


def judge_arrived(admission: Admission, sent: list[tuple[float, float]]) -> list[int]:
    """Verdicts on readings of one sensor, given as (time, arrival)."""
    admission.grow(1)
    times = np.array([time for time, _ in sent])
    batch = Batch(np.zeros(len(sent), dtype=np.intp), -times, times, np.arange(len(sent)))
    return admission.judge(batch, ObservedArrivals(lambda origin: sent[origin][1])).tolist()


def clock_steps(admission: Admission, sent: list[tuple[float, float]]) -> int:
    """Number of times that readings of one sensor, given as (time, arrival), indicate that its clock was set back."""
    verdicts = judge_arrived(admission, sent)
    assert (TAKEN in verdicts) == (admission.clock_steps > 0)
    return admission.clock_steps


def taken_at(*times: float) -> Admission:
    """An admission stage that has accepted readings of one sensor at these times."""
    admission = Admission()
    assert judge(admission, [(0, each) for each in times]) == [TAKEN] * len(times)
    return admission


def test_an_old_queue_that_is_delivered_in_a_burst_sets_no_clock_back_whatever_its_length() -> None:
    admission = taken_at(5000.0)
    assert judge_arrived(admission, [(float(time), 5000.0 + time / 1000) for time in range(1500)]) == [LATE] * 1500


@pytest.mark.long
@pytest.mark.parametrize("stall_s", [0.4, 4.0, 40.0])
@pytest.mark.parametrize("interval_s", [0.1, 1.0, 60.0])
def test_one_stall_in_such_a_burst_is_not_a_pace_wherever_it_is(stall_s: float, interval_s: float) -> None:
    for place in range(64):
        admission = taken_at(1e9)
        sent = [(each * interval_s, 1e9 + each / 1000 + stall_s * (each > place)) for each in range(128)]
        assert clock_steps(admission, sent) == 0


@pytest.mark.parametrize("interval_s", [0.1, 1.0])
def test_old_readings_that_arrive_much_slower_than_they_were_taken_set_no_clock_back(interval_s: float) -> None:
    sent = [(each * interval_s, 1e9 + 4.0 * each) for each in range(100)]
    assert clock_steps(taken_at(1e9), sent) == 0


@pytest.mark.long
def test_readings_that_were_accepted_before_set_no_clock_back_at_their_own_pace_either() -> None:
    times = [each / 10 for each in range(30_000)]
    admission = taken_at(*times)
    assert clock_steps(admission, [(each, 4000.0 + each) for each in times[21_000:]]) == 0


def test_a_slow_sensor_repeats_itself_for_hours_without_a_clock_step() -> None:
    times = [60.0 * each for each in range(1000)]
    admission = taken_at(*times)
    again = [(each, 1e6 + each) for each in times[-REMEMBERED:]]
    assert judge_arrived(admission, again) == [DUPLICATE] * REMEMBERED


def test_messages_marked_as_redelivered_are_no_evidence() -> None:
    admission = taken_at(1e9)
    assert judge_arrived(admission, [(float(time), AGAIN) for time in range(100)]) == [LATE] * 100
    live = [(1000.0 + time, 1e9 + time) for time in range(STEP)]
    assert judge_arrived(admission, live) == [LATE] * (STEP - 1) + [TAKEN]


def test_a_clock_that_was_set_back_is_accepted_when_its_readings_arrive_at_their_own_pace() -> None:
    sent = [(float(time), 100_000.0 + time) for time in range(STEP)]
    assert judge_arrived(taken_at(100_000.0), sent) == [LATE] * (STEP - 1) + [TAKEN]


@pytest.mark.parametrize("interval_s", [0.1, 1.0, 10.0, 60.0, 3600.0])
@pytest.mark.parametrize("known_for", [1, 5000])
def test_a_clock_that_was_set_back_is_accepted_within_seconds_or_a_few_readings(
    interval_s: float, known_for: int
) -> None:
    admission = taken_at(*[each * interval_s for each in range(known_for)], 1e9)
    chance = np.random.default_rng(3)
    late = [1e8 + interval_s * (each + chance.uniform(-0.1, 0.1)) for each in range(400)]
    verdicts = judge_arrived(admission, [(each, 1e9 + each + chance.uniform(0, 0.02)) for each in late])
    readings = verdicts.index(TAKEN) + 1
    assert readings * interval_s <= max(8 * interval_s, 6 * MOMENT_S)


def test_a_clock_that_was_set_back_to_earlier_times_is_accepted_because_of_its_new_values() -> None:
    times = [60.0 * each for each in range(300)]
    admission = taken_at(*times)
    again = times[-60:]
    batch = Batch(np.zeros(60, dtype=np.intp), np.arange(60.0), np.array(again), np.arange(60))
    verdicts = admission.judge(batch, ObservedArrivals(lambda origin: 18_000.0 + again[origin])).tolist()
    assert verdicts == [LATE] * (STEP - 1) + [TAKEN] * (60 - STEP + 1)


def test_a_new_clock_is_accepted_after_a_burst_too() -> None:
    admission = taken_at(1e9)
    burst = [(float(time), 1e9) for time in range(5000)]
    live = [(5000.0 + time, 1e9 + time) for time in range(STEP + 1)]
    verdicts = judge_arrived(admission, burst + live)
    assert verdicts[: len(burst)] == [LATE] * len(burst)
    assert verdicts[-1] == TAKEN


@pytest.mark.parametrize("size", [2, 10, 100])
def test_a_new_clock_is_accepted_when_readings_arrive_in_packs(size: int) -> None:
    admission = taken_at(1e9)
    packs = [(float(pack * 100 + each), 1e9 + pack * 100) for pack in range(REPORTS) for each in range(size)]
    assert judge_arrived(admission, packs)[-1] == TAKEN
    assert admission.clock_steps == 1


def test_a_new_clock_is_accepted_when_a_sensor_sends_some_messages_together() -> None:
    sent = [(60.0 * minute + 20 * each, 1e9 + 60 * minute + 0.01 * each) for minute in range(4) for each in range(3)]
    assert clock_steps(taken_at(1e9), sent) == 1


@pytest.mark.long
def test_old_packs_that_are_delivered_again_set_no_clock_back_with_a_stall_between_them() -> None:
    for place in range(20):
        sent = [
            (10.0 * pack + each, 1e9 + 0.05 * pack + 10 * (pack > place)) for pack in range(40) for each in range(10)
        ]
        assert clock_steps(taken_at(1e9), sent) == 0


def test_recorded_arrivals_give_the_same_verdicts_in_a_replay() -> None:
    sent = [(5000.0, 5000.0)] + [(float(time), 5000.0 + time * time / 50) for time in range(300)]
    times = np.array([time for time, _ in sent])
    batch = Batch(np.zeros(len(sent), dtype=np.intp), -times, times, np.arange(len(sent)))
    live, again = Admission(), Admission()
    live.grow(1)
    again.grow(1)
    arrivals = ObservedArrivals(lambda origin: sent[origin][1])
    verdicts = live.judge(batch, arrivals).tolist()
    assert LATE in verdicts
    assert TAKEN in verdicts[1:]
    assert again.judge(batch, RecordedArrivals(arrivals.noted)).tolist() == verdicts
    assert everything(again) == everything(live)


def everything(admission: Admission) -> dict[str, bytes]:
    owners = (admission, admission.recent, admission.evidence, admission.same)
    return {name: array.tobytes() for owner in owners for name, array in owner.arrays.items()}


def readings(*told: tuple[float, float]) -> Batch:
    values, times = np.array([value for value, _ in told]), np.array([time for _, time in told])
    return Batch(np.zeros(len(told), dtype=np.intp), values, times, np.arange(len(told)))


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_readings_of_one_time_are_accepted_if_their_values_differ_and_are_a_microsecond_apart(cut: int) -> None:
    admission = Admission()
    admission.grow(1)
    told = [(float(place), 1000.0 + place // 10) for place in range(40)]
    verdicts, times = list[int](), list[float]()
    for start in range(0, 40, cut):
        verdicts += admission.judge(readings(*told[start : start + cut])).tolist()
        times += [admission.moved.get(place, time) for place, (_, time) in enumerate(told[start : start + cut])]
    assert verdicts == [TAKEN] * 40
    assert admission.same_times == 36
    assert times == pytest.approx([1000.0 + place // 10 + place % 10 * 1e-6 for place in range(40)], abs=1e-9)
    assert admission.judge(readings((39.0, 1003.0), (5.0, 1003.0), (6.0, 1003.0), (5.0, 1003.0))).tolist() == [
        DUPLICATE, TAKEN, TAKEN, DUPLICATE,
    ]  # fmt: skip


def test_a_sensor_that_repeats_everything_counts_once_however_long_it_does() -> None:
    admission = Admission()
    admission.grow(1)
    told = [(float(place % 7), 1000.0 + place) for place in range(600) for _ in range(2)]
    assert admission.judge(readings(*told)).tolist() == [TAKEN, DUPLICATE] * 600


class Naive:
    """A simple model of the admission of one sensor."""

    def __init__(self) -> None:
        self.last = -math.inf
        self.late = -math.inf
        self.remembered: list[float] = []
        self.reports: list[list[tuple[float, float]]] = []

    def stands_out(self, time: float, before: float) -> bool:
        is_young = len(self.remembered) < REMEMBERED
        return is_young or before == -math.inf or time // MOMENT_S != before // MOMENT_S

    def verdict(self, time: float, arrived: float) -> int:
        if time == self.last:
            return DUPLICATE
        if time < self.last:
            is_telling, self.late = self.stands_out(time, self.late), time
            if time in self.remembered[-REMEMBERED:]:
                return DUPLICATE
            if not is_telling or not self.is_step(time, arrived):
                return LATE
        if self.stands_out(time, self.last):
            self.remembered.append(time)
        self.last = time
        self.reports = []
        return TAKEN

    def is_step(self, time: float, arrived: float) -> bool:
        if arrived == AGAIN:
            return False
        if self.reports:
            ahead, passed = time - self.reports[-1][0][0], arrived - self.reports[-1][0][1]
            if ahead > 0 and passed < REPORT_S:
                self.reports[-1].append((time, arrived))
                return self.is_enough()
            if ahead <= 0 or passed < PACE * ahead or ahead < PACE * passed:
                self.reports = []
        self.reports.append([(time, arrived)])
        return self.is_enough()

    def is_enough(self) -> bool:
        return len(self.reports) >= REPORTS and sum(map(len, self.reports)) >= STEP


def naive(pairs: list[tuple[int, float]], arrived: list[float] | None = None) -> list[int]:
    sensors: dict[int, Naive] = {}
    return [
        sensors.setdefault(slot, Naive()).verdict(time, math.nan if arrived is None else arrived[index])
        for index, (slot, time) in enumerate(pairs)
    ]


PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12).map(float)), max_size=60)
LONG = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 150).map(float)), min_size=100, max_size=200)
FAST = st.tuples(st.integers(520, 900), LONG).map(
    lambda drawn: [(slot, each / 2) for each in range(drawn[0]) for slot in (0, 1)] + drawn[1]
)


@pytest.mark.long
@settings(max_examples=60)
@given(PAIRS | LONG | FAST, st.integers(1, 60) | st.just(1000))
@example([(0, 5.0), (1, 5.0), (0, 3.0), (1, 6.0), (0, 7.0), (1, 2.0)], 5)
def test_the_verdicts_equal_those_of_a_plain_loop_in_any_batching(pairs: list[tuple[int, float]], cut: int) -> None:
    admission, whole = Admission(), Admission()
    verdicts = [
        verdict for start in range(0, len(pairs), cut) for verdict in judge(admission, pairs[start : start + cut])
    ]
    assert verdicts == naive(pairs)
    judge(whole, pairs)
    assert everything(admission) == everything(whole)


def walk(steps: list[tuple[int, int]]) -> list[tuple[int, float, int]]:
    """One reading far ahead, then a sensor that mostly moves forward at its usual interval."""
    times = np.cumsum([step for step, _ in steps]).tolist()
    paced = [(0, float(time), step * eighths) for time, (step, eighths) in zip(times, steps, strict=True)]
    return [(0, 1e6, 0), *paced]


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 40).map(float), st.integers(0, 12)), max_size=200)
    | st.lists(st.tuples(st.integers(0, 4), st.integers(6, 10)), min_size=20, max_size=60).map(walk),
    st.integers(1, 60),
)
def test_the_pace_is_judged_as_in_a_plain_loop_in_any_batching(sent: list[tuple[int, float, int]], cut: int) -> None:
    admission = Admission()
    admission.grow(2)
    slots = np.array([slot for slot, _, _ in sent], dtype=np.intp)
    times = np.array([time for _, time, _ in sent], dtype=np.float64)
    arrived = np.cumsum([waited / 8 for _, _, waited in sent])
    whole = Batch(slots, -times, times, np.arange(len(sent)))
    verdicts = []
    for start in range(0, len(sent), cut):
        batch = whole.take(np.arange(start, min(start + cut, len(sent))))
        verdicts += admission.judge(batch, ObservedArrivals(lambda origin: float(arrived[origin]))).tolist()
    assert verdicts == naive([(slot, time) for slot, time, _ in sent], arrived.tolist())
