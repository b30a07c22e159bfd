"""The wall clock of a gateway, which may have no battery: never set, or set while we run.

Before anyone has set it, such a clock says 1970. Time then goes on from the last that is known, as systemd-timesyncd
does it, until it steps to the right one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

STEP_S = 2.0
"""A difference to the steady clock that is no step but a correction of the rate."""


class WallClock:
    """Seconds since the epoch, UTC, as a callable.

    Args:
        earliest: An earlier time was never set.
        known: What time it was when we last knew it.
        clock: The system's clock, seconds since the epoch.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        earliest: float,
        known: float | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._earliest = earliest
        self._known = max(earliest, known or earliest)
        self._clock = clock
        self._monotonic = monotonic
        self._began = monotonic()
        self._aged_from = min(self(), self._known) if known is not None else self()
        self._offset = self() - monotonic()

    def __call__(self) -> float:
        """What time it is."""
        now = self._clock()
        return now if now >= self._earliest else self._known + (self._monotonic() - self._began)

    def aged(self) -> float:
        """The time by which ages count: that which was known at the start, and the time awake since.

        So nothing grows old as the clock is set ahead, rightly or not, or while the machine was off.
        """
        return min(self(), self._aged_from + (self._monotonic() - self._began))

    def step(self) -> float:
        """By how many seconds the clock was set since the last call; 0 if it wasn't."""
        offset = self() - self._monotonic()
        by = offset - self._offset
        self._offset = offset
        return by if abs(by) > STEP_S else 0.0
