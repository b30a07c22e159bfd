"""The incident tracker: feeds every sensor's state machine with opinions and collects the incident changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from config.schema import IncidentSettings
from detectors.numeric.arrays import Floats, Numbers, Rows, Slots
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.lasting.adoptions import Adoptions
from edge.core.incidents.lasting.course import OLD
from edge.core.incidents.lasting.habits import Habits
from edge.core.incidents.lasting.patience import KNOWN_S
from edge.core.incidents.lasting.recurrences import Recurrences
from edge.core.incidents.state_machine import ENDS, StateMachine, Transition
from edge.core.incidents.state_table import MachineInput, State
from edge.core.model.sensors.sensor_arrays import SensorArrays
from edge.core.scoring.consequence import UNKNOWN, IncidentExtent, Yardstick
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.opinions import OF_LEVELS, Observation, is_clear
from edge.core.scoring.profiles import Group
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics
from edge.core.scoring.sensors.usual_ranges import UsualRanges

Order = tuple[int, int, float, int]
"""Position of a finding within a batch."""


class IncidentTracker(SensorArrays):
    """The state machines of sensors.

    Args:
        members: The group of each sensor, and its row there, by slot.
        statistics: Statistics of the sensors.
        levels: Notified of incidents raised by scores.

    Attributes:
        trackers: State machines that aren't in their initial state, by slot.
        tracked: Whether each sensor has one.
        held: Whether nothing is learned of a sensor because an incident is open.
        protected: Whether nothing is learned of a sensor because the operator has disabled it.
        ranges: Usual range of each sensor.
        recurrences: Which sensors have incidents that come and go.
        adoptions: Where sensors were before a level was adopted.
        habits: What sensors do at the same hour each week or day.
        latest: Time that had passed at each reading of the current batch, shape (n,).
    """

    def __init__(self, members: list[tuple[Group, int]], statistics: SensorStatistics, levels: AlarmLevels) -> None:
        self.trackers: dict[int, StateMachine] = {}
        self.tracked = np.zeros(0, dtype=bool)
        self.held = np.zeros(0, dtype=bool)
        self.protected = np.zeros(0, dtype=bool)
        self.ranges = UsualRanges()
        self.recurrences = Recurrences()
        self.adoptions = Adoptions()
        self.habits = Habits()
        self._members = members
        self._statistics = statistics
        self._levels = levels
        self._chosen: frozenset[int] = frozenset()
        self._findings: list[IncidentChange] = []
        self.latest: Floats | None = None

    @property
    def open_incidents(self) -> dict[int, Incident]:
        """The open incidents that are reported, by slot."""
        found = ((slot, each.incident) for slot, each in self.trackers.items())
        return {slot: each for slot, each in found if each is not None and not each.is_habit}

    def grow(self, sensors: int) -> None:
        """Make room for `sensors` in all."""
        self.grow_to(sensors)
        self.ranges.grow(sensors)
        self.recurrences.grow(sensors)
        self.adoptions.grow(sensors)
        self.habits.grow(sensors)

    def put(self, slots: Iterable[int], trackers: Mapping[int, StateMachine]) -> None:
        """Replace the state machines of sensors; those not in `trackers` return to their initial state."""
        for slot in slots:
            tracker = trackers.get(slot)
            if tracker is not None:
                self.trackers[slot] = tracker
            else:
                self.trackers.pop(slot, None)
            self.tracked[slot] = tracker is not None
            self.held[slot] = tracker is not None and not tracker.learns

    def protect(self, slots: Iterable[int]) -> None:
        """Disable learning for these sensors and enable it for all others."""
        chosen = frozenset(slots)
        if chosen is not self._chosen and chosen != self._chosen:
            self._chosen = chosen
            self.protected[:] = False
            self.protected[list(chosen)] = True

    def learns_nothing(self, slots: Rows) -> Any:
        """Whether learning is disabled for each sensor, or for a single one."""
        state = self.at(slots)
        return state["held"][slots] | state["protected"][slots]

    def tracker(self, slot: int) -> StateMachine:
        """The state machine of a sensor; the caller must advance it next."""
        tracker = self.trackers.get(slot)
        if tracker is None:
            tracker = self.trackers[slot] = StateMachine()
        return tracker

    def forget_past(self, slot: int) -> None:
        """Discard what is known of a sensor's usual range and of its earlier incidents."""
        self.ranges.clear_row(slot)
        self.recurrences.clear_row(slot)
        self.adoptions.clear_row(slot)
        self.habits.clear_row(slot)

    def differs_from_peers(self, slot: int) -> bool:
        """Whether a sensor's open incident says that it differs from its peers."""
        tracker = self.trackers.get(slot)
        return tracker is not None and tracker.incident is not None and tracker.incident.deviation is not None

    def take_findings(self) -> list[IncidentChange]:
        """The findings since the last call, in the order of the readings."""
        findings, self._findings = self._findings, []
        findings.sort(key=lambda each: each.order)
        if self.latest is not None:
            for each in findings:
                if each.order[1]:
                    each.passed = float(self.latest[each.order[0]])
            self.latest = None
        return findings

    def judge(self, slot: int, observation: Observation, position: int, clock: float) -> None:
        """Advance a sensor by a reading that exceeds its level, or that matters because an incident is open.

        Args:
            slot: Slot of the sensor.
            observation: The reading and the detectors' opinions.
            position: Position of the reading in its batch.
            clock: The stream clock.
        """
        group, _ = self._members[slot]
        settings, tracker = group.profile.incidents, self.tracker(slot)
        if tracker.state is State.SILENT:  # a device that reports itself offline; for sensors a reading ends it first
            return
        is_beyond = tracker.has_limits or bool(observation.broken)
        if self.protected[slot] or is_beyond:  # a condition that is ruled out is never on its way to be adopted
            tracker.postpone(observation.time)
        observation.endures = observation.ratio_of(group.enduring) >= settings.clear_ratio
        moves = observation.without_moments().ratio()
        if moves >= settings.clear_ratio:
            observation = self._beside_trend(slot, observation, settings)
            if tracker.incident is not None and tracker.incident.is_trend:  # what moves on is on its way to no level
                tracker.postpone(observation.time)
        signal = self._signal(slot, tracker, observation, moves)
        if signal is MachineInput.EXCEEDS and not tracker.state.holds_open:
            run = self._run(slot)
            is_sure = run >= settings.raise_after and is_clear(observation, run)
            if not is_sure or self._is_return(slot, observation):
                signal = MachineInput.HOLDS
        if signal is MachineInput.EXCEEDS and tracker.calm_s > 0 and tracker.incident is not None:
            calm_s, slides = observation.time - tracker.incident.last.time, tracker.incident.is_slide
            tracker.calm_s = self.recurrences.show(slot, calm_s, slides=slides)
        self.step(slot, signal, observation, (position, 2 if group.of_devices else 1, 0.0, slot), clock)

    def _signal(self, slot: int, tracker: StateMachine, observation: Observation, moves: float) -> MachineInput:
        """The signal of a reading; `moves` is the ratio of a trend's score to its raising level."""
        group, row = self._members[slot]
        settings = group.profile.incidents
        trend = tracker.incident if moves >= settings.clear_ratio else None
        ratio, outdated = self._ratio(group, tracker, observation)
        if trend is not None:
            ratio = max(ratio, moves)
        elif tracker.incident is not None and tracker.incident.is_mended(observation.value):
            ratio = 0.0
        if ratio < settings.clear_ratio and tracker.awaits_work(observation.time) and group.pauses(row):
            return MachineInput.HOLDS
        if ratio < settings.clear_ratio:
            lingers = observation.ratio() >= settings.clear_ratio
            signal = tracker.calm_signal(settings.clear_after, observation.time, lingers=lingers)
            if signal is not MachineInput.CALM and observation.ratio_of(outdated) >= settings.clear_ratio:
                group.relearn(row)  # it is over although averages from before it are surprised
            return signal
        is_due = tracker.has_lasted(observation, float(self._levels.watched[slot]), settings)
        if is_due and not (trend is not None and trend.is_trend):
            if tracker.state.holds_open:
                group.adopt(row, observation.value)
            if trend is None:
                return MachineInput.ADOPTION
            trend.is_trend = trend.adopted = True  # it is learned from now on
        return MachineInput.EXCEEDS if ratio >= 1.0 else MachineInput.HOLDS

    def _beside_trend(self, slot: int, observation: Observation, settings: IncidentSettings) -> Observation:
        """The observation of a sensor with a trend without what would raise no incident of its own, such as its end."""
        incident, others = self.trackers[slot].incident, observation.without_trends()
        if incident is not None and not incident.is_trend:
            return observation
        kinds = {each.kind for each in others.opinions if each.exceeds}
        returns = incident is not None and incident.is_mended(observation.value) and OF_LEVELS.issuperset(kinds)
        is_sure = self._run(slot) >= settings.raise_after and is_clear(others, self._run(slot))
        return observation if is_sure and not returns else observation.without_moments()

    @staticmethod
    def _ratio(group: Group, tracker: StateMachine, observation: Observation) -> tuple[float, Collection[str]]:
        """The ratio of score to raising level that counts for a sensor's state, and the detectors that are outdated.

        What an old incident has shown of a level counts no longer while the value is usual for its time of day, unless
        it began with a slide, which leads there slowly.
        """
        involved, outdated, incident = tracker.involved, frozenset[str](), tracker.incident
        if incident is not None and tracker.state.holds_open and incident.course.is_old and not incident.is_slide:
            evidence = frozenset(incident.evidence)
            if observation.is_usual_to(group.knowing_times & evidence):
                involved, outdated = evidence - group.of_levels, group.relearning
        return observation.ratio(involved, group.lingering if tracker.may_linger else (), outdated), outdated

    def _is_return(self, slot: int, observation: Observation) -> bool:
        """Whether a sensor leaves a level that was adopted for where it was before, which is learned anew."""
        kinds = {each.kind for each in observation.opinions if each.exceeds}
        was_left = np.isfinite(self.adoptions.left[slot])
        returns = self.adoptions.is_return(slot, observation.value, observation.time, kinds)
        if returns and not was_left:
            group, row = self._members[slot]
            group.adopt(row, observation.value)
        return returns

    def hold_against_limits(self, slot: int, observation: Observation, position: int, clock: float) -> None:
        """Advance a sensor by a reading without opinions, which only limits apply to."""
        tracker = self.tracker(slot)
        if tracker.has_limits or observation.broken:
            tracker.postpone(observation.time)
        self.step(slot, MachineInput.VALUE, observation, (position, 1, 0.0, slot), clock)

    def returned(self, slot: int, value: float, time: float, position: int, clock: float) -> None:
        """End a sensor's silence and error values, since a reading has arrived.

        Silence depends on arrival, so it ends now, however old the first returning reading is.
        """
        tracker, order = self.trackers[slot], (position, 1, 0.0, slot)
        if tracker.has_error:
            self.step(slot, MachineInput.VALUE, self.bare(slot, value, time), order, clock)
        self.resume(slot, time)
        if tracker.state is State.SILENT or tracker.was_told_silent:
            self.step(slot, MachineInput.RETURN, self.bare(slot, value, max(time, clock)), order, clock)

    def resume(self, slot: int, time: float) -> bool:
        """Prepare for a sensor's first reading after a silence that was too long; returns whether this is one."""
        is_first = bool(self._statistics.silences[slot] > 0)
        if is_first:
            group, row = self._members[slot]
            passed = max(time - float(self._statistics.time[slot]), 0.0)
            group.resume(row, passed)
            if group.knowing_times and passed > OLD * float(self._statistics.interval[slot]) > 0:
                group.relearn(row)  # an average from before is no forecast, and the course of the day is known
        return is_first

    def bare(self, slot: int, value: float, time: float) -> Observation:
        """A reading without opinions."""
        group, _ = self._members[slot]
        level = float(self._statistics.level[slot])
        if not level > 0:  # no reading has been scored yet
            level = float(group.profile.level_at(self._statistics.interval[[slot]])[0])
        return Observation(time, value, level, [])

    def learn_ranges(self, slots: Rows, values: Numbers, times: Numbers, apart: Any) -> None:
        """Learn what is usual from the readings of a round, no slot twice, or from a single one.

        Args:
            slots: Their sensors, shape (n,).
            values: Values, or paces, shape (n,).
            times: Times, shape (n,).
            apart: Which of them don't count as usual, shape (n,), or True for all.
        """
        news = self.ranges.stand_out(slots, values, times, apart)
        if news is False:
            return
        if type(slots) is int:
            if not self.held[slots]:
                self.ranges.learn(slots, values, times)
            return
        chosen = np.flatnonzero(news & ~self.held[slots])
        self.ranges.learn_all(slots[chosen], values[chosen], times[chosen])

    def shift(self, slots: Slots, by: float) -> None:
        """Move the times of some sensors by a number of seconds: the clock that stamps their readings was set."""
        self.ranges.shift(slots, by)
        self.recurrences.shift(slots, by)
        self.adoptions.shift(slots, by)
        self.habits.shift(slots, by)
        for slot in slots.tolist():
            tracker = self.trackers.get(slot)
            if tracker is not None and tracker.incident is not None:
                tracker.incident.course.shift(by)
                if tracker.incident.extent is not None:
                    tracker.incident.extent.shift(by)

    def _yardstick(self, slot: int, time: float) -> Yardstick:
        """The properties of a sensor before an incident begins."""
        group, _ = self._members[slot]
        interval = float(self._statistics.interval[slot])
        return self.ranges.yardstick(slot, time, interval, group.most_severe, is_device=group.of_devices)

    def _run(self, slot: int) -> int:
        """Number of consecutive readings that exceeded a sensor's level."""
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
        """Advance a sensor's state machine; a resulting finding concerns `sensors` too."""
        group, tracker = self._members[slot][0], self.tracker(slot)
        profile = group.profile
        yardstick = self._yardstick(slot, observation.time) if tracker.incident is None else UNKNOWN
        moved = tracker.step(signal, observation, profile.incidents, profile.preferences.weight, yardstick, clock)
        if tracker.is_idle:
            self.trackers.pop(slot, None)
        self.tracked[slot] = not tracker.is_idle
        self.held[slot] = not tracker.learns
        if moved is not None:
            self._note(slot, signal, observation, *moved)
        moved = self._reported(slot, signal, observation, moved)
        if moved is None:
            return
        transition, incident = moved
        number = incident.publish(observation.time)
        recent, summary = self._statistics.recent(slot), self._statistics.summary(slot)
        self._findings.append(
            IncidentChange(
                slot, transition, incident.snapshot(), number, observation, clock, recent, order, summary, list(sensors)
            )
        )

    def _note(
        self, slot: int, signal: MachineInput, observation: Observation, transition: Transition, incident: Incident
    ) -> None:
        """Note what the beginning or the end of an incident says about the next ones."""
        by_score = signal is MachineInput.EXCEEDS and not self.protected[slot] and not observation.broken
        if transition is Transition.RAISED and by_score and not observation.is_strange:
            self._levels.raised(slot, [each.detector for each in observation.opinions if each.exceeds])
            self.ranges.doubt(slot)
            calm_s = self.recurrences.begin(slot, observation.time, slides=incident.is_slide)
            self.tracker(slot).calm_s = calm_s if self._levels.watched[slot] >= KNOWN_S else 0.0
        extent = incident.extent
        if transition not in ENDS or extent is None or not extent.readings:
            return
        shown, is_adopted = incident.last.time, transition is Transition.EXPIRED
        self.recurrences.end(slot, shown, adopted=is_adopted)
        if is_adopted or incident.is_trend:
            known, before = float(self._levels.watched[slot]), extent.yardstick
            value = observation.value if is_adopted else before.farthest(extent.lowest, extent.highest)
            kinds = incident.conditions if is_adopted else ()
            self.adoptions.adopt(slot, value, observation.time, before, known, kinds)
        if not is_adopted:
            self.ranges.learn_incident(slot, extent.lasted, extent.lowest, extent.highest)
            what = (extent, incident.course, incident.conditions)
            self.habits.end(slot, incident.started, shown, *what, acted=incident.acknowledged)

    def _reported(
        self,
        slot: int,
        signal: MachineInput,
        observation: Observation,
        moved: tuple[Transition, Incident] | None,
    ) -> tuple[Transition, Incident] | None:
        """What is reported of an incident: nothing of a habit, and a new incident if it isn't one any more."""
        tracker = self.trackers.get(slot)
        transition, incident = moved or (None, None if tracker is None else tracker.incident)
        if incident is None or (transition is not Transition.RAISED and not incident.is_habit):
            return moved
        if transition in ENDS:
            return None
        may_be_habit = not incident.is_held_otherwise and not observation.is_silence
        if signal is not MachineInput.EXCEEDS and may_be_habit:
            return None if incident.is_habit else moved
        extent = incident.extent or IncidentExtent()
        incident.is_habit = may_be_habit and self.habits.covers(
            slot, incident.started, observation.time, observation.value, incident.conditions, extent
        )
        return None if incident.is_habit else (Transition.RAISED, incident)
