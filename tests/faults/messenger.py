"""The plant's publisher, which loses nothing and keeps the order, whatever happens to the broker."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from math import inf

from plant import Post
from running import wait_for_all

from edge.core.model.readings.messages import Reading
from edge.shell.link import Link, LinkOptions

BURST_S = 0.25
"""After a pause, at most this much of the rate may be made up for at once."""


class Messenger:
    """Publishes a plant's posts in order with QoS 1, each until the broker has confirmed it.

    When a connection ends, it continues with the first post without a PUBACK, or some posts before it, for brokers that
    forget confirmed messages.

    Args:
        port: The broker's.
        source: What is published.
        per_second: Posts a second; None for the maximum that the broker accepts.
        rewind: Number of posts before the first unconfirmed one that are repeated.
    """

    def __init__(
        self, port: int, source: Iterator[Post], per_second: float | None = None, *, rewind: int = 0, window: int = 20
    ) -> None:
        self.posts: list[Post] = []
        self.confirmed = 0
        self.confirmed_at: list[float] = []
        self._source = source
        self._rewind = rewind
        self._per_second = per_second
        self._goal = 0.0
        self._held = False
        self._ending = False
        self._next = 0
        self._connection = 0
        self._waiting: deque[tuple[int, int]] = deque()
        quick = LinkOptions(port=port, in_flight=window, first_delay_s=0.05, longest_delay_s=0.2, keepalive_s=10)
        self._link = Link(quick)
        self._thread = threading.Thread(target=self._run, name="messenger", daemon=True)

    def start(self) -> None:
        """Connect, without publishing yet."""
        self._link.start()
        self._thread.start()

    def stop(self) -> None:
        """Go away."""
        self._ending = True
        if self._thread.is_alive():
            self._thread.join(10)
        self._link.stop()

    def stream(self) -> None:
        """Publish on and on."""
        self._goal = inf

    def finish(self) -> None:
        """Stop reading from the source, and wait until everything is confirmed."""
        self._goal = len(self.posts)
        wait_for_all(lambda: self.confirmed, len(self.posts), "posts confirmed")

    def publish(self, number: int) -> None:
        """Publish the given number of posts, and wait until they are confirmed."""
        goal = len(self.posts) + number
        self._goal = goal
        wait_for_all(lambda: self.confirmed, goal, "posts confirmed")

    def take_from(self, source: Iterator[Post], per_second: float | None) -> None:
        """Switch to another source and rate; only while nothing is being published."""
        self._source, self._per_second = source, per_second

    def hold(self) -> None:
        """Publish nothing until `release()`."""
        self._held = True

    def release(self) -> None:
        """Continue from `rewind` posts before the first unconfirmed one."""
        self._connection = 0
        self._held = False

    def readings(self) -> list[Reading]:
        """All readings of the posts so far, in order."""
        return [reading for each in self.posts for reading in each.readings]

    def _run(self) -> None:
        allowed, before = 0.0, time.monotonic()
        while not self._ending:
            self._take_confirmations()
            now = time.monotonic()
            rate = self._per_second
            allowed = inf if rate is None else min(allowed + rate * (now - before), max(1.0, BURST_S * rate))
            before = now
            if not self._held:
                allowed = self._publish(allowed)
            self._link.receive(0.005)
            if not self._link.connected:
                time.sleep(0.01)

    def _take_confirmations(self) -> None:
        confirmed = set(self._link.confirmations())
        while self._waiting and self._waiting[0][0] in confirmed:
            number = self._waiting.popleft()[1] + 1
            if number > self.confirmed:
                self.confirmed_at += [time.monotonic()] * (number - self.confirmed)
                self.confirmed = number
        if self._link.connections != self._connection and not self._held:
            self._connection = self._link.connections
            self._waiting.clear()
            self._next = max(0, self.confirmed - self._rewind)

    def _publish(self, allowed: float) -> float:
        while allowed >= 1:
            if self._next == len(self.posts):
                if len(self.posts) >= self._goal:
                    break
                self.posts.append(next(self._source))
            post = self.posts[self._next]
            token = self._link.publish(post.topic, post.payload)
            if token is None:
                break
            self._waiting.append((token, self._next))
            self._next += 1
            allowed -= 1
        return allowed
