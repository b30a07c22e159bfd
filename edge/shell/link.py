"""The link: one MQTT connection, with a network thread that can neither kill nor block the loop.

The thread's callbacks only move what arrives into a bounded queue. `receive()` hands it over, `acknowledge()` tells the
broker that it is safe, and `publish()` sends at most an in-flight window at a time. This is the only file that knows
paho.

What paho-mqtt would do on its own, and what is done about it:

- An exception in a callback ends the network thread while the client still calls itself connected. Callbacks here catch
  everything, and `alive` is false from then on.
- A message published while offline, or outstanding at a disconnect, is kept and sent later on its own. Every connection
  gets a client of its own here, so what is outstanding when it ends is void: whoever published it does so again.
- Acknowledgements belong to the connection that delivered the message; others are not sent.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.core.messages import Message

log = logging.getLogger("edgewarden.link")

SESSION_EXPIRY_S = 7 * 86_400
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 120.0
CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class TlsOptions:
    """Encryption. The broker's certificate is always verified.

    Attributes:
        ca_file: Certificates that the broker's must be signed by (PEM); None for those of the system.
        certificate_file: Our own certificate (PEM).
        key_file: Its key (PEM).
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True)
class LinkOptions:
    """How a broker is reached.

    Attributes:
        host: Name or address.
        port: TCP port.
        client_id: MQTT client id; a persistent session needs one that stays.
        username: User name.
        password: Password; never logged.
        tls: Encryption, or None.
        keepalive_s: Seconds after which an idle connection is probed; a dead one is noticed within 1.5 of it.
        version: `3.1.1` or `5`; with 5, a broker that refuses it is asked for 3.1.1.
        clean_session: False if the broker shall keep messages while we are away.
        in_flight: Publications without a PUBACK at most.
        will: Topic and payload that the broker publishes, retained, when we vanish.
        receive_messages: Messages that wait in the queue at most.
        receive_bytes: Their payloads' size at most.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    client_id: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsOptions | None = None
    keepalive_s: int = 30
    version: str = "3.1.1"
    clean_session: bool = True
    in_flight: int = 20
    will: tuple[str, bytes] | None = None
    receive_messages: int = 10_000
    receive_bytes: int = 64 * 2**20


class Subscription(NamedTuple):
    """A topic filter and the quality of service to ask for."""

    filter: str
    qos: int = 1


class EventProperties(NamedTuple):
    """What MQTT 5 says beside a payload; left out with 3.1.1."""

    content_type: str
    user: tuple[tuple[str, str], ...] = ()


class _Receipt(NamedTuple):
    """What an acknowledgement needs: the connection that delivered the message, and its packet id."""

    connection: int
    packet: int


class Link:
    """One connection to a broker, made again whenever it breaks.

    Args:
        options: How the broker is reached.
        subscriptions: What to receive; made anew by the first connection, and whenever the broker has no session.
        clock: Stamps arrivals, seconds since the epoch.
    """

    def __init__(
        self,
        options: LinkOptions,
        subscriptions: Sequence[Subscription] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.options = options
        self.subscriptions = tuple(subscriptions)
        self.connections = 0
        self.session_present = False
        self.received = 0
        self.dropped_qos0 = 0
        self.callback_errors = 0
        self.refused_subscriptions: tuple[str, ...] = ()
        self._clock = clock
        self._client: Client | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._queue: deque[Message] = deque()
        self._queued_bytes = 0
        self._sent = 0
        self._acknowledged = 0
        self._confirmed: deque[int] = deque()
        self._connected = False
        self._subscribed = False
        self._stopping = False
        self._failed = False
        self._version = options.version

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and the connection stands, as far as we know."""
        return self._connected

    @property
    def alive(self) -> bool:
        """Whether the network thread does its work; once it is false the process should end."""
        return not self._failed and self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the network thread, which connects, and connects again for as long as it takes."""
        self._thread = threading.Thread(target=self._run, name="edgewarden-link", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Say goodbye to the broker and end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        client = self._client
        if client is not None:
            client.disconnect()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until connected; returns whether that has happened."""
        with self._changed:
            return self._changed.wait_for(lambda: self._connected, timeout_s)

    def wait_subscribed(self, timeout_s: float) -> bool:
        """Wait until the broker has answered to all subscriptions, or has kept them; returns whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._connected and self._subscribed, timeout_s)

    def receive(self, timeout_s: float, most: int = 10_000) -> list[Message]:
        """Take what has arrived; if that is nothing, wait for it.

        Args:
            timeout_s: How long to wait.
            most: How many messages to take.
        """
        with self._changed:
            if not self._queue:
                self._changed.wait_for(lambda: bool(self._queue or self._confirmed or self._failed), timeout_s)
            taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
            self._queued_bytes -= sum(len(each.payload) for each in taken)
            if taken:
                self._changed.notify_all()
        return taken

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that messages are safe; those of an earlier connection it delivers again by itself."""
        client = self._client
        if client is None:
            return
        for message in messages:
            receipt = message.receipt
            if isinstance(receipt, _Receipt) and receipt.connection == self.connections:
                client.ack(receipt.packet, message.qos)

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

        Returns:
            A token that `confirmations()` returns when the PUBACK has come; None if there is no connection or no room
            in the window, and then nothing was sent.
        """
        client = self._client
        if client is None or not self._connected or (qos > 0 and self._sent - self._acknowledged >= self.options.in_flight):
            return None
        try:
            sent = client.publish(topic, payload, qos, retain, self._publish_properties(client, properties))
        except ValueError as error:
            log.error("publish_refused topic=%r error=%r", topic[:200], str(error))  # noqa: TRY400 - no bug of ours
            return None
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return None
        self._sent += qos > 0
        return sent.mid

    def confirmations(self) -> list[int]:
        """Tokens whose PUBACK has come since the last call; those of an ended connection never come."""
        confirmed: list[int] = []
        while self._confirmed:
            confirmed.append(self._confirmed.popleft())
        return confirmed

    def _run(self) -> None:
        """The network thread: one connection after the other, with a jittered pause between."""
        delay = FIRST_DELAY_S
        try:
            while not self._stopping:
                if self._connect_once():
                    delay = FIRST_DELAY_S
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, delay * random.uniform(0.5, 1.0))
                delay = min(2 * delay, LONGEST_DELAY_S)
        except Exception:  # whatever it is: a dead network thread must be known, the process ends by it
            log.exception("network_thread_failed")
            self._fail()

    def _connect_once(self) -> bool:
        """Connect and stay connected for as long as possible; returns whether the broker had accepted us."""
        options = self.options
        client = self._make_client()
        before = self.connections
        try:
            client.connect(options.host, options.port, options.keepalive_s, **self._session(client))
        except (OSError, ValueError) as error:
            log.warning("connect_failed host=%s port=%d error=%r", options.host, options.port, str(error))
            return False
        self._client = client
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        while code == MQTTErrorCode.MQTT_ERR_SUCCESS and not self._failed:
            code = client.loop(timeout=1.0)
        with self._changed:
            self._client = None
            self._connected = False
            self._subscribed = False
            self._changed.notify_all()
        accepted = self.connections > before
        if not accepted and self._version == "5" and not self._stopping:
            log.warning("falling_back version=3.1.1 host=%s port=%d", options.host, options.port)
            self._version = "3.1.1"
        elif not self._stopping:
            log.warning("disconnected host=%s port=%d code=%d", options.host, options.port, code)
        return accepted

    def _make_client(self) -> Client:
        options = self.options
        persistent = {} if self._version == "5" else {"clean_session": options.clean_session}
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            protocol=MQTTProtocolVersion.MQTTv5 if self._version == "5" else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
            **persistent,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(options.in_flight)
        if options.username is not None:
            client.username_pw_set(options.username, options.password)
        if options.tls is not None:
            context = ssl.create_default_context(cafile=options.tls.ca_file)
            if options.tls.certificate_file is not None:
                context.load_cert_chain(options.tls.certificate_file, options.tls.key_file)
            client.tls_set_context(context)
        if options.will is not None:
            client.will_set(options.will[0], options.will[1], qos=1, retain=True)
        client.on_connect = self._guarded(self._on_connect)
        client.on_subscribe = self._guarded(self._on_subscribe)
        client.on_message = self._guarded(self._on_message)
        client.on_publish = self._guarded(self._on_publish)
        client.on_socket_register_write = _woken_by_its_socket_pair
        return client

    def _session(self, client: Client) -> dict[str, Any]:
        if client.protocol != MQTTProtocolVersion.MQTTv5:
            return {}
        properties = Properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0 if self.options.clean_session else SESSION_EXPIRY_S
        return {"clean_start": self.options.clean_session, "properties": properties}

    def _publish_properties(self, client: Client, given: EventProperties | None) -> Properties | None:
        if given is None or client.protocol != MQTTProtocolVersion.MQTTv5:
            return None
        properties = Properties(PacketTypes.PUBLISH)
        properties.ContentType = given.content_type
        properties.PayloadFormatIndicator = 1
        properties.UserProperty = list(given.user)
        return properties

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        def guarded(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception:  # paho's loop would end by it, and nobody would know
                self.callback_errors += 1
                log.exception("callback_failed callback=%s", callback.__name__)
                self._fail()

        return guarded

    def _fail(self) -> None:
        with self._changed:
            self._failed = True
            self._connected = False
            self._changed.notify_all()

    def _on_connect(
        self, client: Client, _data: Any, flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            log.error("connect_refused host=%s port=%d reason=%r", self.options.host, self.options.port, str(reason))
            return
        self.session_present = flags.session_present
        self._sent = self._acknowledged = 0
        self._confirmed.clear()
        renew = self.connections == 0 or not flags.session_present
        wanted = list(self.subscriptions) if renew else []
        if wanted:
            client.subscribe([(each.filter, each.qos) for each in wanted])
        with self._changed:
            self.connections += 1
            self._connected = True
            self._subscribed = not wanted
            self._changed.notify_all()
        log.info(
            "connected host=%s port=%d version=%s session_present=%s",
            self.options.host,
            self.options.port,
            self._version,
            flags.session_present,
        )

    def _on_subscribe(
        self, _client: Client, _data: Any, _packet: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = tuple(
            each.filter for each, reason in zip(self.subscriptions, reasons, strict=False) if reason.is_failure
        )
        for each in refused:
            log.error("subscription_refused filter=%r", each)
        with self._changed:
            self.refused_subscriptions = refused
            self._subscribed = True
            self._changed.notify_all()

    def _on_publish(
        self, _client: Client, _data: Any, packet: int, _reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._confirmed.append(packet)
        with self._changed:
            self._acknowledged += 1
            self._changed.notify_all()

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        """Queue a message. One of QoS 0 is dropped where there is no room; others wait for it, and the socket with them."""
        arrived = self._clock()
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = message._topic.decode("utf-8", "replace")  # noqa: SLF001 - paho shows no other way to it
        receipt = _Receipt(self.connections, message.mid)
        kept = Message(topic, message.payload, arrived, message.retain, message.qos, receipt)
        size = len(kept.payload)
        with self._changed:
            self.received += 1
            if message.qos == 0 and not self._has_room(size):
                self.dropped_qos0 += 1
                return
            self._changed.wait_for(lambda: self._has_room(size) or self._stopping or self._failed)
            self._queue.append(kept)
            self._queued_bytes += size
            if len(self._queue) == 1:
                self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        queued = len(self._queue)
        options = self.options
        return queued < options.receive_messages and (not queued or self._queued_bytes + size <= options.receive_bytes)


def _woken_by_its_socket_pair(*_arguments: Any) -> None:
    """Tells paho that a loop of our own writes: without it, `publish()` would write from the caller's thread."""
