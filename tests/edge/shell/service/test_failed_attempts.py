"""Failed connection attempts are reported with the place to check, and without system error numbers."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
from collections.abc import Callable

import mqtt_bytes as mqtt
import pytest
from brokers import Mosquitto
from running import wait_until
from stub_broker import Client, StubBroker

from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.link import Link, LinkOptions, TlsOptions
from edge.shell.link.failure_reasons import why_unreachable
from edge.shell.link.reconnecting.reconnecting import UNANSWERED_S

MakeLink = Callable[..., Link]


def test_a_port_where_nothing_listens_is_reported_with_what_to_check(
    make_link: MakeLink, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "edgewarden.link")
    link = make_link(free_port)
    wait_until(lambda: link.trouble)
    assert link.trouble == "Connection refused: nothing listens there: is the broker running, and is the port right?"
    wait_until(lambda: f"error={link.trouble!r} next_try_in_s=" in caplog.text)


@pytest.mark.long
def test_a_broker_that_returns_after_a_while_is_connected_to_within_seconds(
    own_mosquitto: EmbeddedBroker, make_link: MakeLink
) -> None:
    usual = LinkOptions()
    link = make_link(own_mosquitto.port, first_delay_s=usual.first_delay_s, longest_delay_s=usual.longest_delay_s)
    assert link.wait_connected(10)
    own_mosquitto.stop()
    wait_until(lambda: not link.connected, what="the end of the connection")
    time.sleep(40)
    own_mosquitto.start()
    assert link.wait_connected(UNANSWERED_S + 5.0)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (0x86, "Bad user name or password: see username and the password"),
        (0x87, "Not authorized: see username and the password, and the broker's access list"),
        (0x85, "Client identifier not valid: see client_id"),
    ],
)
def test_a_refusal_names_the_keys_that_it_depends_on(make_link: MakeLink, code: int, advice: str) -> None:
    def behave(client: Client) -> None:
        client.read()
        client.send(mqtt.packet(mqtt.CONNACK, bytes((0, code, 0))))

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="5")
        wait_until(lambda: link.trouble)
        assert link.trouble == advice


def test_an_error_is_forgotten_once_the_broker_has_accepted_the_connection(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.read()
        if len(broker.clients) > 1:
            client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x00\x00"))
            client.read()
        else:
            client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x87\x00"))

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="5")
        assert link.wait_connected(10)
        assert link.trouble == ""


def test_a_broker_that_closes_without_an_answer_is_reported_with_the_relevant_keys(make_link: MakeLink) -> None:
    def behave(client: Client) -> None:
        client.read()

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="5")
        wait_until(lambda: link.trouble)
        assert "closes the connection without an answer: see port, [tls] and version" in link.trouble


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves closing its socket to the garbage collector
def test_tls_to_a_port_without_it_is_reported(mosquitto: Mosquitto, make_link: MakeLink) -> None:
    link = make_link(mosquitto.port, tls=TlsOptions(ca_file=None))
    wait_until(lambda: link.trouble)
    assert "TLS" in link.trouble


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known: see host, "),
        (TimeoutError("timed out"), "timed out: nothing answers there"),
        (TimeoutError(110, "Connection timed out"), "timed out: nothing answers there"),
        (OSError(113, "No route to host"), "No route to host: is the network up"),
        (FileNotFoundError(2, "No such file or directory", "/etc/ca.pem"), "/etc/ca.pem: No such file or directory"),
        (OSError(99, "Cannot assign requested address"), "Cannot assign requested address"),
        (ValueError("Invalid host."), "Invalid host."),
    ],
)
def test_no_system_error_number_is_shown(error: OSError, words: str) -> None:
    told = why_unreachable(error)
    assert told.startswith(words)
    assert not re.search(r"Errno|\d{2}", told)


def test_messages_of_openssl_are_shown_without_source_positions() -> None:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)")
    error.reason = "WRONG_VERSION_NUMBER"
    assert why_unreachable(error) == "TLS: wrong version number: this port doesn't use TLS: see port and [tls]"
