"""Pauses: how far time had passed before each reading of a recording came.

Live, time passes while nothing arrives, and the service says so every second, see `Pipeline.tick()`. A recording holds
only readings. Where all sensors pause, the time that passed is seen by the readings that follow, but not by the first
of them alone: its clock may be ahead. So a reading that leaps ahead of the stream clock waits until the clock has
moved, and the pause before it is as long as the readings up to there agree on.
"""

from __future__ import annotations

import math

from edge.core.model.readings.stream_clock import TOLERANCE_S, StreamClock

GRACE_S = 2.0
"""Live, silence is judged this much late, so that a reading that is on its way counts."""

LOOKAHEAD = 64
"""Readings that wait for the stream clock to move, at most; if it hasn't by then, nothing has passed."""

NO_PAUSE = -math.inf


class Pauses:
    """Finds the pauses of a recording, reading by reading, in the order of their arrival."""

    def __init__(self) -> None:
        self._clock = StreamClock()
        self._arrived = -math.inf  # of the last reading, as the stream clock would say it
        self._waiting: list[tuple[float, float]] = []  # their times, and the stream clock before each came

    def add(self, slot: int, time: float) -> list[float]:
        """Take the next reading.

        Args:
            slot: Number of its sensor.
            time: Seconds since the epoch, UTC.

        Returns:
            Of each reading that is decided by now, in order, the moment that `Pipeline.tick()` would have reached
            before it came, by the stream clock; `NO_PAUSE` if none.
        """
        clock = self._clock
        before = clock.now
        clock.reach(slot, time)
        if not self._waiting and time <= before + TOLERANCE_S:
            self._arrived = max(self._arrived, time)
            return [NO_PAUSE]
        self._waiting.append((time, before))
        if clock.now > before:
            # The clock may have followed those before only, so that this one waits on for what confirms it.
            waits_on = self._waiting.pop() if self._waiting[1:] and time > clock.now + TOLERANCE_S else None
            decided = self._decide(sum(each.lead for each in clock.skips))
            if waits_on is not None:
                self._waiting.append(waits_on)
            return decided
        return self.settle() if len(self._waiting) >= LOOKAHEAD else []

    def settle(self) -> list[float]:
        """Decide the readings that wait although the clock hasn't moved: nothing has passed before them."""
        came = [time for time, _ in self._waiting if time > self._clock.now]
        decided = [NO_PAUSE] * len(self._waiting)
        self._waiting.clear()
        if came:
            self._arrived = max(self._arrived, min(came))
        return decided

    def interrupt(self) -> None:
        """Note that the times before the next reading say nothing of when it came: readings may be missing."""
        self._arrived = -math.inf

    def leap(self, by: float) -> None:
        """Note that the senders' clocks leapt by so many seconds with the next reading, and no time passed for it."""
        self._arrived += by

    def end(self) -> list[float]:
        """Decide the readings that wait by what they say themselves: the recording has ended."""
        return self._decide(self._clock.lead) if self._waiting else []

    def _decide(self, lead: float) -> list[float]:
        """Decide the readings that wait; their clocks may have a lead."""
        # A reading came no later than those after it. One that is behind the clock says nothing of when that was.
        soonest, came = math.inf, []
        for time, now in reversed(self._waiting):
            if time > now:
                soonest = min(soonest, time - lead)
            came.append(soonest)
        decided = []
        for (_, now), moment in zip(self._waiting, reversed(came), strict=True):
            passed = moment - self._arrived - GRACE_S
            decided.append(now + passed if 0 < passed < math.inf else NO_PAUSE)
            if moment < math.inf:
                self._arrived = max(self._arrived, moment)
        self._waiting.clear()
        return decided
