"""The receiving half of a link: converts the bytes of successive connections to messages in the inbox.

A message belongs to the connection that delivered it, since it can be acknowledged only there. When the connection
ends, messages not yet taken are set aside. If the broker still has the session at the next connection, it redelivers
all of them and the copies set aside are dropped; otherwise they exist nowhere else, and are returned.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import MQTTErrorCode

from edge.core.model.readings.messages import Message
from edge.shell.link.link_options import LinkOptions
from edge.shell.link.receiving.bulk_client import BulkClient
from edge.shell.link.receiving.echo import Echo
from edge.shell.link.receiving.linger import Linger, spread
from edge.shell.link.receiving.publish_parser import IsCopy, PublishParser, topic_text
from edge.shell.link.receiving.receive_queue import ReceiveQueue, disowned
from edge.shell.link.versions.mqtt5 import identifiers_in

log = logging.getLogger("edgewarden.link")

UNHEARD_BIRTHS = "after a restart, Home Assistant gets the discovery messages again only with our next connection"

FULL_S = 0.01
"""Polling interval while the inbox is full."""


class Receiver:
    """Receives for one link.

    All members except `inbox`, `of_session()` and `has_lost_session()` are for the network thread.

    Args:
        options: Limits of the queue, and how long the socket may be left unread.
        clock: Returns the arrival time of messages, seconds since the epoch.
        is_copy: Whether a message delivered for some subscriptions, given by identifiers, is also delivered for another
            one.

    Attributes:
        inbox: The queue of received messages.
        linger: Decides how long the socket rests.
        births: Receives `options.births`.
    """

    def __init__(self, options: LinkOptions, clock: Callable[[], float], is_copy: IsCopy) -> None:
        self.inbox = ReceiveQueue(options.receive_messages, options.receive_bytes)
        self._sessions = 0
        self._sessions_known = 0
        self._options = options
        self._clock = clock
        self._is_copy = is_copy
        self._connection = 0
        self._session_began = 0
        self.linger = Linger(options.linger_s, options.receive_maximum)
        self._rested_s = 0.0
        self._read: list[Message] = []
        self.births = Echo(options.births, UNHEARD_BIRTHS)

    def begin(self, connection: int, *, modern: bool, session_present: bool) -> PublishParser:
        """Begin an accepted connection, and decide about the messages set aside.

        Args:
            connection: Its number, higher than all before.
            modern: Whether it uses MQTT 5.
            session_present: Whether the broker still has the session.

        Returns:
            The parser of its messages.
        """
        self._connection = connection
        self.linger = Linger(self._options.linger_s, self.linger.window)
        self._rested_s = 0.0
        if session_present:
            if forgotten := self.inbox.forget_aside():
                log.info("messages_discarded count=%d reason='unprocessed, and delivered again'", forgotten)
        else:
            self._session_began = connection
            self._sessions += 1
            if returned := self.inbox.take_back():
                log.info("messages_kept count=%d reason='the broker has forgotten the session'", returned)
        apart = [each for each in (self._options.echo, self._options.births) if each is not None]
        return PublishParser(self._clock, connection, modern=modern, apart=apart, is_copy=self._is_copy)

    def end(self) -> None:
        """Record the end of the connection; without a session nothing is redelivered."""
        self._hand_over()
        self.births.ended()
        if not self._options.clean_session:
            self.inbox.set_aside()
        self.inbox.interrupt()

    def has_lost_session(self) -> bool:
        """Whether the broker has lost the session since the last call, or never had one."""
        sessions, known = self._sessions, self._sessions_known
        self._sessions_known = sessions
        return sessions != known

    def of_session(self, messages: list[Message]) -> list[Message]:
        """Messages taken together, with those of an earlier session marked as QoS 0: they aren't redelivered."""
        began = self._session_began
        if not messages or messages[0].receipt >= began:
            return messages
        return [each if each.receipt >= began else disowned(each) for each in messages]

    def turn(self, client: BulkClient, timeout_s: float, awaits_answers: Callable[[], bool]) -> MQTTErrorCode:
        """Wait until the socket is readable or writable, and process it; then let the socket rest.

        What was read is handed over immediately before the next wait: a loop that was woken earlier would have to wait
        once more, for the interpreter's lock. While the inbox is full, nothing is read, but the connection is kept
        alive.

        Args:
            client: The connection's client.
            timeout_s: Timeout in seconds.
            awaits_answers: Whether the socket mustn't rest because answers from the broker are awaited.
        """
        self._hand_over()
        if self.inbox.is_full:
            return client.hold(FULL_S)
        messages, size = client.messages_read, client.bytes_read
        code = client.loop(timeout=timeout_s)
        if code == MQTTErrorCode.MQTT_ERR_SUCCESS and client.messages_read > messages and not awaits_answers():
            began = time.monotonic()
            rest_s = self.linger.rest_s(client.messages_read - messages, client.bytes_read - size, began)
            if rest_s > 0:
                self._hand_over()
                code = client.rest(rest_s, awaits_answers)
                self._rested_s = time.monotonic() - began
        return code

    def take_lot(self, messages: list[Message]) -> None:
        """Handle messages that were read together."""
        if self._rested_s > 0:
            messages, self._rested_s = spread(messages, self._rested_s), 0.0
        self._read += messages

    def take_one(self, message: MQTTMessage) -> None:
        """Handle a message that was read by paho."""
        topic = topic_text(message._topic)  # noqa: SLF001 - paho has no other way to a topic that is no UTF-8
        payload, packet = bytes(message.payload), message.mid
        arrived, receipt = self._clock(), self._connection
        content_type = str(getattr(message.properties, "ContentType", ""))
        is_copy = self._is_copy(identifiers_in(message.properties), topic)
        taken = Message(topic, payload, arrived, message.retain, message.qos, receipt, packet, message.dup)
        self._read.append(taken._replace(content_type=content_type, is_copy=is_copy))

    def _hand_over(self) -> None:
        if self._read:
            read, self._read = self._read, []
            self.inbox.put_all(read)
