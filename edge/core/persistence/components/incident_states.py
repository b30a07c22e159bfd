"""Incident states: each sensor's incident as a component of a snapshot, and open incidents rebuilt from their events.

Incidents must survive unreadable state, because subscribers know that they are open. Each state machine is therefore
decoded on its own, and one in another version's encoding is rebuilt from the last event of its incident, which contains
nearly as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from detectors.state import StateError
from edge.core.incidents.events.event import Event
from edge.core.incidents.incident import ERROR_KIND, PEERS_KIND, Evidence, Incident, Peak
from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.state_machine import StateMachine
from edge.core.incidents.state_table import State
from edge.core.model.packing.encoding import decode, encode
from edge.core.operator.shelves import Shelves
from edge.core.scoring.opinions import Observation, Opinion
from edge.core.scoring.peers.deviation import PeerDeviation


class _Rows(msgspec.Struct, array_like=True, frozen=True):
    count: int
    trackers: dict[int, msgspec.Raw]
    untold: list[int] = []


class _PublishedDetector(msgspec.Struct):
    name: str
    score: float
    since: datetime


class _PublishedPeak(msgspec.Struct):
    value: float
    score: float
    time: datetime


class _PublishedData(msgspec.Struct):
    kind: str
    severity: int
    threshold: float
    value: float
    detectors: list[_PublishedDetector]
    started: datetime
    last: datetime
    peak: _PublishedPeak
    count: int
    acknowledged: bool = False


class _PublishedEvent(msgspec.Struct):
    id: str
    time: datetime
    data: _PublishedData


class IncidentStates:
    """The state machines not in their initial state, and the unpublished incidents.

    Args:
        tracking: Holds the state machines, by slot.
        shelving: Knows which incidents are unpublished.
    """

    def __init__(self, tracking: IncidentTracker, shelving: Shelves) -> None:
        self._tracking = tracking
        self._shelving = shelving

    def state(self, first: int, last: int) -> bytes:
        """The state machines of the slots in the range `first` to `last` (exclusive), for `load()`."""
        trackers = self._tracking.trackers
        slots = [slot for slot in trackers if first <= slot < last]
        encoded = {slot: msgspec.Raw(encode(trackers[slot])) for slot in sorted(slots)}
        return encode(
            _Rows(last - first, encoded, sorted(each for each in self._shelving.untold if first <= each < last))
        )

    def load(self, first: int, state: bytes) -> None:
        """Load the state machines of the slots from `first` on. Unreadable ones are skipped.

        Raises:
            StateError: None of them can be read.
        """
        saved = decode(state, _Rows)
        slots = range(first, first + saved.count)
        trackers = {slot: _readable(each) for slot, each in saved.trackers.items()}
        self._tracking.put(slots, {slot: each for slot, each in trackers.items() if each is not None})
        self._shelving.untold.difference_update(slots)
        self._shelving.untold.update(saved.untold)

    def reopen(self, last_events: Iterable[tuple[int, Event]]) -> list[int]:
        """Rebuild missing open incidents from their last published events.

        Args:
            last_events: Slots with the last event of their open incident.

        Returns:
            The slots whose incidents were rebuilt.
        """
        rebuilt = {}
        for slot, event in last_events:
            tracker = self._tracking.trackers.get(slot)
            if tracker is None or tracker.incident is None:
                rebuilt[slot] = tracker_of(event)
        for slot, tracker in rebuilt.items():
            self._tracking.put([slot], {slot: tracker})
        return list(rebuilt)


def tracker_of(event: Event) -> StateMachine:
    """The state machine of an open incident, from its last published event."""
    published_event = msgspec.json.decode(event.payload, type=_PublishedEvent)
    data, time = published_event.data, published_event.time.timestamp()
    evidence = {each.name: Evidence(each.score, each.since.timestamp()) for each in data.detectors}
    opinions = [Opinion(each.name, data.kind, each.score, level=data.threshold) for each in data.detectors]
    peak = Peak(data.peak.value, data.peak.score, data.peak.time.timestamp())
    started = data.started.timestamp()
    last = Observation(data.last.timestamp(), data.value, data.threshold, opinions)
    published = int(published_event.id.removeprefix(f"{event.incident}-").partition("-")[0]) + 1
    incident = Incident(
        started, data.kind, last, peak, evidence, count=data.count, published=published, severity=data.severity,
        updated=time, acknowledged=data.acknowledged,
    )  # fmt: skip
    if data.kind == ERROR_KIND:
        incident.error, incident.errors, incident.learned_kind = data.value, data.count, ""
        return StateMachine(State.NORMAL, incident, since=started)
    if data.kind == PEERS_KIND:
        incident.deviation, incident.apart = PeerDeviation(1.0, 1.0, 1.0, True, 0, 0.0, started), data.severity
        incident.learned_kind = ""
        return StateMachine(State.NORMAL, incident, since=started)
    state = State.SILENT if data.kind == "missing" else State.OPEN
    return StateMachine(state, incident, since=started)


def _readable(tracker: msgspec.Raw) -> StateMachine | None:
    try:
        read: StateMachine = decode(bytes(tracker), StateMachine)
    except StateError:
        return None
    return read
