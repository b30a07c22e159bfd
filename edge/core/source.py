"""Sources: what is known of a topic that was seen before, so that its next message is read in a moment."""

from __future__ import annotations

from edge.core.bounded_cache import size_of
from edge.core.redelivery import topic_checksum
from edge.core.routes import Resolved


class Source:
    """What is known of a topic.

    Args:
        topic: The topic.
        resolved: Its route, or None if nobody reads it.
        is_own: Whether it is one of ours.

    Attributes:
        checksum: What the checksums of its messages begin with.
        slots: The slots of its sensors, by path.
    """

    __slots__ = ("checksum", "is_own", "resolved", "slots")

    def __init__(self, topic: str, resolved: Resolved | None, *, is_own: bool) -> None:
        self.resolved = resolved
        self.is_own = is_own
        self.checksum = topic_checksum(topic)
        self.slots: dict[str, int] = {}

    def size(self, topic: str) -> int:
        """Bytes that are kept of the topic, before any of its sensors is known."""
        return size_of(topic) if self.resolved is None else size_of(topic, *self.resolved.levels)

    def expects(self, path: str) -> bool:
        """Whether a reading is due at a path of the payload: there was one before, or it is an array's own value."""
        _, _, within = path.partition("/") if path[:1].isdigit() else ("", "", path)
        return path in self.slots or within in self.slots or within in {"", "value"}
