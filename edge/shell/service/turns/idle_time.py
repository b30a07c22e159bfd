"""Quiet: the time for which certainly nothing has arrived."""

from __future__ import annotations

from edge.core.model.readings.pauses import GRACE_S

LONGEST_TURN_S = 3.0
"""A loop that looks less often has been held up: the process was suspended, or the disk stalled."""


class IdleTime:
    """The time for which nothing has arrived; times are in seconds of a monotonic clock.

    Args:
        now: Time at which receiving from the broker of the readings began.
    """

    def __init__(self, now: float) -> None:
        self._arrived = self._empty = self._looked = now

    def arrived(self, now: float) -> None:
        """Record that something has arrived, or that nothing could."""
        self._arrived = now

    def looked(self, now: float) -> float:
        """Record that the loop looks for messages; returns the seconds for which it was held up before, or 0.

        Messages may have been sent meanwhile that aren't even read from the socket, so no time has certainly passed.
        """
        held_up_s, self._looked = now - self._looked, now
        if held_up_s <= LONGEST_TURN_S:
            return 0.0
        self._arrived = self._empty = now
        return held_up_s

    def passed_s(self, now: float, *, is_empty: bool) -> float:
        """Seconds that have certainly passed before the next message; 0 or less if none have.

        Messages may have been queued since the last time that there were none, and may have been in transit for
        `GRACE_S`.

        Args:
            now: The current time.
            is_empty: Whether nothing has arrived until now.
        """
        if is_empty:
            self._empty = now
        return min(now - GRACE_S, self._empty) - self._arrived
