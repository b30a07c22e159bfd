"""Linger: how long a socket stays unread after receiving, so that messages arriving meanwhile form one step.

For a gateway with a quiet plant the cost is in waking up: a step costs nearly the same for one message and for thirty.
A message after a pause is read at once, since another may not follow. In a stream the socket is left unread for up to
the maximum time, and for less the more messages arrive, because `ENOUGH` messages together already have the minimum
cost per message. The time never exceeds that in which the broker fills a share of its in-flight window, or the broker
would have to wait.

Messages read after such a rest arrived at some time during it; `spread()` assumes that they arrived evenly. Otherwise
two readings of a sensor without its own clock would be microseconds apart.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge.core.model.readings.messages import Message

ENOUGH = 64
"""Number of messages for which the cost per message is minimal."""

ENOUGH_BYTES = 2**16
"""The same in bytes: half of what is read at once, so that nothing accumulates in the socket."""

WINDOW_SHARE = 0.25
"""Share of the broker's in-flight window that may arrive while the socket rests."""

WORTHWHILE = 1.5
"""Minimum number of messages expected during a rest for it to save anything."""

SHORTEST_S = 0.005
"""A flood with rests shorter than this is read continuously; it arrives in batches anyway."""

MEMORY_S = 0.5
"""Averaging time of the arrival rate: long enough to span the gaps between bursts."""


class Linger:
    """Decides how long to rest, based on the rate of messages.

    Args:
        most_s: Maximum rest in seconds; 0 to disable.
        window: Initial in-flight window of the broker, in messages.

    Attributes:
        window: The same; may be changed when more is known.
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
            size: Number of bytes just read.
            now: Time of reading, seconds of a monotonic clock.
        """
        # Exponential means over MEMORY_S: old arrivals decay, new ones count as spread over the time since the last
        # read, or after a pause over MEMORY_S, since they may be the beginning of a burst.
        passed = math.inf if self._read_at is None else now - self._read_at
        share, spread_s = -math.expm1(-passed / MEMORY_S), min(passed, MEMORY_S)
        weight = share / spread_s if spread_s > 0 else 1.0 / MEMORY_S
        self._read_at = now
        self._messages_per_s = (1.0 - share) * self._messages_per_s + weight * received
        self._bytes_per_s = (1.0 - share) * self._bytes_per_s + weight * size
        if self._messages_per_s * self._most_s < WORTHWHILE:
            return 0.0
        enough = min(float(ENOUGH), WINDOW_SHARE * self.window)
        rest = min(self._most_s, enough / self._messages_per_s, ENOUGH_BYTES / max(1.0, self._bytes_per_s))
        return rest if rest >= SHORTEST_S else 0.0


def spread(messages: Sequence[Message], rested_s: float) -> list[Message]:
    """Messages read after a rest, with arrivals spread evenly over it; the last one's is unchanged."""
    each_s = rested_s / len(messages)
    latest = len(messages) - 1
    return [each._replace(arrived=each.arrived - (latest - place) * each_s) for place, each in enumerate(messages)]
