"""RabbitMQ with its MQTT plugin as the broker of the service: readings in, events out, restarts of both."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from kafka_plant import readings_of
from rabbitmq_server import RabbitMq
from running import Consumer, RunningService, configuration, wait_until

from edge.shell.broker.embedded import free_port, is_listening

pytestmark = pytest.mark.long

MakeService = Callable[[str], RunningService]


class MqttRabbitMq:
    """A node with an MQTT listener, on which every client is `guest`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.node = RabbitMq(f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.port}", "rabbitmq_mqtt")

    def start(self) -> None:
        self.node.start()
        wait_until(lambda: is_listening("127.0.0.1", self.port), 120, "the listener for MQTT")

    def kill(self) -> None:
        self.node.control("eval", "mnesia:sync_log().")
        self.node.kill()


@pytest.fixture
def rabbitmq() -> Iterator[MqttRabbitMq]:
    made = MqttRabbitMq()
    made.start()
    yield made
    made.node.remove()


def readings(first: int, last: int) -> list[str]:
    """Readings of 10 s each, the last of which is far off."""
    values = [20 + (each + 4) % 5 / 10 for each in range(first, last - 1)]
    return [
        json.dumps({"ts": 1_700_000_000 + 10 * each, "value": value})
        for each, value in enumerate([*values, 99.0], first)
    ]


def raised(consumer: Consumer) -> list[str]:
    return [each["correlationid"] for each in consumer.events() if each["data"]["transition"] == "raised"]


def test_readings_and_events_survive_restarts_of_the_broker_and_of_the_service(
    make_service: MakeService, rabbitmq: MqttRabbitMq
) -> None:
    service = make_service(configuration(rabbitmq.port)).start()
    consumer = Consumer(rabbitmq.port, "edgewarden/#", client_id="consumer", clean_session=False, version="3.1.1")
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", 60, "the start")
    consumer.publish_all("plant/pump/temp", readings(0, 200))
    wait_until(lambda: len(raised(consumer)) == 1, 60, "the first incident")

    rabbitmq.kill()
    wait_until(lambda: "disconnected" in service.log.read_text(), 60, "the end of the connection")
    rabbitmq.start()
    consumer.publish_all("plant/pump/temp", readings(200, 300))
    wait_until(lambda: len(raised(consumer)) == 2, 90, "the second incident, after the broker's restart")

    assert service.end() == 0
    consumer.publish_all("plant/pump/temp", readings(300, 400))
    service.start()
    wait_until(lambda: len(raised(consumer)) == 3, 90, "the third incident, of readings that waited at the broker")
    assert service.end() == 0
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "offline", 30, "the goodbye")
    consumer.close()
    assert len({*raised(consumer)}) == 3
    assert [time for _, time in readings_of(service.folder / "edgewarden.db")] == [
        1_700_000_000 + 10 * n for n in range(400)
    ]
