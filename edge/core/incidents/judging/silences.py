"""Silences: handles deadlines that pass, and reports them."""

from __future__ import annotations

import numpy as np

from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.state_table import MachineInput
from edge.core.model.readings.elapsed_time import ElapsedTime
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.profiles import Group
from edge.core.scoring.sensors.absence import Absence
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

SILENCES = 4
"""Maximum number of reports of a silence: when it becomes too long, and each time it has doubled."""


class Silences:
    """Finds sensors that have been silent for too long.

    Args:
        members: The group of each sensor, and its row there, by slot.
        statistics: Holds the deadlines.
        tracking: Notified of silences.
        absence: While it is catching up, no silence is reported.
    """

    def __init__(
        self,
        members: list[tuple[Group, int]],
        statistics: SensorStatistics,
        tracking: IncidentTracker,
        absence: Absence,
    ) -> None:
        self._members = members
        self._statistics = statistics
        self._tracking = tracking
        self._absence = absence

    def is_any(self, until: float) -> bool:
        """Whether `find()` would report anything."""
        return not self._absence.is_catching_up and bool(self._statistics.overdue(until))

    def find(self, until: float, passage: ElapsedTime | None) -> None:
        """Report the silences of all sensors up to stream clock `until`."""
        for slot in self._statistics.overdue(until) if not self._absence.is_catching_up else ():
            self.pass_deadlines(slot, until, passage, 0 if passage is None else len(passage.latest))

    def pass_deadlines(self, slot: int, until: float, passage: ElapsedTime | None, last: int) -> None:
        """Report a sensor's silence, and each doubling of it, up to stream clock `until` at reading `last`."""
        statistics = self._statistics
        if self._absence.is_catching_up:
            return
        while (deadline := float(statistics.deadline[slot])) < until:
            position = 0 if passage is None else passage.place(slot, deadline, last)
            if position is None:
                return
            group, silences = self._members[slot][0], int(statistics.silences[slot])
            level = float(group.profile.level_at(statistics.interval[[slot]])[0])
            name = group.silence or "silence"
            opinion = Opinion(name, "missing", min(level * 2.0**silences, 300.0), level=level)
            observation = Observation(deadline, float(statistics.value[slot]), level, [opinion])
            statistics.silences[slot] = silences + 1
            again = deadline + (deadline - float(statistics.seen[slot]))
            statistics.deadline[slot] = again if silences + 1 < SILENCES else np.inf
            self._tracking.step(slot, MachineInput.SILENCE, observation, (position, 0, deadline, slot), deadline)
