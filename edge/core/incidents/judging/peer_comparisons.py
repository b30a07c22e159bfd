"""Comparisons with peers, as findings about sensors."""

from __future__ import annotations

from dataclasses import replace

from detectors.numeric.arrays import Floats
from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.state_table import MachineInput
from edge.core.scoring.paces import Paces
from edge.core.scoring.peers.deviation import PeerNews
from edge.core.scoring.peers.peers import Peers
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

INPUTS = {
    PeerNews.DIFFERS: MachineInput.DIFFERS,
    PeerNews.AGREES: MachineInput.AGREES,
    PeerNews.ADOPTED: MachineInput.PEERS_ADOPTED,
}


class PeerComparisons:
    """Passes on what comparisons find.

    Args:
        peers: Compares the sensors.
        statistics: Statistics of the sensors.
        paces: Knows which sensors are compared by their paces.
        tracking: Notified of sensors that differ from their peers.
    """

    def __init__(self, peers: Peers, statistics: SensorStatistics, paces: Paces, tracking: IncidentTracker) -> None:
        self._peers = peers
        self._statistics = statistics
        self._paces = paces
        self._tracking = tracking

    def is_due(self, clock: Floats) -> bool:
        """Whether the first of some readings comes after the end of a window, by the stream clock after each."""
        return self._peers.readings_before_end(clock[:1]) == 0

    def readings_before_next(self, clock: Floats, *, compares: bool) -> int:
        """Number of readings before the next comparison, or all; not counting one before the first reading."""
        return self._peers.readings_before_end(clock, after=float(clock[0]) if compares else None)

    def compare(self, clock: float) -> None:
        """Compare all sensors at the end of a window, which the stream clock has reached."""
        tracking, moved = self._tracking, self._tracking.adoptions.have_moved(clock)
        for each in self._peers.compare(clock, tracking.protected, tracking.held, moved):
            slot, statistics = each.slot, self._statistics
            if each.news is not PeerNews.DIFFERS and not self._tracking.differs_from_peers(slot):
                continue
            time = max(self._peers.ended, float(statistics.time[slot]))
            observation = self._tracking.bare(slot, float(statistics.value[slot]), time)
            if each.deviation is not None:
                observation.deviation = replace(each.deviation, per=float(self._paces.per[slot]))
            self._tracking.step(slot, INPUTS[each.news], observation, (0, 1, 0.0, slot), time)
