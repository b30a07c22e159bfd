from __future__ import annotations

import pytest
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.shell.link.link_options import LinkOptions
from edge.shell.link.reconnecting.connection_end import ConnectionEnd, ending_of
from edge.shell.link.reconnecting.reconnecting import (
    ANSWERED_S,
    CALM_S,
    CLOSED_IN_A_ROW,
    OUTLASTED,
    REFUSED_S,
    SOON_S,
    UNANSWERED_S,
    Reconnecting,
)

CLOSED = ConnectionEnd("closed by the broker", by_broker=True)
TAKEN = ConnectionEnd("Session taken over", taken_over=True)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Other:
    """The connection to compare with; it lasts until `cut()`."""

    def __init__(self) -> None:
        self.number = 0
        self.is_open = False
        self.is_allowed = True

    @property
    def answered(self) -> int:
        return self.number if self.is_open else 0

    def ask(self) -> None:
        if self.is_allowed and not self.is_open:
            self.number, self.is_open = self.number + 1, True

    def cut(self) -> None:
        self.is_open = False

    def stop(self) -> None:
        self.is_open = False


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.fixture
def reconnecting(clock: Clock, other: Other) -> Reconnecting:
    options = LinkOptions(client_id="edgewarden-gw", first_delay_s=1.0, longest_delay_s=120.0)
    return Reconnecting(options, other, clock)


NOTICED = CLOSED_IN_A_ROW + OUTLASTED
"""Number of closed connections after which another client is suspected."""


def closed(reconnecting: Reconnecting, times: int, stood_s: float = 0.5, ending: ConnectionEnd = CLOSED) -> None:
    for _ in range(times):
        reconnecting.ended(ending, stood_s)
        reconnecting.pause_s(stood_s)
        reconnecting.compare()


@pytest.mark.parametrize(
    ("said", "error", "code", "words"),
    [
        (0x8E, None, MQTTErrorCode.MQTT_ERR_SUCCESS, "Session taken over"),
        (0x8B, None, MQTTErrorCode.MQTT_ERR_SUCCESS, "Server shutting down"),
        (None, ConnectionError("closed by the broker"), MQTTErrorCode.MQTT_ERR_CONN_LOST, "closed by the broker"),
        (None, OSError(110, "Connection timed out"), MQTTErrorCode.MQTT_ERR_CONN_LOST, "Connection timed out"),
        (None, None, MQTTErrorCode.MQTT_ERR_CONN_LOST, "The connection was lost"),
    ],
)
def test_an_ending_has_a_description(said: int | None, error: OSError | None, code: MQTTErrorCode, words: str) -> None:
    reason = None if said is None else ReasonCode(PacketTypes.DISCONNECT, identifier=said)
    ending = ending_of(reason, error, code)
    assert ending.words == words
    assert ending.taken_over == (said == 0x8E)


def test_a_broker_that_names_the_other_client_is_trusted_immediately(
    reconnecting: Reconnecting, caplog: pytest.LogCaptureFixture
) -> None:
    reconnecting.ended(TAKEN, 5.0)
    assert reconnecting.has_rival
    assert reconnecting.takeovers == 1
    assert "another client uses this id" in caplog.text
    assert "edgewarden-gw" in caplog.text


def test_connections_outlasted_by_another_one_are_possibly_taken_over(
    reconnecting: Reconnecting, caplog: pytest.LogCaptureFixture
) -> None:
    closed(reconnecting, NOTICED - 1)
    assert not reconnecting.has_rival
    assert "another client" not in caplog.text
    closed(reconnecting, 1)
    assert (reconnecting.has_rival, reconnecting.is_certain) == (True, False)
    assert (reconnecting.suspicions, reconnecting.takeovers) == (1, 0)
    assert "another client may be using this id" in caplog.text


@pytest.mark.parametrize("outlasted", range(OUTLASTED))
def test_a_network_that_closes_the_other_connection_as_well_is_not_another_client(
    reconnecting: Reconnecting, other: Other, outlasted: int, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(50):
        other.cut()
        closed(reconnecting, 1)
        closed(reconnecting, outlasted)
    assert not reconnecting.has_rival
    assert "another client" not in caplog.text


def test_where_no_other_connection_is_accepted_nothing_is_concluded(reconnecting: Reconnecting, other: Other) -> None:
    other.is_allowed = False
    closed(reconnecting, 50)
    assert not reconnecting.has_rival


def test_the_other_connection_has_time_to_answer(reconnecting: Reconnecting) -> None:
    for _ in range(50):
        reconnecting.ended(CLOSED, 20.0)
    assert reconnecting.pause_s(20.0) >= ANSWERED_S


def test_the_other_connection_ends_when_ours_has_lasted(reconnecting: Reconnecting, other: Other) -> None:
    closed(reconnecting, 2)
    reconnecting.stands(SOON_S - 1.0)
    assert other.is_open
    reconnecting.stands(SOON_S)
    assert not other.is_open


def test_the_other_connection_stays_while_another_client_is_suspected(reconnecting: Reconnecting, other: Other) -> None:
    closed(reconnecting, NOTICED)
    reconnecting.stands(SOON_S)
    assert other.is_open
    closed(reconnecting, 1, stood_s=2 * SOON_S)
    assert reconnecting.suspicions == 2


def test_each_connection_replaced_by_another_client_is_counted_once(reconnecting: Reconnecting) -> None:
    closed(reconnecting, 1)
    reconnecting.rival_seen()
    reconnecting.rival_seen()
    assert (reconnecting.takeovers, reconnecting.has_rival, reconnecting.is_certain) == (1, True, True)
    closed(reconnecting, 1, stood_s=100.0)
    assert reconnecting.takeovers == 1, "a network may have closed it"
    reconnecting.rival_seen()
    assert reconnecting.takeovers == 2


def test_a_mere_suspicion_causes_pauses_of_half_a_minute_at_most(reconnecting: Reconnecting) -> None:
    closed(reconnecting, 20)
    pauses = [reconnecting.pause_s(0.5) for _ in range(50)]
    assert min(pauses) >= 15.0
    assert max(pauses) <= 30.0


@pytest.mark.parametrize(("is_refused", "bound_s"), [(False, UNANSWERED_S), (True, REFUSED_S)])
def test_a_broker_that_is_away_is_tried_every_few_seconds_and_one_that_refuses_us_less_often(
    reconnecting: Reconnecting, is_refused: bool, bound_s: float
) -> None:
    pauses = []
    for _ in range(200):
        if is_refused:
            reconnecting.refused()
        pauses.append(reconnecting.pause_s(0.0))
    assert pauses[0] <= 1.0
    assert bound_s / 4 <= min(pauses[10:]) < bound_s / 2 < max(pauses) <= bound_s
    assert max(reconnecting.pause_s(0.0) for _ in range(20)) <= UNANSWERED_S


@pytest.mark.parametrize(
    "what",
    ["a failed attempt", "a connection that lasted", "a timeout", "an explanation", "a reason"],
)
def test_a_broker_or_network_that_fails_is_not_another_client(reconnecting: Reconnecting, what: str) -> None:
    for _ in range(20):
        closed(reconnecting, OUTLASTED)
        if what == "a failed attempt":
            reconnecting.pause_s(0.0)
        elif what == "a connection that lasted":
            closed(reconnecting, 1, stood_s=3600.0)
        elif what == "a timeout":
            closed(reconnecting, 1, ending=ConnectionEnd("Connection timed out"))
        elif what == "an explanation":
            reconnecting.explained()
        elif what == "a reason":
            closed(reconnecting, 1, ending=ConnectionEnd("Server shutting down"))
    assert not reconnecting.has_rival


def unsettled(reconnecting: Reconnecting, times: int) -> None:
    """Connections closed while something wasn't accepted yet."""
    for _ in range(times):
        reconnecting.ended(CLOSED, 0.5, is_settled=False)
        reconnecting.pause_s(0.5)
        reconnecting.compare()


def test_a_subscription_or_publication_that_costs_the_connection_each_time_is_not_another_client(
    reconnecting: Reconnecting,
) -> None:
    closed(reconnecting, NOTICED - 1)
    unsettled(reconnecting, 50)
    assert not reconnecting.has_rival


def test_another_client_is_noticed_in_a_stream_of_publications(reconnecting: Reconnecting) -> None:
    for _ in range(NOTICED):
        assert not reconnecting.has_rival
        unsettled(reconnecting, 2)
        closed(reconnecting, 1)
    assert reconnecting.has_rival


def test_another_client_that_retries_once_a_minute_is_noticed(reconnecting: Reconnecting) -> None:
    closed(reconnecting, NOTICED, stood_s=61.0)
    assert reconnecting.has_rival


def test_the_other_connection_must_outlast_those_that_do_not_count_too(
    reconnecting: Reconnecting, other: Other
) -> None:
    closed(reconnecting, NOTICED - 1)
    other.cut()
    unsettled(reconnecting, 1)
    closed(reconnecting, OUTLASTED)
    assert not reconnecting.has_rival


def test_pauses_grow_while_another_client_uses_the_id_however_long_each_connection_lasted(
    reconnecting: Reconnecting,
) -> None:
    pauses = []
    for _ in range(12):
        reconnecting.ended(TAKEN, 60.0)
        pauses.append(reconnecting.pause_s(60.0))
    assert all(pause >= 0.5 * min(2.0**number, 120.0) for number, pause in enumerate(pauses, 1))
    assert max(pauses) <= 120.0


def test_without_another_client_an_accepted_connection_is_retried_within_ten_seconds(
    reconnecting: Reconnecting,
) -> None:
    for _ in range(20):
        reconnecting.pause_s(0.0)
    assert all(reconnecting.pause_s(0.1) <= 10.0 for _ in range(20))


def test_after_a_quiet_period_the_other_client_is_forgotten(reconnecting: Reconnecting, clock: Clock) -> None:
    for _ in range(10):
        reconnecting.ended(TAKEN, 1.0)
    clock.now += CALM_S
    assert not reconnecting.has_rival
    reconnecting.ended(ConnectionEnd("Connection timed out"), CALM_S)
    assert reconnecting.pause_s(CALM_S) <= 1.0
    reconnecting.ended(TAKEN, 1.0)
    assert reconnecting.pause_s(1.0) <= 2.0


def test_a_broker_closes_because_of_a_publication_only_soon_after_one_unless_it_gives_a_reason(
    reconnecting: Reconnecting,
) -> None:
    reconnecting.ended(CLOSED, 5.0, after_publication=True)
    assert reconnecting.closed_by_broker == "closed by the broker"
    reconnecting.ended(CLOSED, 5.0, after_publication=False)
    assert reconnecting.closed_by_broker == ""
    reconnecting.ended(ConnectionEnd("Not authorized", for_reason=True), 5.0, after_publication=False)
    assert reconnecting.closed_by_broker == "Not authorized"
