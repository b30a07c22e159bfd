"""A broker that closes the connection for a publication it doesn't allow, as RabbitMQ and AWS IoT do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from running import Consumer, RunningService, configuration, wait_until
from stub_broker import Client, StubBroker

from edge.shell.store import EventFilter, StoreError, read_events

pytestmark = pytest.mark.long

DENIED = b"denied"
NORMAL = [f'{{"ts": {1_700_000_000 + 10 * i}, "value": {20 + (i + 4) % 5 / 10}}}' for i in range(200)]
FAULT = [*NORMAL, json.dumps({"ts": 1_700_002_000, "value": 99.0})]


class Gate:
    """A proxy in front of a broker that closes a connection when it publishes to a denied topic."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.denied = [DENIED]
        self.closed = 0

    def pass_on(self, client: Client) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as broker:
            answers = threading.Thread(target=self._answer, args=(broker, client))
            answers.start()
            while packet := client.read():
                if mqtt.kind_of(packet) == mqtt.PUBLISH and any(each in packet[:64] for each in self.denied):
                    self.closed += 1
                    break
                broker.sendall(packet)
            with suppress(OSError):
                broker.shutdown(socket.SHUT_RDWR)
            answers.join()

    @staticmethod
    def _answer(broker: socket.socket, client: Client) -> None:
        with suppress(OSError):
            while data := broker.recv(65_536):
                client.send(data)


@pytest.fixture
def broker(start_mosquitto: Callable[[str], Mosquitto]) -> Mosquitto:
    return start_mosquitto("allow_anonymous true")


@pytest.fixture
def consumer(broker: Mosquitto) -> Iterator[Consumer]:
    made = Consumer(broker.port, "edgewarden/#")
    yield made
    made.close()


def unconfirmed(service: RunningService) -> int:
    try:
        rows = [dict(row) for row in read_events(service.folder / "edgewarden.db", EventFilter())]
    except StoreError:
        return -1
    return sum(1 for row in rows if not row["confirmed"])


@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_denied_topic_delays_no_other_and_its_event_arrives_once_it_is_allowed(
    broker: Mosquitto, consumer: Consumer, make_service: Callable[[str], RunningService], version: str
) -> None:
    gate = Gate(broker.port)
    with StubBroker(gate.pass_on) as stub:
        lines = f'port = {stub.port}\nversion = "{version}"'
        service = make_service(configuration(stub.port, broker=lines)).start()
        wait_until(lambda: consumer.latest("/status"), what="the start")
        for name in ("denied", "other/free"):  # far enough apart not to be one incident
            consumer.publish_all(f"plant/{name}", FAULT)
        wait_until(lambda: "publication_refused" in service.log.read_text(), 60, what="the word of it")
        wait_until(lambda: len(consumer.events()) == 1, 60, what="the other event")
        assert "client_id_in_use" not in service.log.read_text()
        problem = wait_until(lambda: (consumer.latest("/status") or {}).get("problems"), what="a problem")[0]
        assert problem["problem"] == "publications_refused"
        assert "closes the connection" in problem["reason"]
        gate.denied.clear()
        wait_until(lambda: len({each["id"] for each in consumer.events()}) == 2, 60, what="both events")
        wait_until(lambda: unconfirmed(service) == 0, what="the confirmations")
        service.end()
