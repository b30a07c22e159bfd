"""Connection state: what a link's owner and its network thread both know, and wait for each other to change."""

from __future__ import annotations

import threading
import time
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class ConnectionState(Generic[Connection]):
    """Connected or not, subscribed or not, failed, or asked to stop.

    Attributes:
        current: The connection that the broker has accepted, while it stands. Read it once, then use what
            was read.
        subscribed: Whether the broker has answered to the subscriptions, or has kept them.
        failed: Whether the network thread has met what it can't go on from.
        stopping: Whether the owner wants it to end.
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
        """Whether no other connection shall be made."""
        return self.stopping or self.failed

    @property
    def over(self) -> bool:
        """Whether not even a goodbye is to be waited for."""
        late = self.current is None or time.monotonic() >= self._stop_by
        return self.failed or (self.stopping and late)

    def accept(self, connection: Connection, *, subscribed: bool) -> None:
        """Note that the broker has accepted us."""
        with self._changed:
            self.current = connection
            self.subscribed = subscribed
            self._changed.notify_all()

    def answer(self) -> None:
        """Note that the broker has answered to the subscriptions."""
        with self._changed:
            self.subscribed = True
            self._changed.notify_all()

    def end(self) -> None:
        """Note that the connection has ended."""
        with self._changed:
            self.current = None
            self.subscribed = False

    def fail(self) -> None:
        """Note that it can't go on."""
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
        """Wait, but not beyond a wish to end."""
        with self._changed:
            self._changed.wait_for(lambda: self.ending, seconds)

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait for a connection, or the end; returns whether there is one."""
        with self._changed:
            self._changed.wait_for(lambda: self.current is not None or self.ending, timeout_s)
            return self.current is not None

    def wait_subscribed(self, timeout_s: float) -> bool:
        """Wait for the broker's answer to the subscriptions, or the end; returns whether it is there."""
        with self._changed:
            self._changed.wait_for(lambda: self.subscribed or self.ending, timeout_s)
            return self.subscribed
