"""A runner on its own, turned by hand, with a scripted sink."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from sink_line import SinkLine, sink_event, sink_events

from edge.shell.sinks.base import EventRefused, Outcome, SinkTrouble
from edge.shell.sinks.delivery.backoff import FIRST_S, LONGEST_S, Backoff
from edge.shell.sinks.delivery.runner import CONFIRM_S, IN_A_ROW, LOOK_S, SHORT_S, SinkRunner
from edge.shell.store import OutboxRow, SinkPosition
from edge.shell.store.reading.sink_reading import EventSelection, SinkLimits, SinkReader


class ScriptedSink:
    """A sink that records its events, and confirms on demand."""

    def __init__(self, *, most: int = 100, keeps_order: bool = True) -> None:
        self.most, self.keeps_order = most, keeps_order
        self.given: list[int] = []
        self.next: list[Outcome] = []
        self.refuses: set[int] = set()
        self.opened = self.closed = 0

    def open(self) -> None:
        self.opened += 1

    def send(self, row: OutboxRow) -> bool:
        if row.sequence in self.refuses:
            raise EventRefused("it is bad")
        self.given.append(row.sequence)
        return True

    def outcomes(self, wait_s: float) -> list[Outcome]:
        found, self.next = self.next, []
        return found

    def close(self) -> None:
        self.closed += 1

    def confirm(self, *sequences: int) -> None:
        self.next += [Outcome(each) for each in sequences]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def aged(self) -> float:
        return self.now


class Bench:
    """A runner on a store with some events."""

    def __init__(self, folder: Path, sink: ScriptedSink, number: int = 10, limits: SinkLimits | None = None) -> None:
        self.line = SinkLine(folder)
        self.clock, self.sink = Clock(), sink
        self.store(sink_events(1, number))
        reader = SinkReader(self.line.path, "out", EventSelection())
        limits = limits or SinkLimits(free_disk_bytes=0)
        self.runner = SinkRunner(
            *("out", sink, reader, limits, SinkPosition(), self.clock, self.clock, Backoff(lambda: 1.0))
        )
        self.runner._is_open = True

    def store(self, events: list) -> None:
        self.line.store.append(events, [], now=self.clock.now)

    def turn(self) -> int:
        """Turn once, twice if a measurement is needed; returns the position."""
        self.runner._news.set()
        self.runner.turn()
        return self.runner._at.passed

    def close(self) -> None:
        self.line.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.shell.sinks.delivery.runner.IDLE_S", 0.0)
    monkeypatch.setattr("edge.shell.sinks.delivery.runner.POLL_S", 0.0)


def test_the_position_waits_for_the_first_unconfirmed_event(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink()
    bench = Bench(tmp_path, sink)
    assert bench.turn() == 0
    assert sink.given == list(range(1, 11))
    for confirmed, passed in (((3, 2), 0), ((10,), 0), ((1,), 3), ((4, 5, 6, 8, 9), 6), ((7,), 10)):
        sink.confirm(*confirmed)
        assert bench.turn() == passed
    assert bench.runner.take().position == SinkPosition(10, 0)
    bench.close()


def test_no_more_events_are_in_flight_than_the_sink_allows(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink(most=3)
    bench = Bench(tmp_path, sink)
    bench.turn()
    assert sink.given == [1, 2, 3]
    sink.confirm(2)
    bench.turn()
    bench.turn()
    assert sink.given == [1, 2, 3, 4]
    bench.close()


def test_one_event_per_sensor_is_in_flight_where_the_sink_may_change_the_order(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink(keeps_order=False)
    bench = Bench(tmp_path, sink, number=0)
    bench.store([sink_event(n, sensor) for n, sensor in enumerate(["a", "a", "b", "a", "b", "c"], 1)])
    bench.turn()
    assert sink.given == [1, 3, 6]
    sink.confirm(3)
    bench.turn()
    bench.turn()
    assert sink.given == [1, 3, 6, 5]
    sink.confirm(1, 5, 6)
    assert bench.turn() == 1
    bench.turn()
    sink.confirm(2)
    bench.turn()
    bench.turn()
    sink.confirm(4)
    assert bench.turn() == 6
    assert sink.given == [1, 3, 6, 5, 2, 4]
    bench.close()


def test_refused_events_are_passed_over_and_reported(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink()
    sink.refuses = {1, 5}
    bench = Bench(tmp_path, sink)
    bench.turn()
    sink.next = [Outcome(3, "too large")]
    sink.confirm(2, 4, 6, 7, 8, 9, 10)
    assert bench.turn() == 10
    progress = bench.runner.take()
    assert [(each.row.sequence, each.reason) for each in progress.set_aside] == [
        (1, "it is bad"),
        (5, "it is bad"),
        (3, "too large"),
    ]
    assert bench.runner.take().set_aside == []
    assert bench.runner.report().set_aside == 3
    bench.close()


def test_many_refusals_in_a_row_may_be_the_fault_of_the_receiver_and_become_slow(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink()
    sink.refuses = set(range(1, 100))
    bench = Bench(tmp_path, sink, number=30)
    with pytest.raises(SinkTrouble, match="in a row were refused: it is bad"):
        bench.turn()
    assert bench.runner.report().set_aside == IN_A_ROW + 1
    assert bench.runner.take().position.passed == IN_A_ROW + 1
    bench.runner._note_trouble("refused", 0.0)
    bench.runner._is_open = True
    with pytest.raises(SinkTrouble):
        bench.turn()
    assert bench.runner.report().set_aside == IN_A_ROW + 2
    bench.close()


def test_silence_with_events_in_flight_is_a_problem_and_silence_without_is_not(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink()
    bench = Bench(tmp_path, sink, number=2)
    bench.turn()
    bench.clock.now += CONFIRM_S
    bench.turn()
    sink.confirm(1)
    bench.turn()
    bench.clock.now += CONFIRM_S + 1
    with pytest.raises(SinkTrouble, match="nothing was confirmed"):
        bench.turn()
    bench.runner._note_trouble("silence", 0.0)
    bench.runner._is_open = True
    bench.turn()
    assert sink.given == [1, 2, 2]
    sink.confirm(2)
    bench.turn()
    bench.clock.now += 10 * CONFIRM_S
    assert bench.turn() == 2
    bench.close()


def test_a_problem_voids_the_events_in_flight_and_they_are_sent_again_in_order(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink()
    bench = Bench(tmp_path, sink, number=5)
    bench.turn()
    sink.confirm(1, 4)
    bench.turn()
    assert bench.runner._note_trouble("gone", 0.0) == FIRST_S
    assert (sink.closed, bench.runner.report().connected) == (1, False)
    bench.runner._is_open = True
    bench.turn()
    assert sink.given == [1, 2, 3, 4, 5, 2, 3, 4, 5]
    bench.close()


def test_a_receiver_that_asks_for_a_pause_gets_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedSink())
    assert bench.runner._note_trouble("busy", 300.0) == 300.0
    bench.close()


def test_pauses_double_up_to_a_cap_are_shortened_at_random_and_start_again_after_a_success() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.failed() for _ in range(8)] == [1, 2, 4, 8, 16, 32, LONGEST_S, LONGEST_S]
    backoff.succeeded()
    assert backoff.failed() == FIRST_S
    assert Backoff(lambda: 0.0).failed() == FIRST_S / 2


class Unreachable(ScriptedSink):
    """A sink whose receiver can't be reached."""

    def __init__(self, bench_clock: list[Clock]) -> None:
        super().__init__()
        self._clock = bench_clock
        self.attempts: list[float] = []

    def open(self) -> None:
        self.attempts.append(self._clock[0].now)
        raise SinkTrouble("nothing listens there")


@pytest.mark.parametrize("days", [1, pytest.param(7, marks=pytest.mark.long)])
def test_a_receiver_that_is_unavailable_for_days_is_tried_each_minute_reported_once_and_gets_all_stored_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, days: int
) -> None:
    clocks: list[Clock] = []
    away = Unreachable(clocks)
    bench = Bench(tmp_path, away, number=30)
    clocks.append(bench.clock)
    bench.runner._is_open = False
    away_s = days * 86_400.0
    end = bench.clock.now + away_s

    def wait(timeout: float | None = None) -> bool:
        bench.clock.now += timeout or 0.0
        if bench.clock.now >= end:
            bench.runner.stop()
        return bench.runner._stopping.is_set()

    monkeypatch.setattr(bench.runner._stopping, "wait", wait)
    bench.runner._run()
    assert away_s / LONGEST_S <= len(away.attempts) <= away_s / LONGEST_S + 10
    assert max(later - earlier for earlier, later in pairwise(away.attempts)) <= LONGEST_S
    assert caplog.text.count("sink_trouble") == 1
    report = bench.runner.report()
    assert (report.waiting.events, report.lost, report.set_aside) == (30, 0, 0)
    assert report.failing_since == 1000.0
    assert bench.runner.take().position == SinkPosition()
    bench.close()


def test_limits_hold_while_nothing_is_delivered(quick: None, tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedSink(), number=100, limits=SinkLimits(events=50, free_disk_bytes=0))
    bench.runner._look()
    progress = bench.runner.take()
    assert progress.position == SinkPosition(0, 55)
    (gap,) = progress.gaps
    assert (gap.reason, gap.number, gap.sink) == ("sink_events", 55, "out")
    assert bench.runner.report().lost == 55
    bench.turn()
    assert bench.sink.given[0] == 56
    bench.close()


def test_limits_of_size_and_age_drop_the_oldest(quick: None, tmp_path: Path) -> None:
    size = len(sink_event(50, "a").payload)
    limits = SinkLimits(size=20 * size + 10, days=1.0, free_disk_bytes=0)
    bench = Bench(tmp_path, ScriptedSink(), number=0, limits=limits)
    bench.store([sink_event(number, "a") for number in range(11, 21)])
    bench.clock.now += 86_401
    bench.store([sink_event(number, "a") for number in range(21, 51)])
    bench.runner._look()
    progress = bench.runner.take()
    assert [(each.reason, each.number) for each in progress.gaps] == [("sink_days", 10), ("sink_bytes", 12)]
    assert progress.position.skipped == 32
    bench.close()


def test_a_full_disk_drops_events_only_once_it_has_been_full_for_some_time(quick: None, tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedSink(), number=1500, limits=SinkLimits(free_disk_bytes=2**60))
    bench.runner._look()
    assert bench.runner.take().gaps == []
    bench.clock.now += SHORT_S
    bench.runner._look()
    (gap,) = bench.runner.take().gaps
    assert (gap.reason, gap.number) == ("sink_free_disk", 500)
    bench.close()


def test_no_event_in_flight_is_dropped(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink(most=60)
    bench = Bench(tmp_path, sink, number=50, limits=SinkLimits(events=50, free_disk_bytes=0))
    bench.turn()
    bench.store(sink_events(51, 100))
    bench.clock.now += LOOK_S
    bench.turn()
    assert bench.runner.take().gaps == []
    sink.confirm(*range(1, 51))
    bench.turn()
    bench.turn()
    assert bench.runner.take().gaps == []
    assert bench.turn() == 50
    bench.close()


def test_a_gap_is_sent_even_if_a_limit_drops_the_events_around_it(quick: None, tmp_path: Path) -> None:
    sink = ScriptedSink()
    bench = Bench(tmp_path, sink, number=0, limits=SinkLimits(events=50, free_disk_bytes=0))
    bench.store([*sink_events(1, 9), sink_event(10, "", transition="gap"), *sink_events(11, 100)])
    bench.runner._look()
    bench.turn()
    assert sink.given[:2] == [10, 56]
    bench.close()
