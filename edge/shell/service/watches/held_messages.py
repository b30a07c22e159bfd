"""Held messages: they stay unacknowledged until it is decided whose clock is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.model.readings.messages import Message

HELD_S = 60.0
"""Maximum wait of messages: most plants' sensors have reported once by then."""

HELD_BYTES = 2**20
"""Maximum size of the held payloads; only the last one may exceed it."""


class HeldMessages:
    """Held messages in order of arrival.

    Args:
        most: Capacity. It must be less than the broker's in-flight window, since the broker stops sending at that
            point.
    """

    def __init__(self, most: int) -> None:
        self._most = max(1, most)
        self._messages: list[Message] = []
        self._bytes = 0
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, messages: Sequence[Message], now: float) -> None:
        """Hold messages; `now` in seconds of a monotonic clock."""
        if messages and not self._messages:
            self._since = now
        self._messages += messages
        self._bytes += sum(len(each.payload) for each in messages)

    def shift(self, by: float) -> None:
        """Shift the arrival times by `by` seconds after a step of the clock."""
        self._messages = [each._replace(arrived=each.arrived + by) for each in self._messages]

    def is_over(self, now: float) -> bool:
        """Whether the wait is over: the first message has waited long enough, or there are too many."""
        is_full = len(self._messages) >= self._most or self._bytes >= HELD_BYTES
        return bool(self._messages) and (is_full or now - self._since >= HELD_S)

    def release(self) -> list[Message]:
        """Return all messages, to be read again, and hold none."""
        released, self._messages, self._bytes = self._messages, [], 0
        return released
