from __future__ import annotations

import pytest
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.shell.link.link_options import LinkOptions
from edge.shell.link.reconnecting import CALM_S, CLOSED_IN_A_ROW, Ending, Reconnecting, ending_of

CLOSED = Ending("closed by the broker", by_broker=True)
TAKEN = Ending("Session taken over", taken_over=True)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reconnecting(clock: Clock) -> Reconnecting:
    return Reconnecting(LinkOptions(client_id="edgewarden-gw", first_delay_s=1.0, longest_delay_s=120.0), clock)


def closed(reconnecting: Reconnecting, times: int, stood_s: float = 0.5) -> None:
    for _ in range(times):
        reconnecting.ended(CLOSED, stood_s)
        reconnecting.pause_s(stood_s)


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
def test_an_ending_has_words(said: int | None, error: OSError | None, code: MQTTErrorCode, words: str) -> None:
    reason = None if said is None else ReasonCode(PacketTypes.DISCONNECT, identifier=said)
    ending = ending_of(reason, error, code)
    assert ending.words == words
    assert ending.taken_over == (said == 0x8E)


def test_a_broker_that_names_the_other_client_is_believed_at_once(
    reconnecting: Reconnecting, caplog: pytest.LogCaptureFixture
) -> None:
    reconnecting.ended(TAKEN, 5.0)
    assert reconnecting.has_rival
    assert reconnecting.takeovers == 1
    assert "another client uses this id" in caplog.text
    assert "edgewarden-gw" in caplog.text


def test_connections_that_are_closed_soon_again_and_again_are_taken_for_another_client(
    reconnecting: Reconnecting, caplog: pytest.LogCaptureFixture
) -> None:
    closed(reconnecting, CLOSED_IN_A_ROW - 1)
    assert not reconnecting.has_rival
    closed(reconnecting, 1)
    assert reconnecting.has_rival
    assert reconnecting.takeovers == 0, "it is a suspicion"
    assert "another client seems to use this id" in caplog.text


def test_a_rival_that_was_seen_makes_certain_what_was_suspected(reconnecting: Reconnecting) -> None:
    closed(reconnecting, 1)
    reconnecting.rival_seen()
    reconnecting.rival_seen()
    assert (reconnecting.takeovers, reconnecting.has_rival) == (1, True)
    closed(reconnecting, 1, stood_s=100.0)
    assert reconnecting.takeovers == 2


def test_a_mere_suspicion_makes_pauses_of_half_a_minute_at_most(reconnecting: Reconnecting) -> None:
    closed(reconnecting, 20)
    pauses = [reconnecting.pause_s(0.5) for _ in range(50)]
    assert min(pauses) >= 15.0
    assert max(pauses) <= 30.0


@pytest.mark.parametrize("what", ["a failed attempt", "a connection that lasted", "a timeout"])
def test_a_broker_or_network_that_fails_is_no_other_client(reconnecting: Reconnecting, what: str) -> None:
    for _ in range(20):
        closed(reconnecting, CLOSED_IN_A_ROW - 1)
        if what == "a failed attempt":
            reconnecting.pause_s(0.0)
        elif what == "a connection that lasted":
            closed(reconnecting, 1, stood_s=3600.0)
        elif what == "a timeout":
            reconnecting.ended(Ending("Connection timed out"), 0.5)
    assert not reconnecting.has_rival


def test_pauses_grow_while_another_client_uses_the_id_however_long_each_connection_stood(
    reconnecting: Reconnecting,
) -> None:
    pauses = []
    for _ in range(12):
        reconnecting.ended(TAKEN, 60.0)
        pauses.append(reconnecting.pause_s(60.0))
    assert all(pause >= 0.5 * min(2.0**number, 120.0) for number, pause in enumerate(pauses, 1))
    assert max(pauses) <= 120.0


def test_without_another_client_an_accepted_connection_is_tried_again_within_ten_seconds(
    reconnecting: Reconnecting,
) -> None:
    for _ in range(20):
        reconnecting.pause_s(0.0)
    assert all(reconnecting.pause_s(0.1) <= 10.0 for _ in range(20))


def test_after_a_calm_time_the_other_client_is_forgotten(reconnecting: Reconnecting, clock: Clock) -> None:
    for _ in range(10):
        reconnecting.ended(TAKEN, 1.0)
    clock.now += CALM_S
    assert not reconnecting.has_rival
    reconnecting.ended(Ending("Connection timed out"), CALM_S)
    assert reconnecting.pause_s(CALM_S) <= 1.0
    reconnecting.ended(TAKEN, 1.0)
    assert reconnecting.pause_s(1.0) <= 2.0


def test_a_broker_closes_for_a_publication_only_soon_after_one_unless_it_names_a_reason(
    reconnecting: Reconnecting,
) -> None:
    reconnecting.ended(CLOSED, 5.0, after_publication=True)
    assert reconnecting.closed_by_broker == "closed by the broker"
    reconnecting.ended(CLOSED, 5.0, after_publication=False)
    assert reconnecting.closed_by_broker == ""
    reconnecting.ended(Ending("Not authorized", for_reason=True), 5.0, after_publication=False)
    assert reconnecting.closed_by_broker == "Not authorized"
