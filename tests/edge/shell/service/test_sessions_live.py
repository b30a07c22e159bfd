"""The session on a real broker: another client with the same id, and filters removed from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from proxy import Proxy
from running import Consumer, RunningService, configuration, wait_until
from stub_broker import Client, StubBroker

from edge.core.incidents.events.gaps import gap_json_schema
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.link import Link, Subscription

pytestmark = pytest.mark.long

MakeLink = Callable[..., Link]
MakeService = Callable[[str], RunningService]
StartMosquitto = Callable[..., Mosquitto]
VERSIONS = ("3.1.1", "5")


@pytest.fixture
def consumer(own_mosquitto: EmbeddedBroker) -> Iterator[Consumer]:
    made = Consumer(own_mosquitto.port, "edgewarden/gw/#")
    yield made
    made.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_two_links_of_one_id_notice_each_other_and_slow_down(
    start_mosquitto: StartMosquitto, make_link: MakeLink, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = start_mosquitto()
    how = {"client_id": "both", "clean_session": False, "version": version, "longest_delay_s": 30.0}
    links = [make_link(broker.port, Subscription("t"), **how) for _ in range(2)]
    wait_until(lambda: any(each.reconnecting.has_rival for each in links), 30, what="noticing")
    assert "client_id_in_use id='both'" in caplog.text
    assert "code=" not in caplog.text
    wait_until(lambda: sum(each.reconnecting.suspicions for each in links) >= 4, 60, what="some more takeovers")
    assert sum(each.connections for each in links) < 40
    assert "another client may be using this id" in caplog.text
    assert "another client uses this id" not in caplog.text
    assert not any(each.reconnecting.is_certain for each in links), "the broker doesn't say so"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_network_that_closes_connections_repeatedly_is_not_another_client(
    start_mosquitto: StartMosquitto, make_link: MakeLink, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Proxy(start_mosquitto().port) as proxy:
        link = make_link(proxy.port, Subscription("t"), client_id="one", clean_session=False, version=version)
        for number in range(1, 16):
            wait_until(lambda number=number: link.connections >= number and link.connected, 30, what="the connection")
            proxy.cut()
            wait_until(lambda: not link.connected, what="its end")
        assert not link.reconnecting.has_rival
    assert "another client" not in caplog.text


def test_a_broker_that_closes_connections_because_of_a_publication_is_not_another_client(
    make_link: MakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    def behave(client: Client) -> None:
        client.accept()
        while packet := client.read():
            if mqtt.kind_of(packet) == mqtt.SUBSCRIBE:
                client.send(mqtt.packet(mqtt.SUBACK, packet[2:4] + b"\x01"))
            elif mqtt.kind_of(packet) == mqtt.UNSUBSCRIBE:
                client.send(mqtt.packet(mqtt.UNSUBACK, packet[2:4]))
            elif mqtt.kind_of(packet) == mqtt.PUBLISH:
                return

    with StubBroker(behave) as broker:
        link = make_link(broker.port, Subscription("t"), client_id="one", clean_session=False)
        for number in range(1, 9):
            wait_until(lambda number=number: link.connections >= number and link.wait_subscribed(1), 30, what="it")
            wait_until(lambda: link.publish("forbidden", b"1") is not None or link.confirmations(), what="publishing")
            wait_until(lambda: not link.connected, what="the end")
        assert not link.reconnecting.has_rival
    assert "another client" not in caplog.text


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_service_of_our_name_is_named_in_the_log_the_status_and_as_a_gap(
    own_mosquitto: EmbeddedBroker, consumer: Consumer, make_service: MakeService, tmp_path: Path, version: str
) -> None:
    text = configuration(own_mosquitto.port, broker=f'port = {own_mosquitto.port}\nversion = "{version}"')
    service = make_service(text).start()
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the service's start")
    (tmp_path / "other").mkdir()
    other = RunningService(tmp_path / "other", text).start()
    try:
        wait_until(lambda: b"another client uses this id" in service.log.read_bytes(), 60, what="the word of it")
        gap = wait_until(lambda: consumer.latest("/gap"), 60, what="the gap")
    finally:
        other.kill()
    assert gap["data"]["reason"] == "client_id_in_use"
    jsonschema.validate(gap, gap_json_schema())
    wait_until(lambda: _kinds(consumer.latest("/status")) == ["client_id_in_use"], 60, what="the problem")
    assert "code=" not in service.log.read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_two_services_that_share_only_their_name_are_told_so_until_one_ends(
    tmp_path: Path, own_mosquitto: EmbeddedBroker, consumer: Consumer, make_service: MakeService, version: str
) -> None:
    broker = f'port = {own_mosquitto.port}\nversion = "{version}"\nclient_id = '
    service = make_service(configuration(own_mosquitto.port, broker=f'{broker}"first"')).start()
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the service's start")
    (tmp_path / "other").mkdir()
    other = RunningService(tmp_path / "other", configuration(own_mosquitto.port, broker=f'{broker}"second"')).start()
    try:
        wait_until(lambda: "gateway_name_in_use" in service.log.read_text(), 60, what="the word of it")
        assert "client_id='second'" in service.log.read_text()
        said = b'{"problem":"gateway_name_in_use","client_id":"second"}'
        wait_until(lambda: any(said in payload for _, payload, _ in consumer.poll()), 60, what="the problem")
    finally:
        other.end()
        other.kill()
    consumer.messages.clear()
    wait_until(lambda: _kinds(consumer.latest("/health")) == [] and consumer.latest("/health"), 60, what="its end")
    for each in (service, other):
        assert "client_id_in_use" not in each.log.read_text()
    assert consumer.latest("/gap") is None


def _kinds(status: dict[str, Any] | None) -> list[str]:
    """The kinds of problems in a status."""
    return [each["problem"] for each in (status or {}).get("problems", [])]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_removed_filter_brings_no_messages_and_no_dead_letters(
    own_mosquitto: EmbeddedBroker, consumer: Consumer, make_service: MakeService, version: str
) -> None:
    broker = f'port = {own_mosquitto.port}\nversion = "{version}"'
    text = configuration(own_mosquitto.port, broker=broker)
    service = make_service(text + '[[input]]\ntopic = "b/#"\n').start()
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the start")
    assert service.end() == 0
    consumer.publish_all("b/x", ["1"] * 5)
    service.path.write_text(text)
    service.start()
    online = len(consumer.poll())
    wait_until(lambda: "no_input" in service.log.read_text(), what="the word of it")
    wait_until(lambda: (consumer.latest("/health") or {}).get("messages_refused") == {"no_route": 5}, what="the count")
    consumer.publish_all("b/x", ["1"] * 30)
    consumer.publish_all("plant/x", ['{"value": 1}'])
    health = wait_until(
        lambda: (found := consumer.latest("/health")) and found["readings_taken"] == 1 and found, what="the reading"
    )
    assert health["messages_refused"] == {"no_route": 5}
    assert not [topic for topic, _, _ in consumer.poll()[online:] if topic.endswith("deadletter")]
    assert service.log.read_text().count("no_input") == 1
