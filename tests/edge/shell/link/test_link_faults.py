from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from proxy import Proxy
from running import receive, wait_until
from stub_broker import Client, StubBroker

from edge.shell.link import Link, Subscription

MakeLink = Callable[..., Link]
StartMosquitto = Callable[..., Mosquitto]
PERSISTENT = "allow_anonymous true\npersistence true\npersistence_location {directory}/\nmax_inflight_messages 0"


def stay(client: Client) -> None:
    """A broker that accepts connections and then sends nothing."""
    client.accept()
    while client.read():
        pass


def published(client: Client) -> list[bytes]:
    return [each for each in client.packets if mqtt.kind_of(each) == mqtt.PUBLISH]


def kinds_until_the_goodbye(client: Client) -> list[int]:
    wait_until(lambda: mqtt.kind_of(client.packets[-1]) == mqtt.DISCONNECT, what="the goodbye")
    return [mqtt.kind_of(each) for each in client.packets]


def test_the_window_is_full_until_a_puback_arrives(make_link: MakeLink) -> None:
    answer = threading.Event()

    def behave(client: Client) -> None:
        client.accept()
        for _ in range(2):
            client.read()
        answer.wait(10)
        client.send(mqtt.packet(mqtt.PUBACK, b"\x00\x01"))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port, in_flight=2)
        assert link.wait_connected(10)
        first, second = link.publish("a", b"1"), link.publish("a", b"2")
        assert None not in (first, second)
        assert link.publish("a", b"3") is None
        answer.set()
        assert wait_until(link.confirmations) == [first]
        assert link.publish("a", b"4") is not None
        wait_until(lambda: len(published(broker.clients[0])) == 3)
        assert [each[-1:] for each in published(broker.clients[0])] == [b"1", b"2", b"4"]


def test_a_publication_made_offline_is_never_sent(tmp_path: Path, make_link: MakeLink) -> None:
    broker = Mosquitto(tmp_path)
    link = make_link(broker.port)
    assert [link.publish("a", b"early") for _ in range(5)] == [None] * 5
    with broker:
        witness = make_link(broker.port, Subscription("a"))
        assert witness.wait_subscribed(10)
        assert link.wait_connected(10)
        assert link.publish("a", b"now") is not None
        assert [each.payload for each in receive(witness, 1)] == [b"now"]
        assert witness.receive(0.2) == []


def test_outstanding_publications_are_void_after_a_disconnect_and_not_sent_by_the_link(make_link: MakeLink) -> None:
    with StubBroker(stay) as broker:
        link = make_link(broker.port)
        assert link.wait_connected(10)
        tokens = {link.publish("a", b"1"), link.publish("a", b"2")}
        wait_until(lambda: len(published(broker.clients[0])) == 2)
        broker.hang_up()
        wait_until(lambda: link.connections == 2 and link.connected)
        assert [link.publish("a", b"3") for _ in range(3)] == [None] * 3
        assert link.confirmations() == []
        again = link.publish("a", b"1")
        assert again is not None
        assert again not in tokens
        wait_until(lambda: published(broker.clients[1]))
        assert [each[-1:] for each in published(broker.clients[1])] == [b"1"]
        assert published(broker.clients[1])[0][0] & 0x08 == 0, "not a repetition of paho's"


def test_with_nothing_outstanding_a_new_connection_costs_one_call(make_link: MakeLink) -> None:
    with StubBroker(stay) as broker:
        link = make_link(broker.port)
        assert link.wait_connected(10)
        assert link.publish("a", b"0", qos=0) is not None
        wait_until(lambda: published(broker.clients[0]))
        broker.hang_up()
        wait_until(lambda: link.connections == 2 and link.connected)
        assert link.publish("a", b"1") is None
        assert link.publish("a", b"1") is not None


def test_a_puback_that_arrived_before_the_end_still_counts(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        client.read()
        client.send(mqtt.packet(mqtt.PUBACK, b"\x00\x01"))

    with StubBroker(behave) as broker:
        link = make_link(broker.port)
        assert link.wait_connected(10)
        token = link.publish("a", b"1")
        wait_until(lambda: link.connections == 2)
        assert link.confirmations() == [token]


def test_an_acknowledgement_for_an_old_connection_is_not_sent_on_the_new_one(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        client.send(mqtt.publish(b"a", b"1", qos=1, packet_id=7))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port)
        old = receive(link, 1)
        broker.hang_up()
        new = receive(link, 1)
        link.acknowledge(old)
        link.acknowledge(old)
        link.acknowledge(new)
        wait_until(lambda: len(broker.clients[1].packets) == 2)
        link.stop()
        assert kinds_until_the_goodbye(broker.clients[1]) == [mqtt.CONNECT, mqtt.PUBACK, mqtt.DISCONNECT]


def test_an_acknowledgement_never_overtakes_the_answer_to_connect(make_link: MakeLink) -> None:
    accepted = threading.Event()

    def behave(client: Client) -> None:
        if broker.clients.index(client) == 0:
            client.accept()
            client.send(mqtt.publish(b"a", b"1", qos=1, packet_id=7))
            return
        client.read()
        accepted.wait(10)
        client.send(mqtt.packet(mqtt.CONNACK, b"\x01\x00"))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port)
        old = receive(link, 1)
        wait_until(lambda: len(broker.clients) == 2 and broker.clients[1].packets)
        link.acknowledge(old)
        accepted.set()
        wait_until(lambda: link.connected)
        link.stop()
        assert kinds_until_the_goodbye(broker.clients[1]) == [mqtt.CONNECT, mqtt.DISCONNECT]


def test_subscriptions_are_renewed_where_the_session_is_lost(
    start_mosquitto: StartMosquitto, make_link: MakeLink
) -> None:
    broker = start_mosquitto()
    link = make_link(broker.port, Subscription("a/#"), client_id="keeper", clean_session=False)
    assert link.wait_subscribed(10)
    broker.kill()
    wait_until(lambda: not link.connected)
    broker.start()
    assert link.wait_subscribed(10)
    assert not link.session_present
    assert link.connections == 2
    sender = make_link(broker.port)
    assert sender.wait_connected(10)
    sender.publish("a/b", b"1")
    assert [each.payload for each in receive(link, 1)] == [b"1"]


def test_a_session_that_is_kept_is_not_subscribed_to_again(
    start_mosquitto: StartMosquitto, make_link: MakeLink
) -> None:
    broker = start_mosquitto(PERSISTENT)
    link = make_link(broker.port, Subscription("a/#"), client_id="keeper", clean_session=False)
    sender = make_link(broker.port)
    assert link.wait_subscribed(10)
    assert sender.wait_connected(10)
    sender.publish("a/kept", b"0", retain=True)
    link.acknowledge(receive(link, 1))
    with Proxy(broker.port):
        broker.stop()
        wait_until(lambda: not link.connected)
        broker.start()
    assert link.wait_subscribed(10)
    assert link.session_present
    assert link.receive(0.3) == [], "a retained message would come again with a subscription"


def test_the_will_is_published_when_the_link_vanishes(mosquitto: Mosquitto, make_link: MakeLink) -> None:
    witness = make_link(mosquitto.port, Subscription("will/#"))
    assert witness.wait_subscribed(10)
    with Proxy(mosquitto.port) as proxy:
        dying = make_link(proxy.port, will=("will/state", b"offline"))
        assert dying.wait_connected(10)
        proxy.close()
        assert [each.payload for each in receive(witness, 1)] == [b"offline"]
    late = make_link(mosquitto.port, Subscription("will/#"))
    assert [each.retained for each in receive(late, 1)] == [True]


def test_a_topic_that_is_not_utf_8_does_no_harm(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        client.send(mqtt.publish(b"a/\xff", b"bad", qos=1) + mqtt.publish(b"a/b", b"good"))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port)
        assert [(each.topic, each.payload) for each in receive(link, 2)] == [
            ("a/\ufffd", b"bad"),
            ("a/b", b"good"),
        ]
        assert link.alive


def test_a_callback_that_fails_ends_the_link_and_reports_it(
    mosquitto: Mosquitto, make_link: MakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    witness = make_link(mosquitto.port, Subscription("failing/#"))
    link = make_link(mosquitto.port, Subscription("broken"), clock=lambda: 1 / 0, will=("failing/state", b"offline"))
    assert witness.wait_subscribed(10)
    assert link.wait_subscribed(10)
    assert witness.publish("broken", b"private") is not None
    wait_until(lambda: not link.alive)
    wait_until(lambda: not link.connected)
    assert link.callback_errors == 1
    assert link.receive(60) == []
    assert [each.payload for each in receive(witness, 1)] == [b"offline"]
    assert "callback_failed" in caplog.text
    assert "private" not in caplog.text


def test_a_network_thread_that_fails_in_paho_is_noticed(
    mosquitto: Mosquitto,
    make_link: MakeLink,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("a bug of paho's")

    link = make_link(mosquitto.port)
    assert link.wait_connected(10)
    monkeypatch.setattr("edge.shell.link.link.BulkClient.loop", fail)
    wait_until(lambda: not link.alive)
    wait_until(lambda: "network_thread_failed" in caplog.text)
    assert not link.connected
    assert link.publish("a", b"1") is None
    assert link.receive(60) == []


def test_an_invalid_packet_costs_only_the_connection(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        if broker.clients.index(client) == 0:
            client.send(mqtt.packet(mqtt.PUBLISH, b"\xff\xff"))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port)
        wait_until(lambda: link.connections == 2 and link.connected)
        assert link.alive


def test_a_refused_subscription_is_reported(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        packet_id = client.read()[2:4]
        client.send(mqtt.packet(mqtt.SUBACK, packet_id + b"\x01\x80"))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port, Subscription("good"), Subscription("bad"))
        assert link.wait_subscribed(10)
        assert link.refused_subscriptions == {"bad": "Unspecified error"}


@pytest.mark.long
def test_a_dead_peer_is_noticed_within_one_and_a_half_keepalives(mosquitto: Mosquitto, make_link: MakeLink) -> None:
    with Proxy(mosquitto.port) as proxy:
        link = make_link(proxy.port, keepalive_s=2)
        assert link.wait_connected(10)
        proxy.black_hole()
        since = time.monotonic()
        wait_until(lambda: not link.connected)
        assert time.monotonic() - since <= 1.5 * 2 + 0.2
        proxy.open()
        assert link.wait_connected(10)


def test_a_cut_within_a_packet_costs_nothing_that_was_promised(
    start_mosquitto: StartMosquitto, make_link: MakeLink
) -> None:
    broker = start_mosquitto()
    with Proxy(broker.port) as proxy:
        link = make_link(proxy.port, Subscription("a"), client_id="keeper", clean_session=False)
        sender = make_link(broker.port)
        assert link.wait_subscribed(10)
        assert sender.wait_connected(10)
        proxy.cut_in_packet()
        sender.publish("a", b"x" * 1000)
        (message,) = receive(link, 1)
        assert len(message.payload) == 1000
        assert link.connections == 2


def test_stop_ends_the_thread_and_delivers_what_was_published(mosquitto: Mosquitto, make_link: MakeLink) -> None:
    witness = make_link(mosquitto.port, Subscription("bye"))
    assert witness.wait_subscribed(10)
    link = make_link(mosquitto.port)
    assert link.wait_connected(10)
    for each in range(10):
        link.publish("bye", b"%d" % each, qos=0)
    link.stop()
    assert not link.alive
    assert not link.connected
    assert len(receive(witness, 10)) == 10


def test_stop_does_not_wait_for_a_full_receive_queue_or_a_silent_broker(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        client.send(b"".join(mqtt.publish(b"a", b"x", qos=1, packet_id=each) for each in range(1, 9)))
        while client.read():
            pass

    with StubBroker(behave) as broker, StubBroker(lambda client: client.read() and client.read()) as silent:
        full, waiting = make_link(broker.port, receive_messages=2), make_link(silent.port)
        wait_until(lambda: full.received == 8 and silent.clients)
        for link in (full, waiting):
            link.stop(5)
            assert not link.alive
            assert not link._thread.is_alive()
