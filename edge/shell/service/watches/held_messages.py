"""Held messages: those that wait, unacknowledged, until it is decided whose clock is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.model.readings.messages import Message

HELD_S = 60.0
"""Messages wait at most this long: most plants' sensors have reported once by then."""

HELD_BYTES = 2**20
"""Size of the payloads that wait at most; the last one may go beyond it."""


class HeldMessages:
    """Messages in the order in which they arrived.

    Args:
        most: Capacity. It must be less than the broker's window, as the broker sends no more than that.
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
        """Shift their arrival times by a number of seconds, as the clock was set by as much."""
        self._messages = [each._replace(arrived=each.arrived + by) for each in self._messages]

    def is_over(self, now: float) -> bool:
        """Whether no more may be waited for: the first has waited for long enough, or there are too many."""
        is_full = len(self._messages) >= self._most or self._bytes >= HELD_BYTES
        return bool(self._messages) and (is_full or now - self._since >= HELD_S)

    def release(self) -> list[Message]:
        """All of them, to be read again; none is held any more."""
        released, self._messages, self._bytes = self._messages, [], 0
        return released
