"""An MQTT 3.1.1 broker that closes connections because of their will can't say so."""

from __future__ import annotations

from collections.abc import Callable

import mqtt_bytes as mqtt
import pytest
from running import wait_until
from stub_broker import Client, StubBroker

from edge.shell.link import Link
from edge.shell.link.link_options import LinkOptions
from edge.shell.link.reconnecting.refused_will import AGAIN_S, RefusedWill
from edge.shell.link.versions.abilities import Abilities

MakeLink = Callable[..., Link]
WILL = "edgewarden/gw/status", b"offline"
FLAGS = 9
"""Place of the flags in a CONNECT."""

HAS_WILL, WILL_QOS, WILL_RETAIN = 0x04, 0x18, 0x20
OURS = b"\x00\x02gw"
"""The link's own id in a CONNECT, as opposed to one that begins with it."""


def refusing(flags: int) -> Callable[[Client], None]:
    """A broker that closes connections whose will has these flags, and accepts all others."""

    def behave(client: Client) -> None:
        if client.read()[FLAGS] & flags:
            return
        client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x00"))
        while client.read():
            pass

    return behave


@pytest.mark.parametrize(
    ("flags", "lacking"),
    [
        (WILL_RETAIN, ["retained messages"]),
        (WILL_QOS, ["QoS 1"]),
        (WILL_RETAIN | WILL_QOS, ["retained messages", "QoS 1"]),
        (HAS_WILL, ["last wills"]),
    ],
)
def test_what_the_will_needs_is_left_out(
    make_link: MakeLink, caplog: pytest.LogCaptureFixture, flags: int, lacking: list[str]
) -> None:
    with StubBroker(refusing(flags)) as broker:
        link = make_link(broker.port, version="3.1.1", client_id="gw", clean_session=False, will=WILL)
        assert link.wait_connected(30)
        assert link.abilities.lacking == lacking
        assert all(f"broker_lacks what={each!r}" in caplog.text for each in lacking)
        accepted = broker.clients[-1].packets[0]
        assert not accepted[FLAGS] & flags
        assert bool(accepted[FLAGS] & HAS_WILL) == (flags != HAS_WILL)


def test_a_broker_that_closes_every_connection_for_a_while_lacks_nothing(make_link: MakeLink) -> None:
    closed = 0

    def behave(client: Client) -> None:
        nonlocal closed
        if not client.read() or closed < 20:
            closed += 1
            return
        client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x00"))
        while client.read():
            pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="3.1.1", client_id="gw", clean_session=False, will=WILL)
        assert link.wait_connected(60)
        assert link.abilities.lacking == []
        assert broker.clients[-1].packets[0][FLAGS] & WILL_RETAIN


def test_a_broker_that_returns_while_the_will_is_examined_lacks_nothing(make_link: MakeLink) -> None:
    """It closes all connections at first, so that the first one that is answered has a lesser will."""
    lesser = False

    def behave(client: Client) -> None:
        nonlocal lesser
        connect = client.read()
        lesser = lesser or not connect[FLAGS] & WILL_RETAIN
        if lesser:
            client.send(mqtt.packet(mqtt.CONNACK, b"\x00\x00"))
            while client.read():
                pass

    with StubBroker(behave) as broker:
        link = make_link(broker.port, version="3.1.1", client_id="gw", clean_session=False, will=WILL)
        assert link.wait_connected(30)
        assert link.abilities.lacking == []


def test_examining_the_will_publishes_none(make_link: MakeLink) -> None:
    with StubBroker(refusing(WILL_RETAIN)) as broker:
        link = make_link(broker.port, version="3.1.1", client_id="gw", clean_session=False, will=WILL)
        assert link.wait_connected(30)
        examined = [each for each in broker.clients if OURS not in each.packets[0]]
        answered = [each for each in examined if not each.packets[0][FLAGS] & WILL_RETAIN]
        assert len(answered) == 1
        wait_until(lambda: len(answered[0].packets) > 1, 60, "the DISCONNECT")
        assert mqtt.kind_of(answered[0].packets[1]) == mqtt.DISCONNECT


def test_the_whole_will_is_tried_again_after_an_hour() -> None:
    now = [0.0]
    with StubBroker(refusing(WILL_RETAIN)) as broker:
        options = LinkOptions(port=broker.port, client_id="gw", version="3.1.1", will=WILL)
        abilities = Abilities()
        will = RefusedWill(lambda: options, abilities, lambda: False, lambda: now[0])
        will.note("3.1.1", "closed")
        assert abilities.retains
        will.note("3.1.1", "closed")
        assert not abilities.retains
        abilities.accepted(None, says=False)
        assert not abilities.retains
        will.note("3.1.1", "accepted")
        assert not abilities.retains
        now[0] = AGAIN_S
        will.note("3.1.1", "accepted")
        assert abilities.retains


@pytest.mark.parametrize(("version", "will"), [("5", WILL), ("3.1.1", None)])
def test_a_connection_that_is_closed_without_a_will_or_by_a_broker_that_could_say_why_is_left_alone(
    version: str, will: tuple[str, bytes] | None
) -> None:
    options = LinkOptions(port=1, client_id="gw", will=will)
    abilities = Abilities()
    refused = RefusedWill(lambda: options, abilities, lambda: False)
    for _ in range(10):
        refused.note(version, "closed")  # type: ignore[arg-type] # one of the versions
    assert abilities.lacking == []
