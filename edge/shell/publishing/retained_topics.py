"""Retained topics: the latest payload of each, until the broker has confirmed it.

Only the latest payload is kept: a newer one replaces a waiting one, so at most one per topic is waiting.
"""

from __future__ import annotations


class RetainedTopics:
    """What is to be published on retained topics.

    Attributes:
        waiting: Payloads that are yet to be sent, by topic.
        outstanding: Topic and payload of publications that the broker hasn't answered, by token.
        tries: Refused topics that may be tried again.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, bytes] = {}
        self.outstanding: dict[int, tuple[str, bytes]] = {}
        self.tries: set[str] = set()

    def unanswered(self) -> set[str]:
        """The topics with a publication that the broker hasn't answered."""
        return {topic for topic, _ in self.outstanding.values()}

    def unsaid(self) -> dict[str, bytes]:
        """The latest payloads that the broker hasn't confirmed."""
        return dict(self.outstanding.values()) | self.waiting

    def void(self) -> None:
        """Record the end of the connection: what was in flight is to be sent again."""
        self.waiting = self.unsaid()
        self.outstanding.clear()

    def sent(self, topic: str, token: int) -> None:
        """Record that a topic's waiting payload was sent."""
        self.outstanding[token] = topic, self.waiting.pop(topic)
        self.tries.discard(topic)

    def confirmed(self, token: int) -> str | None:
        """Record that the broker has confirmed a publication; returns its topic, or None if it isn't one of these."""
        return self.outstanding.pop(token)[0] if token in self.outstanding else None

    def refused(self, token: int) -> str | None:
        """Record that the broker has refused a publication, which is kept unless a newer one is waiting.

        Returns its topic, or None if it isn't one of these.
        """
        if token not in self.outstanding:
            return None
        topic, payload = self.outstanding.pop(token)
        self.waiting.setdefault(topic, payload)
        return topic
