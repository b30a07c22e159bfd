"""Brokers that acknowledge what their access list drops: an incident's events come in order, whenever it is mended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outlet import Clock, Outlet, event, fill

from edge.shell.link.sending.delivery_check import ECHO_S, PATIENCE_S, PROBE_S, STILL_MISSING_S
from edge.shell.publishing.earlier_events import MOST
from edge.shell.publishing.publisher import Publisher
from edge.shell.store import SqliteStore

STATUS = "edgewarden/gw/status"
ONLINE = b'{"state":"online","instance":"me"}'
STEP_S = 0.05


class FakeEcho:
    """What comes back to us."""

    state = "granted"

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def take(self) -> list[bytes]:
        payloads, self.payloads = self.payloads, []
        return payloads


class Line:
    """A publisher, and a broker that acknowledges everything and drops it while it is forbidden."""

    def __init__(self, store: SqliteStore, clock: Clock, window: int = 20) -> None:
        self.store, self.clock = store, clock
        self.outlet = Outlet(window)
        self.outlet.acknowledges_blindly = True
        self.outlet.echo = self.echo = FakeEcho()  # type: ignore[assignment] # as far as it is used
        self._handle, self.outlet.publish = self.outlet.publish, self._publish  # type: ignore[method-assign]
        self.allowed = True
        self.readable = True
        self.received: list[int] = []
        self.sent = 0
        self.publisher = Publisher(store, self.outlet, 200.0, clock, STATUS)
        self.publisher.retain(STATUS, ONLINE)

    def _publish(self, topic: str, payload: bytes, **how: Any) -> Any:
        token = self._handle(topic, payload, **how)
        if token is None:
            return None
        self.sent += 1
        if self.allowed and topic != STATUS:
            self.received.append(json.loads(payload)["n"])
        elif self.allowed and self.readable:
            self.echo.payloads.append(payload)
        return token

    def store_event(self, number: int, incident: str, transition: str = "updated") -> None:
        fill(self.store, event(number, incident, transition))
        self.publisher.stored()

    def let_pass(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.publisher.turn(self.clock.now)
            self.outlet.puback(len(self.outlet.unconfirmed))
            self.clock.now += STEP_S

    def pass_until_sent(self, number: int) -> None:
        """Let time pass until an event is under way, without an acknowledgement."""
        self.publisher.turn(self.clock.now)
        while self.outlet.sent[-1][0] != f"t/{number}":
            self.outlet.puback(len(self.outlet.unconfirmed))
            self.clock.now += STEP_S
            self.publisher.turn(self.clock.now)

    @property
    def first_received(self) -> list[int]:
        return list(dict.fromkeys(self.received))


@pytest.fixture
def line(store: SqliteStore, clock: Clock) -> Line:
    made = Line(store, clock)
    made.let_pass(1.0)
    return made


def forbid_for_long(line: Line) -> None:
    """Forbid to publish until events are sent all the same, and the last status has just failed to come back."""
    line.allowed = False
    line.store_event(1, "i", "raised")
    line.let_pass(PROBE_S + ECHO_S + PATIENCE_S + 1.0)
    line.store_event(2, "i")
    line.let_pass(2 * STILL_MISSING_S)
    assert line.received == []


def test_an_event_right_after_the_list_was_mended_does_not_overtake_those_that_were_dropped(line: Line) -> None:
    forbid_for_long(line)
    line.store_event(3, "i")
    line.store_event(4, "j", "raised")
    line.pass_until_sent(4)
    line.allowed = True
    line.store_event(5, "i", "cleared")
    line.let_pass(2 * STEP_S)
    assert line.received == [1, 2, 3, 5], "at once, and those of its incident before it"
    line.let_pass(60.0)
    assert line.first_received == [1, 2, 3, 5, 4]
    assert line.store.backlog().events == 0


def test_what_was_stored_before_the_connection_is_not_overtaken_either(store: SqliteStore, clock: Clock) -> None:
    fill(store, event(1, "i", "raised"), event(2, "i", "cleared"), event(3, "j", "raised"))
    line = Line(store, clock)
    line.readable = False
    line.let_pass(PROBE_S + ECHO_S + PATIENCE_S + 10.0)
    line.store_event(4, "i", "acknowledged")
    line.store_event(5, "j", "cleared")
    line.let_pass(10.0)
    assert line.first_received == [3, 1, 2, 4, 5]
    assert store.backlog().events == 5


def test_an_incident_of_more_events_than_are_sent_again_waits_and_others_do_not(line: Line) -> None:
    forbid_for_long(line)
    for number in range(3, MOST + 3):
        line.store_event(number, "i")
    line.store_event(1000, "j", "raised")
    line.allowed, line.readable = True, False
    line.let_pass(4 * STILL_MISSING_S)
    assert line.first_received == [*range(1, MOST + 2), 1000]
    line.readable = True
    line.let_pass(120.0)
    assert sorted(line.first_received) == [*range(1, MOST + 3), 1000]


def test_while_the_status_under_way_is_not_back_nothing_is_sent_that_could_overtake(line: Line) -> None:
    line.let_pass(2 * PROBE_S)
    line.allowed = False
    line.store_event(1, "i", "raised")
    line.let_pass(2 * STEP_S)
    line.allowed = True
    line.store_event(2, "i", "cleared")
    line.let_pass(60.0)
    assert line.first_received == [1, 2]


def test_an_acknowledgement_that_comes_with_the_status_proves_nothing_about_what_was_sent_before(line: Line) -> None:
    forbid_for_long(line)
    line.store_event(3, "k", "raised")
    line.pass_until_sent(3)
    late, line.outlet.unconfirmed = line.outlet.unconfirmed, []
    line.allowed = True
    while line.publisher.check.missing_since is not None:
        line.let_pass(STEP_S)
    line.outlet.unconfirmed[:0] = late
    line.let_pass(60.0)
    assert sorted(line.first_received) == [1, 2, 3]


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_whenever_a_list_is_changed_everything_arrives_and_each_incident_in_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    store, clock = SqliteStore(tmp_path_factory.mktemp("store") / "store.db", "process"), Clock()
    line = Line(store, clock)
    incidents: dict[int, str] = {}
    spells = data.draw(st.lists(st.tuples(st.floats(PROBE_S + 0.2, 90.0), st.floats(0.1, 20.0)), max_size=4))
    for forbidden_s, allowed_s in spells:
        for line.allowed, seconds in ((True, allowed_s), (False, forbidden_s)):
            left_s = seconds
            while left_s > 0:
                if data.draw(st.integers(0, 2)) == 0:
                    number = len(incidents) + 1
                    incidents[number] = data.draw(st.sampled_from("ijk"))
                    line.store_event(number, incidents[number])
                pause = data.draw(st.sampled_from((STEP_S, 0.5, 5.0)))
                line.let_pass(min(pause, left_s))
                left_s -= pause
    line.allowed = True
    line.let_pass(200.0)
    assert store.backlog().events == 0
    first = line.first_received
    assert sorted(first) == sorted(incidents)
    for incident in "ijk":
        mine = [each for each in first if incidents[each] == incident]
        assert mine == sorted(mine)
    store.close()
