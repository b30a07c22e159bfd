"""Topics that the broker refuses, and when each is tried again.

Everything on a refused topic waits but for one publication, its oldest, which is tried again after a pause that grows
while the broker keeps refusing. One that is accepted shows that the cause was fixed, so all topics are tried.

Where the broker refuses by closing the connection (`closing_topics.py`), each try may cost one: such topics are tried
one by one, after longer pauses, and stay refused on the next connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger("edgewarden.publisher")

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""Refused topics are tried again after this time, which doubles up to the other."""

FIRST_COSTLY_RETRY_S, LONGEST_COSTLY_RETRY_S = 10.0, 600.0
"""Likewise for topics for which the broker closes the connection."""

TRIED_AT_ONCE = 20
"""So many of them at once, in turn."""


class RefusedTopics:
    """The topics refused at present.

    Args:
        monotonic: Seconds that never step.

    Attributes:
        topics: The refused topics and the broker's reason, the one that is to be tried next first.
        since: Since when there are any, by the monotonic clock.
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
        """Whether publications on a topic wait, but for what is tried."""
        return topic in self.topics

    def note(self, topic: str, reason: str, sequence: int | None = None, *, costly: bool = False) -> None:
        """Note that the broker has refused a publication.

        Args:
            topic: Its topic.
            reason: The broker's, in words.
            sequence: The event's; None on a retained topic.
            costly: Whether it closed the connection.
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
        """The topics to be tried now, each with the sequence of its oldest event, None if it has none."""
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
        """The topic that is being tried though the broker may close the connection for it."""
        return next(iter(self._trying & self._costly), None)

    def connected(self, *, closed: bool) -> None:
        """Note that there is another connection: what was refused by an answer is tried again at once.

        Args:
            closed: Whether the broker has closed the one before for a publication; if not, it may be another broker
                now, or one that has read its list again.
        """
        for topic in self.topics.keys() - self._costly:
            self.forget(topic)
        self._delay_s = FIRST_RETRY_S
        self._trying.clear()
        if not closed:
            self._costly_due = min(self._costly_due, self._monotonic() + FIRST_RETRY_S)

    def accepted(self, topic: str) -> bool:
        """Note that the broker has taken a publication; returns whether all that waited is to be tried again."""
        if topic not in self.topics:
            return False
        log.info("publications_accepted topic=%r after_s=%.0f", topic[:99], self._monotonic() - self.since)
        if topic in self._costly:
            self.clear()
        else:
            self.connected(closed=True)
        return True

    def forget(self, topic: str) -> None:
        """Note that nothing waits on a topic any more."""
        self.topics.pop(topic, None)
        self._oldest.pop(topic, None)
        self._trying.discard(topic)
        self._costly.discard(topic)

    def clear(self) -> None:
        """Note that everything is to be tried again."""
        self.topics.clear()
        self._oldest.clear()
        self._trying.clear()
        self._costly.clear()
        self._delay_s = FIRST_RETRY_S
        self._costly_delay_s = FIRST_COSTLY_RETRY_S
