from __future__ import annotations

from collections.abc import Callable

import pytest
from brokers import Mosquitto
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
    wait_until(lambda: link.connections == 2 and link.wait_subscribed(1), 20, "the second connection")
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
    wait_until(lambda: arrives(OURS, ours, sender), 10, "a message of our own filter")


def test_filters_of_another_client_stay_in_the_session(ours: Link, mosquitto: Mosquitto, make_link: MakeLink) -> None:
    sender = make_link(mosquitto.port)
    wait_until(lambda: arrives(OURS, ours, sender), 10, "a message of our own filter")
    ours.unsubscribe(THEIRS)
    wait_until(lambda: arrives(THEIRS, ours, sender), 10, "a message of the other client's filter")
