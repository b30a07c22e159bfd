"""The publisher: order, in-flight window, PUBACKs, and the rates of the backlog."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outlet import Clock, Outlet, event, fill, raised

from edge.shell.publishing.publisher import CONFIRM_S, Publisher
from edge.shell.store import SqliteStore, StoreError


def test_no_more_is_sent_than_the_window_allows(store: SqliteStore) -> None:
    raised(store, 1, 5)
    outlet = Outlet(window=3)
    Publisher(store, outlet).turn(0.0)
    assert outlet.sequences == [1, 2, 3]


def test_an_event_leaves_the_outbox_only_by_its_puback(store: SqliteStore, clock: Clock) -> None:
    raised(store, 1, 2)
    outlet = Outlet()
    publisher = Publisher(store, outlet, monotonic=clock)
    publisher.turn(0.0)
    assert store.backlog().events == 2
    outlet.puback()
    publisher.turn(7.0)
    clock.now += CONFIRM_S
    publisher.turn(7.0)
    assert [row.sequence for row in store.pending(0, 9)] == [2]


def test_pubacks_are_recorded_together_and_immediately_when_none_is_missing(store: SqliteStore, clock: Clock) -> None:
    raised(store, 1, 3)
    outlet = Outlet()
    publisher = Publisher(store, outlet, monotonic=clock)
    publisher.turn(0.0)
    outlet.puback(2)
    publisher.turn(0.0)
    assert store.backlog().events == 3
    outlet.puback(1)
    publisher.turn(0.0)
    assert store.backlog().events == 0
    assert publisher.idle


def test_a_row_is_never_sent_again_while_it_is_outstanding(store: SqliteStore) -> None:
    raised(store, 1, 3)
    outlet = Outlet()
    publisher = Publisher(store, outlet)
    for _ in range(5):
        publisher.stored()
        publisher.turn(0.0)
    assert outlet.sequences == [1, 2, 3]


def test_while_offline_nothing_is_handed_over(store: SqliteStore) -> None:
    raised(store, 1, 3)
    outlet = Outlet()
    outlet.connected = False
    publisher = Publisher(store, outlet)
    publisher.turn(0.0)
    assert outlet.sent == []
    assert not publisher.idle


def test_what_is_in_flight_needs_no_turn_before_the_broker_answers(store: SqliteStore) -> None:
    raised(store, 1, 2)
    outlet = Outlet(window=2)
    publisher = Publisher(store, outlet)
    publisher.retain("state/s", b"open")
    publisher.turn(0.0)
    assert not publisher.awaits_broker, "the retained topic has no room yet"
    outlet.puback(2)
    publisher.turn(0.0)
    assert publisher.awaits_broker
    assert not publisher.idle
    outlet.puback(1)
    publisher.turn(0.0)
    assert publisher.awaits_broker
    assert publisher.idle


def test_while_offline_there_is_nothing_to_do_whatever_waits(store: SqliteStore) -> None:
    raised(store, 1, 3)
    outlet = Outlet()
    outlet.connected = False
    publisher = Publisher(store, outlet)
    publisher.retain("state/s", b"open")
    publisher.turn(0.0)
    assert publisher.awaits_broker
    outlet.mend()
    assert not publisher.awaits_broker


def test_after_a_cut_everything_without_a_puback_is_sent_again_in_order(store: SqliteStore) -> None:
    raised(store, 1, 4)
    outlet = Outlet()
    publisher = Publisher(store, outlet)
    publisher.turn(0.0)
    outlet.puback(1)
    publisher.turn(0.0)
    outlet.cut()
    publisher.turn(0.0)
    outlet.mend()
    publisher.turn(0.0)
    assert outlet.sequences[4:] == [2, 3, 4]


def test_open_incidents_go_first_then_new_events_then_the_backlog(store: SqliteStore, clock: Clock) -> None:
    fill(store, event(1, "over"), event(2, "open"), event(3, "over", "cleared"), event(4, "open", "updated"))
    outlet = Outlet(window=2)
    publisher = Publisher(store, outlet, 1000.0, clock)
    clock.now += 1
    publisher.turn(0.0)
    fill(store, event(5, "new"))
    publisher.stored()
    outlet.puback(2)
    publisher.turn(0.0)
    outlet.puback(2)
    publisher.turn(0.0)
    assert outlet.sequences == [2, 4, 5, 1, 3]
    assert outlet.replayed == [1, 3]


def test_the_backlog_has_a_bounded_rate_and_new_events_pass_it(store: SqliteStore, clock: Clock) -> None:
    fill(store, *(event(each, "over", "updated") for each in range(1, 100)), event(100, "over", "cleared"))
    outlet = Outlet()
    publisher = Publisher(store, outlet, 10.0, clock)
    publisher.turn(0.0)
    for second in range(1, 6):
        fill(store, event(100 + second, f"new-{second}"))
        publisher.stored()
        for _ in range(10):
            clock.now += 0.1
            publisher.turn(0.0)
    live = [each for each in outlet.sequences if each > 100]
    backlog = [each for each in outlet.sequences if each <= 100]
    assert live == [101, 102, 103, 104, 105]
    assert backlog == list(range(1, len(backlog) + 1))
    assert 45 <= len(backlog) <= 51
    assert outlet.replayed == backlog


def test_an_event_that_went_first_is_not_sent_again_with_the_backlog(store: SqliteStore, clock: Clock) -> None:
    fill(store, event(1, "over"), event(2, "open"), event(3, "over", "cleared"))
    outlet = Outlet()
    publisher = Publisher(store, outlet, 1000.0, clock)
    for _ in range(10):
        clock.now += 0.1
        publisher.turn(0.0)
        outlet.puback(1)
    assert sorted(outlet.sequences) == [1, 2, 3]


def test_a_gap_is_urgent_and_never_marked(store: SqliteStore, clock: Clock) -> None:
    fill(store, event(1, "over"), event(2, "over", "cleared"), event(3, "gap-1", "gap"))
    outlet = Outlet(window=1)
    publisher = Publisher(store, outlet, 1000.0, clock)
    publisher.turn(0.0)
    assert outlet.sequences == [3]
    assert publisher.was_sent(3)
    assert not publisher.was_sent(4)


def test_dropped_events_are_not_sent(store: SqliteStore, clock: Clock) -> None:
    raised(store, 1, 5)
    outlet = Outlet(window=1)
    publisher = Publisher(store, outlet, 1000.0, clock)
    publisher.turn(0.0)
    store.append([], [], instead_of=[2, 3])
    publisher.changed()
    for _ in range(5):
        outlet.puback()
        publisher.turn(0.0)
    assert outlet.sequences == [1, 4, 5]


@pytest.mark.parametrize("window", [1, 2, 100])
def test_a_store_that_replaces_a_damaged_one_is_sent_completely_although_its_events_are_in_flight(
    store: SqliteStore, clock: Clock, tmp_path: Path, window: int
) -> None:
    events = [event(1, "over"), event(2, "open"), event(3, "over", "cleared"), event(4, "open", "updated")]
    fill(store, *events)
    outlet = Outlet(window=window)
    publisher = Publisher(store, outlet, 1000.0, clock)
    clock.now += 1
    publisher.turn(0.0)
    other = SqliteStore(tmp_path / "other.db", "process")
    fill(other, *events, event(5, "open", "cleared"))
    publisher.changed(other)
    for _ in range(20):
        outlet.puback()
        publisher.turn(0.0)
        clock.now += CONFIRM_S
    assert other.backlog().events == 0
    assert publisher.idle
    other.close()


@pytest.mark.long
@settings(max_examples=25)
@given(st.data())
def test_however_often_the_link_is_cut_everything_arrives_and_each_incident_is_in_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    store = SqliteStore(tmp_path_factory.mktemp("store") / "store.db", "process")
    clock, outlet = Clock(), Outlet(window=7)
    publisher = Publisher(store, outlet, 200.0, clock)
    incidents: dict[int, str] = {}
    open_ones: list[str] = []
    sequence = 0
    for turn in range(300):
        clock.now += 0.05
        if turn < 100:
            for _ in range(data.draw(st.integers(0, 3))):
                sequence += 1
                if open_ones and data.draw(st.booleans()):
                    incident = open_ones.pop(data.draw(st.integers(0, len(open_ones) - 1)))
                    fill(store, event(sequence, incident, "cleared"))
                else:
                    incident = f"i-{sequence}"
                    open_ones.append(incident)
                    fill(store, event(sequence, incident))
                incidents[sequence] = incident
            publisher.stored()
            if data.draw(st.integers(0, 9)) == 0:
                outlet.cut()
            elif not outlet.connected:
                outlet.mend()
        elif not outlet.connected:
            outlet.mend()
        outlet.puback(5)
        publisher.turn(0.0)
        if turn > 100 and publisher.idle:
            break
    assert store.backlog().events == 0
    first_seen = list(dict.fromkeys(outlet.sequences))
    assert sorted(first_seen) == list(range(1, sequence + 1))
    for incident in set(incidents.values()):
        mine = [each for each in first_seen if incidents[each] == incident]
        assert mine == sorted(mine)
    store.close()


def test_a_retained_topic_gets_only_its_latest_value_and_after_the_events(store: SqliteStore) -> None:
    raised(store, 1, 1)
    outlet = Outlet(window=1)
    publisher = Publisher(store, outlet)
    publisher.retain("state/s", b"old")
    publisher.turn(0.0)
    publisher.retain("state/s", b"new")
    outlet.puback()
    publisher.turn(0.0)
    assert [topic for topic, _, _ in outlet.sent] == ["t/1", "state/s"]
    assert outlet.sent[1] == ("state/s", b"new", True)


def test_a_value_in_flight_when_the_connection_ended_is_sent_again_unless_there_is_a_later_one(
    store: SqliteStore,
) -> None:
    outlet = Outlet()
    publisher = Publisher(store, outlet, status_topic="status")
    publisher.retain_all({"status": b"online", "state/a": b"a", "state/b": b"old"})
    publisher.turn(0.0)
    outlet.cut()
    publisher.retain("state/b", b"new")
    assert publisher.unsaid == {"state/a": b"a", "state/b": b"new"}
    outlet.mend()
    del outlet.sent[:]
    publisher.turn(0.0)
    assert {topic: payload for topic, payload, _ in outlet.sent} == {
        "status": b"online",
        "state/a": b"a",
        "state/b": b"new",
    }
    outlet.puback(3)
    publisher.turn(0.0)
    assert publisher.unsaid == {}


def test_new_events_are_found_when_the_store_has_them(store: SqliteStore) -> None:
    outlet = Outlet()
    publisher = Publisher(store, outlet)
    publisher.turn(0.0)
    assert publisher.idle
    raised(store, 1, 2)
    publisher.stored()
    publisher.turn(0.0)
    assert outlet.sequences == [1, 2]


def test_while_the_store_refuses_commits_held_events_and_the_latest_value_are_still_sent(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised(store, 1, 2)
    outlet = Outlet(window=1)
    publisher = Publisher(store, outlet)
    publisher.turn(0.0)
    outlet.puback()
    with monkeypatch.context() as patch:
        patch.setattr(store, "confirm", refuse)
        publisher.retain("health", b"not well")
        for _ in range(3):
            with pytest.raises(StoreError):
                publisher.turn(0.0)
            outlet.puback()
    assert [topic for topic, _, _ in outlet.sent] == ["t/1", "t/2", "health"]
    publisher.turn(0.0)
    assert store.backlog().events == 0


def refuse(*_arguments: object) -> None:
    raise StoreError("the disk is full", temporary=True)
