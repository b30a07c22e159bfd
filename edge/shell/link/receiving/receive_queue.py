"""The receive queue: a bounded queue between a link's network thread and the service loop.

It is bounded in messages and bytes. Without room, a QoS 0 message is dropped and counted, since its delivery isn't
guaranteed. A QoS 1 message is always kept, and `is_full` then stops the network thread from reading the socket until
there is room: `put()` never blocks, since pings would be delayed. The limits can therefore be exceeded by the contents
of one read.

When a connection ends, its QoS 1 messages can no longer be acknowledged, and the broker redelivers them if it still has
the session. They are therefore set aside until the next connection shows which is the case: then they are dropped, or,
if the broker no longer has them, put back and returned.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from edge.core.model.readings.messages import Message


class ReceiveQueue:
    """A bounded queue of messages.

    Args:
        most_messages: Capacity in messages.
        most_bytes: Maximum size of the payloads; a larger single message still passes.

    Attributes:
        arrived: Number of messages put, including dropped ones.
        dropped: Number of QoS 0 messages dropped.
    """

    def __init__(self, most_messages: int, most_bytes: int) -> None:
        self.arrived = 0
        self.dropped = 0
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._aside: list[Message] = []
        self._interrupted = False
        self._closed = False
        self._changed = threading.Condition(threading.Lock())

    @property
    def is_full(self) -> bool:
        """Whether the network thread must stop reading because QoS 1 messages exceed the limits."""
        return len(self._messages) > self._most_messages or self._bytes > self._most_bytes

    def put(self, message: Message) -> None:
        """Add a message; see `put_all()`."""
        self.put_all((message,))

    def put_all(self, messages: Sequence[Message], *, waits: bool = False) -> None:
        """Add messages; those of QoS 0 that don't fit are dropped, unless `is_full` was waited for before."""
        size = sum([len(each.payload) for each in messages])
        with self._changed:
            if self._closed:
                return
            self.arrived += len(messages)
            all_fit = len(self._messages) + len(messages) <= self._most_messages
            if waits or (all_fit and self._bytes + size <= self._most_bytes):
                self._messages.extend(messages)
                self._bytes += size
            else:
                for message in messages:
                    self._put_one(message)
            self._changed.notify_all()

    def _put_one(self, message: Message) -> None:
        size = len(message.payload)
        if message.qos == 0 and not self._has_room(size):
            self.dropped += 1
            return
        self._messages.append(message)
        self._bytes += size

    def set_aside(self) -> None:
        """Set aside the queued QoS 1 messages, because their connection has ended."""
        with self._changed:
            kept: deque[Message] = deque()
            for message in self._messages:
                (self._aside if message.qos else kept).append(message)
            self._messages = kept
            self._bytes = sum(len(each.payload) for each in kept)

    def forget_aside(self) -> int:
        """Drop the messages that were set aside, since the broker redelivers them; returns their number."""
        with self._changed:
            forgotten, self._aside = len(self._aside), []
        return forgotten

    def take_back(self) -> int:
        """Put back the messages that were set aside, since they aren't redelivered; returns their number."""
        with self._changed:
            returned, self._aside = self._aside, []
            self._messages.extendleft(disowned(each) for each in reversed(returned))
            self._bytes += sum(len(each.payload) for each in returned)
            self._changed.notify_all()
        return len(returned)

    def take(self, timeout_s: float, most: int, most_bytes: int) -> list[Message]:
        """Return queued messages in order; if there are none, wait for a message, an interruption or the end.

        Args:
            timeout_s: Timeout in seconds.
            most: Maximum number of messages.
            most_bytes: Maximum size of their payloads; the first message is returned whatever its size.
        """
        with self._changed:
            if not self._messages:
                self._changed.wait_for(lambda: self._messages or self._interrupted or self._closed, timeout_s)
            self._interrupted = False
            if len(self._messages) <= most and self._bytes <= most_bytes:
                taken = list(self._messages)
                self._messages.clear()
                self._bytes = 0
            else:
                taken = self._take_some(most, most_bytes)
        return taken

    def _take_some(self, most: int, most_bytes: int) -> list[Message]:
        taken: list[Message] = []
        size = 0
        while self._messages and len(taken) < most:
            size += len(self._messages[0].payload)
            if taken and size > most_bytes:
                break
            taken.append(self._messages.popleft())
        self._bytes -= sum(len(each.payload) for each in taken)
        return taken

    def interrupt(self) -> None:
        """Make the current or the next `take()` return early."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def close(self) -> None:
        """Wake up waiting callers, because no more messages will be processed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        if not self._messages:
            return True
        return len(self._messages) < self._most_messages and self._bytes + size <= self._most_bytes


def disowned(message: Message) -> Message:
    """A message of an ended session, marked as QoS 0: it is neither acknowledged nor redelivered."""
    return message._replace(qos=0, packet=0, redelivered=False)
