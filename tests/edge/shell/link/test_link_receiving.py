"""Messages that wait in a link: it keeps its connection, and returns none twice."""

from __future__ import annotations

import threading
from collections.abc import Callable

import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from proxy import Proxy
from running import receive, wait_until
from stub_broker import Client, StubBroker

from edge.core.model.readings.messages import Message
from edge.shell.link import Link, LinkOptions, Subscription
from edge.shell.link.receiving.bulk_client import BulkClient
from edge.shell.link.receiving.receiver import Receiver

MakeLink = Callable[..., Link]
StartMosquitto = Callable[..., Mosquitto]
SESSION = {"client_id": "keeper", "clean_session": False}


def payloads(messages: list[Message]) -> list[bytes]:
    return [each.payload for each in messages]


def publish(link: Link, *numbers: int) -> None:
    assert link.wait_connected(10)
    for each in numbers:
        wait_until(lambda each=each: link.publish("a", b"%d" % each) is not None)
        link.confirmations()


@pytest.mark.long
def test_while_the_receive_queue_is_full_nothing_is_read_and_pings_keep_the_connection(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        for each in range(1, 9):
            client.send(mqtt.publish(b"a", b"%d" % each, qos=1, packet_id=each))
            while each == 4 and not broker.clients[0].packets[3:]:
                client.read()
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port, receive_messages=2, keepalive_s=2)
        wait_until(
            lambda: broker.clients and len(broker.clients[0].packets) == 4, what="three pings that nobody answers"
        )
        assert {mqtt.kind_of(each) for each in broker.clients[0].packets[1:]} == {mqtt.PINGREQ}
        assert link.received <= 4
        assert payloads(receive(link, 8)) == [b"%d" % each for each in range(1, 9)]
        assert link.connections == 1


@pytest.mark.long
def test_a_silent_broker_is_still_noticed_after_the_receive_queue_was_full(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        client.send(b"".join(mqtt.publish(b"a", b"x", qos=1, packet_id=each) for each in range(1, 5)))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port, receive_messages=2, keepalive_s=2)
        wait_until(lambda: broker.clients and len(broker.clients[0].packets) == 3, what="two pings that nobody answers")
        assert len(receive(link, 4)) == 4
        wait_until(lambda: link.connections == 2, what="another connection")


@pytest.mark.long
def test_a_broker_whose_answer_to_a_ping_is_after_a_stream_of_messages_is_alive(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.accept()
        for each in range(1, 60_000):
            client.send(mqtt.publish(b"a", b"x", qos=1, packet_id=each))
            if stopped.wait(0.1):
                break
        while client.read():
            pass

    stopped = threading.Event()
    with StubBroker(behave) as broker:
        link = make_link(broker.port, keepalive_s=2)
        wait_until(lambda: link.connected)
        wait_until(lambda: link.received >= 40, what="messages for four seconds, without an answer to a ping")
        assert link.connections == 1
        stopped.set()
        wait_until(lambda: link.connections == 2, what="another connection, as nothing comes any more")


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_ordinary_messages_are_read_in_bulk_in_either_version(
    mosquitto: Mosquitto, make_link: MakeLink, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    def fail(_receiver: Receiver, _message: object) -> None:
        raise AssertionError("read by paho, one by one")

    monkeypatch.setattr(Receiver, "take_one", fail)
    link = make_link(mosquitto.port, Subscription("receiving/bulk"), version=version)
    assert link.wait_subscribed(10)
    assert link.version == version
    sender = make_link(mosquitto.port)
    assert sender.wait_connected(10)
    for each in range(20):
        wait_until(lambda each=each: sender.publish("receiving/bulk", b"%d" % each, qos=each % 2) is not None)
        sender.confirmations()
    assert payloads(receive(link, 20)) == [b"%d" % each for each in range(20)]
    assert link.alive


def test_messages_left_by_an_ended_connection_are_returned_once(
    start_mosquitto: StartMosquitto, make_link: MakeLink
) -> None:
    broker = start_mosquitto()
    with Proxy(broker.port) as proxy:
        link = make_link(proxy.port, Subscription("a"), **SESSION)
        assert link.wait_subscribed(10)
        publish(make_link(broker.port), *range(10))
        wait_until(lambda: link.received == 10)
        proxy.close()
        wait_until(lambda: not link.connected)
        assert link.receive(0.2) == [], "nobody knows yet whether it comes again"
        proxy.open()
        messages = receive(link, 10)
        assert payloads(messages) == [b"%d" % each for each in range(10)]
        assert {(each.redelivered, each.qos, each.receipt) for each in messages} == {(True, 1, 2)}
        assert link.receive(0.3) == []


def test_messages_that_a_forgetful_broker_does_not_redeliver_are_handed_over(
    start_mosquitto: StartMosquitto, make_link: MakeLink
) -> None:
    broker = start_mosquitto()
    link = make_link(broker.port, Subscription("a"), **SESSION)
    assert link.wait_subscribed(10)
    assert link.has_lost_session(), "there was none"
    publish(make_link(broker.port), *range(10))
    wait_until(lambda: link.received == 10)
    broker.kill()
    wait_until(lambda: not link.connected)
    broker.start()
    messages = receive(link, 10)
    assert payloads(messages) == [b"%d" % each for each in range(10)]
    assert {(each.qos, each.packet) for each in messages} == {(0, 0)}
    assert link.has_lost_session()
    assert not link.has_lost_session()


def test_qos_0_is_never_held_back(start_mosquitto: StartMosquitto, make_link: MakeLink) -> None:
    broker = start_mosquitto()
    link = make_link(broker.port, Subscription("a", 0), **SESSION)
    assert link.wait_subscribed(10)
    publish(make_link(broker.port), *range(3))
    wait_until(lambda: link.received == 3)
    broker.kill()
    wait_until(lambda: not link.connected)
    assert payloads(receive(link, 3)) == [b"0", b"1", b"2"]


def test_without_a_session_nothing_is_redelivered_so_nothing_is_held_back(
    mosquitto: Mosquitto, make_link: MakeLink
) -> None:
    with Proxy(mosquitto.port) as proxy:
        link = make_link(proxy.port, Subscription("receiving/clean"))
        assert link.wait_subscribed(10)
        sender = make_link(mosquitto.port)
        assert sender.wait_connected(10)
        sender.publish("receiving/clean", b"1")
        wait_until(lambda: link.received == 1)
        proxy.cut()
        wait_until(lambda: not link.connected)
        assert payloads(receive(link, 1)) == [b"1"]


def test_messages_of_an_ended_session_are_not_redelivered() -> None:
    receiver = Receiver(LinkOptions(**SESSION), lambda: 0.0, lambda _identifiers, _topic: False)  # type: ignore[arg-type]
    receiver.begin(1, modern=False, session_present=False)
    old = [Message("a", b"1", 0.0, qos=1, receipt=1, packet=5, redelivered=True)]
    receiver.begin(2, modern=False, session_present=True)
    assert receiver.of_session(old) == old
    receiver.begin(3, modern=False, session_present=False)
    new = Message("a", b"2", 0.0, qos=1, receipt=3, packet=5)
    assert receiver.of_session([*old, new]) == [Message("a", b"1", 0.0, receipt=1), new]
    assert receiver.of_session([]) == []


def test_what_was_read_is_handed_over_just_before_the_next_wait() -> None:
    """The service's loop, which it wakes, needn't wait for the network thread to finish its turn."""
    receiver = Receiver(LinkOptions(**SESSION), lambda: 0.0, lambda _identifiers, _topic: False)  # type: ignore[arg-type]
    arrived: list[int] = []

    class OneAWait(BulkClient):
        def loop(self, timeout: float = 1.0) -> MQTTErrorCode:
            arrived.append(receiver.inbox.arrived)
            self.messages_read += 1
            receiver.take_lot([Message("a", b"1", 0.0, qos=1)])
            arrived.append(receiver.inbox.arrived)
            return MQTTErrorCode.MQTT_ERR_SUCCESS

    client = OneAWait(CallbackAPIVersion.VERSION2)
    for _ in range(2):
        receiver.turn(client, 0.0, lambda: True)
    assert arrived == [0, 0, 1, 1]
    receiver.end()
    assert receiver.inbox.arrived == 2


def test_a_session_that_was_lost_and_then_kept_is_not_overlooked() -> None:
    receiver = Receiver(LinkOptions(**SESSION), lambda: 0.0, lambda _identifiers, _topic: False)  # type: ignore[arg-type]
    receiver.begin(1, modern=False, session_present=True)
    assert not receiver.has_lost_session()
    receiver.begin(2, modern=False, session_present=False)
    receiver.begin(3, modern=False, session_present=True)
    assert receiver.has_lost_session()
