"""Rival watch: readings lost to another client with the same ID, and the period."""

from __future__ import annotations

from edge.core.incidents.events.gaps import Gap
from edge.shell.link import ServiceLink

INTERVAL_S = 600.0
"""Minimum interval between two gaps in seconds; losses in between are merged."""


class RivalWatch:
    """Creates a gap for the time in which another client had the session.

    Args:
        link: The link for readings.
    """

    def __init__(self, link: ServiceLink) -> None:
        self._link = link
        self._takeovers = 0
        self._first: float | None = None
        self._last: float | None = None
        self._quiet_until = 0.0

    def gap(self, last_arrival: float, now: float, monotonic: float) -> Gap | None:
        """The gap to report now, or None.

        Args:
            last_arrival: Time of the last reading, in seconds since the epoch, UTC.
            now: The current time, in the same unit.
            monotonic: Seconds that never step.
        """
        if self._link.reconnecting.takeovers != self._takeovers:
            self._takeovers = self._link.reconnecting.takeovers
            self._first = last_arrival if self._first is None else min(self._first, last_arrival)
            self._last = None
        if self._first is not None and self._last is None and self._link.connected:
            self._last = now
        if self._first is None or self._last is None or monotonic < self._quiet_until:
            return None
        gap = Gap("readings", "client_id_in_use", None, self._first, self._last)
        self._first, self._quiet_until = None, monotonic + INTERVAL_S
        return gap
