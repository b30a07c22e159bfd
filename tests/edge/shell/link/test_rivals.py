from __future__ import annotations

from collections.abc import Callable

import pytest
from brokers import Mosquitto
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from running import wait_until

from edge.shell.link import Link, Subscription

MakeLink = Callable[..., Link]
THEIRS, OURS = "rivals/theirs", "rivals/ours"


@pytest.fixture
def ours(mosquitto: Mosquitto, make_link: MakeLink, request: pytest.FixtureRequest) -> Link:
    """A link whose session was taken over by another client for a moment, and which has it again."""
    session = {"version": "5", "client_id": request.node.name, "clean_session": False, "first_delay_s": 1.0}
    link = make_link(mosquitto.port, Subscription(OURS), **session)
    assert link.wait_subscribed(10)
    rival = make_link(mosquitto.port, Subscription(THEIRS), **session)
    assert rival.wait_subscribed(10)
    rival.unsubscribe(OURS)  # as a service does that receives what no input wants
    rival.stop()
    wait_until(lambda: link.connections == 2 and link.wait_subscribed(1), 60, "the second connection")
    link.rival_seen()  # as a service does that sees the rival's status
    return link


def arrives(topic: str, link: Link, sender: Link) -> bool:
    """Publish on a topic, and return whether a link has received it within a moment."""
    sender.publish(topic, b"1")
    return any(each.topic == topic for each in link.receive(0.5))


def test_filters_that_another_client_has_removed_from_the_session_are_requested_again(
    ours: Link, mosquitto: Mosquitto, make_link: MakeLink
) -> None:
    sender = make_link(mosquitto.port)
    wait_until(lambda: arrives(OURS, ours, sender), 60, "a message of our own filter")


def test_filters_of_another_client_stay_in_the_session(ours: Link, mosquitto: Mosquitto, make_link: MakeLink) -> None:
    sender = make_link(mosquitto.port)
    wait_until(lambda: arrives(OURS, ours, sender), 60, "a message of our own filter")
    ours.unsubscribe(THEIRS)
    wait_until(lambda: arrives(THEIRS, ours, sender), 60, "a message of the other client's filter")


def is_suspected_while_publishing(link: Link) -> bool:
    """Whether a link suspects another client, after publishing something."""
    link.publish("t", b"1")
    link.confirmations()
    return link.reconnecting.has_rival


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_bare_client_that_takes_over_without_a_reason_is_suspected_in_a_stream(
    mosquitto: Mosquitto, make_link: MakeLink, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    link = make_link(mosquitto.port, version=version, client_id="ours", clean_session=False, first_delay_s=0.2)
    assert link.wait_connected(10)
    rival = Client(CallbackAPIVersion.VERSION2, "ours", clean_session=False)
    rival.reconnect_delay_set(1, 1)
    rival.connect("127.0.0.1", mosquitto.port)
    rival.loop_start()
    try:
        wait_until(lambda: is_suspected_while_publishing(link), 120, "the suspicion")
    finally:
        rival.loop_stop()
    assert "another client may be using this id" in caplog.text
    assert not link.reconnecting.is_certain
