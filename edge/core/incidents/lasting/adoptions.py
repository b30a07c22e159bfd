"""Adoptions: where a sensor was before a level was adopted, since a return to that is no news.

A fault that lasts is adopted as normal after a day, so that it isn't an alarm for ever. Once it is mended, the sensor
returns to where it had been for weeks. Detectors that smooth have forgotten that by then, and would report the return
as one or several shifts, although nothing is wrong any more.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Slots
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.opinions import OF_LEVELS

SLACK = 1 / 16
"""How far beyond its earlier range a returning value may be, in widths of the range."""

LONGEST_S = 7 * 86_400.0
"""Maximum time for which the range is remembered: after a week the adopted level is what is known of the sensor."""

SETTLED_S = 3 * 86_400.0
"""Time after which no detector is surprised by the return any more."""

OF_STILLNESS = frozenset({"swing", "flatline"})
"""Kinds after which a return is one to the movement from before, wherever within the usual range it had vanished."""


class Adoptions(SensorArrays):
    """Arrays with one row per sensor. State: 40 bytes per sensor.

    Attributes:
        low: Lower end of the usual range before a level outside of it, or one at which the sensor hardly moves, was
            adopted; NaN if there was none.
        high: Upper end.
        since: Time of the adoption.
        known: Seconds for which the sensor had been observed then, and for which the range is remembered.
        left: Time at which the adopted level was first left for that range; infinite before.
    """

    def __init__(self) -> None:
        self.low = np.zeros(0)
        self.high = np.zeros(0)
        self.since = np.zeros(0)
        self.known = np.zeros(0)
        self.left = np.zeros(0)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, low=np.nan, high=np.nan, left=np.inf)

    def adopt(
        self, slot: int, value: float, time: float, before: Yardstick, known: float, kinds: Collection[str] = ()
    ) -> None:
        """Record that a level was adopted; one that is adopted after another one leaves the earlier range as it is.

        A level within the usual range was left for nowhere, unless it is a part of it that the sensor no longer leaves.

        Args:
            slot: The sensor.
            value: Its value.
            time: Now.
            before: Its usual range before the incident.
            known: Seconds for which it has been observed.
            kinds: The kinds of incident that were adopted.
        """
        if self._remembers(slot, time) and not np.isfinite(self.left[slot]):
            return
        self.clear_row(slot)
        is_elsewhere = not before.low <= value <= before.high or not OF_STILLNESS.isdisjoint(kinds)
        if before.low <= before.high and is_elsewhere:
            self.low[slot], self.high[slot] = before.low, before.high
            self.since[slot], self.known[slot] = time, known

    def is_return(self, slot: int, value: float, time: float, kinds: Collection[str]) -> bool:
        """Whether a surprising value is where the sensor was before, until it has settled there.

        Args:
            slot: The sensor.
            value: Its value.
            time: Now.
            kinds: The kinds of incident that it would raise.
        """
        if not self._remembers(slot, time) or not OF_LEVELS.issuperset(kinds):
            return False
        low, high = float(self.low[slot]), float(self.high[slot])
        slack = SLACK * (high - low)
        if not low - slack <= value <= high + slack:
            return False
        self.left[slot] = min(time, self.left[slot])
        return bool(time - self.left[slot] < SETTLED_S)

    def have_moved(self, time: float) -> NDArray[np.bool_]:
        """Which sensors are at a level that was adopted not long ago, shape (rows,)."""
        is_recent = time - self.since <= np.minimum(LONGEST_S, self.known)
        moved: NDArray[np.bool_] = (self.low <= self.high) & np.isinf(self.left) & is_recent
        return moved

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by a number of seconds: the clock that stamps their readings was set."""
        self.since[slots] += by
        self.left[slots] += by

    def _remembers(self, slot: int, time: float) -> bool:
        """Whether the range before an adoption is still remembered."""
        return bool(self.low[slot] <= self.high[slot] and time - self.since[slot] <= min(LONGEST_S, self.known[slot]))
