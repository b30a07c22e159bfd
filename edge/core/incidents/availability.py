"""Availability: devices that say themselves that they are gone, or that they are back.

Such a word reaches the engine as a reading of the device's own slot: 0 that it is gone, anything else that it is there.
It is no measurement: nothing is learned from it. A device that is gone has an incident of the kind `missing` at once,
which ends with its next word; what its sensors say meanwhile doesn't end it. From then on its sensors have as long to
report as if each had just done so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.state_machine import MachineInput, State
from edge.core.model.readings.messages import Batch
from edge.core.scoring.devices import Devices
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

AVAILABILITY = "availability"
"""The detector that events name."""

LEVEL, SURPRISE = 3.0, 6.0
"""Its raising level and its score in decades: a severity of 500. A device that says so is gone for certain."""

GONE, THERE = 0.0, 1.0
"""What a device says, as a reading."""


class Availability:
    """Follows what devices say of themselves.

    Args:
        devices: Know which slots are devices'.
        statistics: Know when sensors have to report.
        tracking: Holds the state machines.

    Attributes:
        sensors_of: Gives the slots of a device's sensors, as far as they are known, by its slot.
    """

    def __init__(self, devices: Devices, statistics: SensorStatistics, tracking: IncidentTracker) -> None:
        self._devices = devices
        self._statistics = statistics
        self._tracking = tracking
        self.sensors_of: Callable[[int], Sequence[int]] = lambda _: ()

    def apart(self, batch: Batch) -> Batch:
        """The readings before the first word of a device; that word alone, if the batch begins with it."""
        first = self._devices.before_a_word(batch.slots)
        return batch if first == len(batch) else batch.take(np.arange(max(1, first)))

    def says(self, batch: Batch) -> bool:
        """Whether a batch that `apart()` gave is a device's word."""
        return self._devices.before_a_word(batch.slots[:1]) == 0

    def take(self, batch: Batch, clock: float, latest: float) -> None:
        """Follow a device's word.

        Args:
            batch: The word alone.
            clock: What the stream clock says after it.
            latest: How far time may have passed.
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
            seen = self._statistics.seen[sensors]
            self._statistics.put_off(np.array(sensors, dtype=np.intp), np.maximum(0.0, latest - seen))
