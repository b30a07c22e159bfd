"""Watches for the end of a backlog: the messages that were queued while the service was away or didn't run.

MQTT doesn't mark its end. A broker sends it as fast as messages are acknowledged, so a pause is a sign; if live
messages leave no pause, a time limit ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

PAUSE_S = 1.0
"""A backlog has no pause as long as this while everything is acknowledged."""

AT_LEAST_S = 3.0
"""Shortest time from the first reading on, in which most sensors with live messages report."""

AT_MOST_S = 60.0
"""Longest time, with or without a pause, if the backlog may be of any length."""


class BacklogWatch:
    """Determines when a backlog is complete.

    Args:
        monotonic: Seconds that never step.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._began: float | None = None
        self._latest = 0.0
        self._longest_s = AT_MOST_S

    def expect(self, away_s: float = inf) -> None:
        """Record that a backlog of `away_s` seconds may follow; it is read in less than half of the time."""
        self._longest_s = min(AT_MOST_S, AT_LEAST_S + away_s / 2) if self._began is None else AT_MOST_S

    def is_over(self, *, is_busy: bool) -> bool:
        """Whether the pending backlog is complete; to be called in every turn while there is one.

        Args:
            is_busy: Whether messages arrived in this turn, or wait for their acknowledgement.
        """
        now = self._monotonic()
        if self._began is None:
            self._began = self._latest = now
        if is_busy:
            self._latest = now
        taken_s = now - self._began
        is_over = taken_s >= self._longest_s or (taken_s >= AT_LEAST_S and now - self._latest >= PAUSE_S)
        if is_over:
            self._began, self._longest_s = None, AT_MOST_S
        return is_over
