"""The inbox: a bounded queue between a link's network thread, which puts, and the loop, which takes.

Bounded by messages and by bytes. Where there is no room, a message of QoS 0 is dropped and counted, as
nobody was promised it. One of QoS 1 is never dropped: putting it waits, and with it the network thread, the
socket and in the end the broker. As a rule the broker's in-flight window stops first, for nothing is
acknowledged before it is stored. A wait of more than a keepalive costs the connection, and the broker
delivers again what wasn't acknowledged.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from edge.core.messages import Message


class Inbox:
    """A bounded queue of messages.

    Args:
        most_messages: How many may wait.
        most_bytes: Size of their payloads; one that is larger by itself waits until it is alone.

    Attributes:
        arrived: How many messages were put, with those that were dropped, and the one that waits.
        dropped: How many of QoS 0 were dropped.
    """

    def __init__(self, most_messages: int, most_bytes: int) -> None:
        self.arrived = 0
        self.dropped = 0
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._interrupted = False
        self._closed = False
        self._changed = threading.Condition(threading.Lock())

    def put(self, message: Message) -> None:
        """Add a message; see `put_all()`."""
        self.put_all((message,))

    def put_all(self, messages: Sequence[Message]) -> None:
        """Add messages. One without room is dropped if its QoS is 0, else it waits for room or the end."""
        size = sum([len(each.payload) for each in messages])
        with self._changed:
            if self._closed:
                return
            all_fit = len(self._messages) + len(messages) <= self._most_messages
            if all_fit and self._bytes + size <= self._most_bytes:
                self.arrived += len(messages)
                self._messages.extend(messages)
                self._bytes += size
            else:
                for message in messages:
                    self._put_one(message)
            self._changed.notify_all()

    def _put_one(self, message: Message) -> None:
        size = len(message.payload)
        self.arrived += 1
        if not self._has_room(size):
            if message.qos == 0:
                self.dropped += 1
                return
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._has_room(size))
        if not self._closed:
            self._messages.append(message)
            self._bytes += size

    def take(self, timeout_s: float, most: int, most_bytes: int) -> list[Message]:
        """Take what is there, in order; if that is nothing, wait for a message, an interruption or the end.

        Args:
            timeout_s: How long to wait.
            most: How many messages to take.
            most_bytes: Size of their payloads; the first is taken, however large it is.
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
            if taken:
                self._changed.notify_all()
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
        """Let the present `take()` return, or the next one if none is waiting: there is other news."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody will take any more: let go whoever waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _has_room(self, size: int) -> bool:
        if not self._messages:
            return True
        return len(self._messages) < self._most_messages and self._bytes + size <= self._most_bytes
