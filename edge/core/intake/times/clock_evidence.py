"""Clock evidence: distinguishes a sensor whose clock was set back from old readings delivered again.

Readings from a clock that was set back are new and arrive as they are measured: between two reports the sensor's clock
and the gateway's advance by the same time. Redelivered readings arrive as fast as they can be read; delivery may stall
once or twice, but then not every gap matches. The evidence is therefore a run of reports, each later than the one
before, whose arrivals match their own times in every gap. A report is everything that arrives within half a second: one
reading, a pack, or several messages sent together.

Readings that were accepted before and messages flagged as redelivered are no evidence.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.core.model.sensors.sensor_arrays import SensorArrays

STEP = 5
"""Number of consecutive late readings that prove a clock step."""

REPORTS = 3
"""Minimum number of reports that they must span."""

PACE = 2 / 3
"""Minimum ratio of the time between arrivals to the time between readings from one report to the next, and vice
versa."""

REPORT_S = 0.5
"""Readings that arrive within this time of the first belong to one report."""

AGAIN = -math.inf
"""Arrival time of a reading flagged as redelivered."""


class ClockEvidence(SensorArrays):
    """Consecutive late readings of each sensor that may indicate a clock step."""

    def __init__(self) -> None:
        self.late_time = np.full(0, -np.inf)
        self.report_time = np.full(0, np.nan)
        self.report_arrived = np.full(0, np.nan)
        self.reports = np.zeros(0, dtype=np.int64)
        self.readings = np.zeros(0, dtype=np.int64)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, late_time=-np.inf, report_time=np.nan, report_arrived=np.nan)

    def clear(self, slots: NDArray[np.intp] | int) -> None:
        """Forget the evidence of sensors that had a reading taken."""
        self.reports[slots] = 0

    def shows_step(self, slot: int, time: float, arrived: float) -> bool:
        """Add a new late reading to the evidence; returns whether the clock step is now proven.

        Args:
            slot: The sensor.
            time: The reading's time, seconds since the epoch.
            arrived: Arrival time; NaN if unknown, in which case any pace is accepted.
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
