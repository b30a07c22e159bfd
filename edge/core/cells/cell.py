"""A cell: the pipeline for the sensors of some devices, that reads them from logs.

A log is anything that gives messages in an order that never changes, each with an offset: a Kafka partition, a Kinesis
shard, a file. How far the cell has read in each is part of what it knows. So whoever feeds it may feed anything twice:
what lies behind a position is skipped, and each message counts exactly once, however often a worker dies.

For the same readings a cell tells the same events as a gateway, ids included, with two exceptions that make it
independent of how many cells there are: sensors of different devices are never told as one incident, and nobody is told
of sensors that are found. Events are numbered within a cell.
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
from edge.core.model.readings.messages import Message, Reading
from edge.core.persistence import journal
from edge.core.persistence.components.detector_states import Unlearned
from edge.core.persistence.snapshot import Snapshot, SnapshotError
from edge.core.persistence.steps.step import Step
from edge.core.pipeline import Pipeline

VERSION = 1
"""Of how states and entries are written."""

Item = TypeVar("Item")


class CellStateError(ValueError):
    """A state or an entry is damaged, or a later version has written it."""


class CellPlan(NamedTuple):
    """What the configuration says of cells.

    Attributes:
        pipeline: Makes a pipeline that knows nothing; it must not tell of sensors that are found.
        placing: Which sensors belong together.
        digest: Of the configuration.
        inputs: Digest of what the configuration says of inputs.
    """

    pipeline: Callable[[], Pipeline]
    placing: Placing
    digest: str = ""
    inputs: str = ""


class _State(msgspec.Struct, array_like=True, frozen=True):
    version: int
    positions: dict[str, str]  # some logs have offsets of more than 64 bits
    snapshot: bytes


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    version: int
    positions: dict[str, str]
    journal: bytes


Written = TypeVar("Written", _State, _Entry)


class Cell:
    """The sensors of some devices, and how far they were read in each log.

    Args:
        plan: What the configuration says of cells.

    Attributes:
        positions: The offset of the last message that was read of each log, by the log's name.
        unlearned: What the loaded state couldn't give, as the configuration or the version has changed since.
    """

    def __init__(self, plan: CellPlan) -> None:
        self._plan = plan
        self.pipeline = plan.pipeline()
        self.pipeline.telling.grouping.scope = plan.placing.device
        self.positions: dict[str, int] = {}
        self.unlearned = Unlearned()
        self._parts: list[journal.Part] = []
        self._moved: dict[str, int] = {}

    @property
    def clock(self) -> float:
        """The stream clock, seconds since the epoch; minus infinity before the first reading."""
        return max(self.pipeline.engine.clock.now, self.pipeline.reorder.clock.now)

    def sensors(self) -> list[str]:
        """The names of the sensors, without devices."""
        table = self.pipeline.sensors
        return [table.names[slot] for slot in table.still_there(range(len(table)))]

    def process(self, messages: Sequence[Message], log: str, offsets: Sequence[int]) -> Step:
        """Take messages of a log; those that were read before are skipped.

        Args:
            messages: In the order of the log.
            log: Its name.
            offsets: Of the messages, ascending; they may have gaps.

        Raises:
            ValueError: The offsets don't ascend, or there are more or fewer than messages.
        """
        unread = self._unread(messages, log, offsets)
        return self._note(self.pipeline.process(unread)) if unread else Step()

    def process_readings(self, readings: Sequence[Reading], log: str, offsets: Sequence[int]) -> Step:
        """Take readings that were decoded elsewhere; see `process()`."""
        unread = self._unread(readings, log, offsets)
        return self._note(self.pipeline.process_readings(unread)) if unread else Step()

    def tick(self, now: float) -> Step:
        """Let the stream clock come to `now`, in seconds since the epoch, should no reading say so.

        Sensors that have fallen silent by then are found. It must never be ahead of readings that are still to be
        given, or these come after a silence that wasn't one.
        """
        clock = self.clock
        return self._note(self.pipeline.tick(now - clock)) if math.isfinite(clock) and now > clock else Step()

    def due(self) -> float:
        """The stream clock at which `tick()` may find something; infinity if nothing is waited for."""
        pipeline, clock = self.pipeline, self.clock
        if not math.isfinite(clock):
            return math.inf
        wait_s = pipeline.reorder.wait_s
        silent = float(pipeline.engine.statistics.deadline.min(initial=math.inf)) + pipeline.engine.absence.leap_s
        told = min(silent, pipeline.watch.desk.boundary, pipeline.telling.grouping.next_due) + wait_s
        return max(clock, min(told, pipeline.reorder.next_due))

    def forget(self, sensors: Collection[str], now: float) -> Step:
        """Forget sensors by their names: their incidents end, and an event tells of them.

        Args:
            sensors: Those that aren't known are left out.
            now: Seconds since the epoch.
        """
        table = self.pipeline.sensors
        slots = [slot for slot in map(table.find, sensors) if slot is not None]
        step = self._note(self.pipeline.forget(slots, now))
        table.vacancies.release(math.inf)
        return step

    def entry(self) -> bytes | None:
        """What has to be gone through again to come from the last entry, or the last state, to now; None if nothing.

        Each change is in one entry only.
        """
        if not self._parts and not self._moved:
            return None
        entry = encode(_Entry(VERSION, _as_text(self._moved), journal.pack(self._parts)))
        self._parts, self._moved = [], {}
        return entry

    def state(self) -> bytes:
        """Everything that the cell knows, for `load()`; no entry from before is needed then."""
        self._parts, self._moved = [], {}
        saved = self.pipeline.save(self._plan.digest, self._plan.inputs)
        return encode(_State(VERSION, _as_text(self.positions), saved))

    def load(self, state: bytes | None, entries: Sequence[bytes] = ()) -> list[Event]:
        """Go on from a state and the entries since; only for a cell that has seen nothing yet.

        Args:
            state: What `state()` gave; None where entries go back to the beginning.
            entries: What `entry()` has given since, in order.

        Returns:
            The events that came of the entries, once more.

        Raises:
            CellStateError: They can't be read. The cell is of no use then.
        """
        self._must_be_new()
        try:
            if state is not None:
                saved = _read(state, _State)
                self.unlearned = self.pipeline.restore(Snapshot.from_bytes(saved.snapshot), self._plan.inputs)
                self.positions = _as_offsets(saved.positions)
            parts: list[journal.Part] = []
            for each in entries:
                entry = _read(each, _Entry)
                parts += journal.unpack(entry.journal)
                self.positions |= _as_offsets(entry.positions)
        except (SnapshotError, journal.JournalError, StateError) as error:
            raise CellStateError(str(error)) from error
        events = self.pipeline.replay(parts)
        self.pipeline.sensors.vacancies.release(math.inf)
        return events

    def export(self, sensors: Collection[str]) -> bytes:
        """The state of a cell that knows of these sensors what this one does, and of no others; see `take_in()`.

        Args:
            sensors: Names, of all sensors of a device or of none.
        """
        chosen = {*sensors}
        other = Cell(self._plan)
        other.load(self._peek())
        other.forget([each for each in other.sensors() if each not in chosen], other.clock)
        other.pipeline.sensors.vacancies.names.clear()
        return other.state()

    def take_in(self, state: bytes) -> None:
        """Become what `export()` gave.

        Only a cell that has seen nothing can: cells are divided, and never joined, as each position holds for all
        sensors of a cell.

        Raises:
            CellStateError: The state can't be read.
            ValueError: The cell has seen something.
        """
        self.load(state)

    def _peek(self) -> bytes:
        """The state, with the next entry being what it would have been."""
        kept = self._parts, self._moved
        state = self.state()
        self._parts, self._moved = kept
        return state

    def _must_be_new(self) -> None:
        if self.positions or len(self.pipeline.sensors):
            raise ValueError("only a cell that has seen nothing can go on from a state")

    def _unread(self, items: Sequence[Item], log: str, offsets: Sequence[int]) -> Sequence[Item]:
        """Those that lie beyond the position in a log, which moves to their end."""
        if len(items) != len(offsets) or any(map(ge, offsets, offsets[1:])):
            raise ValueError("each item must have an offset, and offsets must ascend")
        position = self.positions.get(log)
        first = 0 if position is None else bisect_right(offsets, position)
        if first < len(items):
            self.positions[log] = self._moved[log] = offsets[-1]
        return items[first:]

    def _note(self, step: Step) -> Step:
        if step.journal is not None:
            self._parts.append(step.journal)
        return step


def _read(encoded: bytes, kind: type[Written]) -> Written:
    """A state or an entry of this version.

    Raises:
        StateError: It is damaged, or of another version.
    """
    version, *_ = decode(encoded, list[msgspec.Raw]) or [b"\xc0"]
    if decode(bytes(version), int) != VERSION:
        raise StateError(f"written in version {decode(bytes(version), int)}; this one knows {VERSION}")
    read: Written = decode(encoded, kind)
    return read


def _as_text(positions: dict[str, int]) -> dict[str, str]:
    return {log: str(offset) for log, offset in positions.items()}


def _as_offsets(positions: dict[str, str]) -> dict[str, int]:
    try:
        return {log: int(offset) for log, offset in positions.items()}
    except ValueError as error:
        raise StateError(f"no offset: {error}") from error
