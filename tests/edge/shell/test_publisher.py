from __future__ import annotations

from itertools import count

import pytest
from model_store import ModelStore

from edge.core.events import Event
from edge.shell.publisher import Publisher
from edge.shell.store import Limits


class Outlet:
    """A link whose broker is a list; the window and the PUBACKs are the test's to give."""

    def __init__(self, window: int = 3) -> None:
        self.connected = True
        self.connections = 1
        self.window = window
        self.sent: list[tuple[str, bytes, bool]] = []
        self.unconfirmed: list[int] = []
        self._confirmed: list[int] = []
        self._tokens = count(1)

    def publish(self, topic, payload, *, qos=1, retain=False, properties=None):  # type: ignore[no-untyped-def]
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

    def cut(self) -> None:
        self.connected = False
        self.unconfirmed.clear()

    def mend(self) -> None:
        self.connected = True
        self.connections += 1


def event(sequence: int) -> Event:
    return Event(
        sequence, f"id-{sequence}", "s", f"t/{sequence}", 1.0, "i", "raised", "spike", 300, "", b"%d" % sequence
    )


@pytest.fixture
def store() -> ModelStore:
    return ModelStore(Limits())


def filled(store: ModelStore, number: int) -> ModelStore:
    store.append([event(each) for each in range(1, number + 1)], [])
    return store


def test_no_more_is_sent_than_the_window_holds(store: ModelStore) -> None:
    outlet = Outlet(window=3)
    Publisher(filled(store, 5), outlet).turn(0.0)
    assert [payload for _, payload, _ in outlet.sent] == [b"1", b"2", b"3"]


def test_an_event_leaves_the_outbox_by_its_puback_only(store: ModelStore) -> None:
    outlet = Outlet()
    publisher = Publisher(filled(store, 2), outlet)
    publisher.turn(0.0)
    assert store.backlog().events == 2
    outlet.puback()
    publisher.turn(7.0)
    assert [row.sequence for row in store.pending(0, 9)] == [2]


def test_a_row_is_never_sent_again_while_it_is_outstanding(store: ModelStore) -> None:
    outlet = Outlet(window=10)
    publisher = Publisher(filled(store, 3), outlet)
    for _ in range(5):
        publisher.stored()
        publisher.turn(0.0)
    assert len(outlet.sent) == 3


def test_while_offline_nothing_is_handed_over(store: ModelStore) -> None:
    outlet = Outlet()
    outlet.connected = False
    publisher = Publisher(filled(store, 3), outlet)
    publisher.turn(0.0)
    assert outlet.sent == []
    assert not publisher.idle


def test_after_a_cut_what_has_no_puback_is_sent_again_in_order(store: ModelStore) -> None:
    outlet = Outlet(window=10)
    publisher = Publisher(filled(store, 4), outlet)
    publisher.turn(0.0)
    outlet.puback(1)
    publisher.turn(0.0)
    outlet.cut()
    publisher.turn(0.0)
    outlet.mend()
    publisher.turn(0.0)
    assert [payload for _, payload, _ in outlet.sent[4:]] == [b"2", b"3", b"4"]


def test_everything_arrives_in_order_however_often_the_link_is_cut(store: ModelStore) -> None:
    outlet = Outlet(window=7)
    publisher = Publisher(filled(store, 500), outlet)
    for turn in range(1000):
        publisher.turn(0.0)
        if turn % 13 == 0:
            outlet.cut()
            outlet.mend()
        else:
            outlet.puback(5)
        if publisher.idle:
            break
    assert store.backlog().events == 0
    first_seen = list(dict.fromkeys(int(payload) for _, payload, _ in outlet.sent))
    assert first_seen == list(range(1, 501))


def test_a_retained_topic_gets_its_latest_word_only_and_after_the_events(store: ModelStore) -> None:
    outlet = Outlet(window=1)
    publisher = Publisher(filled(store, 1), outlet)
    publisher.retain("state/s", b"old")
    publisher.turn(0.0)
    publisher.retain("state/s", b"new")
    outlet.puback()
    publisher.turn(0.0)
    assert outlet.sent == [("t/1", b"1", False), ("state/s", b"new", True)]


def test_new_events_are_found_when_the_store_has_them(store: ModelStore) -> None:
    outlet = Outlet(window=10)
    publisher = Publisher(store, outlet)
    publisher.turn(0.0)
    assert publisher.idle
    filled(store, 2)
    publisher.stored()
    publisher.turn(0.0)
    assert len(outlet.sent) == 2
