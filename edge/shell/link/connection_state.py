"""Connection state: shared by a link's owner and its network thread, with waiting for changes."""

from __future__ import annotations

import threading
import time
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class ConnectionState(Generic[Connection]):
    """Connected or not, subscribed or not, failed, or asked to stop.

    Attributes:
        current: The accepted connection, while it lasts. Read it once, then use that value.
        subscribed: Whether the broker has answered the subscriptions, or has kept them.
        failed: Whether the network thread has met an unrecoverable error.
        stopping: Whether the owner has requested the end.
    """

    def __init__(self) -> None:
        self.current: Connection | None = None
        self.subscribed = False
        self.failed = False
        self.stopping = False
        self._stop_by = 0.0
        self._changed = threading.Condition()

    @property
    def ending(self) -> bool:
        """Whether no further connection may be made."""
        return self.stopping or self.failed

    @property
    def over(self) -> bool:
        """Whether the wait for a clean disconnect is over, too."""
        late = self.current is None or time.monotonic() >= self._stop_by
        return self.failed or (self.stopping and late)

    def accept(self, connection: Connection, *, subscribed: bool) -> None:
        """Record that the broker has accepted the connection."""
        with self._changed:
            self.current = connection
            self.subscribed = subscribed
            self._changed.notify_all()

    def answer(self) -> None:
        """Record that the broker has answered the subscriptions."""
        with self._changed:
            self.subscribed = True
            self._changed.notify_all()

    def end(self) -> None:
        """Record that the connection has ended."""
        with self._changed:
            self.current = None
            self.subscribed = False

    def fail(self) -> None:
        """Record an unrecoverable error."""
        with self._changed:
            self.failed = True
            self._changed.notify_all()

    def stop(self, timeout_s: float) -> None:
        """Request the end, and allow this long for the DISCONNECT."""
        with self._changed:
            self._stop_by = time.monotonic() + timeout_s
            self.stopping = True
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Wait, but return early if the end is requested."""
        with self._changed:
            self._changed.wait_for(lambda: self.ending, seconds)

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait for a connection or the end; returns whether there is a connection."""
        with self._changed:
            self._changed.wait_for(lambda: self.current is not None or self.ending, timeout_s)
            return self.current is not None

    def wait_subscribed(self, timeout_s: float) -> bool:
        """Wait for the broker's answer to the subscriptions or the end; returns whether the answer has come."""
        with self._changed:
            self._changed.wait_for(lambda: self.subscribed or self.ending, timeout_s)
            return self.subscribed
