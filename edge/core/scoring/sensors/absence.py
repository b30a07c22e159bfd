"""Absence: steps of the stream clock during which no sensor was silent.

There are three kinds: the part of a step that is a difference between two clocks, see `StreamClock`; the step after an
interruption of the service, since readings may be missing; and a leap, when the senders' clocks were set forward. The
last two are known before the stream clock steps and stay pending until it does, because readings in transit may still
arrive first.

While a backlog is processed, the clock takes many steps, and readings of any sensor may still follow: no sensor is
silent before its end, and no time that the clock moves by until then is silence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge.core.model.readings.messages import Batch
from edge.core.model.readings.stream_clock import Skip, StreamClock
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics


class Absence:
    """Postpones the silence deadlines of all sensors by time in which they couldn't be received.

    Args:
        statistics: Holds the deadlines.

    Attributes:
        is_interrupted: Whether the next step of the stream clock is the first after an interruption.
        ahead_time: Time of a reading from before the interruption that the stream clock hadn't reached; else NaN.
            Reaching it doesn't end the interruption.
        leap_s: Seconds by which the senders' clocks leapt, while the stream clock hasn't followed yet; else 0.
        leap_until: Stream clock until which the leap stays pending.
        behind_since: Stream clock when a backlog began that is still being processed; NaN if there is none.
        away_s: Seconds since the last reading in which none could arrive, by which deadlines have been postponed
            although none has arrived since; else 0.
    """

    def __init__(self, statistics: SensorStatistics) -> None:
        self._statistics = statistics
        self.is_interrupted = False
        self.ahead_time = math.nan
        self.leap_s, self.leap_until = 0.0, -math.inf
        self.behind_since = math.nan
        self.away_s = 0.0

    @property
    def is_catching_up(self) -> bool:
        """Whether a backlog is being processed."""
        return not math.isnan(self.behind_since)

    @property
    def is_awaited(self) -> bool:
        """Whether an interruption or a leap is pending."""
        return self.is_interrupted or self.leap_s > 0

    def leapt(self, by: float, now: float) -> None:
        """Record a leap of the senders' clocks by `by` seconds, which may be 0, while the stream clock is at `now`."""
        if by:
            self.leap_s, self.leap_until = by, now + by

    def interrupt(self, clock: StreamClock) -> None:
        """Note that the next reading is the first after an interruption."""
        if math.isfinite(clock.now):
            self._statistics.begin_absence(clock.now)
        self.is_interrupted = True
        self.ahead_time = clock.ahead_time if clock.ahead_time > clock.now else math.nan

    def pass_away(self, by: float, now: float) -> None:
        """Note that no reading could arrive for `by` seconds until stream clock `now`, and none has since."""
        self._statistics.put_off(np.ones(len(self._statistics.seen), dtype=bool), by, now)
        self.away_s += by

    def catch_up(self, now: float) -> None:
        """Note that a backlog begins at stream clock `now`, unless one is pending already."""
        if not self.is_catching_up:
            self._statistics.begin_absence(now)
            self._take_back(self.away_s)
            self.behind_since, self.is_interrupted = now, False

    def caught_up(self, now: float) -> None:
        """Note that the backlog is complete at stream clock `now`.

        Readings in transit may still follow, so the next step of the clock is treated as after an interruption.
        """
        self._statistics.put_off_until(now, self.behind_since)
        self._statistics.extend_absence(now)
        self.behind_since, self.is_interrupted = math.nan, True

    def clock_stepped(self, by: float, ahead_by: float) -> None:
        """Note that the stream clock was shifted by `by` seconds, and the time that it hadn't reached by `ahead_by`."""
        self.behind_since += by
        self.ahead_time += ahead_by

    def readings_before_end(self, batch: Batch, clock: StreamClock) -> int:
        """Number of readings in a batch before the one that ends the pending state; 0 if there is none."""
        return clock.until_it_moves(batch.slots, batch.times, 0.0 if self.is_interrupted else self.leap_s / 2)

    def goes_on_at(self, after: float) -> bool:
        """Whether an interruption isn't over when the stream clock reaches `after`, a time from before it."""
        return self.is_interrupted and after == self.ahead_time

    def forgive(self, skips: Sequence[Skip], before: float, after: float, *, is_confirmed: bool) -> None:
        """Postpone deadlines where the stream clock steps further than the sensors could be silent.

        Args:
            skips: The leads that the step skips, see `StreamClock`.
            before: The clock before the step.
            after: The clock after the step.
            is_confirmed: Whether the clock steps because a sensor confirms the time of another one.
        """
        if self.leap_s and not self.is_interrupted and after - before > self.leap_s / 2:
            # Arrivals are more reliable than the leads of clocks, so skips aren't counted in addition.
            leap, step = min(self.leap_s, after - before), after - before
            self._statistics.forgive_leap(before, leap, step if is_confirmed else leap)
            self.leap_s = 0.0
            return
        before += self._statistics.skip_leads(skips, before)
        if self.is_interrupted and after > before:
            passed = min(self.away_s, after - before)
            self._statistics.forgive(before + passed, after - before - passed)
            self.is_interrupted, self.leap_s = self.goes_on_at(after), 0.0
            self.away_s -= passed
            self.ahead_time = math.nan
            if not self.is_interrupted:
                self._statistics.end_absence(after)
        if after > self.leap_until:
            self.leap_s = 0.0
        if self.away_s and after > before and not self.is_interrupted:
            self._take_back(self.away_s)

    def _take_back(self, by: float) -> None:
        """Undo a postponement by `pass_away()` that the readings don't confirm: our clock isn't theirs."""
        self._statistics.bring_forward(by)
        self.away_s = 0.0
