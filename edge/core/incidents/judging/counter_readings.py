"""Counter readings: the detectors' input for counters, and the effects of a sensor becoming a counter or a gauge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from detectors.numeric.arrays import Numbers, Rows
from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.state_table import MachineInput, State
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.opinions import COUNTER, GAUGE, Observation
from edge.core.scoring.paces import Finding, Paces
from edge.core.scoring.peers.peers import Peers
from edge.core.scoring.profiles import Group
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

ANOTHER_PACE = 3.0
"""What rises this many times as fast as before its incident, or as slowly, does so because of what is wrong."""

LEAST_KNOWN_S = 5 * 86_400.0
"""Time for which a sensor must have been known for its pace to be another one: the first rain isn't a fault."""

LONGEST_FAULT_S = 14 * 86_400.0
"""A pace that has lasted for this long is normal, like one that has for as long as the sensor had been known before."""


class CounterReadings:
    """Converts the readings of counters to paces.

    Args:
        members: The group of each sensor, and its row there, by slot.
        paces: Knows which sensors are counters.
        statistics: Statistics of the sensors.
        levels: Learned again together with the sensor's values.
        tracking: Notified of counters that returned from a fall.
        peers: Compare a sensor's paces, or its values.
    """

    def __init__(
        self,
        members: list[tuple[Group, int]],
        paces: Paces,
        statistics: SensorStatistics,
        levels: AlarmLevels,
        tracking: IncidentTracker,
        peers: Peers,
    ) -> None:
        self._members = members
        self._paces = paces
        self._statistics = statistics
        self._levels = levels
        self._tracking = tracking
        self._peers = peers
        paces.waits = self._is_fault

    def see(self, slots: Rows, values: Numbers, times: Numbers, positions: Rows, clock: Numbers) -> Numbers:
        """The detectors' input for a round of readings, or a single one, before the statistics record them.

        Args:
            slots: Slots of their sensors, shape (n,).
            values: Values, shape (n,).
            times: Times, seconds since the epoch, shape (n,).
            positions: Positions in their batch, shape (n,).
            clock: The stream clock, shape (n,).
        """
        is_new = self._statistics.at(slots)["count"][slots] == 0
        seen, found = self._paces.see(slots, values, times, is_new)
        if found:
            self._follow_up(found, slots, values, times, positions, clock)
        return seen

    def see_strange(self, slot: int, value: float, time: float, position: int, clock: float) -> float:
        """The same for a reading that may be an error value."""
        seen, found = self._paces.pace_of_strange(slot, value, time)
        if found:
            self._follow_up(found, slot, value, time, position, clock)
        return float(seen)

    def declare(self, slot: int) -> None:
        """Apply a rule that declares whether a sensor is a counter."""
        group, _ = self._members[slot]
        if self._paces.declare(slot, counter=group.profile.counter):
            self._forget(slot)

    def _forget(self, slot: int) -> None:
        """Discard what was learned of a sensor's values because the detectors' input changes."""
        group, row = self._members[slot]
        group.forget_values(row)
        self._levels.clear_row(slot)
        self._tracking.forget_past(slot)

    def _follow_up(self, found: Sequence[Finding], slots: Rows, *columns: Any) -> None:
        """Apply what these readings have shown: sensors that became counters or gauges, and those that returned."""
        place = dict(zip(np.atleast_1d(slots).tolist(), range(np.size(slots)), strict=True))
        for slot, fell_to in found:
            value, *others = (np.atleast_1d(each)[place[slot]].item() for each in columns)
            if fell_to is None:
                self._learn_anew(slot, value, *others)
            else:
                self._tell(slot, fell_to, *others)

    def _is_fault(self, slot: int, value: float, time: float) -> bool:
        """Whether a sensor rises at another pace since its incident began, for less time than it was known before.

        Were it a counter at once, its pace would be learned from the fault, and nothing would be wrong any more.
        """
        tracker = self._tracking.trackers.get(slot)
        incident = None if tracker is None or not tracker.state.holds_open else tracker.incident
        if incident is None or incident.extent is None:
            return False
        usual, first, lasted = incident.extent.yardstick, incident.extent.first_value, time - incident.started
        before = self._tracking.ranges.age(slot, incident.started)
        if not before >= LEAST_KNOWN_S or lasted >= min(before, LONGEST_FAULT_S):
            return False
        now, then = (value - first) * before, (usual.high - usual.low) * lasted
        return now > ANOTHER_PACE * then or then > ANOTHER_PACE * now

    def _learn_anew(self, slot: int, value: float, time: float, position: int, clock: float) -> None:
        """Forget a sensor's values, also in comparison with its peers, and end its incident."""
        self._forget(slot)
        self._peers.adopt(slot)
        self._statistics.exceeding[slot] = 0
        tracker = self._tracking.trackers.get(slot)
        if tracker is None or tracker.incident is None:
            return
        differed = tracker.incident.deviation is not None
        tracker.incident.deviation = None
        if (tracker.state.holds_open or differed) and tracker.state is not State.SILENT:
            becomes = COUNTER if self._paces.per[slot] > 0 else GAUGE
            self._step(slot, MachineInput.DECLARED_NORMAL, value, time, position, clock, becomes)

    def _tell(self, slot: int, fell_to: float, time: float, position: int, clock: float) -> None:
        """Report a counter that returned from a fall: the reading in between was an error value."""
        self._step(slot, MachineInput.NO_VALUE, fell_to, time, position, clock)

    def _step(
        self,
        slot: int,
        signal: MachineInput,
        value: float,
        time: float,
        position: int,
        clock: float,
        becomes: str = "",
    ) -> None:
        level = float(self._members[slot][0].profile.level_at(self._statistics.interval[[slot]])[0])
        observation = Observation(time, value, level, [], becomes=becomes)
        self._tracking.step(slot, signal, observation, (position, 1, 0.0, slot), clock)
