"""The link: one MQTT connection at a time, in a network thread that doesn't die unnoticed.

The thread's callbacks move what arrives into the inbox and note what the broker has confirmed. `receive()` hands the
messages over, `acknowledge()` says that they are safe, `publish()` sends a window's worth.

What paho-mqtt does by itself, and what is done about it:

- It keeps what was published while offline, or is outstanding when a connection ends, and sends it later. Here each
  connection has a client of its own, thrown away with it. **What is outstanding at the end of a connection is void:**
  its token is never confirmed, no copy is sent, and its publisher sends it again.
- An exception in a callback ends its thread while it still calls itself connected. Here callbacks catch all, the
  connection ends without a goodbye (so that the will is published), and `alive` is false from then on.
- It needs two keepalives to notice a dead peer. It is given 0.7 of ours, which makes 1.4.

An acknowledgement goes to the connection that delivered the message or, if that has ended, nowhere.
"""

from __future__ import annotations

import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from paho.mqtt import MQTTException
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.core.messages import Message
from edge.shell.inbox import Inbox
from edge.shell.link.bulk_client import BulkClient
from edge.shell.link.linger import Linger, spread
from edge.shell.link.modern import properties_of, session
from edge.shell.link.publish_cutter import PublishCutter, topic_text
from edge.shell.link_options import EventProperties, LinkOptions, Subscription
from edge.shell.standing import Standing
from edge.shell.window import Window

log = logging.getLogger("edgewarden.link")

CONNECT_TIMEOUT_S = 10.0
ACCEPTED_S = 10.0  # after a connection that was accepted, however short, the next attempt comes within this time
UNSUPPORTED_VERSION = 0x84


class _Connection(NamedTuple):
    """A connection that the broker has accepted: its number, paho's side of it, and what is under way."""

    number: int
    client: BulkClient
    window: Window


class Link:
    """A connection to a broker, made again whenever it breaks.

    Everything but `stop()` is for one thread, the one that owns the link.

    Args:
        options: How the broker is reached.
        subscriptions: What to receive. Made by the first connection (a session that the broker has kept may have
            others), and by later ones where it has lost the session; each time, they would bring all retained ones.
        clock: Stamps arrivals, seconds since the epoch.
        on_news: Called in the network thread when the broker has accepted us or answered to a publication.

    Attributes:
        connections: How many the broker has accepted. Once it has changed, earlier tokens are void.
        session_present: Whether the broker still knew us at the last one; if not, messages may be missing.
        version: MQTT version of the last of them.
        refused_subscriptions: Filters that the broker refused.
        refused_publications: Publications that an MQTT 5 broker refused; their tokens are never confirmed.
        callback_errors: How many callbacks failed; one is enough to end the link.
    """

    def __init__(
        self,
        options: LinkOptions,
        subscriptions: Sequence[Subscription] = (),
        clock: Callable[[], float] = time.time,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        self.options = options
        self.subscriptions = tuple(subscriptions)
        self.connections = 0
        self.session_present = False
        self.version: str = options.version
        self.refused_subscriptions: tuple[str, ...] = ()
        self.refused_publications = 0
        self.callback_errors = 0
        self._clock = clock
        self._on_news = on_news
        self._where = f"host={options.host} port={options.port}"
        self._inbox = Inbox(options.receive_messages, options.receive_bytes)
        self._thread: threading.Thread | None = None
        self._standing: Standing[_Connection] = Standing()
        self._known: _Connection | None = None
        self._answered = False
        self._last_token = 0
        self._rested_s = 0.0
        self._confirmed: list[int] = []

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us, and the connection stands as far as we know."""
        return self._standing.current is not None

    @property
    def alive(self) -> bool:
        """Whether the network thread does its work; once it doesn't, the process should end."""
        return not self._standing.failed and self._thread is not None and self._thread.is_alive()

    @property
    def received(self) -> int:
        """How many messages have arrived, with those that were dropped."""
        return self._inbox.arrived

    @property
    def dropped_qos0(self) -> int:
        """How many messages of QoS 0 were dropped because the inbox was full."""
        return self._inbox.dropped

    def start(self) -> None:
        """Start the network thread, which connects, and connects again, for as long as it takes."""
        self._thread = threading.Thread(target=self._run, name="edgewarden-link", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Send what is on its way, say goodbye and end the thread, or give up after the timeout."""
        self._standing.stop(timeout_s)
        self._inbox.close()
        current = self._standing.current
        if current is not None:
            current.client.disconnect()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until connected; returns whether that is so."""
        return self._standing.wait_connected(timeout_s)

    def wait_subscribed(self, timeout_s: float) -> bool:
        """Wait until the broker has answered to the subscriptions or kept them; returns whether it has."""
        return self._standing.wait_subscribed(timeout_s)

    def receive(self, timeout_s: float, most: int = 10_000, most_bytes: int = 2**18) -> list[Message]:
        """Take what has arrived, up to so many messages or bytes; if that is none, wait for one or for other news."""
        return self._inbox.take(timeout_s, most, most_bytes)

    def wake(self) -> None:
        """Let `receive()` return: there is other news."""
        self._inbox.interrupt()

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Tell the broker that messages are safe; those of an ended connection it delivers again."""
        current = self._standing.current
        if current is None:
            return
        number = current.number
        current.client.acknowledge([each.packet for each in messages if each.receipt == number and each.qos > 0])

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

        The first call after a connection was replaced does nothing, so that nobody publishes in the belief that what
        went before is on its way. Where that became void, no call does anything before `confirmations()`.

        Returns:
            A token, never used before, that `confirmations()` returns once the PUBACK has come (with QoS 0:
            never). None if nothing was sent and nothing kept: no connection, no room, or no valid topic.
        """
        if self._known is None:
            self._take_note()
        current = self._known
        if current is None:
            return None
        self._confirmed += current.window.collect()
        if current is not self._standing.current:
            if not current.window.waits_for_answers:
                self._take_note()
            return None
        if not current.window.has_room(qos):
            return None
        try:
            said = properties_of(current.client, properties)
            sent = current.client.publish(topic, payload, qos, retain, said)
        except (ValueError, MQTTException) as error:
            log.error("not_publishable topic=%r error=%r", topic[:99], str(error))  # noqa: TRY400 - the words do
            return None
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return None
        self._last_token += 1
        current.window.sent(sent.mid, qos, self._last_token)
        return self._last_token

    def confirmations(self) -> list[int]:
        """Return the tokens whose PUBACK has come since the last call; take note of the present connection.

        Those whose PUBACK came before the end of their connection are still returned, once; after that,
        tokens of an ended connection are void.
        """
        self._take_note()
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    def _take_note(self) -> None:
        if self._known is not None:
            self._confirmed += self._known.window.collect()
        self._known = self._standing.current

    # The rest runs in the network thread.

    def _run(self) -> None:
        options = self.options
        delay_s = options.first_delay_s
        try:
            while not self._standing.ending:
                stood_s = self._connect()
                if stood_s >= delay_s:
                    delay_s = options.first_delay_s
                self._standing.pause(delay_s * random.uniform(0.25, 1.0))
                delay_s = min(2 * delay_s, options.longest_delay_s, *([ACCEPTED_S] if stood_s else []))
        except Exception:  # whatever it was, a network thread that ends unnoticed is the worst of failures
            log.exception("network_thread_failed")
            self._fail()

    def _fail(self) -> None:
        self._standing.fail()
        self._inbox.close()

    def _connect(self) -> float:
        """Connect and stay connected for as long as it lasts; returns how long that was, in seconds.

        A broker that doesn't know MQTT 5 says so, or merely closes the socket. It is asked in 3.1.1 at
        once, and in 5 again the next time: what closed the socket may have been something else.
        """
        options = self.options
        for version in ("5", "3.1.1") if options.version == "5" else ("3.1.1",):
            self._answered = False
            keepalive_s = max(1, int(0.7 * options.keepalive_s))
            try:
                client = self._make_client(version)
                client.connect(options.host, options.port, keepalive_s, **session(client, options))
            except (OSError, ValueError) as error:
                log.warning("connect_failed %s error=%r", self._where, str(error))
                return 0.0
            stood_s = self._converse(client, version)
            if self._answered or self._standing.ending:
                return stood_s
            log.warning("not_understood %s version=%s", self._where, version)
        return 0.0

    def _converse(self, client: BulkClient, version: str) -> float:
        """Send and receive until the connection ends; returns for how many seconds we had been accepted."""
        self.version = version
        step_s = min(1.0, self.options.keepalive_s / 20)
        linger = Linger(self.options.linger_s, self.options.receive_maximum)
        accepted_at = None
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        try:
            while code == MQTTErrorCode.MQTT_ERR_SUCCESS and not self._standing.over:
                messages, size = client.messages_read, client.bytes_read
                code = client.loop(timeout=step_s)
                current = self._standing.current
                if accepted_at is None and current is not None:
                    accepted_at = time.monotonic()
                if client.messages_read > messages and current is not None and not current.window.waits_for_answers:
                    messages, size = client.messages_read - messages, client.bytes_read - size
                    code = code or self._rest(client, current, linger.rest_s(messages, size, time.monotonic()))
        finally:
            self._standing.end()
            self._inbox.interrupt()
            open_socket = client.socket()
            if open_socket is not None:
                open_socket.close()
        if accepted_at is None:
            return 0.0
        level = logging.INFO if self._standing.stopping else logging.WARNING
        log.log(level, "disconnected %s code=%d", self._where, code)
        return time.monotonic() - accepted_at

    def _rest(self, client: BulkClient, current: _Connection, seconds: float) -> MQTTErrorCode:
        """Leave the socket unread for a while, but not while an answer of the broker is awaited; see `linger.py`."""
        if seconds == 0:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        began = time.monotonic()
        code = client.rest(seconds, lambda: current.window.waits_for_answers or self._standing.stopping)
        self._rested_s = time.monotonic() - began
        return code

    def _take_lot(self, messages: list[Message]) -> None:
        """Take messages that were read together."""
        if self._rested_s > 0:
            messages, self._rested_s = spread(messages, self._rested_s), 0.0
        self._inbox.put_all(messages)

    def _make_client(self, version: str) -> BulkClient:
        options = self.options
        modern = version == "5"
        client = BulkClient(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            clean_session=None if modern else options.clean_session,
            protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(options.in_flight)
        if options.username is not None:
            client.username_pw_set(options.username, options.password)
        if options.tls is not None:
            client.tls_set_context(options.tls.context())
        if options.will is not None:
            client.will_set(options.will[0], options.will[1], qos=1, retain=True)
        client.on_connect = self._guarded(self._on_connect)
        client.on_subscribe = self._guarded(self._on_subscribe)
        client.on_message = self._guarded(self._on_message)
        client.on_publish = self._guarded(self._on_publish)
        client.on_socket_open = _send_at_once
        client.on_socket_register_write = _leave_writing_to_the_network_thread
        return client

    def _guarded(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any) -> Any:
            try:
                return callback(*arguments)
            except Exception:  # paho's loop would end by it; whatever it was, the owner must learn of it
                self.callback_errors += 1
                log.exception("callback_failed callback=%s", callback.__name__)
                self._fail()
                return None

        return guarded

    def _on_connect(
        self, client: BulkClient, _data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Properties
    ) -> None:
        self._answered = reason.value != UNSUPPORTED_VERSION
        if reason.is_failure:
            log.error("connect_refused %s reason=%r", self._where, str(reason))
            return
        most = min(self.options.in_flight, getattr(properties, "ReceiveMaximum", self.options.in_flight))
        wanted = self.subscriptions if self.connections == 0 or not flags.session_present else ()
        if wanted:
            client.subscribe([(each.filter, each.qos) for each in wanted])
        self.session_present = flags.session_present
        self.connections += 1
        cutter = PublishCutter(modern=self.version == "5", clock=self._clock, receipt=self.connections)
        client.receive_by(self._guarded(cutter.cut), self._guarded(self._take_lot))
        self._standing.accept(_Connection(self.connections, client, Window(most)), subscribed=not wanted)
        self._tell_news()
        if self._standing.stopping:
            client.disconnect()
        log.info("connected %s version=%s session=%s", self._where, self.version, flags.session_present)

    def _tell_news(self) -> None:
        self._on_news()
        self.wake()

    def _on_subscribe(self, _c: Client, _d: Any, _packet: int, reasons: list[ReasonCode], _p: Any) -> None:
        answers = zip(self.subscriptions, reasons, strict=False)
        refused = tuple(subscription.filter for subscription, reason in answers if reason.is_failure)
        for each in refused:
            log.error("subscription_refused filter=%r", each)
        self.refused_subscriptions = refused
        self._standing.answer()

    def _on_publish(self, _c: Client, _d: Any, packet: int, reason: ReasonCode, _p: Any) -> None:
        """A PUBACK has come, or a publication of QoS 0 is written."""
        current = self._standing.current
        if current is None:
            return
        if reason.is_failure:
            self.refused_publications += 1
            log.error("publication_refused reason=%r count=%d", str(reason), self.refused_publications)
        current.window.note(packet, refused=reason.is_failure)
        self._tell_news()

    def _on_message(self, _c: Client, _d: Any, message: MQTTMessage) -> None:
        """A message has come that is out of the ordinary."""
        current = self._standing.current
        self._inbox.put_all(
            [
                Message(
                    topic_text(message._topic),  # noqa: SLF001 - paho has no other way to a topic that is no UTF-8
                    bytes(message.payload),
                    self._clock(),
                    message.retain,
                    message.qos,
                    None if current is None else current.number,
                    message.mid,
                    message.dup,
                )
            ]
        )


def _send_at_once(_client: Client, _data: Any, opened: Any) -> None:
    """Without this, a small packet waits for the answer to the one before, up to 40 ms."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _leave_writing_to_the_network_thread(*_arguments: Any) -> None:
    """That this callback exists is what matters: without one, paho would write from within `publish()`."""
