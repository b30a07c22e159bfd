"""The in-flight window is requested with MQTT 5's Receive Maximum in CONNECT; MQTT 3.1.1 has no such option."""

from __future__ import annotations

from collections.abc import Callable

from running import wait_until
from stub_broker import Client, StubBroker

from config.loading import parse
from edge.shell.link import Link
from edge.shell.service.assembly.links import link_options

MakeLink = Callable[..., Link]


def stay(client: Client) -> None:
    while client.read():
        pass


def connect_of(make_link: MakeLink, version: str) -> bytes:
    with StubBroker(stay) as broker:
        make_link(broker.port, version=version, receive_maximum=77)
        packet: bytes = wait_until(lambda: broker.clients and broker.clients[0].packets)[0]
        return packet


def test_mqtt_5_is_given_the_window(make_link: MakeLink) -> None:
    assert b"\x21\x00\x4d" in connect_of(make_link, "5")


def test_mqtt_3_1_1_is_given_nothing(make_link: MakeLink) -> None:
    assert b"\x21\x00\x4d" not in connect_of(make_link, "3.1.1")


def test_a_service_requests_the_configured_window() -> None:
    text = '[gateway]\nname = "gw"\n[broker]\nin_flight = 77\n[[input]]\ntopic = "plant/#"\nsensor = "{topic}"\n'
    configuration = parse(text, "c.toml").configuration
    assert link_options(configuration.inbound, configuration).receive_maximum == 77
