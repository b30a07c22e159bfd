"""Asking: short exchanges with a broker for commands."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from config.schema import Configuration
from config.tables.transport import Connection
from edge.core.model.readings.messages import Message
from edge.shell.link import Link, Subscription
from edge.shell.service.assembly.links import link_options

POLL_S = 0.1

_LINK_LOG, _NO_LINES = logging.getLogger("edgewarden.link"), logging.NullHandler()


class BrokerQueryError(Exception):
    """The broker or the service gave no answer."""


@contextmanager
def connected(connection: Connection, configuration: Configuration, topic: str, until: float) -> Iterator[Link]:
    """A separate link to a broker, subscribed to a topic.

    Args:
        connection: Connection to the broker.
        configuration: Further options of the connection.
        topic: The topic filter to subscribe to.
        until: The deadline, by the monotonic clock.

    Raises:
        BrokerQueryError: The broker is unreachable, or refuses the connection or the subscription.
        PasswordError: A password can't be obtained.
    """
    if configuration.kafka is not None and configuration.upstream is None:
        raise BrokerQueryError("there is no MQTT broker to ask: readings come from Kafka, and there is no [upstream]")
    options = link_options(connection, configuration)
    link = Link(replace(options, client_id="", clean_session=True), [Subscription(topic)])
    _LINK_LOG.addHandler(_NO_LINES)  # the error says why there is no connection
    link.start()
    try:
        if not link.wait_subscribed(max(0.0, until - time.monotonic())):
            why = link.trouble or "it doesn't answer in time"
            raise BrokerQueryError(f"no connection to the broker {options.host}:{options.port}: {why}")
        if link.refused_subscriptions:
            raise BrokerQueryError(f"the broker doesn't let this user read {topic}")
        yield link
    finally:
        link.stop(1.0)
        _LINK_LOG.removeHandler(_NO_LINES)


def wait_for(link: Link, wanted: Callable[[Message], bool], until: float) -> Message | None:
    """The first message that matches, or None if there was none in time."""
    while True:
        for message in link.receive(min(POLL_S, max(0.0, until - time.monotonic()))):
            link.acknowledge([message])
            if wanted(message):
                return message
        if time.monotonic() >= until or not link.alive:
            return None


def send(link: Link, topic: str, payload: bytes, until: float) -> None:
    """Publish a message.

    Raises:
        BrokerQueryError: The connection was lost.
    """
    while link.publish(topic, payload) is None:
        link.confirmations()
        if time.monotonic() >= until:
            raise BrokerQueryError(f"the connection to the broker was lost: {link.trouble or 'no answer in time'}")
        time.sleep(POLL_S)
