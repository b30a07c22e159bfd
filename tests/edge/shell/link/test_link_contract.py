from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from brokers import Mosquitto
from running import receive, wait_until

from edge.core.model.readings.messages import Message
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.link import EventProperties, Link, LinkOptions, Subscription

MakeLink = Callable[..., Link]
BROKERS = [("mosquitto", "3.1.1"), ("mosquitto", "5"), ("amqtt", "3.1.1")]
KEEPING_SESSIONS = BROKERS[:2]
"""amqtt keeps no messages for a client that is offline; see `amqtt_process.py`"""


@pytest.fixture(scope="session")
def amqtt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker(tmp_path_factory.mktemp("amqtt"), prefer="amqtt")
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(params=BROKERS, ids="-".join)
def kind(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


@pytest.fixture
def port(kind: tuple[str, str], request: pytest.FixtureRequest) -> int:
    return request.getfixturevalue(kind[0]).port


@pytest.fixture
def connect(kind: tuple[str, str], port: int, make_link: MakeLink) -> MakeLink:
    def connected(*wanted: Subscription, **options: Any) -> Link:
        link = make_link(port, *wanted, version=kind[1], **options)
        assert link.wait_subscribed(60)
        return link

    return connected


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    return "test/" + request.node.name.replace("[", "/").rstrip("]")


def send(link: Link, topic: str, *payloads: bytes, **how: Any) -> set[int]:
    return {wait_until(lambda each=each: link.publish(topic, each, **how), what="publishing") for each in payloads}


def confirm(link: Link, tokens: set[int]) -> None:
    waiting = set(tokens)
    wait_until(lambda: waiting.difference_update(link.confirmations()) or not waiting, what="the PUBACKs")


@pytest.mark.long
@pytest.mark.parametrize("qos", [0, 1])
def test_published_messages_arrive_once_and_in_order(connect: MakeLink, topic: str, qos: int) -> None:
    receiver = connect(Subscription(topic, qos), clock=lambda: 1_700_000_000.5)
    sender = connect()
    payloads = [b"%d" % each for each in range(100)]
    for each in payloads:
        send(sender, topic, each, qos=qos)
    messages = []
    while len(messages) < 100 and (taken := receive(receiver, 1)):
        receiver.acknowledge(taken)
        messages += taken
    assert [each.payload for each in messages] == payloads
    assert {(each.topic, each.qos, each.retained, each.arrived) for each in messages} == {
        (topic, qos, False, 1_700_000_000.5)
    }
    assert receiver.received == 100


@pytest.mark.long
def test_a_broker_that_does_not_answer_version_5_is_connected_to_in_the_older_one(
    amqtt: EmbeddedBroker, make_link: MakeLink
) -> None:
    link = make_link(amqtt.port, version="auto", keepalive_s=3)  # amqtt is silent for as long as this
    assert link.wait_subscribed(60)
    assert link.version == "3.1.1"


@pytest.mark.long
def test_a_publication_is_confirmed_by_its_own_token(connect: MakeLink, topic: str) -> None:
    link = connect()
    tokens = send(link, topic, b"1", b"2", b"3")
    assert len(tokens) == 3
    confirm(link, tokens)
    assert link.confirmations() == []


@pytest.mark.parametrize("kind", KEEPING_SESSIONS, ids="-".join, indirect=True)
def test_unacknowledged_messages_are_delivered_again_in_the_session(connect: MakeLink, topic: str) -> None:
    session = {"client_id": topic, "clean_session": False}
    first = connect(Subscription(topic), **session)
    send(connect(), topic, b"1", b"2", b"3")
    taken = receive(first, 3)
    first.acknowledge(taken[:1])
    first.stop()
    second = connect(Subscription(topic), **session)
    assert second.session_present
    assert [each.payload for each in receive(second, 2)] == [b"2", b"3"]
    second.stop()
    third = connect(Subscription(topic), **session)
    assert [each.payload for each in receive(third, 2)] == [b"2", b"3"]


@pytest.mark.parametrize("kind", KEEPING_SESSIONS, ids="-".join, indirect=True)
def test_messages_sent_during_an_absence_wait_in_the_session(connect: MakeLink, topic: str) -> None:
    session = {"client_id": topic, "clean_session": False}
    connect(Subscription(topic), **session).stop()
    sender = connect()
    confirm(sender, send(sender, topic, b"1", b"2"))
    again = connect(Subscription(topic), **session)
    assert again.session_present
    assert [each.payload for each in receive(again, 2)] == [b"1", b"2"]


@pytest.mark.long
def test_a_retained_message_is_marked_as_such(connect: MakeLink, topic: str) -> None:
    sender = connect()
    confirm(sender, send(sender, topic, b"kept", retain=True))
    (message,) = receive(connect(Subscription(topic)), 1)
    assert (message.payload, message.retained) == (b"kept", True)
    confirm(sender, send(sender, topic, b"", retain=True))


@pytest.mark.long
def test_after_a_disconnect_no_will_is_published(connect: MakeLink, topic: str) -> None:
    witness = connect(Subscription(topic))
    connect(will=(topic, b"gone")).stop()
    assert witness.receive(0.3) == []


@pytest.mark.long
def test_a_payload_may_be_empty_or_large(connect: MakeLink, topic: str) -> None:
    receiver = connect(Subscription(topic))
    payloads = [b"", b"x" * 300_000]
    send(connect(), topic, *payloads)
    assert [each.payload for each in receive(receiver, 2)] == payloads


@pytest.mark.long
def test_a_full_receive_queue_drops_qos_0_and_counts_it(connect: MakeLink, topic: str) -> None:
    receiver = connect(Subscription(topic, 0), receive_messages=5)
    send(connect(), topic, *[b"%d" % each for each in range(20)], qos=0)
    wait_until(lambda: receiver.received == 20)
    assert [each.payload for each in receiver.receive(0)] == [b"0", b"1", b"2", b"3", b"4"]
    assert receiver.dropped_qos0 == 15


@pytest.mark.long
def test_a_full_receive_queue_makes_qos_1_wait(connect: MakeLink, topic: str) -> None:
    receiver = connect(Subscription(topic), receive_messages=5)
    payloads = [b"%d" % each for each in range(20)]
    send(connect(), topic, *payloads)
    wait_until(lambda: receiver.received >= 6)
    messages: list[Message] = []
    while len(messages) < 20 and (taken := receive(receiver, 1)):
        receiver.acknowledge(taken)
        messages += taken
    assert [each.payload for each in messages] == payloads
    assert receiver.dropped_qos0 == 0


@pytest.mark.long
def test_properties_are_for_mqtt_5_only_and_do_no_harm(kind: tuple[str, str], connect: MakeLink, topic: str) -> None:
    receiver = connect(Subscription(topic))
    properties = EventProperties("application/json", (("kind", "spike"), ("sensor", "a/b")))
    confirm_by = connect()
    assert confirm_by.version == kind[1].replace("auto", "3.1.1")
    send(confirm_by, topic, b"{}", properties=properties)
    assert [each.payload for each in receive(receiver, 1)] == [b"{}"]


def test_a_wait_without_a_publication_reports_that(free_port: int, make_link: MakeLink) -> None:
    link = make_link(free_port)
    assert not link.wait_connected(0.2)
    assert not link.wait_subscribed(0)
    assert not link.connected
    assert link.alive
    assert link.publish("a", b"1") is None
    assert link.receive(0) == []
    assert link.confirmations() == []


def test_a_link_that_was_not_started_does_nothing() -> None:
    link = Link(LinkOptions())
    assert not link.alive
    link.acknowledge([Message("a", b"", 0.0)])
    link.stop()


def test_an_invalid_topic_is_not_published_and_not_kept(mosquitto: Mosquitto, make_link: MakeLink) -> None:
    link = make_link(mosquitto.port)
    assert link.wait_connected(10)
    assert [link.publish(each, b"1") for each in ("a/+", "#", "", "a\ud800")] == [None] * 4
    assert link.publish("a", b"1") is not None
    assert link.alive


def test_a_persistent_session_without_a_client_id_is_refused_immediately() -> None:
    with pytest.raises(ValueError, match="client id"):
        LinkOptions(clean_session=False)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(LinkOptions(username="u", password="secret"))  # noqa: S106 - of nobody


def test_a_broker_that_starts_late_is_found(tmp_path: Path, make_link: MakeLink) -> None:
    broker = Mosquitto(tmp_path)
    link = make_link(broker.port, Subscription("a"))
    assert not link.wait_connected(0.1)
    with broker:
        assert link.wait_subscribed(60)
    assert link.alive
