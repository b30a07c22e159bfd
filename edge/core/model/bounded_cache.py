"""A cache bounded in bytes, for keys chosen by senders: topics, paths, field names.

A limit on the number of entries wouldn't bound memory, because the sender decides how long each entry is.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getsizeof
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

ENTRY_BYTES = 250
"""Memory of an entry in addition to its texts: dictionary slots, small objects, tuples."""


class BoundedCache(Generic[Key, Value]):
    """A dictionary that drops all entries when their total size exceeds a limit.

    Dropping everything works as well as dropping the oldest: a plant's own topics return within a round, and against a
    flood of unique topics no eviction order helps.

    Args:
        most_bytes: Maximum total size in bytes. An entry that is larger by itself is never stored.

    Attributes:
        get: Returns the value of a key, or None. It is the dictionary's own method, because it is called for each
            message.
    """

    __slots__ = ("_bytes", "_entries", "_most_bytes", "get")

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._entries: dict[Key, Value] = {}
        self._bytes = 0
        self.get: Callable[[Key], Value | None] = self._entries.get

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size(self) -> int:
        """Total size of the entries in bytes, as passed to `put()`."""
        return self._bytes

    def put(self, key: Key, value: Value, size: int) -> None:
        """Store an entry with its size in bytes, see `size_of()`; `ENTRY_BYTES` are added."""
        size += ENTRY_BYTES
        if size > self._most_bytes:
            return
        self.grow(size)
        self._bytes = max(self._bytes, size)
        self._entries[key] = value

    def grow(self, size: int) -> None:
        """Add to the size of the stored entries; drops all if that exceeds the limit."""
        self._bytes += size
        if self._bytes > self._most_bytes:
            self.clear()

    def clear(self) -> None:
        """Drop all entries."""
        self._entries.clear()
        self._bytes = 0


def size_of(*texts: str | bytes) -> int:
    """Memory of texts in bytes."""
    return sum(map(getsizeof, texts))
