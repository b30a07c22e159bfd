"""The wall clock of a gateway, which may have no battery: never set, or set while we run.

Before anyone has set it, such a clock says 1970, or when the machine was shut down. Instead of 1970, time continues
from the last that is known, as systemd-timesyncd does it. Where senders of readings show that the clock is behind,
theirs counts. Either ends as the clock steps to the right time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

STEP_S = 2.0
"""A difference from the monotonic clock that is a correction of the rate, not a step."""


class WallClock:
    """Seconds since the epoch, UTC, as a callable.

    Args:
        earliest: An earlier time was never set.
        known: The time when it was last known.
        clock: The system's clock, seconds since the epoch.
        monotonic: Seconds that never step.
        aged: The last value of `aged()` before the start.
    """

    def __init__(
        self,
        earliest: float,
        known: float | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        aged: float | None = None,
    ) -> None:
        self._earliest = earliest
        self._known = max(earliest, known or earliest)
        self._clock = clock
        self._monotonic = monotonic
        self._began = monotonic()
        self._believed = self._believed_offset = 0.0
        self._aged_from = min(each for each in (self(), known, aged) if each is not None)
        self._offset = self() - monotonic()

    def __call__(self) -> float:
        """The current time."""
        now = self._uncorrected()
        believed = self._believed
        if believed and abs(now - self._monotonic() - self._believed_offset) > STEP_S:
            return now  # set since then, so perhaps to the right time; `step()` hasn't been called yet
        return now + believed

    @property
    def own(self) -> float:
        """The time of the machine's clock, in seconds since the epoch, right or wrong."""
        return self._clock()

    @property
    def is_unset(self) -> bool:
        """Whether the machine's clock hasn't been set yet."""
        return self._clock() < self._earliest

    @property
    def believed_s(self) -> float:
        """By how many seconds the time is ahead of the machine's clock, as senders say; 0 if that isn't so."""
        return self._believed

    def believe(self, ahead_s: float) -> None:
        """Shift it ahead by a number of seconds, until the machine's clock is set."""
        self._believed_offset = self._uncorrected() - self._monotonic()
        self._believed += ahead_s

    def aged(self) -> float:
        """The time by which ages count: that which was known at the start, and the time awake since.

        So nothing grows old as the clock is set ahead, rightly or not, or while the machine was off.
        """
        return min(self(), self._aged_from + (self._monotonic() - self._began))

    def step(self) -> float:
        """By how many seconds the clock was set since the last call; 0 if it wasn't."""
        if self._believed:
            now_offset = self._uncorrected() - self._monotonic()
            if abs(now_offset - self._believed_offset) > STEP_S:
                self._believed = 0.0
            self._believed_offset = now_offset
        offset = self() - self._monotonic()
        by = offset - self._offset
        self._offset = offset
        return by if abs(by) > STEP_S else 0.0

    def _uncorrected(self) -> float:
        now = self._clock()
        return now if now >= self._earliest else self._known + (self._monotonic() - self._began)
