"""The stream clock: how far the plant has come, by the times of its readings, whatever one sensor's clock says.

The clock follows the latest reading, but one sensor alone can't make it leap: a reading that is far ahead waits until
another sensor is there too, or until nobody else has said anything for a while. So a sensor whose clock runs ahead
makes no other sensor look silent, and a plant that pauses goes on with the second sensor that does.

Where the clock passes from a sensor that is behind to one that was ahead of it all the time, since the first says
nothing more, the lead is a difference of two clocks, and no time in which anybody was silent: a skip. So it is for
those who have just reported where a sensor that was behind comes to agree with one that was ahead meanwhile.
"""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

import numpy as np

from detectors.numeric.arrays import Floats, Slots
from detectors.state import StateError
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.readings.rounds import FEW

TOLERANCE_S = 2.0
"""A step of the clock that any sensor may cause by itself."""

ALONE = 5
"""Readings in a row of one sensor, with none of the others between them, after which it is believed."""

AFTER_A_LEAP = 64
"""So many readings are looked at together after one that leaps; then twice as many each time that none does."""

NOBODY = -1


class Skip(NamedTuple):
    """A step of the clock of which a part is the difference of two clocks.

    Attributes:
        place: Of the reading at which the clock made it.
        lead: That part, in seconds.
        of_all: Whether it was no silence of anybody's; otherwise of none who reported while the clock stood still.
    """

    place: int
    lead: float
    of_all: bool


class StreamClock:
    """The latest time that is believed.

    Attributes:
        now: Seconds since the epoch, UTC; minus infinity before the first reading.
        ahead: The slot of a sensor that is ahead, or `NOBODY`.
        ahead_time: How far it is.
        alone: How many readings in a row were its.
        highest: The highest slot seen; the only sensor there is, is always believed.
        lead: How far it was ahead when another sensor last reported.
        skips: Of the last `advance()`, where the clock skipped a lead.
    """

    def __init__(self) -> None:
        self.now = -np.inf
        self.ahead = NOBODY
        self.ahead_time = -np.inf
        self.alone = 0
        self.highest = 0
        self.lead = 0.0
        self.skips: list[Skip] = []

    @property
    def latest(self) -> float:
        """The time by a sensor that is about to be believed, as nobody else reports; else what the clock says."""
        return max(self.now, self.ahead_time - self.lead) if self.alone else self.now

    def state(self) -> bytes:
        """The state of the clock, for `load()`."""
        stands = (self.now, self.ahead, self.ahead_time, self.alone, self.highest)
        return encode((*stands, self.lead) if self.lead else stands)

    def load(self, state: bytes) -> None:
        """Stand as the clock did whose `state()` this is.

        Raises:
            StateError: It can't be read.
        """
        stands = decode(state, list[float])
        if len(stands) not in {5, 6}:
            raise StateError("a stream clock has five parts, or six")
        self.now, self.ahead, self.ahead_time = stands[0], int(stands[1]), stands[2]
        self.alone, self.highest, self.lead = int(stands[3]), int(stands[4]), sum(stands[5:])

    def stand_as(self, other: StreamClock) -> StreamClock:
        """Stand as another clock does; returns itself."""
        vars(self).update(vars(other))
        return self

    def advance(self, slots: Slots, times: Floats) -> Floats:
        """Record readings; what the clock says after each, shape (n,).

        Args:
            slots: Row of each reading's sensor, shape (n,), n at least 1.
            times: Seconds since the epoch, shape (n,).
        """
        self.skips = []
        if len(slots) <= FEW:
            readings = zip(slots.tolist(), times.tolist(), strict=True)
            return np.array([self._after(*each, place) for place, each in enumerate(readings)])
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
        """Record a single reading; what the clock says after it."""
        self.skips = []
        return self._after(slot, time, 0)

    def forget(self, slot: int) -> None:
        """Wait for no sensor that is ahead if it is this one."""
        if slot == self.ahead:
            self.ahead, self.ahead_time, self.alone, self.lead = NOBODY, -np.inf, 0, 0.0

    def _advance_calmly(self, slots: Slots, times: Floats, clock: Floats) -> int:
        """Record readings up to the first leap, writing down what the clock says; returns how many these are."""
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
        """Record who reported, with none of them leaping."""
        if (slots != self.ahead).any():
            self.alone = 0
        self.highest = max(self.highest, int(slots.max()))

    def _after(self, slot: int, time: float, place: int) -> float:
        """The clock after one more reading."""
        self.highest = max(self.highest, slot)
        if time <= self.now + TOLERANCE_S or self.highest == 0 or self.now == -np.inf:
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
