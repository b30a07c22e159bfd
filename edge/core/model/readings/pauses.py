"""Pauses: the time that had passed before each reading of a recording arrived.

In live operation time passes while nothing arrives, and the service reports it every second, see `Pipeline.tick()`. A
recording holds only readings. When all sensors pause, the following readings show how much time passed, but not the
first of them alone, whose clock may be ahead. A reading that leaps ahead of the stream clock therefore waits until the
clock has moved, and the pause before it lasts as long as the readings up to that point agree on.
"""

from __future__ import annotations

import math

from edge.core.model.readings.stream_clock import TOLERANCE_S, StreamClock

GRACE_S = 2.0
"""Delay of the silence check in live operation, which lets readings in transit count."""

LOOKAHEAD = 64
"""Maximum number of readings that wait for the stream clock to move; if it hasn't moved by then, no time has passed."""

NO_PAUSE = -math.inf


class Pauses:
    """Detects the pauses of a recording, reading by reading, in order of arrival."""

    def __init__(self) -> None:
        self._clock = StreamClock()
        self._arrived = -math.inf  # of the last reading, according to the stream clock
        self._waiting: list[tuple[float, float]] = []  # their times, and the stream clock before each came

    def add(self, slot: int, time: float) -> list[float]:
        """Add the next reading.

        Args:
            slot: Slot of its sensor.
            time: Seconds since the epoch, UTC.

        Returns:
            For each reading decided by now, in order, the stream-clock time that `Pipeline.tick()` would have reached
            before it arrived; `NO_PAUSE` if none.
        """
        clock = self._clock
        before = clock.now
        clock.reach(slot, time)
        if not self._waiting and time <= before + TOLERANCE_S:
            self._arrived = max(self._arrived, time)
            return [NO_PAUSE]
        self._waiting.append((time, before))
        if clock.now > before:
            # The clock may have followed earlier readings only, in which case this one keeps waiting for confirmation.
            waits_on = self._waiting.pop() if self._waiting[1:] and time > clock.now + TOLERANCE_S else None
            decided = self._decide(sum(each.lead for each in clock.skips))
            if waits_on is not None:
                self._waiting.append(waits_on)
            return decided
        return self.settle() if len(self._waiting) >= LOOKAHEAD else []

    def settle(self) -> list[float]:
        """Decide the waiting readings although the clock hasn't moved: no time has passed before them."""
        came = [time for time, _ in self._waiting if time > self._clock.now]
        decided = [NO_PAUSE] * len(self._waiting)
        self._waiting.clear()
        if came:
            self._arrived = max(self._arrived, min(came))
        return decided

    def interrupt(self) -> None:
        """Record an interruption: since readings may be missing, earlier times don't date the next reading."""
        self._arrived = -math.inf

    def leap(self, by: float) -> None:
        """Record that the senders' clocks leapt by `by` seconds at the next reading although no time passed."""
        self._arrived += by

    def end(self) -> list[float]:
        """Decide the waiting readings by their own times, since the recording has ended."""
        return self._decide(self._clock.lead) if self._waiting else []

    def _decide(self, lead: float) -> list[float]:
        """Decide the waiting readings, whose clocks may have a lead."""
        # A reading arrived no later than those after it. A reading behind the clock doesn't show when it arrived.
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
