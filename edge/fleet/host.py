"""The cell host: runs cells and keeps their state in a store.

A cell stays in memory after a run, so that the next batch needn't load it. It is reused only if the store still has the
nonce that this host wrote last; after a crash, a retry, or a run by another worker it doesn't, and the cell is loaded
again. The changes of a batch are appended as one entry, a few bytes per reading; from time to time a snapshot replaces
the entries, at different times for different cells.

Events are emitted before the state is stored. None is lost, and a batch repeated after a crash emits them again with
the same IDs, by which duplicates are recognised.
"""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edge.core.cells import Cell, CellPlan
from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import DeadLetter, Message, Reading
from edge.core.persistence.steps.step import Step
from edge.fleet.store import CellStore, Head, StaleHeadError

ENTRIES = 50
"""Default number of entries between two snapshots."""

LIVE = 64
"""Default number of cells kept in memory."""


class LogPortion(NamedTuple):
    """A batch's items for a cell from one log.

    Attributes:
        log: Name of the log.
        offsets: Ascending offsets of the items.
        messages: The items, if they are to be decoded.
        readings: The items, if they are already decoded.
    """

    log: str
    offsets: Sequence[int]
    messages: Sequence[Message] = ()
    readings: Sequence[Reading] = ()


@dataclass
class CellOutcome:
    """The outcome of a batch.

    Attributes:
        events: Events in the cell's order.
        dead_letters: Dead letters that were kept.
        refused: Number of refused messages and readings, by reason.
        due: The stream clock at which the cell must run even if nothing arrives; infinity if it needn't.
    """

    events: list[Event] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    due: float = 0.0

    def take(self, step: Step) -> None:
        """Add the outcome of a step."""
        self.events += step.events
        self.dead_letters += step.dead_letters


Tell = Callable[[Sequence[Event]], None]


class CellHost:
    """Runs the cells of one worker.

    Args:
        plan: The configuration of cells.
        store: Stores the cells.
        entries: Maximum number of entries before a snapshot, at least 1.
        live: Maximum number of cells kept in memory, at least 0.
        nonce: Returns unique strings.
        rewrites: Whether a cell that this host didn't write last is first stored as a snapshot, so that the store needs
            nothing from before. This is for stores that are restored from a log which may contain writes that were
            never committed: these can't mix with later ones then.

    Attributes:
        loads: Number of times that a cell was loaded from the store.
    """

    def __init__(
        self,
        plan: CellPlan,
        store: CellStore,
        *,
        entries: int = ENTRIES,
        live: int = LIVE,
        nonce: Callable[[], str] = secrets.token_hex,
        rewrites: bool = False,
    ) -> None:
        self._plan = plan
        self._store = store
        self._entries = entries
        self._most = live
        self._nonce = nonce
        self._rewrites = rewrites
        self._live: OrderedDict[int, tuple[str, Cell]] = OrderedDict()
        self._written: dict[int, str] = {}
        self.loads = 0

    def run(
        self,
        cell: int,
        portions: Iterable[LogPortion] = (),
        now: float | None = None,
        tell: Tell = lambda _: None,
        *,
        passed_s: float = 0.0,
    ) -> CellOutcome:
        """Run a cell on its share of a batch, emit the events and store its state.

        Args:
            cell: The number of the cell.
            portions: Items from each log; those that the cell has read before are skipped.
            now: Time that has certainly passed, see `Cell.tick()`; None if unknown.
            tell: Called once with the events, if there are any. If it raises, nothing is stored.
            passed_s: Seconds that have passed since the last item, where only that is known.

        Raises:
            StaleHeadError: Another worker has run the cell in the meantime; nothing is stored.
            CellStateError: The stored state of the cell can't be read.
        """
        head = self._store.head(cell)
        running = self._running(cell, head)
        before, outcome = _refused(running), CellOutcome()
        for each in portions:
            if each.messages:
                outcome.take(running.process(each.messages, each.log, each.offsets))
            if each.readings:
                outcome.take(running.process_readings(each.readings, each.log, each.offsets))
        if now is not None:
            outcome.take(running.tick(now))
        if passed_s > 0:
            outcome.take(running.tick(running.clock + passed_s))
        outcome.refused, outcome.due = _refused(running) - before, running.due()
        if outcome.events:
            tell(outcome.events)
        self._keep(cell, running, self._write(cell, running, head))
        return outcome

    def forget(self, cell: int, sensors: Sequence[str], now: float, tell: Tell = lambda _: None) -> CellOutcome:
        """Forget sensors of a cell, see `Cell.forget()`; otherwise as `run()`."""
        head = self._store.head(cell)
        running, outcome = self._running(cell, head), CellOutcome()
        outcome.take(running.forget(sensors, now))
        outcome.due = running.due()
        if outcome.events:
            tell(outcome.events)
        self._keep(cell, running, self._write(cell, running, head))
        return outcome

    def drop(self, cell: int) -> None:
        """Remove a cell from memory, because another worker has it now."""
        self._live.pop(cell, None)
        self._written.pop(cell, None)

    def wrote_last(self, cell: int) -> bool:
        """Whether the stored state of a cell is the one that this host wrote last, and not that of another or none."""
        return self._is_own(cell, self._store.head(cell))

    def _running(self, cell: int, head: Head | None) -> Cell:
        """The cell as stored, taken from memory if possible; it returns to memory when its next state is stored."""
        nonce, running = self._live.pop(cell, ("", None))
        if running is not None and head is not None and head.nonce == nonce:
            return running
        running = Cell(self._plan)
        if head is not None:
            saved = self._store.snapshot(cell), self._store.entries(cell)
            if self._store.head(cell) != head:
                raise StaleHeadError(f"cell {cell} was written while it was loaded")
            running.load(*saved)
            self.loads += 1
        return running

    def _keep(self, cell: int, running: Cell, nonce: str) -> None:
        self._live[cell] = (nonce, running)
        while len(self._live) > self._most:
            self._live.popitem(last=False)

    def _write(self, cell: int, running: Cell, head: Head | None) -> str:
        """Store changes; returns the store's new nonce."""
        entry = running.entry()
        if entry is None:
            return "" if head is None else head.nonce
        nonce = self._nonce()
        if self._is_due(cell, head):
            self._store.put_snapshot(cell, running.state(), head, nonce)
        else:
            self._store.append(cell, entry, head, nonce)
        self._written[cell] = nonce
        return nonce

    def _is_own(self, cell: int, head: Head | None) -> bool:
        return head is not None and self._written.get(cell) == head.nonce

    def _is_due(self, cell: int, head: Head | None) -> bool:
        """Whether a snapshot is due: after half to all of the maximum number of entries, depending on the cell."""
        if self._rewrites and head is not None and not self._is_own(cell, head):
            return True
        entries = 0 if head is None else head.entries
        return entries + 1 >= self._entries - cell % (self._entries // 2 + 1)


def _refused(cell: Cell) -> Counter[str]:
    counters = cell.pipeline.counters
    return counters.messages_refused + counters.readings_refused
