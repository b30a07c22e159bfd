"""Compared messages: the latest ones of a topic, which show whether senders take turns on it; see `turns.py`."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from edge.core.intake.decoders.documents.senders.turns import (
    Scalars,
    alternating_among,
    may_name_sender,
    scalars_of,
    sender_among,
)

AT = (4, 6, 9, 12, 16, 24, 36, 48, 64, 80)
"""Numbers of examined messages of a topic after which the latest are compared; after the last one they are dropped."""

LATEST = 48
"""Maximum number of messages of a topic that are kept: more than two of each sender that can be told apart."""

TOPICS, SCALARS = 200, 50_000
"""Maximum number of topics at a time whose messages are kept, and of texts and numbers of all of these."""


class SendersField(NamedTuple):
    """A field that tells senders apart.

    Attributes:
        key: The keys that lead to it.
        may_be_state: Whether its two words could be states as well.
    """

    key: str
    may_be_state: bool = False


class ComparedMessages:
    """Keeps messages by topic until they have been compared."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}
        self._size = 0

    def __contains__(self, topic: str) -> bool:
        """Whether messages of a topic are still kept."""
        return topic in self._kept

    def begin(self, topic: str) -> None:
        """Keep the messages of a topic, if there is room."""
        if len(self._kept) < TOPICS and self._size < SCALARS:
            self._kept[topic] = _Kept()

    def end(self, topic: str) -> None:
        """Drop what is kept of a topic."""
        if (kept := self._kept.pop(topic, None)) is not None:
            self._size -= sum(map(len, kept.documents))

    def note(self, topic: str, document: object, paths: frozenset[int]) -> SendersField | None:
        """Keep a message, and compare those of its topic when it is time.

        Args:
            topic: A topic whose messages are kept.
            document: Contents of the message.
            paths: Hashes of the paths of its readings.

        Returns:
            The field that tells the senders apart; None if none is known to.
        """
        kept = self._kept[topic]
        scalars = scalars_of(document)
        if not may_name_sender(scalars):
            self.end(topic)
            return None
        if len(kept.documents) == LATEST:
            self._size -= len(kept.documents[0])
        kept.add(scalars, paths)
        self._size += len(scalars)
        found = kept.senders_field() if kept.count in AT else None
        if found is not None or kept.count == AT[-1] or self._size > SCALARS:
            self.end(topic)
        return found


class _Kept:
    """The latest messages of a topic.

    Attributes:
        documents: The texts and numbers of each.
        count: Number of messages, with those that aren't kept any more.
    """

    __slots__ = ("_paths", "count", "documents")

    def __init__(self) -> None:
        self.documents: deque[Scalars] = deque(maxlen=LATEST)
        self._paths: deque[frozenset[int]] = deque(maxlen=LATEST)
        self.count = 0

    def add(self, scalars: Scalars, paths: frozenset[int]) -> None:
        """Add a message, in place of the oldest one if there are enough."""
        self.documents.append(scalars)
        self._paths.append(paths)
        self.count += 1

    def senders_field(self) -> SendersField | None:
        """The field that tells the senders of the messages apart."""
        documents, paths = list(self.documents), list(self._paths)
        if (key := sender_among(documents, paths)) is not None:
            return SendersField(key)
        key = alternating_among(documents, paths)
        return None if key is None else SendersField(key, may_be_state=True)
