"""The course of a value during an incident: what may become normal, and what is said of that.

A level is adopted because the value is there and nowhere else. A fault that comes and goes has no level: a pump whose
pressure falls for five minutes in ninety has been normal for most of the day, however long that goes on. What still
goes farther away has no level yet: a freezer that gets warmer by half a degree a day isn't at a new one each day. And
what has been stuck or silent was at no level either: the first other value, such as a repaired fan's, has just begun.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.core.scoring.consequence import IncidentExtent, Yardstick

LEVEL_SHARE = 0.5
"""Minimum share of the readings away from what was expected, for what has lasted to be a level."""

OLD = 50
"""Number of readings after which an average from before the incident says nothing of another time of day."""

MEAN_S = 3 * 3600.0
"""Time constant of the mean whose distance from the usual range is followed once it has seen twice that time."""

FARTHER = 0.03
"""The mean is farther away than before by this share of the farthest distance and of the usual range's width each."""

SLOW_S, STEADY_S = 12 * 3600.0, 50 * 3600.0
"""What is still going farther away after the first time worsens slowly, and has stopped once it hasn't gone farther for
the second one, two whole days; so has what began slowly."""


@dataclass(slots=True)
class Course:
    """What a sensor's value has done since its incident began.

    Attributes:
        lowest: Lowest value; infinite before the first reading.
        highest: Highest value, likewise.
        readings: Number of readings.
        away: Number of readings that weren't calm.
        returns: How often it was away again after it had been calm for as long as it takes to clear an incident.
        began: Time of the first reading.
        time: Time of the last one.
        mean: Mean over the time constant.
        farthest: Farthest distance of the mean from the middle of the usual range so far; 0 before it is followed.
        worsened: Time at which it was last farther away than before; minus infinity if it never was.
        endures: Whether the last reading showed a condition that isn't a level, such as a stuck value.
        no_level_s: Seconds in which it did, or in which the sensor was silent, since it was last farther away.
    """

    lowest: float = math.inf
    highest: float = -math.inf
    readings: int = 0
    away: int = 0
    returns: int = 0
    began: float = 0.0
    time: float = 0.0
    mean: float = 0.0
    farthest: float = 0.0
    worsened: float = -math.inf
    endures: bool = False
    no_level_s: float = 0.0

    def see(
        self, value: float, time: float, usual: Yardstick, *, away: bool, returns: bool, endures: bool = False
    ) -> None:
        """Add a reading.

        Args:
            value: Its value.
            time: Its time.
            usual: The usual range of the sensor before the incident.
            away: Whether it isn't calm.
            returns: Whether it is a return of what was wrong.
            endures: Whether it shows a condition that isn't a level.
        """
        self.lowest, self.highest = min(self.lowest, value), max(self.highest, value)
        self.readings += 1
        self.away += away
        self.returns += returns
        if self.readings == 1:
            self.began = self.time = time
        if self.endures:
            self.no_level_s += max(time - self.time, 0.0)
        self.endures = endures
        share = max(1 / self.readings, 1 - math.exp(-max(time - self.time, 0.0) / MEAN_S))
        self.time, self.mean = time, self.mean + share * (value - self.mean)
        if time - self.began >= 2 * MEAN_S:
            self._follow(abs(self.mean - usual.middle), usual.width)

    def _follow(self, distance: float, width: float) -> None:
        """Compare the distance of the mean with the farthest one so far."""
        if not self.farthest:
            self.farthest = distance
        elif distance > self.farthest + FARTHER * (self.farthest + width):
            self.farthest, self.worsened = distance, self.time
            self.no_level_s = 0.0

    def skip(self, time: float) -> None:
        """Note that no reading came until this time: what a sensor does in a silence is no level."""
        if self.readings:
            self.no_level_s += max(time - self.time, 0.0)
            self.endures = False

    def beyond(self, extent: IncidentExtent) -> float:
        """How far the level went beyond the usual range, in its widths; 0 of one that was reached at once."""
        usual = extent.yardstick
        if usual.is_device or not usual.low <= usual.high or not usual.width > 0:
            return 0.0
        # On its way back from a level it is as far as that was.
        distance = max(abs(self.mean - usual.middle), 0.0 if self.no_level_s else self.farthest)
        if extent.has_jumped(distance):
            return 0.0
        return usual.sure * max(0.0, distance / usual.width - 1 / 2)

    def is_left(self, value: float, usual: Yardstick) -> bool:
        """Whether a value is back in the usual range or beyond its other end: not at the level that has lasted."""
        return (self.mean < usual.low <= value) or (value <= usual.high < self.mean)

    @property
    def is_level(self) -> bool:
        """Whether the value has been away for most of the time."""
        return self.away >= LEVEL_SHARE * self.readings

    @property
    def is_still(self) -> bool:
        """Whether the value has been the same all the time."""
        return self.lowest == self.highest

    @property
    def is_old(self) -> bool:
        """Whether it has lasted for so long that an average from before it is no forecast any more."""
        return self.readings >= OLD

    def shift(self, by: float) -> None:
        """Move its times by a number of seconds: the clock that stamps the sensor's readings was set."""
        self.began += by
        self.time += by
        self.worsened += by
