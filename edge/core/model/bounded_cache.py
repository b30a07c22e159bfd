"""A cache whose entries take a bounded number of bytes, for what senders choose: topics, paths, keys.

A bound on the number of entries says nothing about memory where a sender decides how long each of them is.
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getsizeof
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

ENTRY_BYTES = 250
"""Memory of an entry besides its texts: places in dictionaries, small objects, tuples."""


class BoundedCache(Generic[Key, Value]):
    """A dictionary that forgets all of its entries when they have become too large together.

    Forgetting all is as good as forgetting the oldest: a plant's own topics come back within a round, and in a flood of
    topics that never come again no order helps.

    Args:
        most_bytes: Size of all entries. One that is larger by itself is never kept.

    Attributes:
        get: Gives the value of a key, or None. The dictionary's own method, as it is called for each message.
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
        """Bytes of all entries, as they were given."""
        return self._bytes

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep an entry of a size in bytes, see `size_of()`; `ENTRY_BYTES` are added to it."""
        size += ENTRY_BYTES
        if size > self._most_bytes:
            return
        self.grow(size)
        self._bytes = max(self._bytes, size)
        self._entries[key] = value

    def grow(self, size: int) -> None:
        """Note that what is kept takes so many bytes more; if that is too much, forget all."""
        self._bytes += size
        if self._bytes > self._most_bytes:
            self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self._bytes = 0


def size_of(*texts: str | bytes) -> int:
    """Bytes that texts take in memory."""
    return sum(map(getsizeof, texts))
