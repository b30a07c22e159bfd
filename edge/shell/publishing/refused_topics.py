"""Refused topics: topics that the broker refuses, and when each is retried.

All publications on a refused topic wait except the oldest, which is retried after a pause that grows with each refusal.
If one is accepted, the cause was probably fixed, so all topics are retried.

If the broker refuses by closing the connection (`closing_topics.py`), each retry may cost one: such topics are retried
one by one, after longer pauses, and stay refused on the next connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger("edgewarden.publisher")

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""Initial and maximum pause before a retry; it doubles each time."""

FIRST_COSTLY_RETRY_S, LONGEST_COSTLY_RETRY_S = 10.0, 600.0
"""The same for topics because of which the broker closes the connection."""

TRIED_AT_ONCE = 20
"""Maximum number of topics retried at once."""


class RefusedTopics:
    """The currently refused topics.

    Args:
        monotonic: Seconds that never step.

    Attributes:
        topics: Refused topics with the broker's reason, in the order of their retries.
        since: Monotonic time since which there are any.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.topics: dict[str, str] = {}
        self.since = 0.0
        self._monotonic = monotonic
        self._oldest: dict[str, int] = {}
        self._trying: set[str] = set()
        self._delay_s = FIRST_RETRY_S
        self._due = 0.0
        self._costly: set[str] = set()
        self._costly_delay_s = FIRST_COSTLY_RETRY_S
        self._costly_due = 0.0

    def __contains__(self, topic: str) -> bool:
        """Whether publications on a topic wait, except for the retry."""
        return topic in self.topics

    def note(self, topic: str, reason: str, sequence: int | None = None, *, costly: bool = False) -> None:
        """Record that the broker has refused a publication.

        Args:
            topic: Its topic.
            reason: The broker's reason in words.
            sequence: Sequence of the event; None for a retained topic.
            costly: Whether the broker closed the connection.
        """
        now = self._monotonic()
        if not self.topics:
            self.since = now
        if costly:
            self._costly.add(topic)
            self._costly_due = now + self._costly_delay_s
        elif not self.topics.keys() - self._costly:
            self._due = now + self._delay_s
        self._trying.discard(topic)
        self.topics[topic] = reason
        if sequence is not None:
            self._oldest[topic] = min(sequence, self._oldest.get(topic, sequence))

    def due(self) -> list[tuple[str, int | None]]:
        """The topics to retry now, each with the sequence of its oldest event, or None if it has none."""
        now = self._monotonic()
        chosen = []
        if now >= self._due and (plain := [each for each in self.topics if each not in self._costly]):
            self._delay_s = min(2 * self._delay_s, LONGEST_RETRY_S)
            self._due = now + self._delay_s
            chosen = [each for each in plain if each not in self._trying][:TRIED_AT_ONCE]
        if self._costly and now >= self._costly_due and self.tried_at_a_cost is None:
            self._costly_delay_s = min(2 * self._costly_delay_s, LONGEST_COSTLY_RETRY_S)
            self._costly_due = now + self._costly_delay_s
            chosen.append(next(each for each in self.topics if each in self._costly))
        for topic in chosen:
            self.topics[topic] = self.topics.pop(topic)
        self._trying.update(chosen)
        return [(each, self._oldest.get(each)) for each in chosen]

    @property
    def tried_at_a_cost(self) -> str | None:
        """The topic being retried although the broker may close the connection because of it."""
        return next(iter(self._trying & self._costly), None)

    def connected(self, *, closed: bool) -> None:
        """Record a new connection: topics refused by an answer are retried at once.

        Args:
            closed: Whether the broker closed the previous one because of a publication; if not, this may be another
                broker, or one with a new access list.
        """
        for topic in self.topics.keys() - self._costly:
            self.forget(topic)
        self._delay_s = FIRST_RETRY_S
        self._trying.clear()
        if not closed:
            self._costly_delay_s = FIRST_COSTLY_RETRY_S
            self._costly_due = min(self._costly_due, self._monotonic() + FIRST_RETRY_S)

    def accepted(self, topic: str) -> bool:
        """Record that the broker has accepted a publication; returns whether to retry everything that waited."""
        if topic not in self.topics:
            return False
        log.info("publications_accepted topic=%r after_s=%.0f", topic[:99], self._monotonic() - self.since)
        if topic in self._costly:
            self.clear()
        else:
            self.connected(closed=True)
        return True

    def forget(self, topic: str) -> None:
        """Record that nothing is waiting on a topic any more."""
        self.topics.pop(topic, None)
        self._oldest.pop(topic, None)
        self._trying.discard(topic)
        self._costly.discard(topic)

    def clear(self) -> None:
        """Record that everything is to be retried."""
        self.topics.clear()
        self._oldest.clear()
        self._trying.clear()
        self._costly.clear()
        self._delay_s = FIRST_RETRY_S
        self._costly_delay_s = FIRST_COSTLY_RETRY_S
