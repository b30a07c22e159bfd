"""Topic cache: what is known of a topic that was seen before, so that its next message is read quickly."""

from __future__ import annotations

from edge.core.intake.redelivery import topic_checksum
from edge.core.intake.routes import Resolved
from edge.core.model.bounded_cache import size_of
from edge.core.model.counters import Counters
from edge.core.model.readings.messages import Refusal

BESIDE = frozenset({"not_a_number", "odd_number", "bad_time"})
"""Refusals that stand beside readings in every message of a device; the last two are told once for each field."""

MOST_TOLD = 32
"""Refusals of a topic that are remembered as told; all are counted."""

TOLD_BYTES = 216
"""Memory taken by remembering them while there are none, as is usual."""


class CachedTopic:
    """The cached facts about a topic.

    Args:
        topic: The topic.
        resolved: Its route, or None if nobody reads it.
        is_own: Whether it is one of ours.
        is_left_out: Whether the input that it would belong to leaves it out.

    Attributes:
        checksum: The start of its messages' checksums.
        slots: The slots of its sensors, by path.
    """

    __slots__ = ("_told", "checksum", "is_left_out", "is_own", "resolved", "slots")

    def __init__(self, topic: str, resolved: Resolved | None, *, is_own: bool, is_left_out: bool = False) -> None:
        self.resolved = resolved
        self.is_own = is_own
        self.is_left_out = is_left_out
        self._told: set[int] = set()
        self.checksum = topic_checksum(topic)
        self.slots: dict[str, int] = {}

    def count_unread(self, counters: Counters, *, is_copy: bool) -> None:
        """Count a message of a topic that nobody reads, or a copy."""
        if is_copy:
            counters.messages_copied += 1
        elif self.is_own:
            counters.messages_own += 1
        elif self.is_left_out:
            counters.messages_left_out += 1
        else:
            counters.message_refused("", "no_route")

    def size(self, topic: str) -> int:
        """Bytes that are kept of the topic, before any of its sensors is known."""
        levels = () if self.resolved is None else self.resolved.levels
        return size_of(topic, *levels) + TOLD_BYTES

    def is_beside(self, refusal: Refusal) -> bool:
        """Whether a refusal beside readings is no loss: a field that never was a sensor, or that was told of before."""
        if refusal.reason not in BESIDE or self.expects(refusal.path):
            return False
        told = hash((refusal.reason, refusal.path))
        if refusal.reason == "not_a_number" or told in self._told or len(self._told) >= MOST_TOLD:
            return True
        self._told.add(told)
        return False

    def expects(self, path: str) -> bool:
        """Whether a reading is due at a path of the payload: there was one before, or it is an array's own value."""
        _, _, within = path.partition("/") if path[:1].isdigit() else ("", "", path)
        return path in self.slots or within in self.slots or within in {"", "value"}
