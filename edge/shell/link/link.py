"""The link: one MQTT connection at a time, in a network thread whose failure is always noticed.

The thread's callbacks move arriving messages into the inbox and record the broker's confirmations. `receive()` returns
the messages, `acknowledge()` acknowledges them once they are stored, `publish()` sends within the in-flight window.

Behaviour of paho-mqtt, and how it is handled:

- It keeps publications made offline, or in flight at the end of a connection, and sends them later. Here each
  connection has a separate client that is discarded with it. **Publications in flight at the end of a connection are
  void:** their tokens are never confirmed, no copy is sent, and the publisher sends them again.
- An exception in a callback ends its thread while it still claims to be connected. Here callbacks catch all exceptions,
  the connection ends without a DISCONNECT (so that the will is published), and `alive` is False from then on.
- It needs two keepalives to detect a dead peer. It is given 0.7 of the configured one, which makes 1.4.

An acknowledgement is sent on the connection that delivered the message, or dropped if that has ended.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.core.model.readings.messages import Message
from edge.shell.link.connection_state import ConnectionState
from edge.shell.link.failure_reasons import UNSUPPORTED_VERSION, why_not_understood, why_refused, why_unreachable
from edge.shell.link.guarded_callbacks import guarded
from edge.shell.link.link_options import EventProperties, LinkOptions, Subscription, Will
from edge.shell.link.receiving.bulk_client import BulkClient, make_client
from edge.shell.link.receiving.echo import Echo
from edge.shell.link.receiving.receiver import Receiver
from edge.shell.link.reconnecting.comparison import ComparedConnection
from edge.shell.link.reconnecting.connection_end import ending_of
from edge.shell.link.reconnecting.connection_log import ConnectionLog
from edge.shell.link.reconnecting.reconnecting import Reconnecting
from edge.shell.link.reconnecting.refused_will import RefusedWill
from edge.shell.link.sending.sender import LiveConnection, RefusedPublication, Sender
from edge.shell.link.service_link import MarksRepetitions
from edge.shell.link.subscribing.subscriber import Subscriber
from edge.shell.link.versions.abilities import Abilities
from edge.shell.link.versions.mqtt5 import SESSION_EXPIRY_S, session, takes_identifiers
from edge.shell.link.versions.version_choice import Outcome, Version, VersionChoice

log = logging.getLogger("edgewarden.link")


class Link(MarksRepetitions):
    """A connection to a broker that is restored whenever it breaks.

    All members except `stop()`, `wake()` and `inbox.put()` may be used only by the thread that owns the link.

    Args:
        options: The settings of the connection.
        subscriptions: Made on the first connection (a session kept by the broker may have others), and on later ones
            only if the session is lost, because each time the broker sends all retained messages.
        clock: Returns the arrival time of messages, seconds since the epoch.
        on_news: Called in the network thread when the broker has accepted the connection or answered a publication.

    Attributes:
        connections: Number of accepted connections. When it changes, earlier tokens are void.
        session_present: Whether the broker still had the session at the last connection; if not, messages may be lost.
        version: MQTT version of the last connection.
        reconnecting: Evidence of other clients with the same ID.
        echo: Messages on `options.echo`; `births` those on `options.births`.
        abilities: What the broker can do.
        callback_errors: Number of failed callbacks; a single one ends the link.
        trouble: Why the last attempt or connection ended; empty while connected.
    """

    def __init__(
        self,
        options: LinkOptions,
        subscriptions: Sequence[Subscription] = (),
        clock: Callable[[], float] = time.time,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        self.options = options
        self.connections, self.session_present, self.callback_errors, self.trouble = 0, False, 0, ""
        self.version: Version = "3.1.1" if options.version == "3.1.1" else "5"
        self._on_news, self._log = on_news, ConnectionLog(options.host, options.port)
        self.abilities = Abilities(0 if options.clean_session else SESSION_EXPIRY_S)
        self._subscriber = Subscriber(subscriptions, abilities=self.abilities)
        self._receiver = Receiver(options, clock, self._subscriber.is_copy)
        self.inbox, self.births = self._receiver.inbox, self._receiver.births
        self._thread: threading.Thread | None = None
        self._standing: ConnectionState[LiveConnection] = ConnectionState()
        self._sender = Sender(self._standing, self.abilities)
        comparison = ComparedConnection(options, lambda: self.version) if options.client_id else None
        self.reconnecting = Reconnecting(options, comparison, on_rival=self._subscriber.renew)
        self._versions = VersionChoice(options.version)
        self._will = RefusedWill(lambda: self.options, self.abilities, lambda: self._standing.ending)
        self._outcome: Outcome = "closed"
        self.echo = Echo(options.echo)
        self._said_at_end: ReasonCode | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted the connection and it is believed to be intact."""
        return self._standing.current is not None

    @property
    def alive(self) -> bool:
        """Whether the network thread works; if not, the process should end."""
        return not self._standing.failed and self._thread is not None and self._thread.is_alive()

    @property
    def refused_subscriptions(self) -> dict[str, str]:
        """Filters refused by the broker, with its reason; they are retried."""
        return self._subscriber.refused

    @property
    def acknowledges_blindly(self) -> bool:
        """Whether the broker may acknowledge publications that it drops, because MQTT 3.1.1 has no other answer."""
        return self.version == "3.1.1"

    @property
    def closed_by_broker(self) -> str:
        """Why the broker closed the last connection, in words; empty if it didn't, or not for a publication."""
        return self.reconnecting.closed_by_broker

    def closing_explained(self) -> None:
        """Record that the broker closes connections because of publications, and not because of another client."""
        self.reconnecting.explained()

    @property
    def refused_publications(self) -> int:
        """Number of publications refused by an MQTT 5 broker; their tokens are never confirmed."""
        return self._sender.refused

    @property
    def takeovers(self) -> int:
        """Number of connections certainly ended by another client with the same ID."""
        return self.reconnecting.takeovers

    def rival_seen(self) -> None:
        """Record that another client has certainly been connected in this one's place."""
        self.reconnecting.rival_seen()

    @property
    def received(self) -> int:
        """Number of messages received, including dropped ones."""
        return self.inbox.arrived

    @property
    def dropped_qos0(self) -> int:
        """Number of QoS 0 messages dropped because the receive queue was full."""
        return self.inbox.dropped

    def start(self) -> None:
        """Start the network thread, which connects and reconnects indefinitely."""
        self._thread = threading.Thread(target=self._run, name="edgewarden-link", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Send what is in flight, disconnect and end the thread, or give up after the timeout."""
        self._standing.stop(timeout_s)
        self.inbox.close()
        if (current := self._standing.current) is not None:
            current.client.disconnect()
        if self._thread is not None:
            self._thread.join(timeout_s)
        self.reconnecting.end()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until connected; returns whether it is."""
        return self._standing.wait_connected(timeout_s)

    def wait_subscribed(self, timeout_s: float) -> bool:
        """Wait until the broker has answered the subscriptions or kept them; returns whether it has."""
        return self._standing.wait_subscribed(timeout_s)

    def receive(self, timeout_s: float, most: int = 10_000, most_bytes: int = 2**18) -> list[Message]:
        """Return received messages, up to a number or size; waits for some or `wake()` if there are none."""
        return self.inbox.take(timeout_s, most, most_bytes)

    def has_lost_session(self) -> bool:
        """Whether the broker has lost the session since the last call, or never had one."""
        return self._receiver.has_lost_session()

    def of_session(self, messages: list[Message]) -> list[Message]:
        """Received messages, with those of an ended session marked as QoS 0: they aren't redelivered."""
        return self._receiver.of_session(messages)

    def wake(self) -> None:
        """Make `receive()` return early."""
        self.inbox.interrupt()

    def acknowledge(self, messages: Sequence[Message], window: int | None = None) -> None:
        """Acknowledge stored messages; those of an ended connection are redelivered by the broker.

        Args:
            messages: The messages; those of QoS 0 are ignored.
            window: Number of messages that the broker sends without an acknowledgement, if known.
        """
        if window is not None:
            self._receiver.linger.window = window
        if (current := self._standing.current) is None:
            return
        number = current.number
        current.client.acknowledge([each.packet for each in messages if each.receipt == number and each.qos > 0])

    def unsubscribe(self, topic: str) -> None:
        """Remove from the session the filters that deliver an unwanted topic, unless another client may want it."""
        if (current := self._standing.current) is not None and not self.reconnecting.has_rival:
            self._subscriber.leave(current.client, topic)

    def follow(self, subscriptions: Sequence[Subscription], will: Will | Callable[[], Will] | None) -> None:
        """Change the subscriptions now, and the will from the next connection on."""
        self.options = replace(self.options, will=will)
        self._subscriber.change(subscriptions)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        properties: EventProperties | None = None,
    ) -> int | None:
        """Send a message.

        After a reconnection the first call does nothing, so that no publisher assumes that earlier publications are
        still in flight. If some became void, no call does anything before `confirmations()`.

        Returns:
            A unique token that `confirmations()` returns once the PUBACK has arrived (never for QoS 0). None if nothing
            was sent or kept: no connection, no room, or an invalid topic.
        """
        return self._sender.publish(topic, payload, qos=qos, retain=retain, properties=properties)

    def confirmations(self) -> list[int]:
        """Return the tokens whose PUBACK has arrived since the last call, and switch to the present connection.

        Tokens confirmed before the end of their connection are still returned once; after that, tokens of an ended
        connection are void.
        """
        return self._sender.confirmations()

    def refusals(self) -> list[RefusedPublication]:
        """Return publications refused by an MQTT 5 broker, as found by `confirmations()` or `publish()`."""
        return self._sender.refusals()

    # The rest runs in the network thread.

    def _run(self) -> None:
        try:
            while not self._standing.ending:
                pause_s = self.reconnecting.pause_s(self._connect())
                self._log.pauses(pause_s)
                self._standing.pause(pause_s)
                self.reconnecting.compare()
        except Exception:  # whatever it was, a network thread must not end unnoticed
            log.exception("network_thread_failed")
            self._fail()

    def _fail(self) -> None:
        self._standing.fail()
        self.inbox.close()

    def _connect(self) -> float:
        """Connect and stay connected for as long as possible; returns the duration in seconds.

        If the broker doesn't answer in one version, the next one is tried at once; see `VersionChoice`.
        """
        options, keepalive_s = self.options, max(1, int(0.7 * self.options.keepalive_s))
        for version in self._versions.to_try():
            try:
                client = self._make_client(version)
                client.connect(options.host, options.port, keepalive_s, **session(client, options))
            except (OSError, ValueError) as error:
                self.trouble = why_unreachable(error)
                self._log.failed(self.trouble)
                return 0.0
            stood_s = self._converse(client, version)
            if self._standing.ending:
                return stood_s
            self._versions.note(version, self._outcome)
            self._will.note(version, self._outcome)
            if self._outcome == "accepted":
                return stood_s
            self.trouble = why_not_understood(version, closed=self._outcome == "closed")
            self._log.not_understood(version, self.trouble)
        return 0.0

    def _converse(self, client: BulkClient, version: Version) -> float:
        """Send and receive until the connection ends; returns how long it was accepted, in seconds."""
        self.version, self._outcome, self._said_at_end = version, "closed", None
        step_s = min(2.0, self.options.keepalive_s / 15)
        accepted_at, code = None, MQTTErrorCode.MQTT_ERR_SUCCESS
        try:
            while code == MQTTErrorCode.MQTT_ERR_SUCCESS and not self._standing.over:
                code = self._receiver.turn(client, step_s, self._awaits_answers)
                if self._standing.current is not None:
                    self._subscriber.turn(client)
                    accepted_at = accepted_at or time.monotonic()
                    self.reconnecting.stands(time.monotonic() - accepted_at)
        finally:
            is_settled = self._standing.subscribed and self._sender.is_confirmed
            self._standing.end()
            self._receiver.end()
            client.sever()
        if accepted_at is None:
            return 0.0
        stood_s = time.monotonic() - accepted_at
        if self._standing.stopping:
            self._log.disconnected("we ended it", intended=True)
            return stood_s
        self.trouble = (ending := ending_of(self._said_at_end, client.ended_by, code)).words
        self._log.disconnected(ending.words)
        self.echo.ended()
        self.reconnecting.ended(ending, stood_s, after_publication=self._sender.ends_promptly(), is_settled=is_settled)
        return stood_s

    def _awaits_answers(self) -> bool:
        return not (current := self._standing.current) or current.window.waits_for_answers or self._standing.stopping

    def _make_client(self, version: Version) -> BulkClient:
        client = make_client(self.options, version, self.abilities)
        client.on_connect = self._guarded(self._on_connect)
        client.on_disconnect = self._guarded(self._on_disconnect)
        client.on_subscribe = self._guarded(self._on_subscribe)
        client.on_unsubscribe = self._guarded(self._on_unsubscribe)
        client.on_message = self._guarded(self._on_message)
        client.on_publish = self._guarded(self._on_publish)
        return client

    def _guarded(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        return guarded(callback, self._callback_failed)

    def _callback_failed(self) -> None:
        self.callback_errors += 1
        self._fail()

    def _on_connect(
        self, client: BulkClient, _data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties
    ) -> None:
        self._outcome = "unsupported" if reason.value == UNSUPPORTED_VERSION else "accepted"
        if reason.is_failure:
            self.trouble = why_refused(reason)
            self.abilities.refused(reason.value)
            self._log.refused(self.trouble)
            self.reconnecting.refused()
            return
        self.abilities.accepted(properties, says=self.version == "5")
        for each in (self.echo, self.births):
            each.begin(client)
        keeps, identifies = self.connections > 0 and flags.session_present, takes_identifiers(client, properties)
        number, modern = self.connections + 1, self.version == "5"
        subscribed = self._subscriber.begin(client, keeps=keeps, identifies=identifies, joins=not modern)
        cutter = self._receiver.begin(number, modern=modern, session_present=flags.session_present)
        client.receive_by(self._guarded(cutter.cut), self._guarded(self._receiver.take_lot))
        self.connections, self.trouble, self.session_present = number, "", flags.session_present
        live = LiveConnection.of(number, client, self.options.in_flight, properties)
        self._standing.accept(live, subscribed=subscribed)
        self._tell_news()
        if self._standing.stopping:
            client.disconnect()
        self._log.connected(self.version, session_present=flags.session_present)

    def _on_disconnect(self, _c: Client, _d: Any, flags: DisconnectFlags, reason: ReasonCode, _p: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._said_at_end = reason

    def _tell_news(self) -> None:
        self._on_news()
        self.wake()

    def _on_subscribe(self, _c: Client, _d: Any, packet: int, reasons: list[ReasonCode], _p: Any) -> None:
        if self.echo.answered(packet, reasons) or self.births.answered(packet, reasons):
            self._tell_news()
        elif self._subscriber.answered(packet, reasons):
            self._standing.answer()

    def _on_unsubscribe(self, _c: Client, _d: Any, packet: int, reasons: list[ReasonCode], _p: Any) -> None:
        self._subscriber.has_left(packet, reasons)

    def _on_publish(self, client: BulkClient, _d: Any, packet: int, reason: ReasonCode, _p: Any) -> None:
        """Handle a PUBACK, or a written publication of QoS 0."""
        if (current := self._standing.current) is not None:
            current.window.note(packet, client.refusal(reason))
            self._tell_news()

    def _on_message(self, client: Client, _d: Any, message: MQTTMessage) -> None:
        """Handle a message that the fast parser left to paho."""
        if self.echo.takes(message) or self.births.takes(message):
            client.ack(message.mid, message.qos)
            self._tell_news()
        else:
            self._receiver.take_one(message)
