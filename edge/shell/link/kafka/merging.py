"""Merging: the records of several partitions in the order of their times.

Kafka keeps order within a partition only, and a client fetches one partition after the other. After a pause it would
read hours of one before the first record of the next, whose sensors would seem to have been silent for hours. So
records are handed on by their times, and none overtakes a partition that has more to read and hasn't delivered it yet.
"""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable

from edge.core.model.readings.messages import Message

CROWDED = 2000
"""A partition with so many records waiting for others isn't fetched from."""

PATIENCE_S = 5.0
"""Records wait this long for a partition that doesn't deliver, as its broker may be away."""


class PartitionMerge:
    """Holds records back until it is known which is next.

    Args:
        most_bytes: Size of the payloads that wait at most; beyond it, all partitions are crowded.
        monotonic: Seconds that never step.
    """

    def __init__(self, most_bytes: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most_bytes = most_bytes
        self._monotonic = monotonic
        self._waiting: dict[int, deque[Message]] = {}
        self._bytes = 0
        self._since: float | None = None

    def open(self, number: int) -> None:
        """Expect records of a partition."""
        self._waiting[number] = deque()

    def close(self, number: int) -> None:
        """Expect none any more, and forget those that wait."""
        self._bytes -= sum(len(each.payload) for each in self._waiting.pop(number, ()))

    def add(self, message: Message) -> None:
        """Add the next record of its partition."""
        queue = self._waiting.get(message.receipt)
        if queue is not None:
            queue.append(message)
            self._bytes += len(message.payload)

    def crowded(self) -> set[int]:
        """The partitions that nothing more should be fetched of."""
        if self._bytes >= self._most_bytes:
            return set(self._waiting)
        return {number for number, queue in self._waiting.items() if len(queue) >= CROWDED}

    def take(self, is_at_end: Callable[[int], bool], most: int) -> list[Message]:
        """The records that no other can precede, in order of time.

        Args:
            is_at_end: Whether a partition, by its number, has no record beyond those that were added.
            most: Number of records, at most.
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
        heads = [(queue[0].arrived, number) for number, queue in self._waiting.items() if queue]
        heapq.heapify(heads)
        taken: list[Message] = []
        while heads and len(taken) < most:
            _, number = heapq.heappop(heads)
            queue = self._waiting[number]
            taken.append(queue.popleft())
            self._bytes -= len(taken[-1].payload)
            if queue:
                heapq.heappush(heads, (queue[0].arrived, number))
            elif not is_at_end(number):
                break
        return taken
