"""The properties of a link that the service relies on, for MQTT and Kafka, each with its real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Protocol

import pytest
from brokers import Mosquitto
from kafka_server import Kafka
from running import Consumer, receive, wait_until

from edge.core.model.readings.messages import Message
from edge.shell.link import Link, LinkOptions, ServiceLink, Subscription
from edge.shell.link.kafka.cluster import Cluster, GroupOptions, KafkaLinkOptions

pytestmark = pytest.mark.long

NUMBERS = count(1)


class Source(Protocol):
    """A broker with a topic for one test, and links of one name to it."""

    def link(self) -> ServiceLink: ...

    def send(self, *payloads: bytes) -> None:
        """Let the broker keep messages on the topic."""

    def topic(self) -> str:
        """The topic as given in messages."""


class MqttSource:
    def __init__(self, broker: Mosquitto) -> None:
        self._port, self._name = broker.port, f"contract{next(NUMBERS)}"

    def link(self) -> Link:
        options = LinkOptions(port=self._port, client_id=self._name, clean_session=False, first_delay_s=0.05)
        return Link(options, [Subscription(self.topic())])

    def topic(self) -> str:
        return f"{self._name}/pump"

    def send(self, *payloads: bytes) -> None:
        consumer = Consumer(self._port)
        consumer.publish_all(self.topic(), [each.decode() for each in payloads])
        consumer.close()


class KafkaSource:
    def __init__(self, kafka: Kafka) -> None:
        self._kafka, self._name = kafka, f"contract{next(NUMBERS)}"
        kafka.create_topic(self._name, 1)

    def link(self) -> ServiceLink:
        from edge.shell.link.kafka.kafka_link import KafkaLink

        group = GroupOptions(Cluster((self._kafka.bootstrap,)), self._name, "one", "beginning", session_s=6.0)
        return KafkaLink(KafkaLinkOptions(group), [Subscription(f"{self._name}/#")])

    def topic(self) -> str:
        return f"{self._name}/pump"

    def send(self, *payloads: bytes) -> None:
        producer = self._kafka.producer()
        for each in payloads:
            producer.produce(self._name, each, b"pump")
        assert producer.flush(30) == 0


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    pytest.importorskip("confluent_kafka")
    made = Kafka(tmp_path_factory.mktemp("kafka"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(params=["mqtt", "kafka"])
def source(request: pytest.FixtureRequest) -> Source:
    if request.param == "mqtt":
        return MqttSource(request.getfixturevalue("mosquitto"))
    return KafkaSource(request.getfixturevalue("kafka"))


@pytest.fixture
def make(source: Source) -> Iterator[Callable[[], ServiceLink]]:
    made: list[ServiceLink] = []

    def start() -> ServiceLink:
        made.append(source.link())
        made[-1].start()
        assert made[-1].wait_subscribed(60)
        return made[-1]

    yield start
    for each in made:
        each.stop()


def payloads(messages: list[Message]) -> list[bytes]:
    return [each.payload for each in messages]


def test_messages_arrive_once_and_in_order(source: Source, make: Callable[[], ServiceLink]) -> None:
    link = make()
    sent = [b"%d" % each for each in range(500)]
    source.send(*sent)
    messages: list[Message] = []
    while len(messages) < 500 and (taken := receive(link, 1)):
        link.acknowledge(taken)
        messages += taken
    assert payloads(messages) == sent
    assert {each.topic for each in messages} == {source.topic()}
    assert link.connected
    assert link.connections == 1


def test_unacknowledged_messages_are_delivered_to_the_next_link_of_the_name(
    source: Source, make: Callable[[], ServiceLink]
) -> None:
    link = make()
    source.send(b"1", b"2", b"3")
    taken = receive(link, 3)
    link.acknowledge(taken[:1])
    link.stop()
    assert payloads(receive(make(), 2)) == [b"2", b"3"]


def test_messages_sent_during_an_absence_wait(source: Source, make: Callable[[], ServiceLink]) -> None:
    make().stop()
    source.send(b"1", b"2")
    assert payloads(receive(make(), 2)) == [b"1", b"2"]


def test_stored_but_unacknowledged_messages_are_recognised_by_position_or_mark(
    source: Source, make: Callable[[], ServiceLink]
) -> None:
    link = make()
    source.send(b"1", b"2", b"3")
    taken = receive(link, 3)
    positions = link.positions(taken[:2])
    link.stop()
    again = source.link()
    again.resume(positions)
    again.start()
    messages = receive(again, 1 if positions else 3)
    again.stop()
    assert payloads([each for each in messages if not each.redelivered]) == ([b"3"] if positions else [])
    assert payloads(messages)[-1:] == [b"3"]


def test_messages_of_the_service_itself_come_between_the_others(
    source: Source, make: Callable[[], ServiceLink]
) -> None:
    link = make()
    own = Message("edgewarden/gw/command/mute", b"{}", 1.0)
    link.inbox.put(own)
    assert receive(link, 1) == [own]
    link.acknowledge([own])


def test_it_can_be_woken_and_ends_on_request(make: Callable[[], ServiceLink]) -> None:
    link = make()
    link.wake()
    assert link.receive(60.0) == []
    link.stop()
    wait_until(lambda: not link.alive, what="the end of the thread")
