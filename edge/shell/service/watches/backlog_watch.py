"""Watches for the end of a backlog: what the broker had kept for us while we were away, and sends when we are back.

MQTT doesn't say where it ends. A broker sends it as fast as we acknowledge, so a pause is a sign; where live messages
leave no pause, time has to do.
"""

from __future__ import annotations

from collections.abc import Callable

PAUSE_S = 1.0
"""A backlog has no pause as long as this while everything is acknowledged."""

AT_LEAST_S = 3.0
"""It takes so long at least from the first reading on, so that most sensors that live messages come from are heard."""

AT_MOST_S = 60.0
"""After so long it counts as taken, whether or not there was a pause."""


class BacklogWatch:
    """Says when a backlog has been taken.

    Args:
        monotonic: Seconds that never step.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._began: float | None = None
        self._latest = 0.0

    def is_over(self, *, is_busy: bool) -> bool:
        """Whether a backlog that is being taken has ended; to be asked in every turn while there is one.

        Args:
            is_busy: Whether messages have come in this turn, or wait for their acknowledgement.
        """
        now = self._monotonic()
        if self._began is None:
            self._began = self._latest = now
        if is_busy:
            self._latest = now
        taken_s = now - self._began
        is_over = taken_s >= AT_MOST_S or (taken_s >= AT_LEAST_S and now - self._latest >= PAUSE_S)
        if is_over:
            self._began = None
        return is_over
