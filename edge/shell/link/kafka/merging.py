"""Merging: orders the records of several partitions by time.

Kafka keeps order within a partition only, and a client fetches one partition after the other. After a pause it would
read hours of one partition before the first record of the next, whose sensors would appear to have been silent for
hours. Records are therefore delivered in order of time, and wait for partitions that have more to read but haven't
returned it yet.

A record without a trusted time follows the previous record of its partition. Otherwise a producer whose clock is ahead
would delay all later records.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import deque
from collections.abc import Callable

from edge.core.model.readings.messages import Message

CROWDED = 2000
"""A partition with this many waiting records is paused."""

PATIENCE_S = 5.0
"""Maximum time in seconds to wait for a partition that returns nothing, for example because its broker is down."""


class PartitionMerge:
    """Holds records until their order is known.

    Args:
        most_bytes: Maximum size of the waiting payloads; beyond it, all partitions are paused.
        monotonic: A monotonic clock, in seconds.
    """

    def __init__(self, most_bytes: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._monotonic = monotonic
        self._waiting: dict[int, deque[tuple[float, Message]]] = {}
        self._reached: dict[int, float] = {}
        self._bytes = 0
        self._since: float | None = None

    def open(self, number: int) -> None:
        """Add a partition."""
        self._waiting[number] = deque()
        self._reached[number] = -math.inf

    def close(self, number: int) -> None:
        """Remove a partition and its waiting records."""
        self._bytes -= sum(len(each.payload) for _, each in self._waiting.pop(number, ()))
        self._reached.pop(number, None)

    def add(self, message: Message, *, is_dated: bool = True) -> None:
        """Add the next record of its partition.

        Args:
            message: The record.
            is_dated: Whether `arrived` is the record's own time; False if that is missing or not trusted.
        """
        number = message.receipt
        queue = self._waiting.get(number)
        if queue is not None:
            if is_dated:
                self._reached[number] = message.arrived
            queue.append((self._reached[number], message))
            self._bytes += len(message.payload)

    def crowded(self) -> set[int]:
        """The partitions to pause."""
        if self._bytes >= self._most_bytes:
            return set(self._waiting)
        return {number for number, queue in self._waiting.items() if len(queue) >= CROWDED}

    def take(self, is_at_end: Callable[[int], bool], most: int) -> list[Message]:
        """Remove and return the records that no later one can precede, in order of time.

        Args:
            is_at_end: Whether a partition, given by its number, has no records beyond those added.
            most: Maximum number of records.
        """
        behind = {number for number, queue in self._waiting.items() if not queue and not is_at_end(number)}
        now = self._monotonic()
        if behind:
            self._since = now if self._since is None else self._since
            if now - self._since < PATIENCE_S:
                return []
            behind.clear()
        else:
            self._since = None
        heads = [(queue[0][0], number) for number, queue in self._waiting.items() if queue]
        heapq.heapify(heads)
        taken: list[Message] = []
        while heads and len(taken) < most:
            _, number = heapq.heappop(heads)
            queue = self._waiting[number]
            taken.append(queue.popleft()[1])
            self._bytes -= len(taken[-1].payload)
            if queue:
                heapq.heappush(heads, (queue[0][0], number))
            elif not is_at_end(number):
                break
        return taken
