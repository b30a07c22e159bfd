"""The line, whole: messages in, events out. The same messages give the same events, live, replayed, in any batching.

messages -> intake -> engine -> reporting -> step
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from config.schema import ResolvedRule
from edge.core.accounts import Accounts
from edge.core.decoders.base import Repetition
from edge.core.engine import Engine, Finding
from edge.core.events import Event, timestamp
from edge.core.groups import Profile
from edge.core.incidents import Transition
from edge.core.intake import Intake, IntakeLimits, as_message
from edge.core.journal import JournalEntry
from edge.core.messages import Batch, DeadLetter, Message, Reading
from edge.core.reporting import Reporter, SensorFacts
from edge.core.routes import Routes, topic_for
from edge.core.sensors import SensorTable
from edge.core.snapshot import Snapshot, SnapshotError, pack_arrays, unpack_arrays
from edge.core.topics import Topics

OPEN_LISTED = 500
"""Incidents that the message with all open ones lists; it says how many there are."""

NEEDS_A_PERIOD = frozenset({"missing", "flatline"})
"""Kinds that mean nothing for a sensor that reports only now and then, or repeats itself."""


@dataclass(slots=True)
class Step:
    """What came of some messages; it is committed as a whole.

    Attributes:
        events: In the gateway's order.
        dead_letters: What was refused and is kept.
        retained: The latest payload of each retained topic that changed.
        journal: The readings, packed, for `Pipeline.relive()`; None if there were none.
    """

    events: list[Event] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    retained: dict[str, bytes] = field(default_factory=dict)
    journal: bytes | None = None


class Pipeline:
    """The core of one gateway.

    Args:
        gateway: Its name.
        topics: Our own topics.
        routes: Which topics are read, and how.
        rule_for: The operator's rule for a sensor, by its name.
        sensors: How many sensors there may be.
        limits: What is taken at most.
    """

    def __init__(
        self,
        gateway: str,
        topics: Topics,
        routes: Routes,
        rule_for: Callable[[str], ResolvedRule],
        *,
        sensors: int = 10_000,
        limits: IntakeLimits | None = None,
    ) -> None:
        self.accounts = Accounts()
        self.sensors = SensorTable(sensors)
        self.engine = Engine(lambda slot: self._profiles[slot])
        self._topics = topics
        self._rule_for = rule_for
        self._intake = Intake(routes, self.sensors, self._add_sensor, limits or IntakeLimits(), self.accounts)
        self._reporter = Reporter(gateway, topics, lambda slot: self._facts[slot])
        self._profiles: list[Profile] = []
        self._repetitions: list[str] = []
        self._facts: list[SensorFacts] = []
        self._open: dict[str, Event] = {}

    def process(self, messages: Sequence[Message]) -> Step:
        """Take messages in the order of their arrival."""
        letters: list[DeadLetter] = []
        batch = self._intake.read(messages, letters)
        return self._learn(batch, messages.__getitem__, letters)

    def process_readings(self, readings: Sequence[Reading]) -> Step:
        """Take readings that were decoded elsewhere, in order."""
        letters: list[DeadLetter] = []
        batch = self._intake.read_readings(readings, letters)
        return self._learn(batch, lambda origin: as_message(readings[origin]), letters)

    def relive(self, entry: bytes) -> Step:
        """Go through a step again that was journaled before a restart.

        Args:
            entry: `Step.journal` of that time, in the order of that time.
        """
        journaled = JournalEntry.from_bytes(entry)
        if journaled.tick is not None:
            return self._report(self.engine.tick(journaled.tick), [])
        if journaled.interrupted:
            self.interrupted()
        for name, repetition in journaled.new_sensors:
            self._intake.slot(name, Repetition(repetition))
        batch = journaled.batch()
        self._intake.recall(batch)
        self.accounts.readings += len(batch)
        return self._learn(batch, None, [])

    def tick(self, elapsed_s: float) -> Step:
        """Find sensors that have fallen silent, when nothing has arrived for `elapsed_s` seconds."""
        clock = self.engine.clock + elapsed_s
        step = self._report(self.engine.tick(clock), [])
        step.journal = JournalEntry.of_tick(clock) if step.events else None
        return step

    def continue_after(self, sequence: int) -> None:
        """Number the next event higher than `sequence`."""
        self._reporter.last_sequence = max(self._reporter.last_sequence, sequence)

    def interrupted(self) -> None:
        """Note that readings may be missing for a reason of our own, so that no sensor is called silent for it."""
        self.engine.interrupted()

    def save(self, digest: str) -> bytes:
        """Everything that the core knows, for `restore()` after a restart."""
        engine = self.engine
        return Snapshot(
            digest=digest,
            sensors=list(zip(self.sensors.names, self._repetitions, strict=True)),
            tables=[[table.to_bytes() for table in group] for group in engine.tables()],
            vitals=pack_arrays(engine.vitals),
            admission=pack_arrays(self._intake.admission),
            trackers=engine.trackers,
            clock=engine.clock,
            interrupted=engine.is_interrupted,
            last_values=self._intake.last_value,
            open_events=list(self._open.values()),
            last_sequence=self._reporter.last_sequence,
        ).to_bytes()

    def restore(self, saved: bytes, digest: str) -> None:
        """Go on from where `save()` was called; only for a pipeline that has seen nothing yet.

        Raises:
            SnapshotError: What was saved is damaged or belongs to another configuration. The pipeline is of no use
                then; make a new one.
        """
        snapshot = Snapshot.from_bytes(saved, digest)
        for name, repetition in snapshot.sensors:
            self._intake.slot(name, Repetition(repetition))
        self.engine.grow(len(self.sensors))
        try:
            for group, packed in zip(self.engine.tables(), snapshot.tables, strict=True):
                for table, state in zip(group, packed, strict=True):
                    table.from_bytes(state)
        except ValueError as error:
            raise SnapshotError(str(error)) from error
        unpack_arrays(self.engine.vitals, snapshot.vitals)
        self.engine.vitals.rows = len(self.engine.vitals.count)
        unpack_arrays(self._intake.admission, snapshot.admission)
        self.engine.restore(snapshot.clock, snapshot.trackers, interrupted=snapshot.interrupted)
        self._intake.last_value = snapshot.last_values
        self._reporter.last_sequence = snapshot.last_sequence
        self._open = {event.sensor: event for event in snapshot.open_events}

    def retained_now(self) -> dict[str, bytes]:
        """The retained topics as they should stand: every open incident, and the list of them."""
        retained = {self._topics.state(self._facts_of(name).topic): each.payload for name, each in self._open.items()}
        return retained | {self._topics.open: self._open_json()}

    def _learn(self, batch: Batch, message_of: Callable[[int], Message] | None, letters: list[DeadLetter]) -> Step:
        new_sensors = self._new_sensors()
        entry = JournalEntry.of(batch, new_sensors, interrupted=self.engine.is_interrupted) if len(batch) else None
        self.engine.grow(len(self.sensors))
        step = self._report(self.engine.process(self._intake.admit(batch, message_of, letters)), letters)
        step.journal = entry
        return step

    def _new_sensors(self) -> list[tuple[str, str]]:
        """Sensors that the engine doesn't know yet: name, and what a repetition of its value means."""
        first = len(self.engine.members)
        return [(name, self._repetitions[first + i]) for i, name in enumerate(self.sensors.names[first:])]

    def _report(self, findings: list[Finding], letters: list[DeadLetter]) -> Step:
        step = Step(dead_letters=letters)
        for finding in findings:
            event = self._reporter.report(finding)
            step.events.append(event)
            self.accounts.events[event.transition] += 1
            state_topic = self._topics.state(self._facts[finding.slot].topic)
            if finding.transition in {Transition.RAISED, Transition.UPDATED}:
                self._open[event.sensor] = event
                step.retained[state_topic] = event.payload
            else:
                self._open.pop(event.sensor, None)
                step.retained[state_topic] = _ok_json(event)
        if findings:
            step.retained[self._topics.open] = self._open_json()
        return step

    def _add_sensor(self, slot: int, repetition: Repetition) -> None:
        name = self.sensors.names[slot]
        rule = self._rule_for(name)
        detectors = rule.detectors
        if repetition is not Repetition.PERIODIC:
            detectors = tuple(each for each in detectors if each.kind not in NEEDS_A_PERIOD)
        self._repetitions.append(repetition.value)
        self._profiles.append(Profile(detectors, rule.incidents))
        self._facts.append(SensorFacts(name, topic_for(name, self._topics.anomaly("")), rule.unit, rule.labels))

    def _facts_of(self, name: str) -> SensorFacts:
        slot = self.sensors.find(name)
        if slot is None:
            raise KeyError(name)
        return self._facts[slot]

    def _open_json(self) -> bytes:
        worst = sorted(self._open.values(), key=lambda each: (-each.severity, each.sequence))[:OPEN_LISTED]
        return msgspec.json.encode(
            {"count": len(self._open), "incidents": [msgspec.Raw(each.payload) for each in worst]}
        )


def _ok_json(event: Event) -> bytes:
    return msgspec.json.encode({"state": "ok", "sensor": event.sensor, "since": timestamp(event.time)})
