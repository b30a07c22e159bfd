"""Quiet: how long nothing has arrived, as far as that is certain."""

from __future__ import annotations

from edge.core.model.readings.pauses import GRACE_S


class Quiet:
    """How long nothing has arrived; times are in seconds of a monotonic clock.

    Args:
        now: Time at which listening to the readings' broker began.
    """

    def __init__(self, now: float) -> None:
        self._arrived = self._empty = now

    def arrived(self, now: float) -> None:
        """Note that something has arrived, or that nothing could."""
        self._arrived = now

    def passed_s(self, now: float, *, is_empty: bool) -> float:
        """Seconds that have certainly passed before what comes next; 0 or less if none have.

        What has arrived may have waited for us since the last time that there was nothing, and what is on its way may
        have been so for `GRACE_S`.

        Args:
            now: The current time.
            is_empty: Whether nothing has arrived until now.
        """
        if is_empty:
            self._empty = now
        return min(now - GRACE_S, self._empty) - self._arrived
