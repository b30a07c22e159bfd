"""The incident tracker: every sensor's state machine, fed with opinions, and the incident changes that result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from detectors.numeric.arrays import Floats, Rows
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import MachineInput, State, StateMachine, Transition
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.opinions import Observation
from edge.core.scoring.profiles import Group
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

LEAST_PATIENCE_S = 3600.0
LIFE_SHARE = 1 / 6
"""A level is adopted after this share of a sensor's life, an hour at least and `adopt_after_s` at most: of a sensor
that has hardly been seen, what is new may well be normal."""

ENDURING_SHARE = 1 / 2
"""What endures and is no level, such as a value that is stuck, is adopted when it has lasted for this share of it: for
as long as the sensor had been known otherwise."""

Order = tuple[int, int, float, int]
"""Where a finding stands among those of a batch."""


class IncidentTracker(SensorArrays):
    """The state machines, and which sensors they concern.

    Args:
        members: The group of each sensor, and its row there, by slot.
        statistics: Of the sensors.
        levels: Are told of the incidents that scores raise.

    Attributes:
        trackers: The state machines that aren't in their first state, by slot.
        tracked: Which sensors have one.
        held: Of which sensors nothing is learned, as an incident is open.
        protected: Of which nothing is learned, as the operator says so.
        latest: How far time had passed at each reading of the batch that is gone through, shape (n,).
    """

    def __init__(self, members: list[tuple[Group, int]], statistics: SensorStatistics, levels: AlarmLevels) -> None:
        self.trackers: dict[int, StateMachine] = {}
        self.tracked = np.zeros(0, dtype=bool)
        self.held = np.zeros(0, dtype=bool)
        self.protected = np.zeros(0, dtype=bool)
        self._members = members
        self._statistics = statistics
        self._levels = levels
        self._chosen: frozenset[int] = frozenset()
        self._findings: list[IncidentChange] = []
        self.latest: Floats | None = None

    @property
    def open_incidents(self) -> dict[int, Incident]:
        """The open incidents, by slot."""
        return {slot: each.incident for slot, each in self.trackers.items() if each.incident is not None}

    def put(self, slots: Iterable[int], trackers: Mapping[int, StateMachine]) -> None:
        """Go on with other state machines of some sensors; those that have none are in their first state."""
        for slot in slots:
            tracker = trackers.get(slot)
            if tracker is not None:
                self.trackers[slot] = tracker
            else:
                self.trackers.pop(slot, None)
            self.tracked[slot] = tracker is not None
            self.held[slot] = tracker is not None and tracker.incident is not None

    def protect(self, slots: Iterable[int]) -> None:
        """Learn nothing of these sensors from here on, and of all others again."""
        chosen = frozenset(slots)
        if chosen is not self._chosen and chosen != self._chosen:
            self._chosen = chosen
            self.protected[:] = False
            self.protected[list(chosen)] = True

    def learns_nothing(self, slots: Rows) -> Any:
        """Of which sensors, or whether of a single one, nothing is learned now."""
        state = self.at(slots)
        return state["held"][slots] | state["protected"][slots]

    def tracker(self, slot: int) -> StateMachine:
        """The state machine of a sensor, which must be moved on next."""
        tracker = self.trackers.get(slot)
        if tracker is None:
            tracker = self.trackers[slot] = StateMachine()
        return tracker

    def take_findings(self) -> list[IncidentChange]:
        """What was found since the last call, in the order of the readings."""
        findings, self._findings = self._findings, []
        findings.sort(key=lambda each: each.order)
        if self.latest is not None:
            for each in findings:
                if each.order[1]:
                    each.passed = float(self.latest[each.order[0]])
            self.latest = None
        return findings

    def judge(self, slot: int, observation: Observation, position: int, clock: float) -> None:
        """Move a sensor on by a reading that exceeds its level, or matters as an incident is open.

        Args:
            slot: The sensor's.
            observation: The reading, and what detectors say of it.
            position: Of the reading in its batch.
            clock: What the stream clock says.
        """
        group, row = self._members[slot]
        settings, tracker = group.profile.incidents, self.tracker(slot)
        if tracker.state is State.SILENT:  # a device that says that it is gone; of sensors a reading ends it first
            return
        is_beyond = tracker.has_limits or bool(observation.broken)
        if self.protected[slot] or is_beyond:  # what is ruled out is never on its way to be adopted
            tracker.since = max(tracker.since, observation.time)
        involved = tracker.involved
        endures = observation.ratio_of(group.enduring) >= settings.clear_ratio
        lasted = tracker.state is not State.NORMAL and observation.time - tracker.steady_since >= self._patience(
            slot, settings.adopt_after_s, endures=endures
        )
        lingers = observation.ratio(involved) >= settings.clear_ratio
        ratio = observation.ratio(involved, group.lingering if tracker.may_linger else ())
        if ratio < settings.clear_ratio:
            signal = tracker.calm_signal(settings.clear_after, lingers=lingers)
        elif lasted:
            signal = MachineInput.ADOPTION
            if tracker.state.holds_open:
                group.adopt(row)
        else:
            signal = MachineInput.EXCEEDS if ratio >= 1.0 else MachineInput.HOLDS
        if signal is MachineInput.EXCEEDS and tracker.state is State.NORMAL and self._run(slot) < settings.raise_after:
            signal = MachineInput.HOLDS
        self.step(slot, signal, observation, (position, 2 if group.of_devices else 1, 0.0, slot), clock)

    def hold_against_limits(self, slot: int, observation: Observation, position: int, clock: float) -> None:
        """Move a sensor on by a reading of which nothing is said but which of the operator's limits it breaks."""
        tracker = self.tracker(slot)
        if tracker.has_limits or observation.broken:
            tracker.since = max(tracker.since, observation.time)
        self.step(slot, MachineInput.VALUE, observation, (position, 1, 0.0, slot), clock)

    def returned(self, slot: int, value: float, time: float, position: int, clock: float) -> None:
        """End a sensor's silence, if it was silent, and its error values, as a reading has come.

        A silence is a matter of when readings come: it ends now, however old the first one is that comes again.
        """
        tracker, order = self.trackers[slot], (position, 1, 0.0, slot)
        if tracker.has_error:
            self.step(slot, MachineInput.VALUE, self._bare(slot, value, time), order, clock)
        if tracker.state is State.SILENT:
            self.step(slot, MachineInput.RETURN, self._bare(slot, value, max(time, clock)), order, clock)

    def _bare(self, slot: int, value: float, time: float) -> Observation:
        """A reading of which nothing is said."""
        group, _ = self._members[slot]
        level = float(self._statistics.level[slot])
        if not level > 0:  # no reading has been scored yet
            level = float(group.profile.level_at(self._statistics.interval[[slot]])[0])
        return Observation(time, value, level, [])

    def _patience(self, slot: int, most_s: float, *, endures: bool) -> float:
        """After how many seconds what is there is adopted: a share of the time that the sensor has been watched for."""
        watched = float(self._levels.watched[slot])
        patience = min(most_s, max(LEAST_PATIENCE_S, LIFE_SHARE * watched))
        return max(patience, ENDURING_SHARE * watched) if endures else patience

    def _run(self, slot: int) -> int:
        """How many readings in a row have exceeded a sensor's level."""
        return int(self._statistics.exceeding[slot])

    def step(
        self,
        slot: int,
        signal: MachineInput,
        observation: Observation,
        order: Order,
        clock: float,
        sensors: Sequence[int] = (),
    ) -> None:
        """Move a sensor's state machine on; what comes of it will be a finding, and be about these sensors, too."""
        group, tracker = self._members[slot][0], self.tracker(slot)
        moved = tracker.step(signal, observation, group.profile.incidents, group.profile.wishes.weight)
        if tracker.is_idle:
            self.trackers.pop(slot, None)
        self.tracked[slot] = not tracker.is_idle
        self.held[slot] = tracker.incident is not None
        if moved is None:
            return
        transition, incident = moved
        by_score = signal is MachineInput.EXCEEDS and not self.protected[slot] and not observation.broken
        if transition is Transition.RAISED and by_score and not observation.is_strange:
            self._levels.raised(slot, [each.detector for each in observation.opinions if each.exceeds])
        number = incident.publish(observation.time)
        recent, summary = self._statistics.recent(slot), self._statistics.summary(slot)
        self._findings.append(
            IncidentChange(
                slot, transition, incident.snapshot(), number, observation, clock, recent, order, summary, list(sensors)
            )
        )
