"""Topics because of which a broker closes the connection instead of refusing a publication.

RabbitMQ and AWS IoT do so, because MQTT 3.1.1 has no other answer. Publications without an answer at the end of a
connection are suspected, but the broker may have accepted some of them just before. While anything is suspected,
publications are therefore sent one at a time. A publication that was alone when the connection was closed again is
responsible.

A connection that ends later than a broker would end it for the last publication has ended for another reason; the link
doesn't report it as closed by the broker.

Source: MQTT 3.1.1, section 3.3.5; MQTT 5.0, section 3.3.4 and 4.13.
"""

from __future__ import annotations

from collections.abc import Collection

CLOSED_IN_A_ROW = 3
"""Number of consecutive connections closed by the broker with unanswered publications before a topic is held
responsible."""

ALONE = 2
"""Number of those with only this topic's publication in flight; one suffices for a broker known to do this."""


class ClosingTopics:
    """Identifies the topic that makes the broker close the connection."""

    def __init__(self) -> None:
        self._suspected: set[str] = set()
        self._in_a_row = 0
        self._alone = ""
        self._times_alone = 0
        self._is_known_for_it = False

    @property
    def one_at_a_time(self) -> bool:
        """Whether publications must be sent one at a time, so that the unanswered one is known."""
        return bool(self._suspected)

    def answered(self, topic: str) -> None:
        """Record that the broker has answered a publication on a topic."""
        self._suspected.discard(topic)
        if topic == self._alone:
            self._alone, self._times_alone = "", 0
        if not self._suspected:
            self._in_a_row = 0

    def closed(self, unanswered: Collection[str]) -> str | None:
        """Record that the broker has closed a connection.

        Args:
            unanswered: Topics of the publications in flight.

        Returns:
            The responsible topic, if it is certain enough.
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
        """Record that no suspected publication is waiting any more."""
        self._suspected.clear()
        self._in_a_row = self._times_alone = 0
        self._alone = ""
