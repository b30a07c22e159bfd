"""Answers: results of commands, published after their commit, on the broker that delivered the commands.

Answers don't survive a crash or a lost connection. A sender without an answer repeats the command with the same ID: it
acts only once, and is answered again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from edge.shell.link import ServiceLink

WAITING = 1000
"""Maximum number of answers waiting for the broker, the latest ones."""


class Answers:
    """Publishes answers.

    Args:
        link: Link to the broker of the commands.
        topic: Topic of the answers.
        shared: Whether another component processes the link's confirmations.
    """

    def __init__(self, link: ServiceLink, topic: str, *, shared: bool) -> None:
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
