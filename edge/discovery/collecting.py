"""Collecting the latest messages of each topic, bounded in topics and bytes."""

from __future__ import annotations

from collections import deque

from edge.core.model.readings.messages import Message

TOPICS = 5_000
PER_TOPIC = 50
BYTES = 32 * 2**20
LARGEST = 262_144
"""Maximum size of a stored payload in bytes; the service refuses larger ones, too."""


class CollectedMessages:
    """Messages by topic.

    Attributes:
        topics: Latest messages of each topic, in order of appearance.
        messages: Number of messages.
        dropped: Number of messages dropped because of too many topics or bytes.
    """

    def __init__(self) -> None:
        self.topics: dict[str, deque[Message]] = {}
        self.messages = self.dropped = 0
        self._bytes = 0

    def add(self, message: Message) -> None:
        """Store a message, if there is room."""
        self.messages += 1
        size = len(message.payload) + len(message.topic)
        known = self.topics.get(message.topic)
        if size > LARGEST or self._bytes + size > BYTES or (known is None and len(self.topics) >= TOPICS):
            self.dropped += 1
            return
        if known is None:
            known = self.topics[message.topic] = deque()
        if len(known) >= PER_TOPIC:
            gone = known.popleft()
            self._bytes -= len(gone.payload) + len(gone.topic)
        known.append(message)
        self._bytes += size

    def in_order(self) -> list[Message]:
        """All stored messages in order of arrival."""
        return sorted((each for every in self.topics.values() for each in every), key=lambda each: each.arrived)
