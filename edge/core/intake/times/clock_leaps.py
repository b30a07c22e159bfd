"""Clock leaps: where the clocks of a whole plant are set forward, so that the stream clock leaps though no time passed.

Arrivals tell such a leap from a pause: the lag of the stream clock behind them stays about the same while all is well,
through pauses too. If one step of the stream clock goes far beyond what has passed between arrivals, the excess is no
sensor's silence. A backlog that is delivered quickly, or a recording that is played at another speed, has no steady
lag, so nothing is said of its steps.

Only live readings have arrivals. The leaps that were found are journaled with the readings, for a replay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.core.intake.times.heard import Heard, cut, within
from edge.core.model.readings.messages import Batch, Message
from edge.core.model.readings.stream_clock import StreamClock

LEAP_S = 30.0
"""A step of the stream clock that exceeds what has passed between arrivals by more than this is a leap."""

STEADY_WITHIN_S = 5.0
"""The lag is steady while it stays within a range of so many seconds."""

STEADY_FOR_S = 30.0
"""Only after so many seconds of a steady lag is a leap believed."""

LOOKBACK = 64
"""So many readings back the one is sought that the clock has followed."""

Leap = tuple[int, float]
"""Number of readings of a batch before a leap of the stream clock, and the seconds by which it leaps too far."""


class ClockLeaps:
    """Finds the leaps of a plant's clocks, by a stream clock of its own over all readings in the order of arrival."""

    def __init__(self) -> None:
        self._clock = StreamClock()
        self._forget_lag()

    def restart(self) -> None:
        """Forget what was seen: our own clock was set."""
        self._clock = StreamClock()
        self._forget_lag()

    def _forget_lag(self) -> None:
        self._arrived = self._lag = math.nan  # at the last step of the clock
        self._since = self._lowest = self._highest = math.nan  # of the lag while it is steady
        self._lag_ahead = math.nan  # of the reading that waits for the clock to follow it

    def find(self, batch: Batch, messages: Sequence[Message], clock: StreamClock) -> list[Leap]:
        """The leaps in a batch, in order.

        Args:
            batch: The readings in the order of their arrival; their origins are places in `messages`.
            messages: The messages that they came with.
            clock: The clock to go on from after a restart.
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
        # The lag is looked at once a second, at the first step of the clock in it, and wherever the clock may leap.
        is_leap = steps[places] > LEAP_S
        for at in np.flatnonzero(is_leap | (np.floor(arrived) != np.floor(before))).tolist():
            place = int(places[at])
            lag_before = lags.at(int(places[at - 1])) if at else self._lag
            excess = self._look(float(steps[place]), lags.at(place), lag_before, float(arrived[at]), float(before[at]))
            if excess:
                yield place, excess
        self._arrived, self._lag = float(arrived[-1]), lags.at(int(places[-1]))

    def _look(self, step: float, lag: float, lag_before: float, arrived: float, arrived_before: float) -> float:
        """Look at the lag after a step of the clock; the seconds by which it leapt, or 0."""
        excess = 0.0
        if step > LEAP_S and arrived >= arrived_before and self._is_steady(lag_before):
            is_long = arrived_before - self._since >= STEADY_FOR_S
            excess = lag_before - lag if is_long and lag_before - lag > LEAP_S else 0.0
        self._note(lag, arrived, arrived_before)
        return excess

    def _is_steady(self, lag: float) -> bool:
        """Whether the lag would still be steady if it was this; never at the first one, which is NaN."""
        return max(self._highest, lag) - min(self._lowest, lag) <= STEADY_WITHIN_S

    def _note(self, lag: float, arrived: float, arrived_before: float) -> None:
        if arrived >= arrived_before and self._is_steady(lag):
            self._lowest, self._highest = min(self._lowest, lag), max(self._highest, lag)
        else:
            self._since, self._lowest, self._highest = arrived, lag, lag


class _Lags:
    """The lag of the stream clock behind arrivals at each reading of a batch.

    It may have followed a reading that came some time before, which waited until another one confirmed it. What counts
    is when that one came.

    Args:
        times: Times of the readings, shape (n,).
        arrived: Their arrivals.
        clock: The stream clock after each.
        ahead: The lag of the reading that waited before the batch.
    """

    def __init__(
        self, times: NDArray[np.float64], arrived: NDArray[np.float64], clock: NDArray[np.float64], ahead: float
    ) -> None:
        self.arrived = arrived
        self._times = times
        self._clock = clock
        self._ahead = ahead

    def at(self, place: int) -> float:
        """The lag where the clock has made a step."""
        return self.of_time(float(self._clock[place]), place + 1)

    def of_time(self, time: float, end: int) -> float:
        """The lag of the last reading of a time, of `LOOKBACK` before `end` and the one that waited before."""
        start = max(0, end - LOOKBACK)
        places = np.flatnonzero(self._times[start:end] == time)
        if len(places):
            return float(self.arrived[start + places[-1]]) - time
        return self._ahead if start == 0 else math.nan


def at_leaps(
    batch: Batch, heard: Sequence[Heard], leaps: Sequence[Leap]
) -> Iterator[tuple[float, Batch, NDArray[np.intp]]]:
    """A batch in pieces, each with the seconds of the leap at its first reading, and the slots that were heard after.

    Args:
        batch: The readings.
        heard: See `cut()`.
        leaps: In order.
    """
    starts, ends = [(0, 0.0), *leaps], [place for place, _ in leaps] + [len(batch)]
    for (start, by), end in zip(starts, ends, strict=True):
        run = batch.take(np.arange(start, end)) if leaps else batch
        its_heard = within(heard, start, end, is_last=end == len(batch)) if leaps else heard
        leap_s = by
        for piece, slots, _ in cut(run, its_heard):
            yield leap_s, piece, slots
            leap_s = 0.0
