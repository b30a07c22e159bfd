"""The contract of every kind of sink, with its real receiver; registering a kind adds it to this suite."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from delivered_events import first_of_each, is_in_order
from sink_kills import kill_sink
from sink_line import SinkLine, sink_event, sink_events
from sink_receivers import RECEIVERS, Receiver

from config.tables.sinks import OF_KIND
from edge.shell.sinks.base import Outcome
from edge.shell.sinks.delivery import runner
from edge.shell.sinks.kinds import make_sink
from edge.shell.sinks.options import SinkOptions
from edge.shell.store.reading.overview import LetterFilter, read_dead_letters
from edge.shell.store.reading.sink_reading import EventSelection, SinkLimits

pytestmark = pytest.mark.long

KILLS = 3
"""Number of kills of the process; `make faults ONLY=sink` is the long form."""


@pytest.fixture(params=sorted(OF_KIND))
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    made = RECEIVERS[request.param](tmp_path)
    made.start()
    yield made
    made.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """With short pauses, and a silent receiver soon considered dead."""
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.LONGEST_S", 0.5)
    monkeypatch.setattr("edge.shell.sinks.delivery.backoff.FIRST_S", 0.1)
    monkeypatch.setattr(runner, "CONFIRM_S", 2.0)
    monkeypatch.setattr(runner, "LOOK_S", 0.2)


def options(receiver: Receiver, name: str = "out", **more: Any) -> SinkOptions:
    return SinkOptions(name, receiver.kind, receiver.how(), **{"begin": "beginning", **more})


def sequences(receiver: Receiver) -> list[int]:
    """The events that have arrived, without repetitions; the order across sensors isn't guaranteed."""
    return sorted(int(each["sequence"]) for each in first_of_each(receiver.received()))


def test_every_event_arrives_and_those_of_a_sensor_in_order(
    receiver: Receiver, impatient: None, tmp_path: Path
) -> None:
    line = SinkLine(tmp_path, options(receiver))
    line.store_events(sink_events(1, 200))
    line.run_through(200)
    line.store_events(sink_events(201, 300))
    line.run_through(300)
    line.close()
    assert sequences(receiver) == list(range(1, 301))
    assert is_in_order(receiver.received())
    assert line.keeper.as_dict()["out"]["delivered"] >= 300


def test_an_event_arrives_with_its_stored_attributes(receiver: Receiver, impatient: None, tmp_path: Path) -> None:
    line = SinkLine(tmp_path, options(receiver))
    line.store_events([sink_event(1, "ofen 3/µ-temp", transition="raised")])
    line.run_through(1)
    line.close()
    (event,) = first_of_each(receiver.received())
    assert (event["id"], event["source"], event["type"]) == (
        "0000000000000000-1",
        "/edgewarden/gw",
        "io.edgewarden.incident.raised.v1",
    )
    assert (event["partitionkey"], event["data"]["value"]) == ("ofen 3/µ-temp", 1.5)


def test_only_selected_events_arrive(receiver: Receiver, impatient: None, tmp_path: Path) -> None:
    wanted = EventSelection(severity=500, transitions=("raised", "cleared"), sensors=("line1/**", "*/fan/*"))
    line = SinkLine(tmp_path, options(receiver, wanted=wanted))
    line.store_events(
        [
            sink_event(1, "line1/pump/temp", severity=600, transition="raised"),
            sink_event(2, "line1/pump/temp", severity=600, transition="updated"),
            sink_event(3, "line1/pump/temp", severity=499, transition="cleared"),
            sink_event(4, "hall/door", severity=900, transition="raised"),
            sink_event(5, "line2/fan/current", severity=900, transition="cleared"),
            sink_event(6, "hall/door", severity=900, transition="raised"),
        ]
    )
    line.run_through(6)
    line.close()
    assert sequences(receiver) == [1, 5]


def test_a_new_sink_gets_no_earlier_events(receiver: Receiver, impatient: None, tmp_path: Path) -> None:
    line = SinkLine(tmp_path, options(receiver, begin="now"))
    line.store_events(sink_events(1, 10))
    line.turn()
    line.store_events(sink_events(11, 20))
    line.run_through(20)
    line.close()
    assert sequences(receiver) == list(range(11, 21))


def test_the_position_moves_only_after_the_receiver_has_confirmed(
    receiver: Receiver, impatient: None, tmp_path: Path
) -> None:
    receiver.kill()
    line = SinkLine(tmp_path, options(receiver))
    line.store_events(sink_events(1, 20))
    line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="the failure")
    assert line.passed() == {"out": 0}
    assert line.keeper.as_dict()["out"]["lag_events"] == 20
    receiver.start()
    line.run_through(20)
    line.close()
    assert sequences(receiver) == list(range(1, 21))


def test_it_continues_where_it_stopped_after_a_restart(receiver: Receiver, impatient: None, tmp_path: Path) -> None:
    line = SinkLine(tmp_path, options(receiver))
    line.store_events(sink_events(1, 50))
    line.run_through(50)
    line.close()
    line = SinkLine(tmp_path, options(receiver))
    line.store_events(sink_events(51, 60))
    line.run_through(60)
    line.close()
    assert sorted(int(each["sequence"]) for each in receiver.received()) == list(range(1, 61))


def test_a_receiver_that_dies_and_comes_back_gets_everything_in_order(
    receiver: Receiver, impatient: None, tmp_path: Path
) -> None:
    line = SinkLine(tmp_path, options(receiver))
    for round_ in range(3):
        line.store_events(sink_events(200 * round_ + 1, 200 * round_ + 200))
        line.run_until(lambda seen=200 * round_: len(sequences(receiver)) > seen + 20, what="the first events")
        receiver.kill()
        line.turn()
        receiver.start()
    line.run_through(600)
    line.close()
    assert sequences(receiver) == list(range(1, 601))
    assert is_in_order(receiver.received())


def test_a_receiver_that_hangs_is_disconnected_and_retried(receiver: Receiver, impatient: None, tmp_path: Path) -> None:
    line = SinkLine(tmp_path, options(receiver))
    line.store_events(sink_events(1, 5))
    line.run_through(5)
    receiver.wedge()
    line.store_events(sink_events(6, 100))
    line.run_until(lambda: line.keeper.as_dict()["out"]["last_error"], what="that it is given up")
    assert line.passed()["out"] < 100
    receiver.unwedge()
    line.run_through(100)
    line.close()
    assert sequences(receiver) == list(range(1, 101))
    assert is_in_order(receiver.received())


def test_an_event_that_is_never_accepted_is_set_aside_and_delays_no_other(
    receiver: Receiver, impatient: None, tmp_path: Path
) -> None:
    line = SinkLine(tmp_path, options(receiver))
    events = sink_events(1, 40)
    events[20] = receiver.poison(events[20])
    line.store_events(events)
    line.run_through(40)
    line.close()
    assert sequences(receiver) == [each for each in range(1, 41) if each != 21]
    letters = read_dead_letters(line.path, LetterFilter())
    assert {(each["reason"], each["path"], each["topic"]) for each in letters} == {
        ("sink_refused", "out", events[20].topic)
    }
    assert letters[0]["detail"]
    assert letters[0]["beginning"] == events[20].payload[:256]


class Stuck:
    """A sink whose receiver never answers, which the sink doesn't notice."""

    most = 1
    keeps_order = True

    def open(self) -> None:
        pass

    def send(self, row: object) -> bool:
        return True

    def outcomes(self, wait_s: float) -> list[Outcome]:
        return []

    def close(self) -> None:
        pass


def test_a_sink_that_is_stuck_delays_no_other(receiver: Receiver, tmp_path: Path) -> None:
    stuck = options(receiver, "stuck")
    line = SinkLine(
        *(tmp_path, stuck, options(receiver)), make=lambda each: Stuck() if each is stuck else make_sink(each)
    )
    line.store_events(sink_events(1, 100))
    line.run_until(lambda: line.passed()["out"] == 100, what="the other sink")
    assert line.passed()["stuck"] == 0
    assert sequences(receiver) == list(range(1, 101))
    line.close()


def test_history_that_a_sink_needs_is_kept_until_it_is_delivered(
    receiver: Receiver, impatient: None, tmp_path: Path
) -> None:
    receiver.kill()
    line = SinkLine(tmp_path, options(receiver), events_days=1e-9, events_bytes=1)
    line.store_events(sink_events(1, 30))
    line.turn()
    line.store.prune(line.clock() + 86_400)
    receiver.start()
    line.run_through(30)
    assert sequences(receiver) == list(range(1, 31))
    line.store.prune(line.clock() + 86_400)
    assert line.store._database.number("SELECT count(*) FROM events") == 0
    line.close()


def test_events_that_a_limit_drops_for_a_sink_are_reported_to_it_as_a_gap(
    receiver: Receiver, impatient: None, tmp_path: Path
) -> None:
    receiver.kill()
    line = SinkLine(tmp_path, options(receiver, limits=SinkLimits(events=100, free_disk_bytes=0)))
    line.store_events(sink_events(1, 150))
    line.run_until(lambda: line.positions()["out"].skipped == 60, what="the loss")
    receiver.start()
    line.run_through(151)
    line.close()
    events = first_of_each(receiver.received())
    gaps = [each for each in events if each["type"] == "io.edgewarden.gap.v1"]
    assert sorted(int(each["sequence"]) for each in events if each not in gaps) == list(range(61, 151))
    (gap,) = gaps
    if receiver.kind == "notify":
        assert "60 events" in gap["data"]["message"]
        return
    assert (gap["data"]["reason"], gap["data"]["sink"], gap["data"]["count"]) == ("sink_events", "out", 60)
    assert gap["data"]["severities"] == {"WARN": 60}
    assert gap["data"]["first"] == "2023-11-14T22:13:21.000Z"


def test_a_process_that_is_killed_at_any_moment_loses_nothing(receiver: Receiver, tmp_path: Path) -> None:
    kills = kill_sink(receiver, tmp_path, KILLS, random.Random(19))
    assert kills.received == kills.stored
    assert kills.in_order
    assert not kills.changed
