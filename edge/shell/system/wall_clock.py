"""The wall clock of a gateway that may have no battery: it may be unset, or be set while the service runs.

Until it is set, such a clock shows 1970 or the time of the last shutdown. Instead of 1970, time continues from the last
known time, as with systemd-timesyncd. If senders of readings prove the clock to be behind, their time is used. Either
correction ends when the clock steps to the right time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

STEP_S = 2.0
"""Maximum difference from the monotonic clock that is a rate correction and not a step."""


class WallClock:
    """Seconds since the epoch, UTC, as a callable.

    Args:
        earliest: Times before this mean that the clock is unset.
        known: The last known time.
        clock: The system's clock, seconds since the epoch.
        monotonic: Seconds that never step.
        aged: Last value of `aged()` before the start.
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
        self._lowest = math.inf
        self._lowest = min(each for each in (self(), known, aged) if each is not None) - self._began
        self._offset = self() - monotonic()

    def __call__(self) -> float:
        """The current time."""
        now, monotonic = self._uncorrected(), self._monotonic()
        if abs(now - monotonic - self._believed_offset) <= STEP_S:  # else set since then, perhaps to the right time
            now += self._believed
        self._lowest = min(self._lowest, now - monotonic)
        return now

    @property
    def own(self) -> float:
        """The system time in seconds since the epoch, right or wrong."""
        return self._clock()

    @property
    def is_unset(self) -> bool:
        """Whether the system clock hasn't been set yet."""
        return self._clock() < self._earliest

    @property
    def believed_s(self) -> float:
        """Seconds by which the time is ahead of the system clock because of senders; else 0."""
        return self._believed

    def believe(self, ahead_s: float) -> None:
        """Shift the time ahead by `ahead_s` seconds until the system clock is set."""
        self._believed_offset = self._uncorrected() - self._monotonic()
        self._believed += ahead_s

    def aged(self) -> float:
        """The time used for ages: the time known at the start plus the time awake since.

        Nothing therefore ages when the clock is set forward, rightly or not, or while the machine is off. The clock may
        have been set back and forward again, so it counts from the lowest time shown in between: whatever was stamped
        with this clock is never older than the time awake since.
        """
        self()
        return self._lowest + self._monotonic()

    def step(self) -> float:
        """Seconds by which the clock was stepped since the last call; else 0."""
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
