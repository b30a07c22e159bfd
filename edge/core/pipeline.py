"""The pipeline: messages in, events out. The same messages give the same events, live or replayed, in any batching.

messages -> intake -> engine with suppression -> reporting -> step
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy

import numpy as np

from config.notation.calendar import Window
from edge.core.engine import Engine
from edge.core.incidents.events.event import Event
from edge.core.incidents.events.gaps import Gap
from edge.core.incidents.events.incident_events import IncidentEvents
from edge.core.incidents.events.open_incidents import OpenIncidents
from edge.core.incidents.events.reporting import Reporter
from edge.core.incidents.groups.grouping import Grouping
from edge.core.incidents.observer import Observer
from edge.core.intake.intake import Intake
from edge.core.intake.intake_limits import IntakeLimits
from edge.core.intake.routes import Routes
from edge.core.intake.times.admission import ObservedArrivals, RecordedArrivals, arrivals_of
from edge.core.intake.times.clock_leaps import ClockLeaps, Leap, at_leaps
from edge.core.intake.times.refused_readings import Heard, among
from edge.core.intake.times.reorder import Reorder
from edge.core.model.counters import Counters
from edge.core.model.notation.topics import Topics
from edge.core.model.readings.messages import NO_CONNECTION, Batch, DeadLetter, Message, Reading, as_message
from edge.core.model.sensors.newcomers import Newcomers
from edge.core.model.sensors.sensors import Repetition, SensorTable
from edge.core.operator.command_handler import CommandHandler
from edge.core.operator.forgetting import silent_for
from edge.core.operator.shelves import Shelves
from edge.core.operator.suppression import Finding, Suppression
from edge.core.persistence import journal
from edge.core.persistence.checkpoint import SteppedSnapshot
from edge.core.persistence.components.detector_states import MissingState
from edge.core.persistence.memory import Memory
from edge.core.persistence.sensor_life import SensorLife
from edge.core.persistence.snapshot import KnownSensor, Snapshot
from edge.core.persistence.steps.command_steps import CommandSteps
from edge.core.persistence.steps.interruption import Interruption
from edge.core.persistence.steps.reading_line import ReadingLine
from edge.core.persistence.steps.step import Step
from edge.core.persistence.steps.step_maker import StepMaker
from edge.core.scoring.devices import Devices
from edge.core.scoring.sensors.sensor_registry import DeviceFor, RuleFor, SensorRegistry


class Pipeline:
    """The core of one gateway.

    Args:
        gateway: Name of the gateway.
        topics: This gateway's own topics.
        routes: Select the topics to read, and their decoders.
        rule_for: Returns the rule for a sensor by name.
        device_for: Returns name and settings of the device that a sensor belongs to, or None.
        sensors: Maximum number of sensors.
        limits: Limits on payloads and times.
        reorder_s: Maximum lateness of a reading that is still sorted, in seconds; with 0 nothing is held.
        maintenance: Configured maintenance windows.
        commands: Whether commands from MQTT are carried out; those from the page always are.
        tells_of_sensors: Whether new sensors are reported by an event.
    """

    def __init__(
        self,
        gateway: str,
        topics: Topics,
        routes: Routes,
        rule_for: RuleFor,
        *,
        device_for: DeviceFor = lambda _: None,
        sensors: int = 10_000,
        limits: IntakeLimits | None = None,
        reorder_s: float = 0.0,
        maintenance: Sequence[Window] = (),
        commands: bool = True,
        tells_of_sensors: bool = False,
    ) -> None:
        self.counters, self.sensors, devices = Counters(), SensorTable(sensors), Devices()
        self.registry = SensorRegistry(self.sensors, devices, topics, rule_for, device_for)
        self.newcomers, limits = Newcomers(is_told=tells_of_sensors), limits or IntakeLimits()
        self.intake = Intake(routes, self.sensors, self.registry.add, limits, self.counters, self.newcomers)
        self.registry.unit_said, self.registry.no_values = self.intake.units.of, self.intake.no_values
        self.engine = Engine(self.registry.profile, devices, self.intake.no_values)
        self.engine.availability.sensors_of = lambda slot: self.sensors.below(self.sensors.names[slot])
        self.watch = Suppression(self.engine, Shelves(maintenance), self.newcomers)
        self._topics, self.reorder, self.sparkplug = topics, Reorder(reorder_s), self.intake.payloads.sparkplug
        self._line = ReadingLine(self.reorder, self.intake, self.watch, self.engine)
        life = SensorLife(self.sensors, self.registry, self.intake, self.newcomers, self.reorder, self.watch)
        self.reporter, self.open_incidents = Reporter(gateway, topics, self.registry.facts), OpenIncidents(topics)
        self.published = IncidentEvents(Grouping(self.sensors.names), self.open_incidents, self.reporter)
        self._maker = StepMaker(topics, self.sensors, self.counters, self.published, self.watch, self.newcomers, life)
        self._commands_below, handler = topics.command(""), CommandHandler(self.watch, self.published)
        self._commands = CommandSteps(topics, handler, self.sensors, self.intake, self.counters, self._maker)
        self.registry.peers, self._follows_mqtt, self._inputs_changed = self.engine.peers, commands, False
        self.interruption, self._leaps = Interruption(self.engine, self.intake.timed_by_arrival), ClockLeaps()
        self.memory = Memory(
            self.engine, self.intake, self.reorder, self.interruption, self.watch, self.published, self.newcomers,
            self.sensors.vacancies,
        )  # fmt: skip

    def observe(self, observer: Observer | None) -> None:
        """Call an observer for every scored round from now on; None to stop."""
        self.engine.level_check.observer = observer

    def steps(self, messages: Sequence[Message]) -> Iterator[tuple[Step, Sequence[Message]]]:
        """Process messages in order of arrival; yields a step for each run of readings and for each command."""
        first, below = 0, self._commands_below
        for place, message in enumerate(messages):
            if message.topic.startswith(below) and (self._follows_mqtt or message.receipt == NO_CONNECTION):
                if first < place:
                    yield self.process(messages[first:place]), messages[first:place]
                first = place + 1
                yield self.follow(message), messages[place:first]
        if first < len(messages):
            yield self.process(messages[first:]), messages[first:]

    def follow(self, message: Message) -> Step:
        """Carry out and answer a command from a message on a command topic."""
        return self._commands.follow(message, self.engine.clock.now)

    def forget_silent(self, days: float, now: float) -> Step:
        """Forget the sensors without a reading for more than `days` of the stream clock.

        Time during which the service couldn't receive doesn't count.
        """
        return self.forget(silent_for(self.engine, 86_400.0 * days), now)

    def forget(self, slots: Iterable[int], now: float) -> Step:
        """Forget the sensors in these slots; `now` is in seconds since the epoch."""
        if not (sensors := self.sensors.still_there(slots)):
            return Step()
        step, vacant = self._maker.forget(sensors, now, self.engine.clock.now, "silent")
        step.journal = journal.SensorsForgotten(vacant, sensors, now)
        return step

    def process(self, messages: Sequence[Message]) -> Step:
        """Process messages in order of arrival."""
        letters: list[DeadLetter] = []
        delivered: list[tuple[int, int]] = []
        batch = self.intake.read(messages, letters, delivered)
        self.interruption.catch_up.hear(batch, messages)
        self._allot_devices()
        noted = self.intake.mistimed, self._leaps.find(batch, messages, self.engine.clock)
        step = self._take(batch, delivered, messages.__getitem__, letters, arrivals_of(messages), *noted)
        step.held, step.requests = [messages[place] for place in self.intake.held], self.sparkplug.requests()
        return step

    def process_readings(self, readings: Sequence[Reading], quiet_until: Sequence[float] | None = None) -> Step:
        """Process readings that were decoded elsewhere.

        Args:
            readings: Readings in order of arrival.
            quiet_until: Time that had passed before each reading arrived, see `Batch`; None if unknown.
        """
        letters: list[DeadLetter] = []
        batch = self.intake.read_readings(readings, letters, quiet_until)
        self._allot_devices()
        arrivals = RecordedArrivals()
        return self._take(batch, [], lambda origin: as_message(readings[origin]), letters, arrivals)

    def tick(self, elapsed_s: float) -> Step:
        """Detect silences and release due readings when nothing has come for `elapsed_s` seconds, although it could."""
        clock = max(self.engine.clock.now, self.reorder.clock.now) + self.interruption.gone_s + elapsed_s
        self.sparkplug.pass_time(elapsed_s)
        until, away = clock - self.reorder.wait_s, self.interruption.unpassed_s
        changes = away > 0 or self.reorder.is_due(clock) or self.engine.is_anyone_silent(until)
        changes = changes or self.watch.is_due(until) or self.published.grouping.is_due(until)
        step = self._pass_time(clock, away) if changes or self.watch.shelving.changed else Step()
        step.journal = journal.TimePassed(clock, away) if changes else None
        step.requests = self.sparkplug.requests()
        return step

    def flush(self) -> Step:
        """Release all held readings at the end of the input."""
        return self._pass_time(np.inf) if len(self.reorder) else Step()

    def clock_stepped(self, by: float) -> Step:
        """Handle a step of the gateway's clock by `by` seconds; held readings are released first."""
        step = self.flush()
        self.engine.clock_stepped(by, self.intake.clock_stepped(by))
        self.reorder.clock = copy(self.engine.clock)
        self._leaps.restart()
        after = self._maker.report(self.watch.clock_set_back() if by < 0 else [], [], self.engine.clock.now)
        step.events += after.events
        step.retained |= after.retained
        step.journal = journal.ClockStep(by)
        return step

    def gap(self, gap: Gap, now: float) -> Step:
        """Report lost data."""
        event = self.reporter.report_gap(gap, now)
        return Step(events=[event], journal=journal.SequenceReserved(event.sequence))

    def continue_after(self, sequence: int) -> None:
        """Number the next event higher than `sequence`."""
        self.reporter.last_sequence = max(self.reporter.last_sequence, sequence)

    def interrupted(self, away_s: float = 0.0) -> None:
        """Record that readings may be missing, so that no sensor is silent for it.

        Args:
            away_s: Seconds since the last reading in which none could arrive, or 0 if that isn't known.
        """
        self.interruption.come_back(away_s)

    def sensors_moved(self) -> Step:
        """Record that sensors may have gone to another worker: none is silent until it reports again."""
        step = self.flush()
        self.engine.wait_for_everyone()
        step.journal = journal.SensorsMoved()
        return step

    def session_lost(self) -> Step:
        """Record that the broker has lost the session: earlier messages won't be delivered again."""
        return Step(journal=journal.Readings(Batch(), session_lost=True) if self.intake.deliveries.forget() else None)

    def replay(self, parts: Iterable[journal.Part]) -> list[Event]:
        """Replay journal parts in order; returns the events that they caused, again."""
        events: list[Event] = []
        for part in journal.join(parts, journal.REPLAYED):
            events += self._replay(part)
        if self._inputs_changed:
            self.engine.wait_for_everyone()
        return events

    def _replay(self, part: journal.Part) -> list[Event]:
        if isinstance(part, journal.TimePassed):
            return self._pass_time(part.clock, part.away).events
        if isinstance(part, journal.ClockStep | journal.SensorsMoved):
            return (self.clock_stepped(part.by) if isinstance(part, journal.ClockStep) else self.sensors_moved()).events
        if isinstance(part, journal.SequenceReserved):
            self.continue_after(part.sequence)
        if isinstance(part, journal.SequenceReserved | journal.UnknownPart):
            return []
        if isinstance(part, journal.CommandApplied):
            return self._commands.follow_again(part, self.engine.clock.now).events
        if isinstance(part, journal.SensorsForgotten):
            return self.forget(part.sensors, part.time).events
        self.interruption.recall(part)
        if part.session_lost:
            self.intake.deliveries.forget()
        self.intake.known.refill_all(part.refilled)
        self.register_sensors(part.new_sensors)
        self.newcomers.note_all(part.heard)
        self.intake.recall_said(part.units, part.no_values, part.births)
        kept = part.batch.slots < len(self.sensors)
        batch, mistimed = part.batch.take(kept), among(part.mistimed, kept, len(self.sensors))
        leaps = [(int(kept[:place].sum()), by) for place, by in part.leaps]
        self.intake.recall(batch, part.deliveries)
        self.counters.readings += len(batch)
        return self._take(batch, part.deliveries, None, [], RecordedArrivals(part.late), mistimed, leaps).events

    def register_sensors(self, sensors: Iterable[KnownSensor]) -> None:
        """Assign slots to sensors given by name, meaning of a repeated value, and whether arrival gives the times."""
        for name, repetition, by_arrival in sensors:
            self.intake.known.slot(name, Repetition(repetition), None, timed_by_arrival=by_arrival)
        self._make_room()

    def _make_room(self) -> None:
        """Make room for new sensors in the engine."""
        self.watch.grow(self.sensors.names)
        refilled, self.sensors.refilled = self.sensors.refilled, []
        if refilled:
            self.watch.occupy(refilled, self.sensors.names)

    def save(self, digest: str, inputs: str = "") -> bytes:
        """The core's complete state for `restore()`, with digests of the configuration and of its inputs."""
        return Snapshot(digest, inputs, [part for parts in self.saving() for part in parts]).to_bytes()

    def saving(self) -> SteppedSnapshot:
        """A snapshot taken in steps while readings continue to arrive; see `SteppedSnapshot`."""
        return SteppedSnapshot(self._known, len(self.sensors), self.memory.stages)

    def restore(self, snapshot: Snapshot, inputs: str = "") -> MissingState:
        """Restore a saved state into a new pipeline.

        Returns:
            State that couldn't be restored because the configuration or the version changed; see `learn()`.

        Raises:
            LaterSnapshotError: The snapshot can't be used. The pipeline is unusable afterwards; create a new one.
        """
        self.begin_restoring(snapshot.known_sensors(), inputs_changed=snapshot.inputs != inputs)
        for part in snapshot.parts:
            self.memory.load(part)
        return self.finish_restoring()

    def begin_restoring(self, known: list[KnownSensor], *, inputs_changed: bool) -> None:
        """Begin to restore the result of `saving()`, part by part, through `memory.load()`.

        Args:
            known: The sensors named by the parts.
            inputs_changed: Whether the configured inputs have changed.
        """
        self._inputs_changed = inputs_changed
        self.register_sensors(known)
        self.memory.begin(len(known))

    def finish_restoring(self) -> MissingState:
        """Finish restoring; returns the state that the parts didn't contain, see `restore()`."""
        unlearned = self.memory.finish(self.sensors.find)
        if self._inputs_changed:
            self.engine.wait_for_everyone()
        return unlearned

    def learn(self, unlearned: MissingState, past: Iterable[journal.Part]) -> int:
        """Learn from the journal what `restore()` couldn't restore; returns the number of readings used."""
        return self.memory.learn(unlearned, past)

    def retained_now(self) -> dict[str, bytes]:
        """The current payload of every retained topic: each open incident, and the list of them."""
        cleared = self.open_incidents.cleared(self.sensors.vacancies.names)
        return cleared | self.open_incidents.retained() | {self._topics.shelved: self.watch.shelving.listing()}

    def new_devices(self) -> MissingState:
        """Assign slots to devices added by a change of the configuration; returns what `learn()` must teach them.

        The journal doesn't contain these slots: the state must be saved before anything else is journaled.
        """
        known = len(self.sensors)
        self._allot_devices()
        self._make_room()
        unlearned = MissingState()
        unlearned.forget(self.engine, range(known, len(self.sensors)))
        return unlearned

    def _allot_devices(self) -> None:
        """Assign slots to the devices that have got a second sensor."""
        for device in self.engine.devices.unallotted():
            self.intake.known.slot(device.name, Repetition.PERIODIC, None, timed_by_arrival=False)

    def _take(
        self,
        batch: Batch,
        delivered: list[tuple[int, int]],
        message_of: Callable[[int], Message] | None,
        letters: list[DeadLetter],
        arrivals: ObservedArrivals | RecordedArrivals,
        mistimed: Sequence[Heard] = (),
        leaps: Sequence[Leap] = (),
    ) -> Step:
        """The step of a batch, whether it has just been read or is replayed; `message_of` gives a reading's message."""
        part = None
        after_a_break = self.interruption.ends_with(batch)
        if len(batch) or delivered or mistimed:
            part = journal.Readings(batch, self._known(len(self.engine.members)), delivered, after_a_break)
            part.mistimed, part.leaps, part.units = list(mistimed), list(leaps), self.intake.units.take_changes()
            part.no_values, part.births = self.intake.no_values.take_changes(), self.sparkplug.nodes.take_changes()
            part.refilled = [(each, *self._known(each, each + 1)[0]) for each in self.sensors.refilled]
            part.heard = self.newcomers.take_changes()
            self.interruption.catch_up.tell(part)
        self._make_room()
        findings: list[Finding] = [*self.watch.leave(self.registry.forsaken)] if len(batch) else []
        if after_a_break:
            findings += self._line.release(np.inf, letters)
            self.interruption.passes()
        for leap_s, piece, heard in at_leaps(batch, mistimed, leaps):
            self.engine.absence.leapt(leap_s, self.engine.clock.now)
            findings += self._line.take(piece, message_of, letters, arrivals)
            self.engine.hear(heard)
        step = self._maker.report(findings, letters, self.engine.clock.now)
        if part is not None and isinstance(arrivals, ObservedArrivals):
            part.late = arrivals.noted
        step.journal = part
        return step

    def _pass_time(self, clock: float, away: float = 0.0) -> Step:
        letters: list[DeadLetter] = []
        self.interruption.pass_away(away)
        findings = self._line.release(clock, letters)
        until = clock - self.reorder.wait_s if np.isfinite(clock) else -np.inf
        findings += self.watch.tick(until) if until > -np.inf else []
        return self._maker.report(findings, letters, max(self.engine.clock.now, until))

    def _known(self, first: int, last: int | None = None) -> list[KnownSensor]:
        """The sensors in a range of slots, as passed to `register_sensors()`."""
        if first == len(self.sensors):
            return []
        chosen = slice(first, last)
        named = self.sensors.names[chosen], self.registry.repetitions[chosen], self.intake.timed_by_arrival[chosen]
        return list(zip(*named, strict=True))
