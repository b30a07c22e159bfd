"""RabbitMQ: publishes events to an exchange, persistent, mandatory, and confirmed by the broker.

Confirmations are asynchronous, within a window. The connection has its own I/O loop, which runs while the runner waits
for outcomes, so no further thread is needed.

A queue that is full (`overflow = reject-publish`) or has failed refuses some events and accepts later ones
(`basic.nack`). After the first such refusal, only one event per sensor is in flight until there have been no refusals
for a while.

The broker closes the channel for an event that is too large, without naming it. After the first time events are sent
one by one until it is found.

Source: AMQP 0-9-1; RabbitMQ, "Consumer Acknowledgements and Publisher Confirms".
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import msgspec
import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker, IncompatibleProtocolError

from edge.core.incidents.events.event import severity_name
from edge.core.incidents.events.gaps import TRANSITION as GAP
from edge.core.model.notation.printable import printable
from edge.core.model.notation.topics import topic_for
from edge.shell.sinks.base import Outcome, SinkTrouble
from edge.shell.sinks.cloud_event import attributes_of
from edge.shell.sinks.delivery.failure_reasons import why_unreachable
from edge.shell.sinks.options import RabbitmqOptions
from edge.shell.store import OutboxRow

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it logs each failed attempt many times; the runner logs it once

CONNECT_S = 15.0
MOST = 2000
CAREFUL = 1000
"""Number of consecutive confirmations after which a refusal is forgotten."""

HEARTBEAT_S = 30
BLOCKED_S = 20.0
"""A broker that is out of memory or disk and accepts nothing is disconnected after this time."""

CLOSE_S = 1.0
OUT_OF_MEMORY = "the broker is out of memory or disk, and accepts nothing"
PRECONDITION_FAILED = 406


class RabbitmqSink:
    """Publishes events to an exchange.

    Args:
        options: Settings of the receiver.
    """

    def __init__(self, options: RabbitmqOptions) -> None:
        self._options = options
        self._connection: Any = None
        self._channel: Any = None
        self._one_by_one = False
        self._careful = 0
        self._begin()

    def _begin(self) -> None:
        self._is_ready = False
        self._is_blocked = False
        self._trouble: str | None = None
        self._too_large = ""
        self._tag = 0
        self._under_way: dict[int, tuple[int, str]] = {}
        self._returned: dict[str, str] = {}
        self._outcomes: list[Outcome] = []

    @property
    def most(self) -> int:
        """See `Sink`."""
        return 1 if self._one_by_one else MOST

    @property
    def keeps_order(self) -> bool:
        """See `Sink`."""
        return self._careful <= 0

    def open(self) -> None:
        """See `Sink`; the exchange must exist."""
        self._begin()
        try:
            self._connection = pika.SelectConnection(
                _parameters(self._options),
                on_open_callback=self._opened,
                on_open_error_callback=self._failed,
                on_close_callback=self._failed,
            )
        except (OSError, ValueError, AMQPError) as error:
            raise SinkTrouble(why_lost(error)) from error
        until = time.monotonic() + CONNECT_S
        while not self._is_ready and self._trouble is None and time.monotonic() < until:
            self._run(0.2)
        if not self._is_ready:
            trouble = self._trouble
            self.close()
            raise SinkTrouble(trouble or "no answer in time: a firewall, a wrong address, or the broker hangs")

    def send(self, row: OutboxRow) -> bool:
        """See `Sink`."""
        if self._trouble is not None or self._connection is None:
            raise SinkTrouble(self._trouble or "not open")
        identity, properties = _properties(row)
        key = routing_key(row.sensor)
        try:
            self._channel.basic_publish(self._options.exchange, key, row.payload, properties, mandatory=True)
        except AMQPError as error:
            raise SinkTrouble(why_lost(error)) from error
        self._tag += 1
        self._under_way[self._tag] = row.sequence, identity
        return True

    def outcomes(self, wait_s: float) -> list[Outcome]:
        """See `Sink`."""
        if self._trouble is None and not self._outcomes:
            self._run(wait_s)
        if not self._outcomes and self._trouble is not None:
            self._judge()
        found, self._outcomes = self._outcomes, []
        return found

    def close(self) -> None:
        """See `Sink`."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is None:
            return
        self._under_way.clear()
        try:
            if connection.is_open:
                connection.close()
            until = time.monotonic() + CLOSE_S
            while not connection.is_closed and time.monotonic() < until:
                _run(connection.ioloop, 0.1)
            if not connection.is_closed:
                connection._transport.abort()  # noqa: SLF001 - pika offers nothing that doesn't wait for the broker
                _run(connection.ioloop, 0.1)
            connection.ioloop.close()
        except Exception:  # noqa: BLE001, S110 - whatever a dead connection says as it is let go of changes nothing
            pass

    def _judge(self) -> None:
        """Check whether one event caused the end of the channel."""
        if self._too_large and self._one_by_one and len(self._under_way) == 1:
            ((sequence, _),) = self._under_way.values()
            self._under_way.clear()
            self._outcomes.append(Outcome(sequence, self._too_large))
            self._one_by_one, self._too_large = False, ""
            return
        if self._too_large:
            self._one_by_one = True
        raise SinkTrouble(self._trouble or "")

    def _run(self, seconds: float) -> None:
        """Run the connection until there is news, or for a limited time."""
        if self._connection is not None:
            _run(self._connection.ioloop, seconds)

    def _news(self) -> None:
        if self._connection is not None:
            self._connection.ioloop.stop()

    def _opened(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(self._blocked)
        connection.add_on_connection_unblocked_callback(self._unblocked)
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._failed)
        channel.add_on_return_callback(self._was_returned)
        channel.confirm_delivery(self._answered, callback=self._confirming)

    def _confirming(self, _: Any) -> None:
        if self._options.exchange:
            self._channel.exchange_declare(self._options.exchange, passive=True, callback=self._ready)
        else:
            self._ready(None)

    def _ready(self, _: Any) -> None:
        self._is_ready = True
        self._news()

    def _blocked(self, *_: Any) -> None:
        self._is_blocked = True

    def _unblocked(self, *_: Any) -> None:
        self._is_blocked = False

    def _failed(self, _: Any, error: Any) -> None:
        """Handle the end of the connection or channel."""
        if isinstance(error, ChannelClosedByBroker) and error.reply_code == PRECONDITION_FAILED and self._is_ready:
            self._too_large = printable(error.reply_text)
        if self._trouble is None:
            self._trouble = OUT_OF_MEMORY if self._is_blocked else why_lost(error)
        self._news()

    def _was_returned(self, _: Any, method: Any, properties: Any, __: bytes) -> None:
        """Handle an event that no queue accepts; its confirmation follows."""
        self._returned[properties.message_id] = (
            f"no queue accepts it: {printable(method.reply_text)}, routing key {printable(method.routing_key)}"
        )

    def _answered(self, frame: Any) -> None:
        """Handle a confirmation of one event or of all up to it."""
        method, last = frame.method, frame.method.delivery_tag
        tags = list(takewhile(last.__ge__, self._under_way)) if method.multiple else [last]  # tags ascend
        is_taken = isinstance(method, pika.spec.Basic.Ack)
        for tag in tags:
            found = self._under_way.pop(tag, None)
            if found is None:
                continue
            sequence, identity = found
            if is_taken:
                self._careful -= 1
                self._outcomes.append(Outcome(sequence, self._returned.pop(identity, "")))
            elif self._trouble is None:
                self._careful = CAREFUL
                self._trouble = "the broker refuses an event for now (basic.nack): a queue is full, or has failed"
        self._news()


def routing_key(sensor: str) -> str:
    """A sensor's name as a routing key: levels become words, for bindings with `*` and `#`; a gap's key is `gap`."""
    return topic_for(sensor, ".").replace("/", ".") if sensor else GAP


def _properties(row: OutboxRow) -> tuple[str, Any]:
    """The event's ID and properties."""
    attributes = attributes_of(row.payload)

    def text(name: str) -> str:
        return str(msgspec.json.decode(attributes.get(name, b'""')))

    headers = {"sensor": row.sensor, "kind": row.kind, "severitytext": severity_name(row.severity)[0]}
    return text("id"), pika.BasicProperties(
        content_type="application/cloudevents+json",
        content_encoding="utf-8",
        delivery_mode=2,
        message_id=text("id"),
        type=text("type"),
        app_id="edgewarden",
        headers=headers,
    )


def _run(loop: Any, seconds: float) -> None:
    timer = loop.call_later(seconds, loop.stop)
    loop.start()
    loop.remove_timeout(timer)


def _parameters(options: RabbitmqOptions) -> Any:
    """Raises `OSError` if a certificate can't be used."""
    tls, login = options.tls, options.login
    credentials = pika.ConnectionParameters.DEFAULT_CREDENTIALS
    if login.username is not None:
        credentials = pika.PlainCredentials(login.username, login.password or "")
    return pika.ConnectionParameters(
        host=options.host,
        port=options.port,
        virtual_host=options.vhost,
        credentials=credentials,
        ssl_options=None if tls is None else pika.SSLOptions(tls.context(), options.host),
        heartbeat=HEARTBEAT_S,
        blocked_connection_timeout=BLOCKED_S,
        socket_timeout=CONNECT_S / 3,
        stack_timeout=CONNECT_S,
        client_properties={"connection_name": "edgewarden"},
    )


def why_lost(error: object) -> str:
    """The text of an error; AMQP's errors contain no secrets."""
    causes = list(_causes(error))
    for each in causes:
        if isinstance(each, OSError | ValueError):
            return why_unreachable(each)
    if any(isinstance(each, IncompatibleProtocolError) for each in causes):
        return "the broker closes the connection before AMQP begins: see port and tls; it may require a certificate"
    texts = (getattr(each, "reply_text", "") or str(each) for each in causes)
    text = next((each for each in texts if each), "the broker ends the connection and gives no reason")
    return printable(f"{type(error).__name__}: {text}")


def _causes(error: object) -> Iterator[object]:
    """An error, and those that it was raised for: pika wraps them, each kind in a way of its own."""
    yield error
    held = [*getattr(error, "exceptions", ()), getattr(error, "exception", None), *getattr(error, "args", ())]
    for each in held:
        if isinstance(each, BaseException):
            yield from _causes(each)
