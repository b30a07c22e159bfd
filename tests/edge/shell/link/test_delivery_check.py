from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from edge.shell.link.sending.delivery_check import (
    ECHO_S,
    LONGEST_RETRY_S,
    PATIENCE_S,
    PROBE_S,
    STILL_MISSING_S,
    DeliveryCheck,
)

TOPIC = "edgewarden/gw/status"
STATUS = b'{"state":"online","instance":"me"}'


class FakeEcho:
    def __init__(self) -> None:
        self.state = "granted"
        self.payloads: list[bytes] = []

    def take(self) -> list[bytes]:
        payloads, self.payloads = self.payloads, []
        return payloads


class FakeLink:
    """A broker that acknowledges everything, whether it forwards or drops it."""

    def __init__(self) -> None:
        self.connections = 1
        self.acknowledges_blindly = True
        self.echo: Any = FakeEcho()
        self.drops = False
        self.sent: list[bytes] = []
        self.rivals = 0
        self._tokens = count(1000)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int:
        assert (topic, retain) == (TOPIC, True)
        self.sent.append(payload)
        if not self.drops:
            self.echo.payloads.append(payload)
        return next(self._tokens)

    def rival_seen(self) -> None:
        self.rivals += 1


class Line:
    """A delivery check, its link and its clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.link = FakeLink()
        self.check = DeliveryCheck(self.link, TOPIC, lambda: self.now)
        self.check.begin()
        self.check.status(STATUS)
        self.delivered: list[int] = []
        self.acknowledged = 0

    def events(self, *sequences: int) -> None:
        self.delivered += self.check.count(list(sequences))

    def let_pass(self, seconds: float, step: float = 0.5) -> None:
        until = self.now + seconds
        while self.now < until:
            self.delivered += self.check.turn()
            if len(self.link.sent) > self.acknowledged:
                self.acknowledged = len(self.link.sent)
                self.check.acknowledged(999 + self.acknowledged)
            self.now += step
        self.delivered += self.check.turn()


@pytest.fixture
def line() -> Line:
    return Line()


def test_an_event_counts_once_a_status_published_after_it_has_come_back(line: Line) -> None:
    line.let_pass(1.0)
    line.events(1, 2)
    assert line.delivered == []
    assert list(line.check.held) == [1, 2]
    line.let_pass(PROBE_S + 1.0)
    assert line.delivered == [1, 2]


def test_an_event_that_was_acknowledged_after_the_status_waits_for_the_next_one(line: Line) -> None:
    line.events(1)
    line.delivered += line.check.turn()
    line.events(2)
    line.delivered += line.check.turn()
    assert line.delivered == [1]
    line.let_pass(PROBE_S + 1.0)
    assert line.delivered == [1, 2]


def test_an_event_counts_as_undelivered_until_its_status_comes_back(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.link.drops = True
    line.events(1)
    line.let_pass(2 * ECHO_S)
    line.events(2)
    assert line.check.missing_since is not None
    assert "delivery_unconfirmed" in caplog.text
    line.let_pass(3600.0)
    assert line.delivered == []
    assert list(line.check.held) == []
    assert not line.check.mended
    line.link.drops = False
    line.let_pass(LONGEST_RETRY_S + STILL_MISSING_S)
    assert (line.check.missing_since, line.check.mended) == (None, True)
    line.events(3)
    line.let_pass(PROBE_S + 1.0)
    assert line.delivered == [3]


def test_the_status_is_published_less_and_less_often_while_none_comes_back(line: Line) -> None:
    line.link.drops = True
    line.let_pass(3600.0)
    assert 3600 / (LONGEST_RETRY_S + STILL_MISSING_S + 1) <= len(line.link.sent) < 320


def test_an_idle_connection_costs_a_status_a_minute_and_a_busy_one_one_in_two_seconds(line: Line) -> None:
    line.let_pass(600.0)
    assert 9 <= len(line.link.sent) <= 12
    before = len(line.link.sent)
    for number in range(600):
        line.events(number)
        line.let_pass(0.1, 0.1)
    assert len(line.link.sent) - before <= 60 / PROBE_S + 1


def test_an_old_retained_status_of_ours_is_not_evidence(line: Line) -> None:
    line.let_pass(1.0)
    old = line.link.sent[-1]
    line.check.begin()
    line.link.drops = True
    line.link.echo.payloads.append(old)
    line.events(1)
    line.let_pass(2 * ECHO_S)
    assert line.delivered == []
    assert line.check.missing_since is not None


def test_events_stored_before_wait_until_a_status_has_come_back(line: Line) -> None:
    assert line.check.holds_backlog
    line.let_pass(1.0)
    assert not line.check.holds_backlog


def test_a_late_acknowledgement_is_not_a_missing_status(line: Line) -> None:
    line.link.drops = True
    for _ in range(100):
        line.check.turn()
        line.now += ECHO_S
    assert line.check.missing_since is None


@pytest.mark.parametrize("why", ["MQTT 5", "not readable"])
def test_an_event_counts_immediately_where_an_acknowledgement_suffices_or_nothing_more_is_available(
    line: Line, why: str
) -> None:
    line.events(1)
    if why == "MQTT 5":
        line.link.acknowledges_blindly = False
    else:
        line.link.echo.state = "off"
    line.events(2)
    line.delivered += line.check.turn()
    assert sorted(line.delivered) == [1, 2]
    assert not line.check.holds_backlog
    assert line.link.sent == []


def test_the_status_of_another_service_is_a_rival_once_we_know_our_own(line: Line) -> None:
    foreign = b'{"state":"offline","instance":"somebody"}'
    line.link.echo.payloads.append(foreign)
    line.let_pass(1.0)
    assert line.link.rivals == 0, "it is from before our start"
    line.check.begin()
    line.link.echo.payloads.append(foreign)
    line.let_pass(1.0)
    assert line.link.rivals == 1


@pytest.mark.parametrize("payload", [b"", b"online", b"\xff", b"[]", b'{"state":1}'])
def test_an_invalid_status_does_no_harm(line: Line, payload: bytes) -> None:
    line.let_pass(1.0)
    line.link.echo.payloads.append(payload)
    line.let_pass(1.0)
    assert (line.check.missing_since, line.link.rivals) == (None, 0)


def test_another_service_with_another_client_id_shares_the_name_and_is_no_rival(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.check.status(b'{"state":"online","instance":"me","client_id":"edgewarden-gw"}')
    line.let_pass(1.0)
    for state, namesake in (("online", "other"), ("online", "other"), ("offline", ""), ("online", "other")):
        line.link.echo.payloads.append(b'{"state":"%s","instance":"its","client_id":"other"}' % state.encode())
        line.let_pass(1.0)
        assert line.check.namesake == namesake
    assert line.link.rivals == 0
    assert caplog.text.count("gateway_name_in_use") == 1
    assert "client_id='other'" in caplog.text
    line.link.echo.payloads.append(b'{"state":"online","instance":"its","client_id":"edgewarden-gw"}')
    line.let_pass(1.0)
    assert line.link.rivals == 1


def test_while_the_status_is_late_nothing_is_sent_that_could_overtake_dropped_events(line: Line) -> None:
    line.let_pass(1.0)
    assert line.check.may_send()
    line.link.drops = True
    line.events(1)
    line.let_pass(PROBE_S + 1.0)
    assert not line.check.may_send()


def test_while_none_comes_back_a_status_is_requested_before_new_events_are_sent(line: Line) -> None:
    line.link.drops = True
    line.let_pass(300.0)
    before = len(line.link.sent)
    assert not line.check.may_send()
    line.let_pass(0.5)
    assert len(line.link.sent) == before + 1
    assert not line.check.may_send()
    line.let_pass(STILL_MISSING_S + 0.5)
    assert line.check.may_send(), "it may be that we only can't read it"
    line.let_pass(2 * STILL_MISSING_S)
    assert not line.check.may_send(), "that was some time ago"


def test_at_first_nothing_is_sent_while_none_comes_back(line: Line) -> None:
    line.link.drops = True
    line.let_pass(ECHO_S + 1.0)
    assert line.check.missing_since is not None
    while line.now < line.check.missing_since + PATIENCE_S - 1.0:
        assert not line.check.may_send()
        line.let_pass(0.2, 0.1)


def test_a_corrected_list_is_noticed_as_soon_as_there_is_an_event(line: Line) -> None:
    line.link.drops = True
    line.let_pass(300.0)
    line.link.drops = False
    assert not line.check.may_send()
    line.let_pass(1.0)
    assert line.check.mended
    assert line.check.may_send()


def test_a_lasting_problem_gives_one_line_per_minute(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.link.drops = True
    for _ in range(600):
        line.check.may_send()
        line.let_pass(1.0)
    assert 9 <= caplog.text.count("delivery_unconfirmed") <= 11
