"""Brokers with limits: the size of a packet, no retained messages or QoS 1, and answers of no standard."""

from __future__ import annotations

from collections.abc import Callable

import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from running import wait_until
from stub_broker import Client, StubBroker

from edge.shell.link import Link
from edge.shell.link.link_options import EventProperties, Subscription
from edge.shell.link.receiving.reason_codes import allowed
from edge.shell.link.sending.sender import TOO_LARGE_S, RefusedSize
from edge.shell.link.versions.abilities import NO_QOS_1, QOS_NOT_SUPPORTED, RETAIN_NOT_SUPPORTED, Abilities

MakeLink = Callable[..., Link]
StartMosquitto = Callable[..., Mosquitto]


@pytest.mark.parametrize(
    ("packet", "changed", "meaning"),
    [
        ("40 03 0005 95", "40 03 0005 80", "Packet too large"),
        ("40 04 0005 95 00", "40 04 0005 80 00", "Packet too large"),
        ("40 04 0005 55 00", "40 04 0005 80 00", "reason code 0x55"),
        ("90 06 0001 00 01 95 87", "90 06 0001 00 01 80 87", "Packet too large"),
        ("90 08 0001 03 1F0000 95 01", "90 08 0001 03 1F0000 80 01", "Packet too large"),
        ("B0 04 0001 00 95", "B0 04 0001 00 80", "Packet too large"),
        ("20 03 00 55 00", "20 03 00 80 00", "reason code 0x55"),
        ("E0 01 55", "E0 01 80", "reason code 0x55"),
    ],
)
def test_a_reason_code_that_is_invalid_for_a_packet_is_replaced_and_explained(
    packet: str, changed: str, meaning: str
) -> None:
    assert allowed(bytes.fromhex(packet)) == (bytes.fromhex(changed), meaning)


@pytest.mark.parametrize(
    "packet",
    [
        *(
            "40 02 0005",
            "40 03 0005 10",
            "40 04 0005 97 00",
            "90 04 0001 00 87",
            "90 02 0001",
            "90 03 0001 85",
            "E0 00",
        ),
        *(
            "E0 01 8E",
            "20 03 00 00 00",
            "20 00",
            "D0 00",
            "B0 04 0001 00 11",
            "30 07 0001 61 00 5A 95 95",
            "00 80 80 80 80 80",
            "40",
        ),
    ],
)
def test_any_other_packet_is_unchanged(packet: str) -> None:
    assert allowed(bytes.fromhex(packet)) == (bytes.fromhex(packet), "")


def events(link: Link, number: int, size: int) -> list[int]:
    """Publish some payloads of one size; returns their tokens."""
    how = EventProperties("application/json", (("kind", "spike"),))
    tokens = []
    for place in range(number):
        publish = lambda place=place: link.publish(f"t/{place}", b"x" * size, properties=how)  # noqa: E731
        tokens.append(wait_until(publish, what="publishing"))
    return tokens


@pytest.mark.parametrize("limit", ["message_size_limit 600", "max_packet_size 600"])
def test_a_packet_too_large_for_a_broker_is_refused_alone_and_costs_no_connection(
    start_mosquitto: StartMosquitto, make_link: MakeLink, limit: str
) -> None:
    broker = start_mosquitto(f"allow_anonymous true\n{limit}")
    link = make_link(broker.port, version="5", client_id="gw", clean_session=False)
    assert link.wait_connected(30)
    small, large, more = events(link, 2, 100), events(link, 2, 700), events(link, 2, 100)
    confirmed: list[int] = []
    wait_until(lambda: confirmed.extend(link.confirmations()) or len(confirmed) >= 4, what="the PUBACKs")
    assert confirmed == small + more
    refused = {each.token: each.reason for each in wait_until(link.refusals, what="the refusals")}
    wait_until(lambda: refused.update((each.token, each.reason) for each in link.refusals()) or len(refused) >= 2)
    assert list(refused) == large
    assert all(each.startswith("Packet too large") for each in refused.values())
    assert link.connections == 1


def test_nothing_that_fits_is_refused_and_nothing_else_sent(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.read()
        client.send(mqtt.packet(mqtt.CONNACK, bytes.fromhex("0000 05 27 0000012C")))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="5", in_flight=1000)
        assert link.wait_connected(30)
        for size in range(180, 300):
            events(link, 1, size)
        packets = broker.clients[0].packets
        wait_until(lambda: len(packets) > 120 - link.refused_publications, what="the packets")  # with the CONNECT
        published = [len(each) for each in packets if mqtt.kind_of(each) == mqtt.PUBLISH]
        assert max(published) in range(290, 301)


def test_a_packet_for_which_the_broker_closed_the_connection_as_too_large_is_not_sent_again(
    make_link: MakeLink,
) -> None:
    def behave(client: Client) -> None:
        client.read()
        client.send(mqtt.packet(mqtt.CONNACK, bytes.fromhex("000000")))
        while packet := client.read():
            if mqtt.kind_of(packet) == mqtt.PUBLISH:
                identifier = packet[packet.index(b"t/0") + 3 :][:2]
                client.send(mqtt.packet(mqtt.PUBACK, identifier + (b"\x95" if len(packet) > 500 else b"\x00")))
                if len(packet) > 500:
                    return

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="5")
        assert link.wait_connected(30)
        refused = [*events(link, 1, 700)]
        found = wait_until(lambda: link.confirmations() or link.refusals(), what="the refusal")
        wait_until(lambda: link.connections == 2, what="the next connection")
        refused += events(link, 1, 700)
        taken = events(link, 1, 100)
        assert wait_until(link.confirmations, what="the PUBACK") == taken
        assert [each.token for each in found + link.refusals()] == refused
        assert link.connections == 2


WILL = "edgewarden/gw/status", b"offline"


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_broker_without_retained_messages_gets_everything_else(
    start_mosquitto: StartMosquitto, make_link: MakeLink, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    broker = start_mosquitto("allow_anonymous true\nretain_available false")
    link = make_link(broker.port, version=version, client_id="gw", clean_session=False, will=WILL)
    assert link.wait_connected(30)
    token = wait_until(lambda: link.publish("status", b"online", retain=True), what="publishing")
    expected = [token, *events(link, 1, 100)]
    confirmed: list[int] = []
    wait_until(lambda: confirmed.extend(link.confirmations()) or len(confirmed) >= 2, what="the PUBACKs")
    assert confirmed == expected
    assert link.connections == 1
    assert link.abilities.lacking == ["retained messages"]
    assert link.abilities.queues
    assert "broker_lacks what='retained messages'" in caplog.text


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_broker_without_qos_1_gets_what_needs_no_confirmation_and_no_event_is_lost_to_it(
    start_mosquitto: StartMosquitto, make_link: MakeLink, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    broker = start_mosquitto("allow_anonymous true\nmax_qos 0")
    subscriptions = [Subscription("plant/#"), Subscription("quick/#", 0)]
    link = make_link(broker.port, *subscriptions, version=version, client_id="gw", clean_session=False, will=WILL)
    assert link.wait_subscribed(30)
    token = wait_until(lambda: link.publish("status", b"online", retain=True), what="publishing")
    refused = events(link, 1, 100)
    assert link.confirmations() == [token]
    assert [(each.token, each.reason) for each in link.refusals()] == [(refused[0], NO_QOS_1)]
    assert link.connections == 1
    assert link.abilities.lacking == ["QoS 1"]
    assert link.abilities.weakened == ("plant/#",)
    assert not link.abilities.queues
    assert "broker_lacks what='QoS 1'" in caplog.text


def test_a_broker_that_keeps_sessions_for_a_short_time_only_is_told_of_once(
    make_link: MakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    def behave(client: Client) -> None:
        client.read()
        client.send(mqtt.packet(mqtt.CONNACK, bytes.fromhex("0000 05 11 0000003C")))

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="5", client_id="gw", clean_session=False)
        wait_until(lambda: link.connections >= 2, what="the second connection")
    assert caplog.text.count("session_short kept_s=60 wanted_s=604800") == 1


def test_what_a_broker_lacks_is_over_once_it_has_it() -> None:
    abilities = Abilities()
    abilities.refused(RETAIN_NOT_SUPPORTED)
    abilities.refused(QOS_NOT_SUPPORTED)
    assert (abilities.retains, abilities.confirms) == (False, False)
    abilities.accepted(None)
    assert abilities.lacking == []
    abilities.granted(Subscription("a"), 0)
    abilities.granted(Subscription("b"), 0)
    abilities.granted(Subscription("a"), 1)
    assert abilities.weakened == ("b",)
    abilities.wanted({"a"})
    assert abilities.queues


def test_a_size_that_was_refused_is_retried_after_some_time() -> None:
    now = [0.0]
    too_long = RefusedSize(lambda: now[0])
    assert not too_long.has(10_000)
    too_long.note(700)
    too_long.note(900)
    assert [too_long.has(each) for each in (699, 700, 10_000)] == [False, True, True]
    now[0] = TOO_LARGE_S
    assert not too_long.has(10_000)
    too_long.note(900)
    assert [too_long.has(each) for each in (700, 900)] == [False, True]
