"""Timers: periodic work of a loop."""

from __future__ import annotations


class Timers:
    """Says of each thing whether it is due, and when it will be again; everything is due at first."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def is_due(self, what: str, now: float, interval_s: float) -> bool:
        """Whether it is due at `now`, in seconds of a monotonic clock; if so, it is due again after `interval_s`."""
        if now < self._due.get(what, now):
            return False
        self._due[what] = now + interval_s
        return True
