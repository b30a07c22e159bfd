from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.incidents.events.event import Event
from edge.shell.link import Echo, RefusedPublication
from edge.shell.publishing.closing_topics import CLOSED_IN_A_ROW
from edge.shell.publishing.publisher import CONFIRM_S, Publisher
from edge.shell.publishing.refused_topics import FIRST_COSTLY_RETRY_S, FIRST_RETRY_S, LONGEST_RETRY_S, TRIED_AT_ONCE
from edge.shell.store import SqliteStore, StoreError


class Outlet:
    """A link whose broker is a list; the window and the PUBACKs are the test's to give."""

    def __init__(self, window: int = 1000) -> None:
        self.connected = True
        self.connections = 1
        self.acknowledges_blindly = False
        self.echo = Echo(None)
        self.rivals = 0
        self.closed_by_broker = ""
        self.explained = 0
        self.window = window
        self.sent: list[tuple[str, bytes, bool]] = []
        self.unconfirmed: list[int] = []
        self._confirmed: list[int] = []
        self._refused: list[RefusedPublication] = []
        self._tokens = count(1)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, properties: Any = None) -> Any:
        if not self.connected or len(self.unconfirmed) >= self.window:
            return None
        self.sent.append((topic, payload, retain))
        token = next(self._tokens)
        self.unconfirmed.append(token)
        return token

    def puback(self, number: int = 1) -> None:
        self._confirmed += self.unconfirmed[:number]
        del self.unconfirmed[:number]

    def confirmations(self) -> list[int]:
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    def refuse(self, number: int = 1, reason: str = "Not authorized") -> None:
        self._refused += [RefusedPublication(token, reason) for token in self.unconfirmed[:number]]
        del self.unconfirmed[:number]

    def refusals(self) -> list[RefusedPublication]:
        refused, self._refused = self._refused, []
        return refused

    def closing_explained(self) -> None:
        self.explained += 1

    def rival_seen(self) -> None:
        self.rivals += 1

    def cut(self) -> None:
        self.connected = False
        self.unconfirmed.clear()

    def mend(self) -> None:
        self.connected = True
        self.connections += 1

    @property
    def sequences(self) -> list[int]:
        return [json.loads(payload)["n"] for _, payload, retained in self.sent if not retained]

    @property
    def replayed(self) -> list[int]:
        found = [json.loads(payload) for _, payload, retained in self.sent if not retained]
        return [each["n"] for each in found if each["data"]["replayed"]]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def event(sequence: int, incident: str = "i", transition: str = "raised") -> Event:
    payload = b'{"n":%d,"data":{"replayed":false}}' % sequence
    return Event(sequence, f"id-{sequence}", "s", f"t/{sequence}", 1.0, incident, transition, "spike", 300, "", payload)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "store.db", "process")
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fill(store: SqliteStore, *events: Event) -> None:
    store.append(events, [], now=1.0)


def raised(store: SqliteStore, first: int, last: int) -> None:
    fill(store, *(event(each) for each in range(first, last + 1)))


def test_no_more_is_sent_than_the_window_holds(store: SqliteStore) -> None:
    raised(store, 1, 5)
    outlet = Outlet(window=3)
    Publisher(store, outlet).turn(0.0)
    assert outlet.sequences == [1, 2, 3]


def test_an_event_leaves_the_outbox_by_its_puback_only(store: SqliteStore, clock: Clock) -> None:
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


def test_pubacks_are_noted_together_and_at_once_when_none_is_missing(store: SqliteStore, clock: Clock) -> None:
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


def test_after_a_cut_what_has_no_puback_is_sent_again_in_order(store: SqliteStore) -> None:
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


def test_what_is_open_goes_first_then_what_is_new_then_the_backlog(store: SqliteStore, clock: Clock) -> None:
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


def test_the_backlog_comes_at_a_bounded_rate_and_new_events_pass_it(store: SqliteStore, clock: Clock) -> None:
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


def test_what_was_dropped_is_not_sent(store: SqliteStore, clock: Clock) -> None:
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
def test_a_store_that_replaces_a_damaged_one_is_sent_whole_though_events_of_that_one_are_under_way(
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


@settings(max_examples=25)
@given(st.data())
def test_however_often_the_link_is_cut_everything_arrives_and_each_incident_in_order(
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


def test_a_retained_topic_gets_its_latest_word_only_and_after_the_events(store: SqliteStore) -> None:
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


def test_a_word_that_was_under_way_when_the_connection_ended_is_said_again_unless_there_is_a_later_one(
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


def test_while_the_store_refuses_what_it_holds_and_the_latest_word_still_go_out(
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


def on(topic: str, sequence: int, incident: str = "i", transition: str = "raised") -> Event:
    return event(sequence, incident, transition)._replace(topic=topic)


@pytest.fixture
def refusing(store: SqliteStore, clock: Clock) -> tuple[Outlet, Publisher]:
    """Two topics: on `a` three events of one incident, on `b` one of another."""
    store.append([on("a", 1), on("a", 2), on("b", 3, "j"), on("a", 4)], [])
    outlet = Outlet()
    return outlet, Publisher(store, outlet, monotonic=clock)


def settle(publisher: Publisher, outlet: Outlet) -> None:
    """Accept everything."""
    for _ in range(20):
        publisher.turn(0.0)
        outlet.puback(len(outlet.unconfirmed))


def test_a_refused_event_stays_in_the_outbox_and_holds_up_no_other_topic(
    refusing: tuple[Outlet, Publisher], store: SqliteStore, clock: Clock
) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    outlet.refuse()
    publisher.turn(0.0)
    assert outlet.sequences == [1, 3]
    outlet.puback()
    for _ in range(3):
        clock.now += 0.25
        publisher.turn(0.0)
    assert [row.sequence for row in store.pending(0, 10)] == [1, 2, 4]
    assert publisher.idle, "what is refused is nothing to wait for"
    assert publisher.on_their_way == [], "a limit may drop it"
    assert publisher.refused.topics == {"a": "Not authorized"}


def test_an_event_waits_for_the_answer_to_the_one_before_it_on_its_topic(refusing: tuple[Outlet, Publisher]) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    publisher.turn(0.0)
    assert outlet.sequences == [1]
    outlet.puback()
    publisher.turn(0.0)
    assert outlet.sequences == [1, 2, 3]


def test_where_nothing_is_ever_refused_nothing_waits_for_an_answer(
    refusing: tuple[Outlet, Publisher], store: SqliteStore
) -> None:
    outlet, publisher = refusing
    outlet.acknowledges_blindly = True
    publisher.turn(0.0)
    assert outlet.sequences == [1, 2, 3, 4]


def test_a_refused_event_is_tried_again_less_and_less_often_and_then_all_comes_in_order(
    refusing: tuple[Outlet, Publisher], store: SqliteStore, clock: Clock
) -> None:
    outlet, publisher = refusing
    tried_at = []
    publisher.turn(0.0)
    for _ in range(3000):
        if outlet.unconfirmed and len(outlet.sent) and outlet.sequences[-1] == 1:
            tried_at.append(clock.now)
            outlet.refuse()
        outlet.puback(len(outlet.unconfirmed))
        clock.now += 0.25
        publisher.turn(0.0)
    pauses = [after - before for before, after in pairwise(tried_at)]
    assert pauses[0] <= FIRST_RETRY_S + 0.25
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(LONGEST_RETRY_S, abs=0.5)
    before = len(outlet.sequences)
    clock.now += LONGEST_RETRY_S
    settle(publisher, outlet)
    assert outlet.sequences[before:] == [1, 2, 4]
    assert store.backlog().events == 0
    assert publisher.refused.topics == {}


def test_a_new_event_of_a_refused_topic_waits_behind_the_others(
    refusing: tuple[Outlet, Publisher], store: SqliteStore, clock: Clock
) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    outlet.refuse()
    publisher.turn(0.0)
    store.append([on("a", 5, "i", "cleared"), on("c", 6, "k")], [])
    publisher.stored()
    settle(publisher, outlet)
    assert outlet.sequences == [1, 3, 6]
    clock.now += FIRST_RETRY_S
    settle(publisher, outlet)
    assert outlet.sequences == [1, 3, 6, 1, 2, 4, 5]


def test_when_a_limit_has_dropped_what_would_be_tried_the_next_of_its_topic_is(
    refusing: tuple[Outlet, Publisher], store: SqliteStore, clock: Clock
) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    outlet.refuse()
    publisher.turn(0.0)
    store.append([], [], instead_of=[1])
    publisher.changed()
    clock.now += FIRST_RETRY_S
    settle(publisher, outlet)
    assert outlet.sequences == [1, 3, 2, 4]


def test_many_refused_topics_are_tried_in_turn(store: SqliteStore, clock: Clock) -> None:
    store.append([on(f"t/{number}", number, f"i{number}") for number in range(1, 101)], [])
    outlet = Outlet()
    publisher = Publisher(store, outlet, monotonic=clock)
    publisher.turn(0.0)
    assert len(outlet.sent) == 100
    outlet.refuse(100)
    publisher.turn(0.0)
    for _ in range(8):
        clock.now += LONGEST_RETRY_S
        publisher.turn(0.0)
        assert len(outlet.unconfirmed) == TRIED_AT_ONCE
        outlet.refuse(TRIED_AT_ONCE)
        publisher.turn(0.0)
    assert {outlet.sequences.count(number) for number in range(1, 101)} == {2, 3}


def test_a_refused_retained_topic_gets_its_latest_word_later(store: SqliteStore, clock: Clock) -> None:
    outlet = Outlet()
    publisher = Publisher(store, outlet, monotonic=clock)
    publisher.retain("state/a", b"1")
    publisher.retain("open", b"2")
    publisher.turn(0.0)
    outlet.refuse()
    outlet.puback()
    publisher.turn(0.0)
    publisher.turn(0.0)
    assert publisher.idle
    publisher.retain("state/a", b"3")
    publisher.turn(0.0)
    assert len(outlet.sent) == 2
    clock.now += FIRST_RETRY_S
    settle(publisher, outlet)
    assert outlet.sent[2:] == [("state/a", b"3", True)]


def test_a_word_that_is_refused_does_not_overwrite_a_later_one(store: SqliteStore, clock: Clock) -> None:
    outlet = Outlet()
    publisher = Publisher(store, outlet, monotonic=clock)
    publisher.retain("open", b"old")
    publisher.turn(0.0)
    publisher.retain("open", b"new")
    publisher.turn(0.0)
    outlet.refuse()
    for _ in range(3):
        clock.now += FIRST_RETRY_S
        settle(publisher, outlet)
    assert [payload for _, payload, _ in outlet.sent] == [b"old", b"new"]


def test_another_connection_tries_everything_again(refusing: tuple[Outlet, Publisher]) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    outlet.refuse()
    publisher.turn(0.0)
    outlet.cut()
    outlet.mend()
    settle(publisher, outlet)
    assert outlet.sequences == [1, 3, 1, 2, 3, 4]


@settings(max_examples=60)
@given(st.data())
def test_whatever_is_refused_whenever_each_incident_comes_in_order_and_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    clock, outlet = Clock(), Outlet(window=4)
    store = SqliteStore(tmp_path_factory.mktemp("store") / "store.db", "process")
    publisher = Publisher(store, outlet, 10_000.0, clock)
    taken: list[int] = []
    incidents: dict[int, str] = {}
    ended = dict.fromkeys("abc", 0)
    sent = 0

    def answer(choose: bool) -> None:
        while outlet.unconfirmed:
            sequence = outlet.sequences[len(outlet.sequences) - len(outlet.unconfirmed)]
            if choose and data.draw(st.booleans(), label="refused"):
                outlet.refuse()
            else:
                taken.append(sequence)
                outlet.puback()

    for _ in range(12):
        for _ in range(data.draw(st.integers(0, 3))):
            sent += 1
            topic = data.draw(st.sampled_from("abc"))
            incidents[sent] = f"{topic}{ended[topic]}"
            ends = data.draw(st.booleans())
            store.append([on(topic, sent, incidents[sent], "cleared" if ends else "updated")], [])
            ended[topic] += ends
        publisher.stored()
        publisher.turn(0.0)
        answer(choose=True)
        clock.now += data.draw(st.sampled_from([0.0, 0.3, 5.0]))
    for _ in range(60):
        clock.now += LONGEST_RETRY_S
        publisher.turn(0.0)
        answer(choose=False)
    assert store.backlog().events == 0
    store.close()
    assert sorted(taken) == list(range(1, sent + 1))
    for incident in set(incidents.values()):
        mine = [each for each in taken if incidents[each] == incident]
        assert mine == sorted(mine)


def hang_up(outlet: Outlet, publisher: Publisher, clock: Clock) -> None:
    """The broker closes the connection without having answered, and we connect again."""
    outlet.closed_by_broker = "closed by the broker"
    outlet.cut()
    outlet.mend()
    clock.now += 1
    publisher.turn(0.0)


def test_a_topic_for_which_the_broker_closes_the_connection_holds_up_no_other(
    refusing: tuple[Outlet, Publisher], store: SqliteStore, clock: Clock
) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    for _ in range(CLOSED_IN_A_ROW):
        assert "a" not in publisher.refused
        hang_up(outlet, publisher, clock)
    assert publisher.refused.topics == {"a": "the broker closes the connection (closed by the broker)"}
    assert outlet.explained == 1
    settle(publisher, outlet)
    assert [row.sequence for row in store.pending(0, 10)] == [1, 2, 4]
    clock.now += FIRST_COSTLY_RETRY_S
    settle(publisher, outlet)
    assert store.pending(0, 10) == []
    assert outlet.sequences[-3:] == [1, 2, 4]


def test_while_it_is_unclear_for_which_topic_the_broker_closes_one_publication_is_under_way(
    store: SqliteStore, clock: Clock
) -> None:
    store.append([on("a", 1), on("b", 2, "j"), on("c", 3, "k")], [])
    outlet = Outlet()
    publisher = Publisher(store, outlet, monotonic=clock)
    publisher.turn(0.0)
    assert outlet.sequences == [1, 2, 3]
    hang_up(outlet, publisher, clock)
    assert len(outlet.unconfirmed) == 1
    settle(publisher, outlet)
    assert store.pending(0, 10) == []


def test_a_try_that_costs_the_connection_again_comes_later_and_is_nobody_elses_fault(
    refusing: tuple[Outlet, Publisher], clock: Clock
) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    for _ in range(CLOSED_IN_A_ROW):
        hang_up(outlet, publisher, clock)
    settle(publisher, outlet)
    clock.now += FIRST_COSTLY_RETRY_S
    publisher.turn(0.0)
    assert outlet.sequences[-1] == 1
    hang_up(outlet, publisher, clock)
    assert list(publisher.refused.topics) == ["a"]
    clock.now += 1.5 * FIRST_COSTLY_RETRY_S
    before = len(outlet.sent)
    publisher.turn(0.0)
    assert len(outlet.sent) == before


def test_a_network_that_breaks_refuses_nothing(refusing: tuple[Outlet, Publisher], clock: Clock) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    for _ in range(3 * CLOSED_IN_A_ROW):
        hang_up(outlet, publisher, clock)
        outlet.closed_by_broker = ""
        outlet.cut()
        outlet.mend()
        publisher.turn(0.0)
        outlet.puback()
        publisher.turn(0.0)
    assert publisher.refused.topics == {}
