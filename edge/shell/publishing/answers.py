"""Answers: what became of commands, published once each is committed, on the broker that the commands come from.

An answer isn't kept over a crash or a lost connection. Who misses one says the same command again, with the same id: it
acts only once, and is answered again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from edge.shell.link import Link

WAITING = 1000
"""Answers that wait for the broker, the latest."""


class Answers:
    """Publishes answers.

    Args:
        link: To the broker that the commands come from.
        topic: Where they go.
        shared: Whether another component takes the link's confirmations.
    """

    def __init__(self, link: Link, topic: str, *, shared: bool) -> None:
        self._link = link
        self._topic = topic
        self._shared = shared
        self._waiting: deque[bytes] = deque(maxlen=WAITING)

    def give(self, answers: Sequence[bytes]) -> None:
        """Publish answers as soon as there is room."""
        self._waiting += answers
        self.turn()

    def turn(self) -> None:
        """Publish what there is room for; never waits."""
        if not self._shared:
            self._link.confirmations()
        while self._waiting and self._link.publish(self._topic, self._waiting[0], qos=1) is not None:
            self._waiting.popleft()
