"""Timers: periodic work of a loop."""

from __future__ import annotations


class Timers:
    """Tracks when each task is due; everything is due at first."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def is_due(self, what: str, now: float, interval_s: float) -> bool:
        """Whether a task is due at `now`, in monotonic seconds; if so, it is due again after `interval_s`."""
        if now < self._due.get(what, now):
            return False
        self._due[what] = now + interval_s
        return True
