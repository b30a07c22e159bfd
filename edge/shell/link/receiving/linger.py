"""Linger: for how long a socket rests unread after something was received, so that what arrives meanwhile is one step.

A gateway that carries a quiet plant pays for waking up, not for what it does then: a step costs nearly the same for one
message and for thirty. A message after a pause is read at once, as nothing says that another will follow. In a stream
the socket rests for the longest time allowed; the fuller the stream, the shorter, since `ENOUGH` messages together cost
as little apiece as more of them would. It never rests for longer than it takes the broker to fill a share of its
in-flight window, or the broker would be the one that waits.

What is read after a rest came at some time during it; `spread()` takes it to have come evenly. Otherwise two readings
of one sensor that has no clock of its own would be microseconds apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge.core.model.readings.messages import Message

ENOUGH = 64
"""Messages that are handled together as cheaply apiece as more of them would be."""

ENOUGH_BYTES = 2**16
"""Likewise in bytes: half of what is read at once, so that nothing piles up in the socket."""

WINDOW_SHARE = 0.25
"""The share of the broker's in-flight window that may arrive while the socket rests."""

WORTHWHILE = 2.0
"""Messages that must be expected during a rest for it to save anything."""

SHORTEST_S = 0.005
"""A flood whose rests would be shorter than this is read as it comes; it arrives in lots anyway."""

MEMORY_S = 0.5
"""The rate of arrivals is a mean over about this time: long enough to see through the gaps between bursts."""


class Linger:
    """Decides how long to rest, from how fast messages come.

    Args:
        most_s: The longest rest, seconds; 0 for none at all.
        window: The broker's in-flight window, messages.

    Attributes:
        window: The same; it may be changed once more is known.
    """

    def __init__(self, most_s: float, window: int) -> None:
        self._most_s = most_s
        self.window = window
        self._read_at: float | None = None
        self._messages_per_s = 0.0
        self._bytes_per_s = 0.0

    def rest_s(self, received: int, size: int, now: float) -> float:
        """Seconds to leave the socket unread.

        Args:
            received: Number of messages just read.
            size: Bytes that have just been read.
            now: Seconds that never step, when they were.
        """
        # Exponential means over MEMORY_S: what came long ago fades, what has just come counts as spread over that time.
        faded = 0.0 if self._read_at is None else math.exp((self._read_at - now) / MEMORY_S)
        self._read_at = now
        self._messages_per_s = faded * self._messages_per_s + received / MEMORY_S
        self._bytes_per_s = faded * self._bytes_per_s + size / MEMORY_S
        if self._messages_per_s * self._most_s < WORTHWHILE:
            return 0.0
        enough = min(float(ENOUGH), WINDOW_SHARE * self.window)
        rest = min(self._most_s, enough / self._messages_per_s, ENOUGH_BYTES / max(1.0, self._bytes_per_s))
        return rest if rest >= SHORTEST_S else 0.0


def spread(messages: Sequence[Message], rested_s: float) -> list[Message]:
    """Messages that were read after a rest, their arrivals evenly over it; the last one's stays as it is."""
    each_s = rested_s / len(messages)
    latest = len(messages) - 1
    return [each._replace(arrived=each.arrived - (latest - place) * each_s) for place, each in enumerate(messages)]
