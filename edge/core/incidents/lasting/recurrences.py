"""Recurrences: how long a sensor whose incidents come and go must be calm until the last one is over.

A fan with a loose contact stops ten times a day. That is one fault, not ten, and its end isn't known after five calm
readings. An incident that begins within hours of when the one before last showed therefore stays open until the sensor
has been calm for twice as long as between any two showings, also those within it (the off-delay of ISA-18.2 against
chattering alarms, which here follows from the fault).

What slides away slowly shows under load, and at rest the sensor looks as usual: a filter that clogs is seen by day and
not at night. Of that the next day's showing is a return, too.
"""

from __future__ import annotations

import numpy as np

from detectors.numeric.arrays import Slots
from edge.core.model.sensors.sensor_arrays import SensorArrays

LONGEST_S = 6 * 3600.0
"""Maximum time between two showings of which the second is a return of the first, and maximum time of calm."""

LONGEST_OF_SLIDES_S = 86_400.0
"""The same of what slides away slowly."""

PATIENCE = 2.0
"""It is over when the sensor has been calm for this many times the longest time between two showings in a row."""


class Recurrences(SensorArrays):
    """Arrays with one row per sensor. State: 16 bytes per sensor.

    Attributes:
        shown: Time at which the last incident that has ended last showed; NaN if there was none or it was adopted.
        apart: Longest time between two showings in a row of a fault that comes and goes, in seconds.
    """

    def __init__(self) -> None:
        self.shown = np.zeros(0)
        self.apart = np.zeros(0)

    def grow(self, rows: int) -> None:
        """Grow to `rows` sensors, with some spare capacity."""
        self.grow_to(rows, shown=np.nan)

    def begin(self, slot: int, time: float, *, slides: bool = False) -> float:
        """Record that an incident begins.

        Args:
            slot: The sensor.
            time: When.
            slides: Whether it began slowly.

        Returns:
            How long it must be calm until it is over, in seconds.
        """
        calm = time - float(self.shown[slot])
        if not 0.0 <= calm <= _longest(slides=slides):
            self.apart[slot] = 0.0
            return 0.0
        return self.show(slot, calm, slides=slides)

    def show(self, slot: int, calm: float, *, slides: bool = False) -> float:
        """Record that a fault that comes and goes shows again after so many seconds; see `begin()`."""
        self.apart[slot] = max(float(self.apart[slot]), calm)
        return min(PATIENCE * float(self.apart[slot]), _longest(slides=slides))

    def end(self, slot: int, shown: float, *, adopted: bool) -> None:
        """Record that an incident has ended, and when it was last `shown`; after one `adopted` nothing returns."""
        self.shown[slot] = np.nan if adopted else shown

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by a number of seconds: the clock that stamps their readings was set."""
        self.shown[slots] += by


def _longest(*, slides: bool) -> float:
    """Maximum time between two showings, in seconds."""
    return LONGEST_OF_SLIDES_S if slides else LONGEST_S
