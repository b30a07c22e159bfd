"""A link with brokers of either version of MQTT: which version it uses, and what only MQTT 5 refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from running import wait_until
from stub_broker import Client, StubBroker

from edge.shell.link import Link

MakeLink = Callable[..., Link]
StartMosquitto = Callable[..., Mosquitto]


@pytest.mark.parametrize(
    "refusal", [b"", mqtt.packet(mqtt.CONNACK, b"\x00\x01"), mqtt.packet(mqtt.CONNACK, b"\x00\x84\x00")]
)
def test_a_broker_without_mqtt_5_is_used_with_3_1_1(make_link: MakeLink, refusal: bytes) -> None:
    def behave(client: Client) -> None:
        level = client.read()[8]
        if level == 5:
            client.send(refusal)
            return
        client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x00"))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="auto", first_delay_s=60.0, longest_delay_s=60.0)
        assert link.wait_connected(10), "without a pause"
        assert link.version == "3.1.1"


def test_no_other_version_than_the_configured_one_is_tried(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.read()

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="5")
        wait_until(lambda: len(broker.clients) >= 3 and all(each.packets for each in broker.clients[:3]))
        assert {each.packets[0][8] for each in broker.clients[:3]} == {5}
        assert not link.connected


def test_a_wrong_password_does_not_lead_to_another_version(
    make_link: MakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    def behave(client: Client) -> None:
        client.read()
        client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x87\x00"))

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="auto", username="u", password="secret")  # noqa: S106 - of nobody
        wait_until(lambda: len(broker.clients) >= 3)
        assert {each.packets[0][8] for each in broker.clients[:2]} == {5}
        assert not link.connected
        assert link.alive
    assert "connect_refused" in caplog.text
    assert "secret" not in caplog.text


def test_a_publication_that_mqtt_5_refuses_is_not_confirmed(
    start_mosquitto: StartMosquitto, tmp_path: Path, make_link: MakeLink, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "acl").write_text("topic read #\ntopic write allowed\n")
    broker = start_mosquitto(f"allow_anonymous true\nacl_file {tmp_path / 'acl'}")
    link = make_link(broker.port, version="5", in_flight=1)
    assert link.wait_connected(10)
    assert link.publish("forbidden", b"1") is not None
    refused = wait_until(lambda: link.confirmations() or link.refusals(), what="the refusal")
    assert [each.reason for each in refused] == ["Not authorized"]
    assert link.refused_publications == 1
    assert "publication_refused topic='forbidden' reason='Not authorized' count=1" in caplog.text
    allowed = link.publish("allowed", b"1")
    assert allowed is not None
    assert wait_until(link.confirmations) == [allowed]
