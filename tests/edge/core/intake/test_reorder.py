from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.core.intake.times import reorder as reorder_module
from edge.core.intake.times.reorder import ORIGIN_UNKNOWN, Reorder
from edge.core.model.readings.messages import Batch
from tests.edge.core.pipelines import START, Line, differing, pipeline, plant, reading, revived

WAIT_S = 10.0
Readings = list[tuple[int, float]]


def batch(readings: Readings) -> Batch:
    slots = np.array([slot for slot, _ in readings], dtype=np.intp)
    times = np.array([time for _, time in readings], dtype=np.float64)
    return Batch(slots, np.arange(len(readings), dtype=np.float64), times, np.arange(len(readings)))


def pairs(passed: Batch) -> Readings:
    return list(zip(passed.slots.tolist(), passed.times.tolist(), strict=True))


def passed(reorder: Reorder, readings: Readings, cut: int = 1000, *, restart: bool = False) -> Readings:
    out: Readings = []
    for start in range(0, len(readings), cut):
        out += pairs(reorder.pass_on(batch(readings[start : start + cut])))
        if restart:
            reorder = again(reorder)
    return out + pairs(reorder.pass_time(np.inf))


def again(reorder: Reorder) -> Reorder:
    """The same after a restart."""
    made = Reorder(reorder.wait_s)
    vars(made.clock).update(vars(reorder.clock))
    made.hold_again(reorder.held())
    return made


def of_each(readings: Readings) -> dict[int, list[float]]:
    by_slot: dict[int, list[float]] = {}
    for slot, time in readings:
        by_slot.setdefault(slot, []).append(time)
    return by_slot


DELAYED = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([0.0, 0.5, 1.0, 7.0, 60.0]),
        st.floats(0.0, WAIT_S, exclude_max=True) | st.sampled_from([0.0, 9.9]),
    ),
    max_size=60,
)


@given(DELAYED)
@example([(0, 60.0, 0.0), (0, 0.5, 0.0), (1, 0.0, 0.0)])
def test_readings_that_are_not_too_late_are_complete_and_in_order(drawn: list[tuple[int, float, float]]) -> None:
    times = np.cumsum([gap for _, gap, _ in drawn]).tolist()
    arrivals = [(time + delay, (slot, time)) for (slot, _, delay), time in zip(drawn, times, strict=True)]
    sent = [each for _, each in sorted(arrivals, key=lambda each: each[0])]
    out = of_each(passed(Reorder(WAIT_S), sent))
    assert out == {slot: sorted(mine) for slot, mine in of_each(sent).items()}


def test_where_readings_are_rare_the_clock_lags_and_nothing_is_released_too_early() -> None:
    sent = [(0, 0.0), (1, 0.5), (0, 60.0), (1, 60.5), (0, 59.5), (1, 80.0), (0, 80.5)]
    assert passed(Reorder(WAIT_S), sent)[2:4] == [(0, 59.5), (0, 60.0)]


def test_a_sensor_whose_clock_is_far_ahead_waits_no_longer_than_the_others() -> None:
    made = Reorder(WAIT_S)
    made.pass_on(batch([(0, 0.0), (1, 0.0)]))
    out = pairs(made.pass_on(batch([(0, 3600.0), *((slot, float(t)) for t in range(1, 13) for slot in (1, 2))])))
    assert (0, 3600.0) in out


ANYHOW = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 80).map(float)), max_size=60)


STEADY = [(1, time / 2) for time in range(80)]


@given(ANYHOW, st.integers(1, 20), st.booleans())
@example([*STEADY[14:16], (0, 7.0), (1, 8.0), (0, 5.0), *STEADY[17:36], (0, 4.0), *STEADY[36:]], 1, True)
def test_neither_batching_nor_restarts_change_the_output(sent: Readings, cut: int, restart: bool) -> None:
    assert passed(Reorder(WAIT_S), sent, cut, restart=restart) == passed(Reorder(WAIT_S), sent)


@given(ANYHOW)
def test_nothing_is_lost_or_doubled(sent: Readings) -> None:
    assert sorted(passed(Reorder(WAIT_S), sent)) == sorted(sent)


def test_without_a_wait_readings_pass_unchanged() -> None:
    sent = batch([(0, 5.0), (0, 4.0)])
    assert Reorder(0.0).pass_on(sent) is sent


def test_readings_held_before_the_wait_was_removed_from_the_configuration_still_come_first() -> None:
    held = Reorder(WAIT_S)
    held.pass_on(batch([(0, 5.0), (1, 5.0)]))
    made = Reorder(0.0)
    made.hold_again(held.held())
    assert pairs(made.pass_on(batch([(0, 6.0)]))) == [(0, 5.0), (0, 6.0)]


@pytest.mark.parametrize("times", ["forward", "backward"])
def test_the_held_readings_are_bounded_even_while_the_clock_stands_still(
    times: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reorder_module, "MOST_HELD", 50)
    made = Reorder(1e9)
    out: Readings = []
    for turn in range(40):
        sent = [(1, 0.0), *((0, (each if times == "forward" else -each) / 100 + turn % 2) for each in range(50))]
        out += pairs(made.pass_on(batch(sent)))
        assert len(made) <= 50
        assert len(made._queue) <= 100
    assert len(out) + len(made) == 40 * 51


def test_released_readings_no_longer_belong_to_a_message() -> None:
    made = Reorder(WAIT_S)
    made.pass_on(batch([(0, 1.0)]))
    assert made.pass_time(np.inf).origins.tolist() == [ORIGIN_UNKNOWN]


def test_a_pipeline_sorts_late_readings_and_refuses_those_that_are_later() -> None:
    late = [reading("paced/a", START + each, 20.0, START + 20.0) for each in (18.5, 14.5, 12.5)]
    too_late = [reading("paced/a", START + each, 20.0, START + 40.0) for each in (20.5, 21.5)]
    line = Line(pipeline(reorder_s=WAIT_S)).take(plant(START + np.arange(20.0), "paced/a", "paced/b"))
    line.take(late).take(plant(START + np.arange(20.0, 40.0), "paced/a", "paced/b")).take(too_late)
    line.note(line.pipeline.flush())
    assert line.refused == ["late", "late"]
    assert line.pipeline.counters.readings_taken == 83


@settings(max_examples=30)
@given(st.permutations(range(24)), st.integers(1, 10), st.integers(0, 23))
def test_in_a_pipeline_neither_batching_nor_restarts_change_anything(order: list[int], cut: int, restart: int) -> None:
    in_order = plant(START + np.arange(8.0), "paced/a", "paced/b", "paced/d")
    sent = [in_order[each]._replace(arrived=START + 8.0) for each in order]
    whole = Line(pipeline(reorder_s=3.0)).take(sent)
    pieces = Line(pipeline(reorder_s=3.0)).take(sent[:restart], cut)
    restored = revived(pipeline(reorder_s=3.0), pieces.pipeline.save("", ""), [])
    relived = revived(pipeline(reorder_s=3.0), pipeline().save("", ""), pieces.parts)
    for each in (restored, relived):
        each.take(sent[restart:], cut)
        assert differing(each.pipeline, whole.pipeline) == []


def test_passing_time_releases_held_readings_and_is_journaled() -> None:
    line = Line(pipeline(reorder_s=3.0)).take(plant(START + np.arange(5.0), "paced/a", "paced/b"))
    line.note(line.pipeline.tick(4.0))
    assert len(line.pipeline.reorder) == 0
    again = revived(pipeline(reorder_s=3.0), pipeline().save("", ""), line.parts)
    assert differing(again.pipeline, line.pipeline) == []
