"""Absence: steps of the stream clock in which no sensor was silent.

There are three: a part of a step that is the difference of two clocks, see `StreamClock`; the step after an
interruption of our own, as readings may be missing; and a leap, as the senders' clocks were set forward. The last two
are known before the stream clock steps, so they are awaited: readings that were under way may still come before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge.core.model.readings.messages import Batch
from edge.core.model.readings.stream_clock import Skip, StreamClock
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics


class Absence:
    """Puts off the silence of all sensors by what was no silence.

    Args:
        statistics: Know the deadlines.

    Attributes:
        is_interrupted: Whether the next step of the stream clock is the first after an interruption.
        leap_s: Seconds by which the senders' clocks leapt, if the stream clock hasn't followed yet; else 0.
        leap_until: The stream clock up to which that is awaited.
    """

    def __init__(self, statistics: SensorStatistics) -> None:
        self._statistics = statistics
        self.is_interrupted = False
        self.leap_s, self.leap_until = 0.0, -math.inf

    @property
    def is_awaited(self) -> bool:
        """Whether an interruption or a leap hasn't ended yet."""
        return self.is_interrupted or self.leap_s > 0

    def leapt(self, by: float, now: float) -> None:
        """Note that the senders' clocks leapt by so many seconds, if any, while the stream clock stands at `now`."""
        if by:
            self.leap_s, self.leap_until = by, now + by

    def readings_before_end(self, batch: Batch, clock: StreamClock) -> int:
        """Number of readings of a batch before the one that ends the waiting; 0 if there is none."""
        return clock.until_it_moves(batch.slots, batch.times, 0.0 if self.is_interrupted else self.leap_s / 2)

    def forgive(self, skips: Sequence[Skip], before: float, after: float) -> None:
        """Put off silences where the stream clock steps by more than what the sensors could be silent.

        Args:
            skips: Of the step, see `StreamClock`.
            before: The clock before it.
            after: The clock after it.
        """
        if self.leap_s and not self.is_interrupted and after - before > self.leap_s / 2:
            # Arrivals know better than the leads of clocks, so skips aren't counted beside.
            self._statistics.put_off(self._statistics.seen <= before, min(self.leap_s, after - before))
            self.leap_s = 0.0
            return
        before += self._statistics.skip_leads(skips, before)
        if self.is_interrupted and after > before:
            self.is_interrupted, self.leap_s = False, 0.0
            self._statistics.forgive(before, after - before)
        if after > self.leap_until:
            self.leap_s = 0.0
