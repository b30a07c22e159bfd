"""Availability: devices that report whether they are online.

An availability message reaches the engine as a reading of the device's own slot: 0 for gone, any other value for
online. It isn't a measurement, so nothing is learned from it. A device that is gone has an incident of the kind
`missing` at once, which ends with its next availability message; readings of its sensors don't end it. From then on its
sensors have as much time to report as if each had just done so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.state_table import MachineInput, State
from edge.core.model.readings.messages import Batch
from edge.core.scoring.devices import Devices
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

AVAILABILITY = "availability"
"""The detector named in events."""

LEVEL, SURPRISE = 3.0, 6.0
"""Raising level and score in decades, which give severity 500: the device's own report is certain."""

GONE, THERE = 0.0, 1.0
"""Availability as a reading value."""


class Availability:
    """Handles availability readings of devices.

    Args:
        devices: Knows which slots belong to devices.
        statistics: Holds the sensors' deadlines.
        tracking: Holds the state machines.

    Attributes:
        sensors_of: Returns the slots of a device's known sensors, by the device's slot.
    """

    def __init__(self, devices: Devices, statistics: SensorStatistics, tracking: IncidentTracker) -> None:
        self._devices = devices
        self._statistics = statistics
        self._tracking = tracking
        self.sensors_of: Callable[[int], Sequence[int]] = lambda _: ()

    def apart(self, batch: Batch) -> Batch:
        """The readings before the first availability reading, or that reading alone if the batch begins with it."""
        first = self._devices.before_a_word(batch.slots)
        return batch if first == len(batch) else batch.take(np.arange(max(1, first)))

    def says(self, batch: Batch) -> bool:
        """Whether a batch returned by `apart()` is an availability reading."""
        return self._devices.before_a_word(batch.slots[:1]) == 0

    def take(self, batch: Batch, clock: float, latest: float) -> None:
        """Process an availability reading.

        Args:
            batch: The availability reading alone.
            clock: The stream clock after it.
            latest: Upper bound of the time that has passed.
        """
        slot, value, time = int(batch.slots[0]), float(batch.values[0]), float(batch.times[0])
        tracker = self._tracking.trackers.get(slot)
        is_gone = tracker is not None and tracker.state is State.SILENT
        if is_gone == (value <= GONE):
            return
        sensors = [each for each in self.sensors_of(slot) if self._statistics.count[each]]
        opinions = [] if is_gone else [Opinion(AVAILABILITY, "missing", SURPRISE, level=LEVEL)]
        observation = Observation(time, THERE if is_gone else GONE, LEVEL, opinions)
        signal = MachineInput.RETURN if is_gone else MachineInput.SILENCE
        self._tracking.step(slot, signal, observation, (0, 1, 0.0, slot), max(clock, time), sensors)
        if is_gone:
            by = np.maximum(0.0, latest - self._statistics.seen[sensors])
            self._statistics.put_off(np.array(sensors, dtype=np.intp), by, latest)
