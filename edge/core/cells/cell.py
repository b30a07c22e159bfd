"""A cell: the pipeline for the sensors of some devices, reading from logs.

A log is any source of messages in a fixed order, each with an offset: a Kafka partition, a Kinesis shard, a file. The
cell's read position in each log is part of its state. Messages may therefore be delivered any number of times: those
before the position are skipped, and each message counts exactly once, however often a worker crashes.

For the same readings a cell emits the same events as a gateway, including IDs, with three exceptions that make the
result independent of the number of cells: sensors of different devices are never combined into one incident, no sensors
are compared with peers, and new sensors aren't reported. Events are numbered within a cell.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from operator import ge
from typing import NamedTuple, TypeVar

import msgspec

from detectors.state import StateError
from edge.core.cells.placing import Placing
from edge.core.incidents.events.event import Event
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.packing.packing import compress, decompress
from edge.core.model.readings.messages import Message, Reading
from edge.core.persistence import journal
from edge.core.persistence.components.detector_states import MissingState
from edge.core.persistence.snapshot import Snapshot, SnapshotError
from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline

VERSION = 1
"""Version of the format of states and entries."""

Item = TypeVar("Item")


class CellStateError(ValueError):
    """A state or an entry is damaged, or was written by a later version."""


class CellPlan(NamedTuple):
    """The configuration of cells.

    Attributes:
        pipeline: Creates an empty pipeline, which must not report new sensors.
        placing: Determines which sensors belong together.
        digest: Digest of the configuration.
        inputs: Digest of the configured inputs.
    """

    pipeline: Callable[[], Pipeline]
    placing: Placing
    digest: str = ""
    inputs: str = ""


class _State(msgspec.Struct, array_like=True, frozen=True):
    version: int
    positions: dict[str, str]  # some logs have offsets of more than 64 bits
    snapshot: bytes
    topics: bytes = b""


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    version: int
    positions: dict[str, str]
    journal: bytes
    topics: dict[str, str] = {}


Written = TypeVar("Written", _State, _Entry)


class Cell:
    """The sensors of some devices, and the read position in each log.

    Args:
        plan: The configuration of cells.

    Attributes:
        positions: Offset of the last message read from each log, by the log's name.
        topics: Topic that each sensor was first received on, by the sensor's name; unknown for `process_readings()`.
        unlearned: State that couldn't be restored because the configuration or the version changed.
    """

    def __init__(self, plan: CellPlan) -> None:
        self._plan = plan
        self.pipeline = plan.pipeline()
        self.pipeline.published.grouping.within(plan.placing.device)
        self.pipeline.intake.known.on_first_message = self._note_topic
        self.pipeline.engine.peers.is_off = True
        self.pipeline.engine.clock.by_arrival = self.pipeline.intake.timed_by_arrival
        self.positions: dict[str, int] = {}
        self.topics: dict[str, str] = {}
        self.unlearned = MissingState()
        self._parts: list[journal.Part] = []
        self._moved: dict[str, int] = {}
        self._heard: dict[str, str] = {}

    @property
    def clock(self) -> float:
        """The stream clock, seconds since the epoch; minus infinity before the first reading."""
        return max(self.pipeline.engine.clock.now, self.pipeline.reorder.clock.now)

    def sensors(self) -> list[str]:
        """The names of the sensors, without devices."""
        table = self.pipeline.sensors
        return [table.names[slot] for slot in table.still_there(range(len(table)))]

    def process(self, messages: Sequence[Message], log: str, offsets: Sequence[int]) -> Step:
        """Process messages of a log, skipping those read before.

        Args:
            messages: In the order of the log.
            log: Name of the log.
            offsets: Ascending offsets of the messages; gaps are allowed.

        Raises:
            ValueError: The offsets don't ascend, or their number differs from that of the messages.
        """
        unread = self._unread(messages, log, offsets)
        return self._note(self.pipeline.process(unread)) if unread else Step()

    def process_readings(self, readings: Sequence[Reading], log: str, offsets: Sequence[int]) -> Step:
        """Process readings that were decoded elsewhere; see `process()`."""
        unread = self._unread(readings, log, offsets)
        return self._note(self.pipeline.process_readings(unread)) if unread else Step()

    def tick(self, now: float) -> Step:
        """Advance the stream clock to `now`, in seconds since the epoch, unless a reading has done so.

        This detects sensors that have fallen silent by then. `now` must never be ahead of readings yet to be processed,
        or they would end a false silence.
        """
        clock = self.clock
        return self._note(self.pipeline.tick(now - clock)) if math.isfinite(clock) and now > clock else Step()

    def due(self) -> float:
        """The stream clock at which `tick()` may find something; infinity if nothing is pending."""
        pipeline, clock = self.pipeline, self.clock
        if not math.isfinite(clock):
            return math.inf
        wait_s = pipeline.reorder.wait_s
        silent = float(pipeline.engine.statistics.deadline.min(initial=math.inf)) + pipeline.engine.absence.leap_s
        due = min(silent, pipeline.watch.shelving.boundary, pipeline.published.grouping.next_due) + wait_s
        return max(clock, min(due, pipeline.reorder.next_due))

    def forget(self, sensors: Collection[str], now: float) -> Step:
        """Forget sensors by name: their incidents end, and an event reports it.

        Args:
            sensors: Names of the sensors; unknown ones are ignored.
            now: Seconds since the epoch.
        """
        table = self.pipeline.sensors
        slots = [slot for slot in map(table.find, sensors) if slot is not None]
        step = self._note(self.pipeline.forget(slots, now))
        table.vacancies.release(math.inf)
        self._forget_topics()
        return step

    def entry(self) -> bytes | None:
        """The changes since the last entry or state, to be replayed by `load()`; None if nothing changed.

        Each change is part of exactly one entry.
        """
        if not self._parts and not self._moved:
            return None
        entry = encode(_Entry(VERSION, _as_text(self._moved), journal.pack(self._parts), self._heard))
        self._parts, self._moved, self._heard = [], {}, {}
        return entry

    def state(self) -> bytes:
        """The complete state for `load()`; earlier entries aren't needed with it."""
        self._parts, self._moved, self._heard = [], {}, {}
        saved = self.pipeline.save(self._plan.digest, self._plan.inputs)
        return encode(_State(VERSION, _as_text(self.positions), saved, compress(encode(self.topics))))

    def load(self, state: bytes | None, entries: Sequence[bytes] = ()) -> list[Event]:
        """Load a state and the entries after it into a new cell.

        Args:
            state: The result of `state()`; None if the entries go back to the beginning.
            entries: The later results of `entry()`, in order.

        Returns:
            The events that the entries cause, again.

        Raises:
            CellStateError: They can't be read. The cell is unusable afterwards.
        """
        self._must_be_new()
        try:
            if state is not None:
                saved = _read(state, _State)
                self.unlearned = self.pipeline.restore(Snapshot.from_bytes(saved.snapshot), self._plan.inputs)
                self.positions = _as_offsets(saved.positions)
                self.topics = _topics(saved.topics)
            parts: list[journal.Part] = []
            for each in entries:
                entry = _read(each, _Entry)
                parts += journal.unpack(entry.journal)
                self.positions |= _as_offsets(entry.positions)
                self.topics |= entry.topics
        except (SnapshotError, journal.JournalError, StateError) as error:
            raise CellStateError(str(error)) from error
        events = self.pipeline.replay(parts)
        self.pipeline.sensors.vacancies.release(math.inf)
        self._forget_topics()
        return events

    def export(self, sensors: Collection[str]) -> bytes:
        """The state of a cell with the same knowledge of these sensors and no others; see `take_in()`.

        Args:
            sensors: Names of all sensors of each device concerned.
        """
        chosen = {*sensors}
        other = Cell(self._plan)
        other.load(self._peek())
        other.forget([each for each in other.sensors() if each not in chosen], other.clock)
        other.pipeline.sensors.vacancies.names.clear()
        return other.state()

    def take_in(self, state: bytes) -> None:
        """Load the result of `export()`.

        Only possible for a new cell: cells can be divided but never merged, because each position applies to all
        sensors of a cell.

        Raises:
            CellStateError: The state can't be read.
            ValueError: The cell isn't new.
        """
        self.load(state)

    def _peek(self) -> bytes:
        """The state, without affecting the next entry."""
        kept = self._parts, self._moved, self._heard
        state = self.state()
        self._parts, self._moved, self._heard = kept
        return state

    def _must_be_new(self) -> None:
        if self.positions or len(self.pipeline.sensors):
            raise ValueError("only a cell without state can import one")

    def _unread(self, items: Sequence[Item], log: str, offsets: Sequence[int]) -> Sequence[Item]:
        """The items beyond the position in a log, which then advances to their end."""
        if len(items) != len(offsets) or any(map(ge, offsets, offsets[1:])):
            raise ValueError("each item must have an offset, and offsets must ascend")
        position = self.positions.get(log)
        first = 0 if position is None else bisect_right(offsets, position)
        if first < len(items):
            self.positions[log] = self._moved[log] = offsets[-1]
        return items[first:]

    def _note_topic(self, sensor: str, topic: str) -> None:
        if topic:
            self.topics[sensor] = self._heard[sensor] = topic

    def _forget_topics(self) -> None:
        """Discard the topics of sensors that were forgotten."""
        find = self.pipeline.sensors.find
        self.topics = {sensor: topic for sensor, topic in self.topics.items() if find(sensor) is not None}

    def _note(self, step: Step) -> Step:
        if step.journal is not None:
            self._parts.append(step.journal)
        return step


def _read(encoded: bytes, kind: type[Written]) -> Written:
    """Decode a state or an entry of this version.

    Raises:
        StateError: It is damaged, or of another version.
    """
    version, *_ = decode(encoded, list[msgspec.Raw]) or [b"\xc0"]
    if decode(bytes(version), int) != VERSION:
        raise StateError(f"written in version {decode(bytes(version), int)}; this one knows {VERSION}")
    read: Written = decode(encoded, kind)
    return read


def _topics(packed: bytes) -> dict[str, str]:
    """The topics of a state; empty if it was written before there were any."""
    try:
        topics: dict[str, str] = decode(decompress(packed), dict[str, str]) if packed else {}
    except ValueError as error:
        raise StateError(f"no topics: {error}") from error
    return topics


def _as_text(positions: dict[str, int]) -> dict[str, str]:
    return {log: str(offset) for log, offset in positions.items()}


def _as_offsets(positions: dict[str, str]) -> dict[str, int]:
    try:
        return {log: int(offset) for log, offset in positions.items()}
    except ValueError as error:
        raise StateError(f"no offset: {error}") from error
