"""The engine: scores every reading of a batch with its sensor's detectors, and finds what is surprising.

It walks a batch round by round, so that whole arrays are scored at once, and hands the few readings that matter to the
sensors' trackers. How readings are cut into batches changes nothing: a finding carries the position of the reading
that caused it, and findings are put in that order.

A device is watched like a sensor, by what its sensors say together: once a batch's readings are scored, so are the rows
that they make. Its value is how many times as far from the ordinary a row is as is usual at most.

Silence is measured by the stream clock, from the moment of a sensor's last reading on, so that a replay finds the
silences that the live run found, and a sensor whose clock is slow isn't called silent. Live, while nothing arrives at
all, `tick()` says how far the clock would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Scores, Slots
from detectors.state import StateTable
from edge.core.calibration import Calibration
from edge.core.devices import Devices, Rows
from edge.core.finding import Finding
from edge.core.groups import Group, Profile
from edge.core.incidents import Incident, Observation, Opinion, Signal, State, Tracker, Transition
from edge.core.messages import Batch
from edge.core.rounds import rounds
from edge.core.stream_clock import StreamClock
from edge.core.trace import Observer, scored_round
from edge.core.vitals import Vitals

SILENCES = 4
"""A silence is reported when it becomes too long, and each time it has doubled, this often in all."""


class Engine:
    """All sensors: what is learned of them, and their incidents.

    Args:
        profile_of: Gives the profile of a sensor by its slot; asked once, when the sensor is first seen.
        devices: Which sensors belong together.

    Attributes:
        observer: Told of every round that was scored; None for nobody.
    """

    def __init__(self, profile_of: Callable[[int], Profile], devices: Devices | None = None) -> None:
        self._profile_of = profile_of
        self.groups: dict[Profile, Group] = {}
        self.members: list[tuple[Group, int]] = []
        self.vitals = Vitals()
        self.calibration = Calibration()
        self.trackers: dict[int, Tracker] = {}
        self.clock = StreamClock()
        self.devices = devices if devices is not None else Devices()
        self.observer: Observer | None = None
        self._order: list[Group] = []
        self._group = np.zeros(0, dtype=np.intp)
        self._row = np.zeros(0, dtype=np.intp)
        self._tracked = np.zeros(0, dtype=bool)
        self._held = np.zeros(0, dtype=bool)
        self._protected = np.zeros(0, dtype=bool)
        self._interrupted = False
        self._findings: list[Finding] = []

    @property
    def open_incidents(self) -> dict[int, Incident]:
        """The open incidents, by slot."""
        return {slot: each.incident for slot, each in self.trackers.items() if each.incident is not None}

    def grow(self, sensors: int) -> None:
        """Make room for `sensors` in all, asking for the profile of each new one."""
        if sensors <= len(self.members):
            return
        for slot in range(len(self.members), sensors):
            profile = self._profile_of(slot)
            group = self.groups.get(profile)
            if group is None:
                group = self.groups[profile] = Group(profile)
                self._order.append(group)
            self.members.append((group, group.add()))
        place = {id(group): index for index, group in enumerate(self._order)}
        self._group = np.array([place[id(group)] for group, _ in self.members], dtype=np.intp)
        self._row = np.array([row for _, row in self.members], dtype=np.intp)
        self._mark_trackers()
        self.vitals.grow(sensors)
        self.calibration.grow(sensors)
        self.devices.grow(sensors)
        self._protected = np.concatenate([self._protected, np.zeros(sensors - len(self._protected), dtype=bool)])

    @property
    def is_interrupted(self) -> bool:
        """Whether the next reading is the first after an interruption."""
        return self._interrupted

    @property
    def ordered_groups(self) -> list[Group]:
        """The groups in the order in which they came to be."""
        return self._order

    def tables(self) -> list[list[StateTable]]:
        """The state of each group's detectors, the groups in the order in which they came to be."""
        return [group.tables for group in self._order]

    def restore(self, trackers: dict[int, Tracker], *, interrupted: bool) -> None:
        """Go on from a snapshot, when sensors, tables, vitals and the clock have been given back."""
        self.trackers = trackers
        self._mark_trackers()
        self._interrupted = interrupted

    def interrupted(self) -> None:
        """Note that readings may be missing for a reason of our own: the link was down, or we were."""
        self._interrupted = True

    def clock_stepped(self, by: float, slots: Slots) -> None:
        """Note that the clock was set that stamps the readings of the sensors at `slots`.

        Set forward, the stream clock will follow by itself. Set back, it goes back, unless other sensors say that it
        was right. Silence is no longer or shorter for it either way.
        """
        vitals = self.vitals
        self.devices.shift(slots, by)
        slots = np.concatenate([slots, self.devices.devices_of(slots.tolist())]).astype(np.intp)
        vitals.time[slots] += by
        self.calibration.shift(slots, by)
        for slot in slots.tolist():
            group, row = self.members[slot]
            group.shift(row, by)
        shift = by
        if by < 0:
            seen = vitals.time[: len(self.members)][vitals.count[: len(self.members)] > 0]
            latest = float(seen.max()) if len(seen) else self.clock.now
            shift = min(0.0, latest - self.clock.now) if np.isfinite(self.clock.now) else 0.0
            self.clock.now += shift
            self.clock.ahead_time += min(0.0, by)
        vitals.deadline += shift
        vitals.seen += shift

    def wait_for_everyone(self) -> None:
        """Measure silence anew, from each sensor's next reading: what is read has been changed."""
        self.vitals.deadline[:] = np.inf

    def protect(self, slots: Iterable[int]) -> None:
        """Learn nothing of these sensors from here on, and of all others again."""
        self._protected[:] = False
        self._protected[list(slots)] = True

    def adopt(self, slot: int, time: float) -> list[Finding]:
        """Take what is there as a sensor's normal: end its open incident, and learn it."""
        (group, row), tracker = self.members[slot], self.trackers[slot]
        incident = tracker.incident
        assert incident is not None  # noqa: S101 - the caller has looked
        if tracker.state is State.SILENT:
            group.forget_silence(row)
            self.vitals.deadline[slot] = np.inf
        else:
            group.adopt(row)
        observation = Observation(max(time, incident.last.time), float(self.vitals.value[slot]), incident.threshold, [])
        self._step(slot, tracker, Signal.DECLARED_NORMAL, observation, (0, 1, 0.0, slot), time)
        return self._take_findings()

    def process(self, batch: Batch) -> list[Finding]:
        """Score and learn from a batch, and return what was found, in the order of the readings.

        Args:
            batch: Readings that were admitted: the times of a sensor move forward. Slots must have been made room
                for by `grow()`.
        """
        if len(batch) == 0:
            return []
        if self._interrupted:
            waiting = self._until_the_clock_moves(batch)
            if waiting:
                findings = self.process(batch.take(np.arange(waiting)))
                return findings + self.process(batch.take(np.arange(waiting, len(batch))))
        before = self.clock.now
        clock = self.clock.advance(batch.slots, batch.times)
        if self._interrupted:
            self._forgive(before, float(clock[0]))
        for positions in rounds(batch.slots):
            self._process_round(positions, batch, clock)
        rows = self.devices.assemble(batch)
        if rows is not None:
            for chosen in rounds(rows.slots):
                self._process_rows(rows, chosen, clock)
        self._find_silences(self.clock.now, clock)
        return self._take_findings()

    def is_anyone_silent(self, clock: float) -> bool:
        """Whether `tick()` would do something."""
        return bool((self.vitals.deadline < clock).any())

    def tick(self, clock: float) -> list[Finding]:
        """Find the sensors that have been silent for too long, should the stream clock stand at `clock` by now."""
        self._find_silences(clock, None)
        return self._take_findings()

    def _take_findings(self) -> list[Finding]:
        findings, self._findings = self._findings, []
        findings.sort(key=lambda each: each.order)
        return findings

    def _process_round(self, positions: Slots, batch: Batch, clock: Floats) -> None:
        vitals = self.vitals
        slots, values, times, now = (
            batch.slots[positions],
            batch.values[positions],
            batch.times[positions],
            clock[positions],
        )
        for index in np.flatnonzero(vitals.deadline[slots] < now):
            self._pass_deadlines(int(slots[index]), float(now[index]), clock)
        if self.trackers:
            self._note_returns(slots, values, times, positions, now)
        now = np.maximum(now, times)
        vitals.record(slots, values, times, now)
        for group, part in self._by_group(slots):
            mine = slots[part]
            verdicts = group.update(
                self._row[mine], values[part], times[part], self._held[mine] | self._protected[mine]
            )
            self._weigh(group, mine, values[part], times[part], positions[part], now[part], verdicts)

    def _process_rows(self, rows: Rows, chosen: Slots, clock: Floats) -> None:
        slots, times, positions = rows.slots[chosen], rows.times[chosen], rows.positions[chosen]
        now = np.maximum(clock[positions], times)
        for group, part in self._by_group(slots):
            mine, values = slots[part], group.fitting(rows.values[chosen][part])
            verdicts = group.update(self._row[mine], values, times[part], self._held[mine] | self._protected[mine])
            distances = group.distances(verdicts)
            self.vitals.record(mine, distances, times[part], now[part])
            self._weigh(group, mine, distances, times[part], positions[part], now[part], verdicts)

    def _by_group(self, slots: Slots) -> Iterator[tuple[Group, slice | NDArray[np.bool_]]]:
        """The groups of some sensors, and which of them belong to each."""
        membership = self._group[slots]
        present: list[int] = np.unique(membership).tolist() if len(self._order) > 1 else [0]
        for which in present:
            mine = membership == which
            yield self._order[which], slice(None) if mine.all() else mine

    def _weigh(
        self,
        group: Group,
        slots: Slots,
        values: Floats,
        times: Floats,
        positions: Slots,
        now: Floats,
        verdicts: list[Scores],
    ) -> None:
        """Hold what detectors say of a round against the sensors' levels."""
        vitals, settings = self.vitals, group.profile.incidents
        rows = self._row[slots]
        is_open = self._held[slots]
        profile, calibration, interval = group.profile, self.calibration, vitals.interval[slots]
        level = calibration.levels(slots, times, lambda due: profile.level_at(interval[due]), settings)
        assumed = calibration.assumed[slots]
        if settings.threshold is not None:
            level = np.full(len(slots), settings.threshold)
        elif is_open.any():
            level = np.where(is_open, vitals.level[slots], level)
        protected = self._protected[slots]
        learned, told = group.most_surprised(verdicts, len(slots))
        best = np.fmax(learned, told)
        level = np.where(told >= assumed, np.minimum(level, assumed), level)
        vitals.level[slots] = level
        exceeds = best >= level
        run = np.where(exceeds, vitals.exceeding[slots] + 1, 0)
        vitals.exceeding[slots] = run
        vitals.deadline[slots] = now + group.patience(rows, assumed)
        if protected.any():
            counted = ~protected
            calibration.note(slots[counted], learned[counted], self._tracked[slots[counted]], settings)
        else:
            calibration.note(slots, learned, self._tracked[slots], settings)
        for index in np.flatnonzero((run >= settings.raise_after) | self._tracked[slots]):
            slot = int(slots[index])
            observation = Observation(
                time=float(times[index]),
                value=float(values[index]),
                threshold=float(level[index]),
                opinions=group.opinions(verdicts, int(index)),
            )
            if group.of_devices:
                shares = group.shares(observation, int(self._row[slot]))
                observation.contributions = self.devices.contributions(slot, shares)
            self._judge(slot, group, observation, int(positions[index]), float(now[index]))
        if self.observer is not None:
            readings = (slots, times, values)
            self.observer.scored(scored_round(group.profile, readings, verdicts, best, level, self.trackers))

    def _judge(self, slot: int, group: Group, observation: Observation, position: int, clock: float) -> None:
        settings = group.profile.incidents
        tracker = self.trackers.get(slot)
        if tracker is None:
            tracker = self.trackers[slot] = Tracker()
        if self._protected[slot]:
            tracker.since = max(tracker.since, observation.time)
        lasted = tracker.state is not State.NORMAL and observation.time - tracker.since >= settings.adopt_after_s
        calm = observation.threshold * settings.clear_ratio
        lingers = observation.score >= calm
        score = observation.score_now(group.lingering) if tracker.may_linger else observation.score
        if score < calm:
            signal = tracker.calm_signal(settings.clear_after, lingers=lingers)
        elif lasted and not group.is_beyond_a_limit(observation):
            signal = Signal.ADOPTION
            if tracker.incident is not None:
                group.adopt(int(self._row[slot]))
        else:
            signal = Signal.EXCEEDS if score >= observation.threshold else Signal.HOLDS
        order = (position, 2 if group.of_devices else 1, 0.0, slot)
        self._step(slot, tracker, signal, observation, order, clock)

    def _step(
        self,
        slot: int,
        tracker: Tracker,
        signal: Signal,
        observation: Observation,
        order: tuple[int, int, float, int],
        clock: float,
    ) -> None:
        update_s = self.members[slot][0].profile.incidents.update_s
        moved = tracker.step(signal, observation, update_s)
        if tracker.state is State.NORMAL:
            self.trackers.pop(slot, None)
        self._tracked[slot] = tracker.state is not State.NORMAL
        self._held[slot] = tracker.incident is not None
        if moved is None:
            return
        transition, incident = moved
        by_score = (
            signal is Signal.EXCEEDS
            and not self._protected[slot]
            and not self.members[slot][0].is_beyond_a_limit(observation)
        )
        if transition is Transition.RAISED and by_score:
            self.calibration.raised(slot)
        number = incident.publish(observation.time)
        recent = self.vitals.recent(slot)
        self._findings.append(Finding(slot, transition, incident.snapshot(), number, observation, clock, recent, order))

    def _mark_trackers(self) -> None:
        """Note which sensors have a tracker, and of which nothing is learned, as an incident is open."""
        self._tracked = np.zeros(len(self.members), dtype=bool)
        self._held = np.zeros(len(self.members), dtype=bool)
        self._tracked[list(self.trackers)] = True
        self._held[list(self.open_incidents)] = True

    def _note_returns(self, slots: Slots, values: Floats, times: Floats, positions: Slots, now: Floats) -> None:
        for index in np.flatnonzero(self._tracked[slots]).tolist():
            slot = int(slots[index])
            tracker = self.trackers[slot]
            if tracker.state is not State.SILENT:
                continue
            level = float(self.vitals.level[slot])
            observation = Observation(float(times[index]), float(values[index]), level, [])
            order = (int(positions[index]), 1, 0.0, slot)
            self._step(slot, tracker, Signal.RETURN, observation, order, float(now[index]))

    def _find_silences(self, until: float, clock: Floats | None) -> None:
        for slot in np.flatnonzero(self.vitals.deadline < until).tolist():
            self._pass_deadlines(slot, until, clock)

    def _pass_deadlines(self, slot: int, until: float, clock: Floats | None) -> None:
        """Report a sensor's silence, and each doubling of it, up to the stream clock `until`."""
        vitals = self.vitals
        while (deadline := float(vitals.deadline[slot])) < until:
            group, silences = self.members[slot][0], int(vitals.silences[slot])
            level = float(group.profile.level_at(vitals.interval[[slot]])[0])
            tracker = self.trackers.get(slot)
            if tracker is None:
                tracker = self.trackers[slot] = Tracker()
            name = group.silence or "silence"
            opinion = Opinion(name, "missing", min(level * 2.0**silences, 300.0))
            observation = Observation(deadline, float(vitals.value[slot]), level, [opinion])
            position = 0 if clock is None else int(np.searchsorted(clock, deadline, side="right"))
            vitals.silences[slot] = silences + 1
            again = deadline + (deadline - float(vitals.seen[slot]))
            vitals.deadline[slot] = again if silences + 1 < SILENCES else np.inf
            self._step(slot, tracker, Signal.SILENCE, observation, (position, 0, deadline, slot), deadline)

    def _until_the_clock_moves(self, batch: Batch) -> int:
        """How many readings of a batch there are before the one that moves the stream clock; 0 if there is none."""
        moved = copy(self.clock).advance(batch.slots, batch.times) > self.clock.now
        return int(np.argmax(moved))

    def _forgive(self, before: float, after: float) -> None:
        """Take a leap of the stream clock after an interruption for what it is: our own absence."""
        if after <= before:
            return
        self._interrupted = False
        self.vitals.forgive(before, after - before)
