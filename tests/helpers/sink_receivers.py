"""Real receivers for each kind of sink, and what they have received."""

from __future__ import annotations

import atexit
import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pytest
from brokers import Mosquitto
from delivered_events import with_message
from http_receivers import NotifyReceiver, WebhookReceiver
from kafka_server import Kafka, jars
from rabbitmq_server import RabbitMq
from running import Consumer, wait_until

from edge.core.incidents.events.event import Event
from edge.shell.link import LinkOptions
from edge.shell.sinks.options import How, KafkaOptions, MqttOptions, RabbitmqOptions


class Receiver(Protocol):
    """A receiver that can be killed, started and paused."""

    kind: str

    def how(self) -> How:
        """The options with which a sink reaches it."""

    def start(self) -> None: ...

    def kill(self) -> None:
        """End it; everything it has confirmed is still there after a restart."""

    def wedge(self) -> None:
        """Let it stop answering without closing a connection."""

    def unwedge(self) -> None: ...

    def poison(self, event: Event) -> Event:
        """An event that it never accepts."""

    def received(self) -> list[dict[str, Any]]:
        """The attributes of all events that have arrived, in order of arrival, with repetitions."""

    def arrived(self) -> int:
        """Current number of arrived events, with repetitions; possibly an estimate where counting takes long."""

    def close(self) -> None: ...


class KafkaReceiver:
    """A separate topic on an Apache Kafka that all tests share; the broker is killed and restarted, but kept."""

    kind = "kafka"
    settings: ClassVar[dict[str, str]] = {"max_message_bytes": "20000"}
    server: ClassVar[Kafka | None] = None
    number: ClassVar[int] = 0

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("confluent_kafka")
        if KafkaReceiver.server is None:
            jars()
            KafkaReceiver.server = Kafka(Path(tempfile.mkdtemp(prefix="kafka-")))
            atexit.register(KafkaReceiver.server.remove)
        self.kafka = KafkaReceiver.server
        KafkaReceiver.number += 1
        self.topic = f"events-{KafkaReceiver.number}"
        self._is_there = False
        self._last: list[dict[str, Any]] = []

    def how(self) -> KafkaOptions:
        return KafkaOptions((self.kafka.bootstrap,), self.topic)

    def start(self) -> None:
        self.kafka.start()
        if not self._is_there:
            self.kafka.create_topic(self.topic, **self.settings)
            self._is_there = True

    def kill(self) -> None:
        self.received()
        self.kafka.kill()

    def wedge(self) -> None:
        self.received()
        self.kafka.stop()

    def unwedge(self) -> None:
        self.kafka.resume()

    def poison(self, event: Event) -> Event:
        return with_message(event, "x" * 50_000)

    def received(self) -> list[dict[str, Any]]:
        if self.kafka.is_running:
            self._last = [event_of(each) for each in self.kafka.records(self.topic)]
        return self._last

    def arrived(self) -> int:
        return self.kafka.count(self.topic)

    def close(self) -> None:
        self.unwedge()


def event_of(record: Any) -> dict[str, Any]:
    """A CloudEvent in binary mode as one object; integers remain strings."""
    headers = {name: value.decode() for name, value in record.headers()}
    attributes = {name.removeprefix("ce_"): value for name, value in headers.items() if name.startswith("ce_")}
    assert headers["content-type"] == "application/json"
    assert record.key().decode() == attributes.get("partitionkey", attributes["source"])
    return {**attributes, "data": json.loads(record.value())}


class RabbitmqReceiver:
    """A separate queue on a RabbitMQ that all tests share; the broker is killed and restarted, but kept."""

    kind = "rabbitmq"
    server: ClassVar[RabbitMq | None] = None
    number: ClassVar[int] = 0

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("pika")
        if RabbitmqReceiver.server is None:
            RabbitmqReceiver.server = RabbitMq("max_message_size = 20000")
            atexit.register(RabbitmqReceiver.server.remove)
        self.server_ = RabbitmqReceiver.server
        RabbitmqReceiver.number += 1
        self.exchange = self.queue = f"events-{RabbitmqReceiver.number}"
        self._events: list[dict[str, Any]] = []
        self._counting: Any = None

    def how(self) -> RabbitmqOptions:
        return RabbitmqOptions("127.0.0.1", self.server_.port, "/", self.exchange)

    def start(self) -> None:
        self.server_.start()
        self.declare("#")

    def declare(self, *bindings: str, arguments: dict[str, Any] | None = None) -> None:
        """Declare the exchange and the queue, which survive a restart."""
        with self.channel() as channel:
            channel.exchange_declare(self.exchange, "topic", durable=True)
            channel.queue_declare(self.queue, durable=True, arguments=arguments)
            for each in bindings:
                channel.queue_bind(self.queue, self.exchange, each)

    @contextmanager
    def channel(self) -> Iterator[Any]:
        import pika

        where = pika.ConnectionParameters("127.0.0.1", self.server_.port, connection_attempts=60, retry_delay=0.5)
        connection = pika.BlockingConnection(where)
        try:
            yield connection.channel()
        finally:
            connection.close()

    def kill(self) -> None:
        if self.server_.is_running:  # RabbitMQ writes declarations to disk with a short delay
            self.server_.control("eval", "mnesia:sync_log().")
        self.server_.kill()

    def wedge(self) -> None:
        self.server_.stop()

    def unwedge(self) -> None:
        self.server_.resume()

    def poison(self, event: Event) -> Event:
        return with_message(event, "x" * 50_000)

    def received(self) -> list[dict[str, Any]]:
        if self.server_.is_running:
            with self.channel() as channel:
                while (found := channel.basic_get(self.queue, auto_ack=True))[0] is not None:
                    _, properties, body = found
                    event = json.loads(body)
                    assert properties.content_type == "application/cloudevents+json"
                    assert properties.delivery_mode == 2
                    assert (properties.message_id, properties.type) == (event["id"], event["type"])
                    self._events.append(event)
        return list(self._events)

    def arrived(self) -> int:
        if self._counting is None:
            import pika

            self._counting = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.server_.port))
        with self._counting.channel() as channel:
            return len(self._events) + int(channel.queue_declare(self.queue, passive=True).method.message_count)

    def close(self) -> None:
        self.unwedge()
        if self._counting is not None and self._counting.is_open:
            self._counting.close()


class MqttReceiver:
    """A separate mosquitto, and a consumer with a persistent session."""

    kind = "mqtt"

    def __init__(self, folder: Path, lines: str = "allow_anonymous true\nmax_packet_size 20000", **how: Any) -> None:
        folder = Path(tempfile.mkdtemp(dir=folder))
        keeps = f"persistence true\npersistence_location {folder}/"
        self.broker = Mosquitto(folder, f"{lines}\n{keeps}\nmax_queued_messages 100000")
        self._how = how
        self._events: list[dict[str, Any]] = []
        self._consumer: Consumer | None = None
        self._barriers = 0
        self._is_wedged = False

    def how(self) -> MqttOptions:
        link = LinkOptions(port=self.broker.port, client_id="sink", echo="edgewarden/gw/status", **self._how)
        return MqttOptions(link, ("edgewarden/gw/status", b'{"state":"online"}', b'{"state":"offline"}'))

    def start(self) -> None:
        self.broker.start()
        if self._consumer is None:
            self._consumer = Consumer(self.broker.port, "edgewarden/#", client_id="consumer", clean_session=False)

    def kill(self) -> None:
        self.broker.stop()  # a killed mosquitto would lose confirmed messages

    def wedge(self) -> None:
        os.kill(self.broker.pid, signal.SIGSTOP)
        self._is_wedged = True

    def unwedge(self) -> None:
        if self.broker.pid is not None:
            os.kill(self.broker.pid, signal.SIGCONT)
        self._is_wedged = False

    def poison(self, event: Event) -> Event:
        return with_message(event, "x" * 50_000)

    def received(self) -> list[dict[str, Any]]:
        consumer = self._consumer
        if consumer is None:
            return []
        if self.broker.pid is not None and not self._is_wedged:
            self._barriers += 1
            barrier = f"edgewarden/barrier/{self._barriers}"
            consumer.publish(barrier, b"{}")  # arrives after everything that the broker has accepted
            wait_until(lambda: any(topic == barrier for topic, _, _ in consumer.poll()), 30, "the barrier")
        return [json.loads(payload) for topic, payload, _ in consumer.poll() if self._is_event(topic)]

    def arrived(self) -> int:
        return 0 if self._consumer is None else sum(self._is_event(topic) for topic, _, _ in self._consumer.poll())

    @staticmethod
    def _is_event(topic: str) -> bool:
        return "/anomaly/" in topic or topic.endswith("/gap")

    def close(self) -> None:
        self.unwedge()
        if self._consumer is not None:
            self._consumer.close()
        self.broker.kill()


RECEIVERS: dict[str, Callable[[Path], Receiver]] = {
    "mqtt": MqttReceiver,
    "webhook": WebhookReceiver,
    "notify": NotifyReceiver,
    "kafka": KafkaReceiver,
    "rabbitmq": RabbitmqReceiver,
}
"""Every kind of sink has one; the contract suite runs on all of them."""
