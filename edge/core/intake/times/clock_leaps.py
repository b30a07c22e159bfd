"""Clock leaps: detects steps of the stream clock caused by setting the clocks of a whole plant forward.

Arrivals distinguish a leap from a pause: normally the lag of the stream clock behind arrivals stays about the same,
even through pauses. If one step of the stream clock far exceeds the time between arrivals, no sensor was silent for the
excess. A backlog delivered quickly, or a recording played at another speed, has no steady lag, so its steps aren't
classified.

Only live readings have arrivals. Detected leaps are journaled with the readings, so that a replay repeats them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.core.intake.times.refused_readings import NO_SLOTS, Heard, cut, within
from edge.core.model.readings.messages import Batch, Message
from edge.core.model.readings.stream_clock import StreamClock

LEAP_S = 2.0
"""Minimum excess of a step of the stream clock over the time between arrivals for a leap, beyond the variation of the
lag."""

STEADY_WITHIN_S = 5.0
"""The lag is steady while it varies by no more than this many seconds."""

STEADY_FOR_S = 30.0
"""Minimum duration of a steady lag before a leap is accepted."""

WIDE = 6.0
"""If the sensors' lags differ, the lag may vary by this many times as much; it has to be steady for `LONG` times as
long."""

LONG = 10.0

LOOKBACK = 64
"""Number of earlier readings searched for the one that the clock followed."""

Leap = tuple[int, float]
"""Number of readings in a batch before a leap of the stream clock, and the excess in seconds."""


class ClockLeaps:
    """Detects clock leaps with a separate stream clock, over all readings in order of arrival."""

    def __init__(self) -> None:
        self._clock = StreamClock()
        self._forget_lag()

    def restart(self) -> None:
        """Forget the lag after a step of the gateway's clock."""
        self._clock = StreamClock()
        self._forget_lag()

    def _forget_lag(self) -> None:
        self._arrived = self._lag = math.nan  # at the last step of the clock
        self._steady = (
            _Steadiness(STEADY_WITHIN_S, STEADY_FOR_S),
            _Steadiness(WIDE * STEADY_WITHIN_S, LONG * STEADY_FOR_S),
        )
        self._lag_ahead = math.nan  # of the reading that waits for the clock to follow it

    def find(self, batch: Batch, messages: Sequence[Message], clock: StreamClock) -> list[Leap]:
        """The leaps in a batch, in order.

        Args:
            batch: The readings in order of arrival; their origins are indices into `messages`.
            messages: The messages that contained them.
            clock: The clock to continue from after a restart.
        """
        if len(batch) == 0:
            return []
        if self._clock.now == -math.inf:
            self._clock.stand_as(clock)
        if len(batch) == 1:
            return self._find_one(int(batch.slots[0]), float(batch.times[0]), messages[int(batch.origins[0])].arrived)
        before = self._clock.now
        now = self._clock.advance(batch.slots, batch.times)
        arrived = np.array([each.arrived for each in messages])[batch.origins]
        lags = _Lags(batch.times, arrived, now, self._lag_ahead)
        leaps = list(self._leaps(np.diff(now, prepend=before), lags)) if now[-1] > before else []
        self._lag_ahead = lags.of_time(self._clock.ahead_time, len(batch))
        return leaps

    def _find_one(self, slot: int, time: float, arrived: float) -> list[Leap]:
        """The same for a single reading, without arrays."""
        before = self._clock.now
        now = self._clock.reach(slot, time)
        own = arrived - time
        excess = 0.0
        if now > before:
            lag = own if now == time else self._lag_ahead
            if now - before > LEAP_S or arrived // 1.0 != self._arrived // 1.0:
                excess = self._look(now - before, lag, self._lag, arrived, self._arrived)
            self._arrived, self._lag = arrived, lag
        if time == self._clock.ahead_time:
            self._lag_ahead = own
        return [(0, excess)] if excess else []

    def _leaps(self, steps: NDArray[np.float64], lags: _Lags) -> Iterator[Leap]:
        places = np.flatnonzero(steps > 0)
        arrived = lags.arrived[places]
        before = np.concatenate(([self._arrived], arrived[:-1]))
        # The lag is checked once a second, at the first clock step in that second, and at every possible leap.
        is_leap = steps[places] > LEAP_S
        for at in np.flatnonzero(is_leap | (np.floor(arrived) != np.floor(before))).tolist():
            place = int(places[at])
            lag_before = lags.at(int(places[at - 1])) if at else self._lag
            excess = self._look(float(steps[place]), lags.at(place), lag_before, float(arrived[at]), float(before[at]))
            if excess:
                yield place, excess
        self._arrived, self._lag = float(arrived[-1]), lags.at(int(places[-1]))

    def _look(self, step: float, lag: float, lag_before: float, arrived: float, arrived_before: float) -> float:
        """Check the lag after a clock step; returns the excess in seconds if it leapt, else 0."""
        is_leap = arrived >= arrived_before and any(each.is_left(lag, arrived_before) for each in self._steady)
        for each in self._steady:
            each.note(lag, arrived, arrived_before)
        return lag_before - lag if is_leap and step > LEAP_S and lag_before - lag > LEAP_S else 0.0


class _Steadiness:
    """The range of the lag since it has been steady.

    Args:
        within_s: Maximum variation of a steady lag.
        for_s: Minimum duration before a leap out of it is accepted.
    """

    def __init__(self, within_s: float, for_s: float) -> None:
        self._within_s = within_s
        self._for_s = for_s
        self._since = self._lowest = self._highest = math.nan

    def is_left(self, lag: float, arrived_before: float) -> bool:
        """Whether a lag is well below the range, after it has been steady for long enough."""
        return arrived_before - self._since >= self._for_s and self._lowest - lag > LEAP_S

    def note(self, lag: float, arrived: float, arrived_before: float) -> None:
        """Record the lag at an arrival."""
        lowest, highest = min(self._lowest, lag), max(self._highest, lag)
        if arrived >= arrived_before and highest - lowest <= self._within_s:
            self._lowest, self._highest = lowest, highest
        else:
            self._since, self._lowest, self._highest = arrived, lag, lag


class _Lags:
    """The lag of the stream clock behind arrivals at each reading of a batch.

    The clock may follow an earlier reading that waited for confirmation by another. The arrival of the earlier reading
    counts.

    Args:
        times: Times of the readings, shape (n,).
        arrived: Arrival times, shape (n,).
        clock: The stream clock after each reading, shape (n,).
        ahead: Lag of the reading that was waiting before the batch.
    """

    def __init__(
        self, times: NDArray[np.float64], arrived: NDArray[np.float64], clock: NDArray[np.float64], ahead: float
    ) -> None:
        self.arrived = arrived
        self._times = times
        self._clock = clock
        self._ahead = ahead

    def at(self, place: int) -> float:
        """The lag at a step of the clock."""
        return self.of_time(float(self._clock[place]), place + 1)

    def of_time(self, time: float, end: int) -> float:
        """The lag of the last reading with this time among the `LOOKBACK` before `end` and the waiting one."""
        start = max(0, end - LOOKBACK)
        places = np.flatnonzero(self._times[start:end] == time)
        if len(places):
            return float(self.arrived[start + places[-1]]) - time
        return self._ahead if start == 0 else math.nan


def at_leaps(
    batch: Batch, heard: Sequence[Heard], leaps: Sequence[Leap]
) -> Iterator[tuple[float, Batch, NDArray[np.intp]]]:
    """Split a batch at leaps; each piece has the excess in seconds at its first reading, and the slots heard after it.

    Args:
        batch: The readings.
        heard: See `cut()`.
        leaps: In order.
    """
    if not (heard or leaps):
        yield 0.0, batch, NO_SLOTS
        return
    starts, ends = [(0, 0.0), *leaps], [place for place, _ in leaps] + [len(batch)]
    for (start, by), end in zip(starts, ends, strict=True):
        run = batch.take(np.arange(start, end)) if leaps else batch
        its_heard = within(heard, start, end, is_last=end == len(batch)) if leaps else heard
        leap_s = by
        for piece, slots, _ in cut(run, its_heard):
            yield leap_s, piece, slots
            leap_s = 0.0
