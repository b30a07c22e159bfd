"""Handling of a wrong gateway clock: readings wait, unacknowledged, until the clock is known to be wrong or right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from own_clock import EARLIEST, IN_FLIGHT, NOW, ODD_S, Gateway, ScriptedLink, new_pipeline

from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import Message
from edge.shell.options import ServiceOptions
from edge.shell.service.state.stored_state import resume
from edge.shell.service.watches.held_messages import HELD_BYTES, HELD_S, HeldMessages
from edge.shell.store import EventFilter, SqliteStore, read_events
from tests.edge.core.pipelines import differing


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db", "process")
    yield made
    made.close()


def test_readings_of_senders_that_agree_are_accepted_although_our_clock_is_hours_behind(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = Gateway(store, -ODD_S)
    gateway.send("now/x")
    for each in "abc":
        gateway.send(f"paced/{each}")
        gateway.turn()
    gateway.turn()
    gateway.send("now/x")
    gateway.turn()
    assert gateway.stored() == [
        ("now/x", 1.0, NOW - ODD_S),
        ("paced/a", 2.0, NOW),
        ("paced/b", 3.0, NOW + 1),
        ("paced/c", 4.0, NOW + 2),
        ("now/x", 5.0, NOW + 4),
    ]
    assert gateway.link.acknowledged == [1, 2, 3, 4, 5]
    assert gateway.pipeline.counters.messages == 5
    assert not gateway.pipeline.counters.readings_refused
    assert gateway.problems()[0]["because"] == "senders"
    assert "clock_wrong own=2023-11-14T20:01" in caplog.text
    assert "believed=2023-11-14T22:13" in caplog.text


def test_a_sender_is_trusted_where_the_clock_was_never_set(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = Gateway(store, -NOW + 30.0)
    assert gateway.problems()[0]["because"] == "unset"
    for _ in range(5):
        gateway.send("paced/a")
        gateway.turn()
    gateway.turn()
    assert [time for *_, time in gateway.stored()] == [NOW + each for each in range(5)]
    assert "clock_wrong own=1970-01-01T00:00:30" in caplog.text


def test_a_sender_is_trusted_where_the_clock_is_behind_the_stored_times(store: SqliteStore) -> None:
    before = Gateway(store, 0.0)
    before.send("now/x")
    before.turn()
    gateway = Gateway(store, -3600.0, at=100.0)
    gateway.send("paced/a")
    gateway.turn()
    gateway.turn()
    assert gateway.stored()[1:] == [("paced/a", 1.0, NOW + 100.0)]


def test_one_sender_that_is_ahead_is_held_unacknowledged_then_refused_with_a_gap_and_a_warning(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = Gateway(store, 0.0)
    gateway.send("paced/a", ahead=ODD_S)
    gateway.send("now/x")
    gateway.turn(HELD_S - 1.0)
    assert gateway.link.acknowledged == [2]
    assert gateway.problems() == [{"problem": "clock_doubted", "own": "2023-11-14T22:14:19.000Z", "held": 1}]
    assert "topic='paced/a' 7900 s ahead" in caplog.text
    gateway.turn()
    assert gateway.link.acknowledged == [2]
    gateway.turn()
    assert gateway.link.acknowledged == [2, 1]
    assert gateway.pipeline.counters.readings_refused == {"time_in_future": 1}
    assert gateway.problems() == []
    gateway.turn()
    assert next(each["message"] for each in read_events(store.path, EventFilter(transitions=("gap",)))).startswith(
        "An unknown number of readings are missing"
    )
    gateway.send("paced/a", ahead=ODD_S)
    gateway.turn()
    assert gateway.pipeline.counters.readings_refused == {"time_in_future": 2}


def test_the_held_messages_are_less_than_half_of_what_the_broker_sends(store: SqliteStore) -> None:
    gateway = Gateway(store, 0.0)
    for _ in range(IN_FLIGHT // 2 - 1):
        gateway.send("paced/a", ahead=ODD_S)
    gateway.turn(0.0)
    assert gateway.link.acknowledged == []
    gateway.turn(0.0)
    assert len(gateway.link.acknowledged) == IN_FLIGHT // 2 - 1


def test_a_sender_with_a_wrong_clock_is_refused_once_another_has_shown_that_ours_is_right(store: SqliteStore) -> None:
    gateway = Gateway(store, 0.0)
    gateway.send("paced/wrong", ahead=ODD_S)
    for _ in range(12):
        gateway.send("paced/right")
        gateway.turn()
    gateway.turn()
    assert gateway.pipeline.counters.readings_refused == {"time_in_future": 1}
    assert read_events(store.path, EventFilter()) == []


@pytest.mark.parametrize("off", [-ODD_S, -NOW + 30.0])
def test_trust_ends_as_the_clock_is_set_right(store: SqliteStore, off: float) -> None:
    gateway = Gateway(store, off)
    for each in "abc":
        gateway.send(f"paced/{each}")
    gateway.turn()
    gateway.turn()
    gateway.off = 0.0
    assert abs(gateway.wall() - NOW - gateway.clock.now) < 5.0
    gateway.turn()
    assert gateway.problems() == []
    for each in "abc":
        gateway.send(f"paced/{each}")
    gateway.send("now/x")
    gateway.turn()
    gateway.turn()
    assert gateway.wall() == NOW + gateway.clock.now
    assert len(gateway.stored()) == 7
    assert not gateway.pipeline.counters.readings_refused


def test_a_clock_that_is_set_back_by_hours_at_run_time_costs_nothing(store: SqliteStore) -> None:
    gateway = Gateway(store, 0.0)
    for second in range(30):
        if second == 15:
            gateway.off = -ODD_S
        gateway.send("paced/a")
        gateway.turn()
    gateway.turn()
    assert [time for *_, time in gateway.stored()] == [NOW + each for each in range(30)]
    assert not gateway.pipeline.counters.readings_refused


@pytest.mark.parametrize("by", [-ODD_S, ODD_S, -NOW + 1000.0])
def test_a_clock_that_is_set_while_the_service_waits_for_messages_costs_nothing(store: SqliteStore, by: float) -> None:
    gateway = Gateway(store, 0.0)

    def send() -> None:
        for each in "abc":
            gateway.send(f"paced/{each}")

    def step_and_send() -> None:
        gateway.off = by
        send()

    for second in range(30):
        if second == 15:
            gateway.link.meanwhile = step_and_send
        else:
            send()
        gateway.turn()
    gateway.turn()
    assert [time for name, _, time in gateway.stored() if name == "paced/a"] == [NOW + each for each in range(30)]
    assert not gateway.pipeline.counters.readings_refused


@pytest.mark.parametrize("by", [-ODD_S, ODD_S])
def test_messages_waiting_to_be_received_as_the_clock_is_set_are_stamped_by_the_new_one(
    store: SqliteStore, by: float
) -> None:
    gateway = Gateway(store, 0.0)
    gateway.turn()

    def step_between() -> None:
        gateway.send("now/x")
        gateway.off = by
        gateway.send("now/y")

    gateway.link.meanwhile = step_between
    gateway.turn()
    gateway.send("now/x")
    gateway.turn()
    times = [(name, time - NOW - by) for name, _, time in gateway.stored()]
    assert times == [("now/x", 1.0), ("now/y", 1.0), ("now/x", 2.0)]


def test_long_after_a_step_back_no_stamp_is_changed(store: SqliteStore) -> None:
    gateway = Gateway(store, ODD_S)
    gateway.turn()
    gateway.off = 0.0
    gateway.turn(ODD_S)
    gateway.send("now/x")
    gateway.turn()
    assert [time for *_, time in gateway.stored()] == [NOW + ODD_S + 1.0]


def test_a_backlog_that_is_read_by_the_clock_of_the_last_shutdown_is_accepted_completely(store: SqliteStore) -> None:
    gateway = Gateway(store, -ODD_S)
    for step in range(200):
        for each in "abcd":
            gateway.send(f"paced/{each}", ahead=-ODD_S * (1 - step / 200))
        gateway.turn(0.01)
    for _ in range(5):
        gateway.turn()
    assert len(gateway.stored()) == gateway.sent
    assert not gateway.pipeline.counters.readings_refused
    assert sorted(gateway.link.acknowledged) == list(range(1, gateway.sent + 1))


def test_a_restart_continues_as_if_nothing_had_been_held(store: SqliteStore) -> None:
    gateway = Gateway(store, -ODD_S)
    for second in range(20):
        gateway.send(f"paced/{'abc'[second % 3]}")
        gateway.send("now/x")
        gateway.turn()
    gateway.turn()
    again, _, _ = resume(new_pipeline, store, "", "", NOW)
    assert differing(again, gateway.pipeline) == []


def test_messages_held_when_the_session_ends_are_neither_lost_nor_doubled(store: SqliteStore) -> None:
    gateway = Gateway(store, -ODD_S)
    gateway.send("paced/a")
    gateway.turn()
    link = gateway.link
    link.receiver.end()
    link.connections = 2
    link.receiver.begin(2, modern=False, session_present=False)
    for each in "bc":
        gateway.send(f"paced/{each}")
    gateway.turn()
    gateway.turn()
    assert [value for _, value, _ in gateway.stored()] == [1.0, 2.0, 3.0]


def test_held_messages_are_accepted_once_when_they_are_delivered_again(store: SqliteStore) -> None:
    gateway = Gateway(store, -ODD_S)
    gateway.send("paced/a")
    again = gateway.last._replace(redelivered=True, receipt=2)
    gateway.turn()
    assert not gateway.pipeline.intake.deliveries.is_known(again)
    link = gateway.link
    link.receiver.end()
    link.connections = 2
    link.receiver.begin(2, modern=False, session_present=True)
    link.receiver.inbox.put(again)
    for each in "bc":
        gateway.send(f"paced/{each}")
    gateway.turn()
    gateway.turn()
    assert [value for _, value, _ in gateway.stored()] == [1.0, 2.0, 3.0]
    assert gateway.pipeline.counters.messages_redelivered == 1
    assert gateway.link.acknowledged.count(1) == 2


def test_messages_stamped_before_our_clock_was_corrected_are_stamped_by_the_right_one(store: SqliteStore) -> None:
    gateway = Gateway(store, -ODD_S)
    for each in "abc":
        gateway.send(f"paced/{each}")
    gateway.send("now/x")
    late = gateway.last._replace(packet=99)
    gateway.turn()
    gateway.link.receiver.inbox.put(late)
    gateway.send("now/y")
    gateway.turn()
    assert gateway.stored()[-2:] == [("now/x", 4.0, NOW), ("now/y", 5.0, NOW + 1.0)]


def test_messages_stamped_before_a_small_step_keep_their_stamp(store: SqliteStore) -> None:
    gateway = Gateway(store, 0.0)
    gateway.send("now/x")
    gateway.off = 30.0
    gateway.turn()
    assert gateway.stored() == [("now/x", 1.0, NOW)]


def test_a_step_back_leaves_no_stamp_changed(store: SqliteStore) -> None:
    gateway = Gateway(store, 0.0)
    gateway.off = 3600.0
    gateway.turn()
    gateway.off = 0.0
    gateway.turn()
    gateway.send("now/x")
    gateway.turn()
    assert gateway.stored() == [("now/x", 1.0, NOW + 2.0)]


def test_held_messages_are_bounded_in_bytes_and_wait_no_longer_than_the_first() -> None:
    held = HeldMessages(1000)
    held.add([Message("a", b"x", NOW)], 0.0)
    held.add([Message("a", b"x", NOW)], 50.0)
    assert [held.is_over(now) for now in (59.0, 60.0)] == [False, True]
    held.add([Message("a", bytes(HELD_BYTES), NOW)], 51.0)
    assert held.is_over(51.0)
    held.release()
    assert not held.is_over(1000.0)


def test_messages_of_another_link_are_forgotten_with_it(store: SqliteStore) -> None:
    gateway = Gateway(store, -ODD_S)
    gateway.send("paced/a")
    gateway.turn()
    other: Any = ScriptedLink(gateway.clock, gateway.wall)
    options = ServiceOptions(Topics("edgewarden/gw"), commit_s=0.0, in_flight=IN_FLIGHT)
    gateway.service.follow(gateway.pipeline, options, other, other)
    gateway.turn(HELD_S)
    gateway.turn()
    assert not gateway.pipeline.counters.readings_refused


def test_a_service_that_is_restarted_while_the_clock_is_years_ahead_deletes_nothing(store: SqliteStore) -> None:
    gateway = Gateway(store, 0.0)
    gateway.send("now/x")
    gateway.turn()
    gateway.off = 20 * 365 * 86_400.0
    gateway.send("now/x")
    gateway.turn()
    assert json.loads(gateway.service._health())["clock"] == {
        "own": "2043-11-09T22:13:22.000Z",
        "believed": "2043-11-09T22:13:22.000Z",
        "last_step_s": gateway.off,
    }
    again = Gateway(store, gateway.off, at=10.0)
    assert store.recall().last_arrival == pytest.approx(NOW + gateway.off, abs=5)
    assert again.wall.aged() == pytest.approx(NOW, abs=5)


def test_the_clock_for_ages_catches_up_with_the_oldest_entry(store: SqliteStore) -> None:
    store.prune(EARLIEST)
    store.append([], [], b"", now=NOW)
    assert store.recall().pruned == NOW
