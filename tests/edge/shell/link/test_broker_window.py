"""The broker's in-flight window is learned from its pauses, and chance pauses of the plant don't mislead."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model.readings.messages import Batch, Message
from edge.core.persistence.journal import Readings
from edge.core.persistence.steps.step import Step
from edge.shell.link.receiving.broker_window import (
    AT_ONCE_S,
    BELIEVED,
    ERRATIC_S,
    FIRST,
    NEXT_PROBE,
    PROBE,
    QUIET_S,
    UNTOLD,
    BrokerWindow,
)
from edge.shell.service.turns.commit_group import CommitGroup

MESSAGE = Message("t", b"1", 0.0, qos=1)
STEP_S = 0.005


class Run:
    """A plant, a broker with its own window, and a service that commits in groups; time is a number.

    Args:
        arrivals: Times at which the plant's messages reach the broker, seconds, ascending.
        window: Number of messages that the broker sends without an acknowledgement.
        told: The service's estimate of that number.
        commit_takes_s: Duration of a commit.
    """

    def __init__(self, arrivals: list[float], window: int, told: int = 1000, commit_takes_s: float = 0.0) -> None:
        self.commits: list[tuple[float, int]] = []
        self.waits: list[float] = []
        group = CommitGroup(2.0, told)
        self.window = group.window
        waiting = deque(arrivals)
        now, under_way = 0.0, 0
        while waiting or under_way:
            taken = []
            while waiting and waiting[0] <= now and under_way < window:
                taken.append(waiting.popleft())
                under_way += 1
            if taken:
                self.waits += [now - each for each in taken]
                readings = Readings(Batch(*[np.zeros(len(taken), dtype=np.intp)] * 4))
                group.add(Step(journal=readings), [MESSAGE] * len(taken), now)
            if group.is_due(now):
                self.commits.append((now, under_way))
                now += commit_takes_s
                group.committed(now)
                under_way = 0
            if waiting and not under_way:
                now = max(now + STEP_S, waiting[0])
            else:
                now += STEP_S


def stream(per_second: float, seconds: float, begin: float = 0.0) -> list[float]:
    return [begin + number / per_second for number in range(int(seconds * per_second))]


def bursts(sensors: int, every_s: float, times: int) -> list[float]:
    return [every_s * each for each in range(times) for _ in range(sensors)]


@pytest.mark.parametrize("window", [1, 2, 10, 20, 100])
def test_a_window_smaller_than_configured_is_found_after_a_few_pauses(window: int) -> None:
    run = Run(stream(min(200, 40 * window), 60), window)
    assert run.window.size == window
    late = [each for each in run.waits[len(run.waits) // 2 :] if each > PROBE * QUIET_S + 0.1]
    assert late == []


def test_probing_costs_a_stream_hardly_any_time() -> None:
    run = Run(stream(200, 300), 20)
    assert run.window.size == 20
    assert np.mean(run.waits) < 0.05


def test_with_the_configured_window_nothing_is_learned_and_a_group_waits_its_time() -> None:
    run = Run(stream(100, 60), 1000)
    assert run.window.size >= 200
    assert len(run.commits) <= 33


@pytest.mark.parametrize("number", [24, 28, 30])
def test_a_group_that_never_exceeds_the_assumed_window_waits_its_time_too(number: int) -> None:
    """Nothing speaks against the window, although no group is large enough to prove it."""
    run = Run([0.2 * place for place in range(600) for _ in range(number)], 1000)
    assert {count for at, count in run.commits if 60 < at < 119} == {10 * number}


def test_a_full_stream_soon_has_the_configured_window() -> None:
    run = Run(stream(2000, 20), 1000)
    assert run.window.size == 1000
    assert len([at for at, _ in run.commits if at < 2.0]) <= 40
    assert max(run.waits) < QUIET_S


@pytest.mark.parametrize("window", [20, 50])
def test_a_broker_with_a_small_window_never_waits_for_long(window: int) -> None:
    assert max(Run(stream(300, 60), window).waits) < 3 * QUIET_S


@pytest.mark.parametrize("told", [20, 1000])
@pytest.mark.parametrize("every_s", [2.0, 2.005, 1.0, 0.4, 0.405, 0.6, 0.605, 5.0])
def test_sensors_that_report_together_do_not_affect_the_commits_of_a_later_stream(told: int, every_s: float) -> None:
    times = int(120 / every_s)
    run = Run(bursts(4, every_s, times) + stream(100, 60, begin=125.0), told, told)
    in_stream = [number for at, number in run.commits if at >= 125.0]
    fair = 6000 / min(int(0.75 * told), 200)
    assert len(in_stream) <= fair + 2 * NEXT_PROBE
    assert len(run.commits) - len(in_stream) <= times + NEXT_PROBE


def test_a_slow_disk_is_not_a_waiting_broker() -> None:
    run = Run(stream(100, 120), 1000, commit_takes_s=1.0)
    assert run.window.size >= 300


def test_a_slow_disk_makes_a_small_window_no_smaller() -> None:
    run = Run(stream(100, 300), 20, commit_takes_s=0.5)
    assert run.window.size == 20


def learned(size: int = 4) -> BrokerWindow:
    window, now = BrokerWindow(20), 0.0
    for _ in range(BELIEVED):
        window.received(size, now)
        window.committed(size, 1.0, now + 1.0)
        now += 1.0 + AT_ONCE_S / 2
    window.received(1, now)
    assert window.size == size
    return window


def test_the_first_window_is_small_and_is_probed_at_the_first_opportunity() -> None:
    window = BrokerWindow(1000)
    assert window.size == FIRST
    window.committed(FIRST, 0.0, 0.0)
    assert not window.is_filled(FIRST)
    window.received(FIRST + 1, 1.0)
    assert window.size == 2 * FIRST
    window.received(1000, 1.0)
    assert window.size == 1000
    assert window.is_filled(750)


def test_with_mqtt_3_1_1_enough_room_is_left_in_the_window_for_the_broker_to_keep_sending() -> None:
    window = BrokerWindow(1000)
    window.connected(is_told=False)
    window.received(900, 1.0)
    assert window.size == UNTOLD
    assert window.is_filled(UNTOLD)
    window.connected(is_told=True)
    window.received(900, 2.0)
    assert window.size == 1000
    window.connected(is_told=False)
    assert window.size == UNTOLD


def test_with_mqtt_3_1_1_a_pause_with_a_full_window_is_short() -> None:
    window = BrokerWindow(1000)
    window.received(150, 1.0)
    assert window.patience_s(110) is None
    assert window.assured == 160
    window.connected(is_told=False)
    assert window.patience_s(110) == ERRATIC_S
    assert window.patience_s(14) is None
    assert window.assured == FIRST


def test_a_single_pause_is_not_accepted() -> None:
    window = BrokerWindow(20)
    for number in (4, 5, 4, 5, 4, 5):
        window.received(number, 0.0)
        window.committed(number, 1.0, 1.0)
        window.received(1, 1.0)
    assert window.size == 20


def test_a_suspected_pause_is_ended_early_to_observe_the_broker() -> None:
    window = BrokerWindow(20)
    assert window.patience_s(4) is None
    window.committed(4, 1.0, 1.0)
    window.received(1, 1.0)
    assert window.patience_s(4) == QUIET_S
    assert window.patience_s(3) is None
    window.committed(4, QUIET_S, 2.0)
    window.received(1, 2.0 + 2 * AT_ONCE_S)
    assert window.patience_s(4) is None, "the broker had not been waiting"


def test_more_messages_than_the_window_prove_that_it_is_larger() -> None:
    window = learned()
    window.received(5, 10.0)
    assert window.size == 8
    window.received(19, 10.0)
    assert window.size == 20


def test_a_learned_window_is_probed_and_refuted_by_a_broker_that_was_not_waiting() -> None:
    window = learned()
    for _ in range(NEXT_PROBE):
        assert window.is_filled(3)
        window.committed(3, 0.0, 10.0)
    assert not window.is_filled(3)
    assert window.patience_s(3) == PROBE * QUIET_S
    window.committed(4, QUIET_S, 20.0)
    window.received(1, 25.0)
    assert window.size == 8


def test_a_probe_that_confirms_the_window_is_followed_by_rarer_ones() -> None:
    window, probes, now = learned(), [], 10.0
    for commit in range(20 * NEXT_PROBE):
        if window.is_filled(3):
            window.committed(3, 0.0, now)
        else:
            probes.append(commit)
            window.committed(4, QUIET_S, now)
        window.received(1, now)
        now += 1.0
    assert window.size == 4
    gaps = np.diff(probes)
    assert len(gaps) >= 2
    assert (gaps[1:] > 1.9 * gaps[:-1] - 2).all()


@given(
    st.lists(st.tuples(st.integers(0, 70), st.floats(0, 3), st.floats(0, 3)), max_size=80),
    st.integers(1, 64),
)
def test_the_window_always_stays_between_one_and_the_configured_value(
    happened: list[tuple[int, float, float]], told: int
) -> None:
    window, now = BrokerWindow(told), 0.0
    for number, quiet_s, pause_s in happened:
        window.received(number, now)
        assert 1 <= window.size <= told
        window.committed(number, quiet_s, now)
        now += pause_s
    assert window.is_filled(told) or window.patience_s(told) is not None
