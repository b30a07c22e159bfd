"""The engine: scores every reading of a batch with its sensor's detectors, and tracks the resulting incidents.

It processes a batch round by round, so that whole arrays are scored at once, and passes the few readings that matter to
the sensors' state machines. Batching doesn't affect the result: a finding carries the position of the reading that
caused it, and findings are sorted by it.

A device is monitored like a sensor, by the combined values of its sensors: once a batch's readings are scored, so are
the rows that they form. Its value is its distance from the ordinary in units of the largest usual distance.

Silence is measured by the stream clock from a sensor's last reading on, so that a replay gives the live result and a
slow clock isn't silence. In live operation, `tick()` advances the clock while nothing arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from functools import partial

import numpy as np

from detectors.numeric.arrays import Floats, Slots
from detectors.numeric.gather import Familiar
from detectors.state import StateTable
from edge.core.incidents.availability import Availability
from edge.core.incidents.incident import Incident
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.incident_tracker import IncidentTracker
from edge.core.incidents.judging.counter_readings import CounterReadings
from edge.core.incidents.judging.error_readings import ErrorReadings
from edge.core.incidents.judging.level_check import LevelCheck
from edge.core.incidents.judging.peer_comparisons import PeerComparisons
from edge.core.incidents.judging.silences import Silences
from edge.core.incidents.state_machine import StateMachine
from edge.core.incidents.state_table import MachineInput, State
from edge.core.model.readings.elapsed_time import ElapsedTime
from edge.core.model.readings.messages import Batch
from edge.core.model.readings.rounds import Round, rounds, wide_rounds
from edge.core.model.readings.stream_clock import StreamClock
from edge.core.model.sensors.no_values import NoValues
from edge.core.scoring.devices import Devices, Rows
from edge.core.scoring.errors.error_values import ORDINARY, ErrorValues
from edge.core.scoring.levels.alarm_levels import AlarmLevels
from edge.core.scoring.opinions import Observation
from edge.core.scoring.paces import Paces
from edge.core.scoring.peers.peers import Peers
from edge.core.scoring.profiles import EVERYONE, Group, Profile
from edge.core.scoring.sensors.absence import Absence
from edge.core.scoring.sensors.membership import Membership
from edge.core.scoring.sensors.sensor_statistics import SensorStatistics

WIDE = 10
"""Minimum number of readings in a round for which arrays are faster than single readings."""

EVERY = slice(None)
"""All positions in a batch."""

AFTER_A_CUT = 64
"""Number of readings processed together after a batch was split; it doubles each time that no split is needed."""


class Engine:
    """All sensors: their learned state and their incidents.

    Args:
        profile_of: Returns the profile of a sensor by slot; called when a slot is occupied.
        devices: Knows which sensors form a device.
        no_values: Configured error values.

    Attributes:
        membership: Location of each sensor's detector state.
        level_check: Compares scores with levels; its observer is called after every round.
    """

    def __init__(
        self,
        profile_of: Callable[[int], Profile],
        devices: Devices | None = None,
        no_values: NoValues | None = None,
    ) -> None:
        self.membership = Membership(profile_of)
        self.members = self.membership.members
        self.statistics = SensorStatistics()
        self.levels = AlarmLevels()
        self.tracking = IncidentTracker(self.members, self.statistics, self.levels)
        self.absence = Absence(self.statistics)
        self.silences = Silences(self.members, self.statistics, self.tracking, self.absence)
        self.devices = devices if devices is not None else Devices()
        self.availability = Availability(self.devices, self.statistics, self.tracking)
        self.error_values = ErrorValues(NoValues() if no_values is None else no_values)
        self.paces = Paces()
        self.peers = Peers()
        self.comparisons = PeerComparisons(self.peers, self.statistics, self.paces, self.tracking)
        self.level_check = LevelCheck(self.statistics, self.levels, self.tracking, self.paces, self.devices)
        strange = partial(self.level_check.check, strange=True)
        self._counters = CounterReadings(
            self.members, self.paces, self.statistics, self.levels, self.tracking, self.peers
        )
        self._errors = ErrorReadings(
            self.members,
            self.error_values,
            self.statistics,
            self.levels,
            self.tracking,
            self.paces,
            self._counters.see_strange,
            strange,
        )
        self.clock = StreamClock()
        self._order, self._places = self.membership.order, self.membership.places
        self._familiar = Familiar()

    @property
    def trackers(self) -> dict[int, StateMachine]:
        """The state machines not in their initial state, by slot."""
        return self.tracking.trackers

    @property
    def open_incidents(self) -> dict[int, Incident]:
        """The open incidents, by slot."""
        return self.tracking.open_incidents

    def grow(self, sensors: int) -> None:
        """Make room for `sensors` in all, and look up the profile of each new one."""
        first = len(self.members)
        if sensors <= first:
            return
        self.membership.grow(sensors)
        self.tracking.grow(sensors)
        self.statistics.grow(sensors)
        self.statistics.seen[first:sensors] = 0.0  # spare rows have moved along with the clock
        self.levels.grow(sensors)
        self.error_values.grow(sensors)
        self.paces.grow(sensors)
        self.peers.grow(sensors)
        for slot in range(first, sensors):
            self.declare_counter(slot)
        self.devices.grow(sensors)

    def declare_counter(self, slot: int) -> None:
        """Apply a rule that declares whether a sensor is a counter. If it isn't, its pace is discarded."""
        self._counters.declare(slot)

    @property
    def ordered_groups(self) -> list[Group]:
        """The groups in order of creation."""
        return self._order

    def group_numbers(self, first: int, last: int) -> Slots:
        """Index in `ordered_groups` of each sensor's group in the range `first` to `last` (exclusive), shape (n,)."""
        return self._places.group[first:last]

    def tables(self) -> list[list[StateTable]]:
        """The state of each group's detectors, with groups in order of creation."""
        return [group.tables for group in self._order]

    def clock_stepped(self, by: float, slots: Slots) -> None:
        """Handle a step of the clock that timestamps the readings of the sensors at `slots`.

        After a forward step the stream clock follows by itself. After a backward step it goes back, unless other
        sensors confirm it. Either way the step makes no silence longer or shorter.
        """
        statistics = self.statistics
        self.devices.shift(slots, by)
        slots = np.concatenate([slots, self.devices.devices_of(slots.tolist())]).astype(np.intp)
        statistics.time[slots] += by
        self.levels.shift(slots, by)
        self.error_values.shift(slots, by)
        self.paces.shift(slots, by)
        self.peers.restart()
        self.tracking.shift(slots, by)
        for slot in slots.tolist():
            group, row = self.members[slot]
            group.shift(row, by)
        shift = by
        if by < 0:
            seen = statistics.time[: len(self.members)][statistics.count[: len(self.members)] > 0]
            latest = float(seen.max()) if len(seen) else self.clock.now
            shift = min(0.0, latest - self.clock.now) if np.isfinite(self.clock.now) else 0.0
            self.clock.now += shift
            self.clock.ahead_time += by
        statistics.shift_deadlines(shift)
        self.absence.clock_stepped(shift, min(0.0, by))

    def wait_for_everyone(self) -> None:
        """Measure silence from each sensor's next reading on, because the inputs have changed."""
        self.statistics.deadline[:] = np.inf

    def protect(self, slots: Iterable[int]) -> None:
        """Disable learning for these sensors and enable it for all others."""
        self.tracking.protect(slots)

    def adopt(self, slot: int, time: float) -> list[IncidentChange]:
        """Declare a sensor's present state normal: end its open incident, except broken limits, and learn the state.

        Does nothing if only limits and named error values hold the incident open, since these don't depend on what is
        normal. A detected error value becomes a real value.
        """
        (group, row), tracker = self.members[slot], self.trackers[slot]
        incident = tracker.incident
        assert incident is not None  # noqa: S101 - the caller has looked
        if incident.error is not None and self.error_values.is_found(slot, incident.error):
            self.error_values.pardon(slot, incident.error)
            incident.error = None
        if incident.deviation is not None:
            self.peers.adopt(slot)
            incident.deviation = None
        if tracker.state is State.SILENT:
            group.forget_silence(row)
            self.statistics.deadline[slot] = np.inf
        elif tracker.state.holds_open:
            group.adopt(row, float(self.statistics.value[slot]))
        observation = Observation(
            max(time, incident.last.time), float(self.statistics.value[slot]), incident.threshold, []
        )
        self.tracking.step(slot, MachineInput.DECLARED_NORMAL, observation, (0, 1, 0.0, slot), time)
        return self.tracking.take_findings()

    def process(self, batch: Batch) -> list[IncidentChange]:
        """Score and learn from a batch; returns the findings in the order of the readings.

        Args:
            batch: Admitted readings: the times of each sensor advance. `grow()` must have made room for the slots.
        """
        findings: list[IncidentChange] = []
        most = len(batch)
        while len(batch):
            piece = self.availability.apart(batch if most >= len(batch) else batch.take(np.arange(most)))
            taken = self._process_first(piece)
            findings += self.tracking.take_findings()
            if taken == len(batch):
                break
            most = AFTER_A_CUT if taken < len(piece) else 2 * most
            batch = batch.take(np.arange(taken, len(batch)))
        return findings

    def hear(self, slots: Slots) -> None:
        """Record readings that weren't admitted: nothing is learned, but their sensors aren't silent."""
        latest = self.clock.latest
        if len(slots) == 0 or np.isinf(latest):  # the latter in a recovery that hasn't loaded the clock yet
            return
        slots = np.unique(np.concatenate([slots, self.devices.devices_of(slots.tolist())]).astype(np.intp))
        self.statistics.put_off(slots, np.maximum(0.0, latest - self.statistics.seen[slots]), latest)

    def is_anyone_silent(self, clock: float) -> bool:
        """Whether `tick()` would have an effect."""
        return self.silences.is_any(clock - self.absence.leap_s)

    def tick(self, clock: float) -> list[IncidentChange]:
        """Find the sensors that are silent for too long once the stream clock has reached `clock`."""
        self.silences.find(clock - self.absence.leap_s, None)
        return self.tracking.take_findings()

    def _process_first(self, batch: Batch) -> int:
        """Process a batch up to the reading that begins the next piece; returns the number of readings processed.

        A piece begins where the clock skips a lead, where an absence ends, and where sensors are compared.
        """
        if self.absence.is_awaited:
            waiting = self.absence.readings_before_end(batch, self.clock)
            batch = batch.take(np.arange(waiting)) if waiting else batch
        earlier = copy(self.clock)
        clock = self.clock.advance(batch.slots, batch.times)
        compares = self.comparisons.is_due(clock)
        if len(batch) > 1:
            cut = next((each.place for each in self.clock.skips if each.place), len(batch))
            cut = min(cut, self.comparisons.readings_before_next(clock, compares=compares))
            cut = 1 if self.absence.goes_on_at(float(clock[0])) else cut
            if cut < len(batch):
                batch = batch.take(np.arange(cut))
                clock = self.clock.stand_as(earlier).advance(batch.slots, batch.times)
        if batch.quiet_until is not None:
            self.silences.find(float(batch.quiet_until[0]), None)
        is_confirmed = int(batch.slots[0]) != earlier.ahead
        self.absence.forgive(self.clock.skips, earlier.now, float(clock[0]), is_confirmed=is_confirmed)
        if compares:
            self.silences.find(float(clock[0]), None)
            self.comparisons.compare(float(clock[0]))
        passage = ElapsedTime(batch, clock)
        self.tracking.latest = passage.latest
        if self.availability.says(batch):
            self.silences.find(float(passage.latest[-1]), passage)
            self.availability.take(batch, float(clock[0]), self.clock.latest)
            return 1
        wide, rest = wide_rounds(batch.slots, WIDE) if len(batch) >= WIDE else ([], EVERY)
        with np.errstate(all="ignore"):
            for positions in wide:
                self._process_round(positions, batch, clock, passage)
            self._process_singly(rest, batch, clock, passage)
        rows = self.devices.assemble(self._errors.without(batch))
        if rows is not None:
            for chosen in rounds(rows.slots):
                self._process_rows(rows, chosen, clock)
        self.silences.find(float(passage.latest[-1]), passage)
        return len(batch)

    def _process_singly(self, positions: Slots | slice, batch: Batch, clock: Floats, passage: ElapsedTime) -> None:
        """Score readings one by one, if there are too few for arrays to be faster."""
        columns = [each[positions].tolist() for each in (batch.slots, batch.values, batch.times, clock)]
        places = range(len(batch)) if isinstance(positions, slice) else positions.tolist()
        for slot, value, time, now, position in zip(*columns, places, strict=True):
            self._process_one(slot, value, time, position, now, passage)

    def _process_one(
        self, slot: int, value: float, time: float, position: int, now: float, passage: ElapsedTime
    ) -> None:
        if self.statistics.at(slot)["deadline"][slot] < passage.latest[position]:
            self.silences.pass_deadlines(slot, float(passage.latest[position]), passage, position)
        kind = self._errors.judge_one(slot, value, time)
        if kind == ORDINARY:
            if self.tracking.at(slot)["tracked"][slot]:
                self.tracking.returned(slot, value, time, position, now)
            now = max(now, time)
            seen = self._counters.see(slot, value, time, position, now)
            self.statistics.record(slot, value, time, now)
            self.peers.take(slot, seen, time)
            group, row = self.members[slot]
            self._score_one(group, Round(slot, row, value, time, position, now, seen))
        else:
            self._errors.take(kind, slot, value, time, position, now)

    def _score_one(self, group: Group, reading: Round) -> None:
        held = self.tracking.learns_nothing(reading.slots)
        waited = self.statistics.at(reading.slots)["waited"][reading.slots]
        verdicts = group.update_one(reading.rows, reading.values, reading.seen, reading.times, waited, held=held)
        self.level_check.check(group, reading, verdicts)

    def _process_round(self, positions: Slots, batch: Batch, clock: Floats, passage: ElapsedTime) -> None:
        statistics, tracking = self.statistics, self.tracking
        slots, now, latest = self._familiar(batch.slots[positions]), clock[positions], passage.latest[positions]
        values, times = batch.values[positions], batch.times[positions]
        for index in np.flatnonzero(statistics.deadline[slots] < latest):
            self.silences.pass_deadlines(int(slots[index]), float(latest[index]), passage, int(positions[index]))
        kinds = self._errors.judge(slots, values, times)
        if kinds is not None:
            for index in np.flatnonzero(kinds):
                columns = (kinds, slots, values, times, positions, now)
                self._errors.take(*(each[index].item() for each in columns))
            ordinary = np.flatnonzero(kinds == ORDINARY)
            slots, values, times, now = slots[ordinary], values[ordinary], times[ordinary], now[ordinary]
            positions = positions[ordinary]
        for index in np.flatnonzero(tracking.tracked[slots]) if tracking.trackers else ():
            reading = float(values[index]), float(times[index])
            tracking.returned(int(slots[index]), *reading, int(positions[index]), float(now[index]))
        now = np.maximum(now, times)
        seen = self._counters.see(slots, values, times, positions, now)
        statistics.record(slots, values, times, now)
        self.peers.take(slots, seen, times)
        for group, part in self._places.by_group(slots, self._order):
            mine = slots if part is EVERYONE else slots[part]
            rows = group.familiar(self._places.row[mine])
            given = values[part]
            readings = Round(
                mine, rows, given, times[part], positions[part], now[part], given if seen is values else seen[part]
            )
            if len(mine) < WIDE:
                for place in range(len(mine)):
                    self._score_one(group, readings.at(place))
            else:
                held, waited = tracking.learns_nothing(mine), statistics.waited[mine]
                verdicts = group.update(rows, given, readings.seen, readings.times, waited, held)
                self.level_check.check(group, readings, verdicts)

    def _process_rows(self, rows: Rows, chosen: Slots, clock: Floats) -> None:
        slots, times, positions = rows.slots[chosen], rows.times[chosen], rows.positions[chosen]
        now = np.maximum(clock[positions], times)
        for group, part in self._places.by_group(slots, self._order):
            mine, values = slots[part], group.fitting(rows.values[chosen][part])
            held = self.tracking.learns_nothing(mine)
            verdicts = group.update(self._places.row[mine], values, values, times[part], now[part], held)
            distances = group.distances(verdicts)
            self.statistics.record(mine, distances, times[part], now[part])
            columns = times[part], positions[part], now[part], distances
            readings = Round(mine, self._places.row[mine], distances, *columns)
            self.level_check.check(group, readings, verdicts)
