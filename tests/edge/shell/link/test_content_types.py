"""The content type of a message, as forwarded by a real broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest
from brokers import Mosquitto
from running import receive, wait_until

from edge.shell.link import Link, Subscription
from edge.shell.link.link_options import EventProperties


@pytest.mark.parametrize(("version", "expected"), [("5", "application/cbor"), ("3.1.1", "")])
def test_the_content_type_set_by_a_sender_is_delivered(
    mosquitto: Mosquitto, make_link: Callable[..., Link], version: Literal["5", "3.1.1"], expected: str
) -> None:
    topic = f"content-types/{version}"
    link = make_link(mosquitto.port, Subscription(topic), version=version)
    sender = make_link(mosquitto.port, version="5")
    assert link.wait_subscribed(30)
    assert sender.wait_connected(30)
    for said in (EventProperties("application/cbor"), None):
        wait_until(lambda said=said: sender.publish(topic, b"x", properties=said) is not None, 30, "publishing")
    messages = receive(link, 2, 30)
    assert [(each.topic, each.content_type) for each in messages] == [(topic, expected), (topic, "")]
