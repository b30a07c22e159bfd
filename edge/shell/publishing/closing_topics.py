"""Topics for which a broker closes the connection instead of refusing a publication.

RabbitMQ and AWS IoT do so, as MQTT 3.1.1 has no other answer. What was without one when the connection ended is
suspected; but a broker may still owe the answers to what it accepted just before. So while anything is suspected, one
publication is under way at a time. The one that was alone when it happened again is the one.

Source: MQTT 3.1.1, section 3.3.5; MQTT 5.0, section 3.3.4 and 4.13.
"""

from __future__ import annotations

from collections.abc import Collection

CLOSED_IN_A_ROW = 3
"""Connections in a row that the broker has closed with publications unanswered, before a topic is held responsible."""

ALONE = 2
"""So many of them with this topic's publication alone; one is enough of a broker that is known to do this."""


class ClosingTopics:
    """Finds out which topic makes the broker close the connection."""

    def __init__(self) -> None:
        self._suspected: set[str] = set()
        self._in_a_row = 0
        self._alone = ""
        self._times_alone = 0
        self._is_known_for_it = False

    @property
    def one_at_a_time(self) -> bool:
        """Whether only one publication may be under way, so that it is clear which one is not answered."""
        return bool(self._suspected)

    def answered(self, topic: str) -> None:
        """Note that the broker has answered to a publication on a topic."""
        self._suspected.discard(topic)
        if topic == self._alone:
            self._alone, self._times_alone = "", 0
        if not self._suspected:
            self._in_a_row = 0

    def closed(self, unanswered: Collection[str]) -> str | None:
        """Note that the broker has closed a connection.

        Args:
            unanswered: The topics of what was under way.

        Returns:
            The topic that is responsible, if that is certain enough.
        """
        if not unanswered:
            return None
        self._suspected = set(unanswered)
        self._in_a_row += 1
        if len(self._suspected) > 1:
            return None
        (topic,) = self._suspected
        self._times_alone = self._times_alone + 1 if topic == self._alone else 1
        self._alone = topic
        if not self._is_known_for_it and (self._in_a_row < CLOSED_IN_A_ROW or self._times_alone < ALONE):
            return None
        self._is_known_for_it = True
        self.forget()
        return topic

    def forget(self) -> None:
        """Note that nothing of what is suspected waits any more."""
        self._suspected.clear()
        self._in_a_row = self._times_alone = 0
        self._alone = ""
