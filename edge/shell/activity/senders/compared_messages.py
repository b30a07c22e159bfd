"""Compared messages: the first ones of a topic, which show whether senders take turns on it; see `turns.py`."""

from __future__ import annotations

from edge.core.intake.decoders.documents.senders.turns import Scalars, may_name_sender, scalars_of, sender_among

AT = (4, 6, 9, 12, 16)
"""Numbers of messages of a topic after which they are compared; then they are dropped."""

TOPICS = 200
"""Maximum number of topics at a time whose messages are kept; a few hundred bytes each."""


class ComparedMessages:
    """Keeps messages by topic until they have been compared."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[list[Scalars], list[frozenset[int]]]] = {}

    def __contains__(self, topic: str) -> bool:
        """Whether messages of a topic are still kept."""
        return topic in self._kept

    def begin(self, topic: str) -> None:
        """Keep the messages of a topic, if there is room."""
        if len(self._kept) < TOPICS:
            self._kept[topic] = ([], [])

    def end(self, topic: str) -> None:
        """Drop what is kept of a topic."""
        self._kept.pop(topic, None)

    def note(self, topic: str, document: object, paths: frozenset[int]) -> str | None:
        """Keep a message, and compare those of its topic when it is time.

        Args:
            topic: A topic whose messages are kept.
            document: Contents of the message.
            paths: Hashes of the paths of its readings.

        Returns:
            The keys that lead to the field that tells the senders apart; None if none is known to.
        """
        documents, all_paths = self._kept[topic]
        scalars = scalars_of(document)
        if not may_name_sender(scalars):
            self.end(topic)
            return None
        documents.append(scalars)
        all_paths.append(paths)
        if len(documents) not in AT:
            return None
        found = sender_among(documents, all_paths)
        if found is not None or len(documents) == AT[-1]:
            self.end(topic)
        return found
