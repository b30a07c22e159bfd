"""Deviating: which sensors differ from their peers, and which of them have been told otherwise.

A line that was closed for six hours is an incident while it is, by its own values. By the day it has given less than
its peers, too, but that comes at midnight, when all is well again, and is no news. A day isn't judged if so much of it
was told, unless the day before wasn't, either: what is lost every day must be found by the day, whatever else is found.
Nor is it if most of the peers had incidents in so much of it.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats
from edge.core.model.sensors.sensor_arrays import SensorArrays

MOST_TOLD = 1 / 10
"""Maximum share of a day's half hours with incidents, now over, for the day to be judged."""


class Deviating(SensorArrays):
    """Which sensors differ from their peers; one row per sensor. State: 48 bytes per sensor.

    Attributes:
        by: The comparison by which a sensor was found to differ; 0 if it doesn't.
        since: Beginning of that, seconds since the epoch.
        born: First comparison of the sensor; 0 before.
        failed: Number of half hours of the present day in which it had an incident of its own values.
        alone: Number of half hours of the present day in which most of its peers had one, or were where one had led.
        excused: Whether the last day wasn't judged because of these.
    """

    LATER: ClassVar[dict[str, float]] = {"failed": 0.0, "alone": 0.0, "excused": 0.0}

    def __init__(self) -> None:
        self.by = np.zeros(0)
        self.since = np.zeros(0)
        self.born = np.zeros(0)
        self.failed = np.zeros(0)
        self.alone = np.zeros(0)
        self.excused = np.zeros(0)

    def note(self, failing: NDArray[np.bool_], alone: NDArray[np.bool_]) -> None:
        """Note the half hour that ends.

        Args:
            failing: Which sensors had an incident of their own values, shape (n,).
            alone: Which sensors' peers mostly had one, or were where one had led, shape (n,).
        """
        self.failed[: len(failing)] += failing
        self.alone[: len(alone)] += alone

    def excuse_day(self, counts: Floats, failing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """End a day; returns which sensors aren't judged by it.

        Args:
            counts: Number of half hours of the day that each sensor has, shape (n,).
            failing: Whether it has an incident of its own values now, shape (n,).
        """
        rows = len(counts)
        was_told = (self.failed[:rows] > MOST_TOLD * counts) & ~failing & (self.excused[:rows] == 0)
        was_alone = self.alone[:rows] > MOST_TOLD * counts
        self.failed[:rows], self.alone[:rows], self.excused[:rows] = 0.0, 0.0, was_told
        excused: NDArray[np.bool_] = (was_told | was_alone) & (self.by[:rows] == 0)
        return excused
