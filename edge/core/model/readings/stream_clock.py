"""The stream clock, a watermark: the time that the plant's readings have reached, robust against single wrong clocks.

The clock follows the latest reading, but one sensor alone can't make it leap: a reading far ahead waits until another
sensor has got there, or until no other sensor has reported for a while. A sensor whose clock runs ahead therefore makes
no other sensor look silent, and after a pause of the plant the clock continues with the second sensor that reports.

When a sensor falls silent and the clock moves on to another one whose clock was ahead all along, the lead is a
difference between two clocks and not a time of silence: a skip. The same applies, for sensors that have just reported,
when a lagging sensor catches up with one that was ahead.

Readings whose time is that of their arrival all have one clock. Where the arrivals of a log are known to be in order,
none of these is ahead, and the clock follows each at once: it is then the same for any selection of the log's sensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

import numpy as np

from detectors.numeric.arrays import Floats, Slots
from detectors.state import StateError
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.readings.rounds import FEW

TOLERANCE_S = 2.0
"""Maximum step of the clock that a single sensor may cause."""

ALONE = 5
"""Number of consecutive readings of one sensor, with no others in between, after which its time is accepted."""

AFTER_A_LEAP = 64
"""Number of readings processed together after a leap; it doubles each time that none of them leaps."""

NOBODY = -1


class Skip(NamedTuple):
    """A step of the clock that includes a difference between two clocks.

    Attributes:
        place: Position of the reading that caused the step.
        lead: The difference, in seconds.
        of_all: Whether it is excluded from the silence of all sensors, or only of those that reported while the clock
            stood still.
    """

    place: int
    lead: float
    of_all: bool


class StreamClock:
    """The latest accepted time.

    Attributes:
        now: Seconds since the epoch, UTC; minus infinity before the first reading.
        ahead: Slot of a sensor that is ahead, or `NOBODY`.
        ahead_time: Time of that sensor.
        alone: Number of consecutive readings from it.
        highest: The highest slot seen; if there is only one sensor, it is always accepted.
        lead: Its lead when another sensor last reported.
        skips: Leads skipped during the last `advance()`.
        by_arrival: Whether each sensor's readings have the time of their arrival, by slot, if arrivals are in order;
            else None.
    """

    def __init__(self) -> None:
        self.now = -np.inf
        self.ahead = NOBODY
        self.ahead_time = -np.inf
        self.alone = 0
        self.highest = 0
        self.lead = 0.0
        self.skips: list[Skip] = []
        self.by_arrival: Sequence[bool] | None = None

    @property
    def latest(self) -> float:
        """The time of a sensor about to be accepted because no other reports; else the clock."""
        return max(self.now, self.ahead_time - self.lead) if self.alone else self.now

    def state(self) -> bytes:
        """The state of the clock, for `load()`."""
        now, ahead_time = self.now + 0.0, self.ahead_time + 0.0  # makes 0.0 of -0.0, which is the same time
        stands = (now, self.ahead, ahead_time, self.alone, self.highest)
        return encode((*stands, self.lead) if self.lead else stands)

    def load(self, state: bytes) -> None:
        """Load the result of `state()`.

        Raises:
            StateError: It can't be read.
        """
        stands = decode(state, list[float])
        if len(stands) not in {5, 6}:
            raise StateError("a stream clock has five parts, or six")
        self.now, self.ahead, self.ahead_time = stands[0], int(stands[1]), stands[2]
        self.alone, self.highest, self.lead = int(stands[3]), int(stands[4]), sum(stands[5:])

    def __copy__(self) -> StreamClock:
        """A clock with the same state; faster than by `copy`'s general way."""
        return StreamClock.__new__(StreamClock).stand_as(self)

    def stand_as(self, other: StreamClock) -> StreamClock:
        """Copy the state of another clock; returns this one."""
        vars(self).update(vars(other))
        return self

    def advance(self, slots: Slots, times: Floats) -> Floats:
        """Record readings; returns the clock after each, shape (n,).

        Args:
            slots: Rows of the readings' sensors, shape (n,), n at least 1.
            times: Seconds since the epoch, shape (n,).
        """
        self.skips = []
        if len(slots) <= FEW:
            readings = zip(slots.tolist(), times.tolist(), strict=True)
            return np.array([self._after(*each, place) for place, each in enumerate(readings)])
        if self.by_arrival is not None:
            certain = [self.by_arrival[each] for each in slots.tolist()]
            if all(certain):
                return self._follow(slots, times)
            if any(certain):
                return np.array([self._after(int(slots[each]), float(times[each]), each) for each in range(len(slots))])
        clock = np.empty(len(slots))
        done, most = 0, len(slots)
        while done < len(slots):
            if slots[done] + self.highest > 0 and times[done] > self.now + TOLERANCE_S:
                clock[done] = self._after(int(slots[done]), float(times[done]), done)
                done, most = done + 1, AFTER_A_LEAP
            else:
                end = min(done + most, len(slots))
                done += self._advance_calmly(slots[done:end], times[done:end], clock[done:end])
                most *= 2
        return clock

    def until_it_moves(self, slots: Slots, times: Floats, by: float = 0.0) -> int:
        """Number of readings before the first that would move the clock by more than `by`; 0 if none would."""
        return int(np.argmax(np.diff(copy(self).advance(slots, times), prepend=self.now) > by))

    def reach(self, slot: int, time: float) -> float:
        """Record a single reading; returns the clock after it."""
        self.skips = []
        return self._after(slot, time, 0)

    def forget(self, slot: int) -> None:
        """Stop waiting for a sensor that is ahead, if it is this one."""
        if slot == self.ahead:
            self.ahead, self.ahead_time, self.alone, self.lead = NOBODY, -np.inf, 0, 0.0

    def _follow(self, slots: Slots, times: Floats) -> Floats:
        """Record readings none of which is ahead."""
        clock: Floats = np.maximum.accumulate(np.maximum(times, self.now))
        self._heard(slots)
        self.now = float(clock[-1])
        return clock

    def _advance_calmly(self, slots: Slots, times: Floats, clock: Floats) -> int:
        """Record readings up to the first leap, writing the clock to `clock`; returns their number."""
        if times.max() <= self.now:
            clock[:] = self.now
            self._heard(slots)
            return len(slots)
        clock[:] = np.maximum.accumulate(np.maximum(times, self.now))
        before = np.concatenate(([self.now], clock[:-1]))
        leaps = (times > before + TOLERANCE_S) & (np.maximum.accumulate(slots) + self.highest > 0) & (before > -np.inf)
        first = int(np.argmax(leaps))
        if not leaps[first]:
            first = len(slots)
        if first:
            self._heard(slots[:first])
            self.now = float(clock[first - 1])
        return first

    def _heard(self, slots: Slots) -> None:
        """Record the sensors that reported, none of which leaps."""
        if (slots != self.ahead).any():
            self.alone = 0
        self.highest = max(self.highest, int(slots.max()))

    def _after(self, slot: int, time: float, place: int) -> float:
        """The clock after one more reading."""
        self.highest = max(self.highest, slot)
        is_certain = self.by_arrival is not None and self.by_arrival[slot]
        if is_certain or time <= self.now + TOLERANCE_S or self.highest == 0 or self.now == -np.inf:
            self.now = max(self.now, time)
            if slot != self.ahead:
                self.alone = 0
        elif slot == self.ahead:
            if self.alone == 0:
                self.lead = max(0.0, self.ahead_time - self.now)
            self.ahead_time = time
            self.alone += 1
            if self.alone >= ALONE:
                self._skip(place, of_all=True)
                self.now = time
        elif self.ahead == NOBODY or self.ahead_time <= self.now + TOLERANCE_S:
            self.ahead, self.ahead_time, self.alone, self.lead = slot, time, 1, 0.0
        else:
            if self.lead and self.alone == 0:
                self.lead = self.ahead_time - self.now
            self._skip(place, of_all=False)
            if time > self.ahead_time:
                self.now, self.ahead, self.ahead_time = self.ahead_time, slot, time
            else:
                self.now = time
            self.alone = 0
        return self.now

    def _skip(self, place: int, *, of_all: bool) -> None:
        if self.lead > TOLERANCE_S:
            self.skips.append(Skip(place, self.lead, of_all))
        self.lead = 0.0
