"""Publications refused by the broker: they are retried in order, and delay no other topic."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outlet import Clock, Outlet, event

from edge.core.incidents.events.event import Event
from edge.shell.publishing.closing_topics import CLOSED_IN_A_ROW
from edge.shell.publishing.publisher import Publisher
from edge.shell.publishing.refused_topics import FIRST_COSTLY_RETRY_S, FIRST_RETRY_S, LONGEST_RETRY_S, TRIED_AT_ONCE
from edge.shell.store import SqliteStore


def on(topic: str, sequence: int, incident: str = "i", transition: str = "raised") -> Event:
    return event(sequence, incident, transition)._replace(topic=topic)


@pytest.fixture
def refusing(store: SqliteStore, clock: Clock) -> tuple[Outlet, Publisher]:
    """Two topics: on `a` three events of one incident, on `b` one event of another."""
    store.append([on("a", 1), on("a", 2), on("b", 3, "j"), on("a", 4)], [])
    outlet = Outlet()
    return outlet, Publisher(store, outlet, monotonic=clock)


def settle(publisher: Publisher, outlet: Outlet) -> None:
    """Accept everything."""
    for _ in range(20):
        publisher.turn(0.0)
        outlet.puback(len(outlet.unconfirmed))


def test_a_refused_event_stays_in_the_outbox_and_delays_no_other_topic(
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


def test_without_refusals_nothing_waits_for_an_answer(refusing: tuple[Outlet, Publisher], store: SqliteStore) -> None:
    outlet, publisher = refusing
    outlet.acknowledges_blindly = True
    publisher.turn(0.0)
    assert outlet.sequences == [1, 2, 3, 4]


def test_a_refused_event_is_retried_less_and_less_often_and_then_all_arrive_in_order(
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


def test_a_new_event_of_a_refused_topic_waits_after_the_others(
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


def test_when_a_limit_has_dropped_the_event_to_retry_the_next_of_its_topic_is_retried(
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


def test_many_refused_topics_are_retried_in_turn(store: SqliteStore, clock: Clock) -> None:
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


def test_a_refused_retained_topic_gets_its_latest_value_later(store: SqliteStore, clock: Clock) -> None:
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


def test_a_refused_value_does_not_overwrite_a_later_one(store: SqliteStore, clock: Clock) -> None:
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


def test_another_connection_retries_everything(refusing: tuple[Outlet, Publisher]) -> None:
    outlet, publisher = refusing
    publisher.turn(0.0)
    outlet.refuse()
    publisher.turn(0.0)
    outlet.cut()
    outlet.mend()
    settle(publisher, outlet)
    assert outlet.sequences == [1, 3, 1, 2, 3, 4]


@pytest.mark.long
@settings(max_examples=60)
@given(st.data())
def test_with_any_refusals_each_incident_arrives_complete_and_in_order(
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
    """The broker closes the connection without an answer, and the service connects again."""
    outlet.closed_by_broker = "closed by the broker"
    outlet.cut()
    outlet.mend()
    clock.now += 1
    publisher.turn(0.0)


def test_a_topic_for_which_the_broker_closes_the_connection_delays_no_other(
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


def test_while_it_is_unclear_for_which_topic_the_broker_closes_one_publication_is_in_flight(
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


def test_a_retry_that_costs_the_connection_again_comes_later_and_affects_no_other_topic(
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
