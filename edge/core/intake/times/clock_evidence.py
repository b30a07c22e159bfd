"""Clock evidence: whether late readings show that a sensor's clock was set back, or only that old ones come again.

Readings of a clock that was set back are new, and they come when they are taken: between any two reports passes as much
time by their own clock as by ours. What a broker, a bridge or a sender delivers again comes as fast as it is
taken in. It may stall once or twice on its way, but then not every gap fits. So what counts is a row of reports, each
later than the one before, at the pace of their own times in every gap. A report is what arrives within half
a second: one reading, a pack, or some messages that a sensor sends together.

No evidence are readings that were taken before, and messages that the broker itself calls delivered again.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.core.model.sensors.sensor_arrays import SensorArrays

STEP = 5
"""Late readings in a row after which a sensor's clock was set back for good."""

REPORTS = 3
"""They must have come in so many reports at least."""

PACE = 2 / 3
"""From one report to the next, arrival goes on by this share at least of what the times do, and the other way round."""

REPORT_S = 0.5
"""Readings that arrive within this time of the first one are one report."""

AGAIN = -math.inf
"""The arrival of a reading that the broker calls delivered again."""


class ClockEvidence(SensorArrays):
    """The late readings in a row of each sensor, as far as they may show a new clock."""

    def __init__(self) -> None:
        self.late_time = np.full(0, -np.inf)
        self.report_time = np.full(0, np.nan)
        self.report_arrived = np.full(0, np.nan)
        self.reports = np.zeros(0, dtype=np.int64)
        self.readings = np.zeros(0, dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Make room for `rows` sensors in all, and some to spare."""
        self.grow_to(rows, late_time=-np.inf, report_time=np.nan, report_arrived=np.nan)

    def clear(self, slots: NDArray[np.intp] | int) -> None:
        """Forget the evidence: a reading of these sensors was taken."""
        self.reports[slots] = 0

    def shows_step(self, slot: int, time: float, arrived: float) -> bool:
        """Take a late reading that wasn't taken before as evidence; whether the sensor's clock is believed by now.

        Args:
            slot: The sensor.
            time: The reading's time, seconds since the epoch.
            arrived: Time of arrival; if NaN, it is unknown, and every pace is believed.
        """
        if arrived == AGAIN:
            return False
        ahead = time - self.report_time[slot]
        passed = arrived - self.report_arrived[slot]
        if self.reports[slot] == 0 or ahead <= 0:
            self.reports[slot] = self.readings[slot] = 0
        elif passed < REPORT_S:
            self.readings[slot] += 1
            return self._is_enough(slot)
        elif passed < PACE * ahead or ahead < PACE * passed:
            self.reports[slot] = self.readings[slot] = 0
        self.report_time[slot], self.report_arrived[slot] = time, arrived
        self.reports[slot] += 1
        self.readings[slot] += 1
        return self._is_enough(slot)

    def _is_enough(self, slot: int) -> bool:
        return bool(self.reports[slot] >= REPORTS and self.readings[slot] >= STEP)
