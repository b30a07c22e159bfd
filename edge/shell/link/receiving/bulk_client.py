"""paho's client with a reader for many messages at once.

paho reads a packet's first byte from the socket, then each byte of its length, then the rest, and creates an object
with a condition variable for every message: 20 us per message, most of a subscriber's cost. Here everything available
is read at once, ordinary PUBLISH packets are parsed out of it, and **every other packet is passed to paho's own reader
as if it came from the socket**: connecting, subscribing, pings, PUBACKs, disconnects, QoS 2 and malformed packets. The
same applies to the end of a connection. Many acknowledgements are written at once.

Acknowledgements and publications of QoS 1 are written to the socket by the thread that sends them, if nothing is queued
before them: the network thread would first have to wake up and wait for the interpreter's lock. A TLS connection leaves
all writing to the network thread, because OpenSSL's must not be read and written at the same time.

The following internals of paho are relied on and verified against the installed version by
`tests/edge/shell/link/test_bulk_client.py`:

- `loop()` calls `loop_read()` when there is something to read;
- paho's reader gets its bytes from `_sock_recv()`, and interprets `BlockingIOError` as "nothing yet";
- `_packet_queue()` accepts bytes to be written from any thread, and makes `_sockpairR` readable; packets wait in
  `_out_packet`, with the number of bytes written, and only `loop_write()` takes them;
- `_sock_send()` raises an `OSError` if it can't write, and `_last_msg_out` is the time of the last write;
- `_check_keepalive()` sends a due ping; `_ping_t` is the time of the unanswered ping, or 0.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.core.model.readings.messages import Message
from edge.shell.link.link_options import LinkOptions
from edge.shell.link.receiving.publish_parser import INCOMPLETE, packet_end
from edge.shell.link.receiving.reason_codes import allowed
from edge.shell.link.versions.abilities import Abilities

CONNECT_TIMEOUT_S = 10.0
RECEIVE_BYTES = 2**17
WAKE_BYTES = 10_000
PUBLISH, PUBACK = 0x30, 0x40
PUBACK_HEADER = 0x4002

Cut = Callable[[bytes, int], tuple[list[Message], int] | None]
"""`PublishParser.cut()`, but returns None if it failed, which was reported."""


class BulkClient(Client):
    """An MQTT client that delivers ordinary messages in lists.

    It behaves like paho's until `receive_by()` is called.

    Attributes:
        messages_read: Number of ordinary messages received.
        bytes_read: Number of bytes read from the socket, including protocol overhead.
        ended_by: The error that ended reading from the socket, if any.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._writing = threading.RLock()
        super().__init__(*arguments, **options)
        self._cut: Cut = lambda _data, position: ([], position)
        self._on_bulk: Callable[[list[Message]], object] = len
        self._begun = bytearray()
        self._wanted = 0
        self._handed = b""
        self.ended_by: OSError | None = None
        self._is_handing = self._is_resting = False
        self._meaning = ""
        self.messages_read = 0
        self.bytes_read = 0

    def receive_by(self, cut: Cut, on_bulk: Callable[[list[Message]], object]) -> None:
        """Parse ordinary messages and deliver them in lists from now on; `on_message` gets the others.

        Args:
            cut: Parses messages; must not raise.
            on_bulk: Called with messages in order of arrival, in the network thread; must not raise.
        """
        self._cut, self._on_bulk = cut, on_bulk

    def reconnect(self) -> MQTTErrorCode:
        """See paho; partial data of the old connection is discarded."""
        self._begun.clear()
        self._wanted = 0
        return super().reconnect()

    def refusal(self, reason: ReasonCode) -> str:
        """The broker's reason for a refusal in words, within the callback that has it; empty if it hasn't refused."""
        return (self._meaning or str(reason)) if reason.is_failure else ""

    def acknowledge(self, packets: Sequence[int]) -> None:
        """Send the PUBACKs of many QoS 1 messages in one write; thread-safe."""
        if not packets:
            return
        words = [PUBACK_HEADER] * (2 * len(packets))
        words[1::2] = packets
        self._packet_queue(PUBACK, struct.pack(f">{len(words)}H", *words), 0, 1)

    def _packet_queue(
        self, command: int, packet: bytes | bytearray, mid: int, qos: int, info: MQTTMessageInfo | None = None
    ) -> MQTTErrorCode:
        """Write a packet now as far as possible, and queue the rest; see paho."""
        kind = command & 0xF0
        if self._ssl or not (kind == PUBACK or (kind == PUBLISH and qos == 1)):
            return super()._packet_queue(command, packet, mid, qos, info)
        if not self._writing.acquire(blocking=False):
            return super()._packet_queue(command, packet, mid, qos, info)
        try:
            written = 0 if self._out_packet else self._write(packet)
            if written == 0:
                return super()._packet_queue(command, packet, mid, qos, info)
            if left := len(packet) - written:  # first in the queue, whatever other threads have added meanwhile
                self._out_packet.appendleft(
                    {
                        "command": command,
                        "mid": mid,
                        "qos": qos,
                        "pos": written,
                        "to_process": left,
                        "packet": packet,
                        "info": info,
                    }
                )
        finally:
            self._writing.release()
        if left:
            self._wake()
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _write(self, packet: bytes | bytearray) -> int:
        """Number of bytes that the socket has taken; errors are left to the network thread, which meets them too."""
        try:
            written = int(self._sock_send(packet))
        except (OSError, ValueError):
            return 0
        with self._msgtime_mutex:
            self._last_msg_out = time.monotonic()
        return written

    def _wake(self) -> None:
        if self._sockpairW is not None:
            with suppress(BlockingIOError):
                self._sockpairW.send(b"0")

    def loop_write(self) -> MQTTErrorCode:
        """See paho."""
        with self._writing:
            return super().loop_write()

    def _sock_close(self) -> None:
        """See paho; not during a write, which would go to whatever is opened next under the same number."""
        with self._writing:
            super()._sock_close()

    def sever(self) -> None:
        """Close the socket without a DISCONNECT."""
        with self._writing:
            if (connection := self.socket()) is not None:
                connection.close()

    def rest(self, seconds: float, ends: Callable[[], bool]) -> MQTTErrorCode:
        """Leave the socket unread for a while; pending writes are sent at once.

        Args:
            seconds: Duration.
            ends: Called at the beginning and after each write; returns whether to resume reading early.
        """
        self._is_resting = True
        try:
            return self._rest(time.monotonic() + seconds, ends)
        finally:
            self._is_resting = False

    def _rest(self, until: float, ends: Callable[[], bool]) -> MQTTErrorCode:
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        while code == MQTTErrorCode.MQTT_ERR_SUCCESS and not ends() and (left := until - time.monotonic()) > 0:
            woken, connection = self._sockpairR, self.socket()
            if woken is None or connection is None:
                break
            if not any(select.select([woken], [connection] if self.want_write() else [], [], left)):
                break
            with suppress(BlockingIOError):
                woken.recv(WAKE_BYTES)
            code = self.loop_write()
        return code

    def resume(self) -> None:
        """Make a rest ask again whether it ends, after its answer may have changed; thread-safe.

        A rest that begins at the same time finds the new answer itself, because it asks after it has been announced.
        """
        if self._is_resting:
            self._wake()

    def hold(self, seconds: float) -> MQTTErrorCode:
        """Run `loop()` without reading: pending writes, including pings, are sent.

        Answers to pings stay unread, so their absence isn't evidence against the broker.

        Args:
            seconds: Duration.
        """
        code = self.rest(seconds, lambda: False)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS or self.socket() is None:
            return code or MQTTErrorCode.MQTT_ERR_CONN_LOST
        self._ping_t = 0.0
        self._check_keepalive()
        return MQTTErrorCode.MQTT_ERR_SUCCESS if self.socket() is not None else MQTTErrorCode.MQTT_ERR_CONN_LOST

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:  # noqa: ARG002 - paho's signature
        """Read the available data from the socket; called by `loop()`."""
        try:
            received = super()._sock_recv(RECEIVE_BYTES)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError as error:
            return self._hand_over(b"", error)
        if not received:
            return self._hand_over(bytes(self._begun), ConnectionError("closed by the broker"))
        self.bytes_read += len(received)
        self._note_sign_of_life()
        self._begun += received
        if len(self._begun) < self._wanted:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        data = bytes(self._begun)
        self._begun.clear()
        return self._read(data)

    def _note_sign_of_life(self) -> None:
        """Any data shows that the broker is alive; the answer to a ping may be far behind it in the socket."""
        now = time.monotonic()
        self._last_bytes_received = now
        if self._ping_t > 0:
            self._ping_t = now

    def _read(self, data: bytes) -> MQTTErrorCode:
        position = 0
        while True:
            found = self._cut(data, position)
            if found is None:
                return MQTTErrorCode.MQTT_ERR_UNKNOWN
            messages, position = found
            if messages:
                self.messages_read += len(messages)
                self._on_bulk(messages)
            following = packet_end(data, position)
            if following == INCOMPLETE or following > len(data):
                self._begun += data[position:]
                self._wanted = 0 if following == INCOMPLETE else following - position
                return MQTTErrorCode.MQTT_ERR_SUCCESS
            packet = data[position:following]
            if self.protocol == MQTTProtocolVersion.MQTTv5:
                packet, self._meaning = allowed(packet)
            code = self._hand_over(packet)
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS or self.socket() is None:
                return code
            position = following

    def _hand_over(self, packet: bytes, ended: OSError | None = None) -> MQTTErrorCode:
        """Pass a packet, or the end of the connection, to paho."""
        self._handed, self.ended_by, self._is_handing = packet, ended, True
        try:
            return super().loop_read()
        finally:
            self._handed, self._is_handing = b"", False
            if ended is not None:
                ended.__traceback__ = None  # its frames would keep the client, and so its sockets, until a collection

    def _sock_recv(self, bufsize: int) -> bytes:
        """Replacement for the socket, for paho's reader."""
        if not self._is_handing:
            return super()._sock_recv(bufsize)
        if self._handed:
            given, self._handed = self._handed[:bufsize], self._handed[bufsize:]
            return given
        if self.ended_by is not None:
            raise self.ended_by
        raise BlockingIOError


def make_client(options: LinkOptions, version: str, abilities: Abilities) -> BulkClient:
    """Create a client for one connection, without callbacks.

    Args:
        options: The settings of the connection.
        version: MQTT version, `5` or `3.1.1`.
        abilities: What the broker can do, for the will.

    Raises:
        OSError: A TLS file can't be read.
    """
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
    will = options.will() if callable(options.will) else options.will
    if will is not None and abilities.takes_will:
        client.will_set(*will, qos=int(abilities.confirms), retain=abilities.retains)
    client.on_socket_open = _send_at_once
    client.on_socket_register_write = _leave_writing_to_the_network_thread
    return client


def _send_at_once(_client: Client, _data: Any, opened: Any) -> None:
    """Disable Nagle's algorithm, which would delay small packets by up to 40 ms."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _leave_writing_to_the_network_thread(*_arguments: Any) -> None:
    """This callback only has to exist: without one, paho would write from within `publish()`."""
