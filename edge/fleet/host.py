"""The cell host: runs cells, and keeps what they know in a store.

A cell that was run stays in memory, so that the next batch needn't load it. It is trusted only if the store still has
the nonce that this host has written last: after a crash, a retry, or while another worker had the cell, it hasn't, and
the cell is loaded anew. What a batch changes is appended as one entry, a few bytes a reading; now and then a snapshot
takes the place of the entries, which is at different times for different cells.

Events are told before the state is stored. So none is lost, and a batch that is run again after a crash tells them once
more with the same ids, by which they are told apart.
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
"""Entries between two snapshots, unless the host is told otherwise."""

LIVE = 64
"""Cells that stay in memory, unless the host is told otherwise."""


class LogPortion(NamedTuple):
    """What a batch has for a cell, of one log.

    Attributes:
        log: Name of the log.
        offsets: Of each item, ascending.
        messages: The items, if they are to be decoded.
        readings: The items, if they were decoded.
    """

    log: str
    offsets: Sequence[int]
    messages: Sequence[Message] = ()
    readings: Sequence[Reading] = ()


@dataclass
class CellOutcome:
    """What came of a batch.

    Attributes:
        events: In the cell's order.
        dead_letters: What was refused and is kept.
        refused: How many messages and readings were refused, by reason.
        due: The stream clock at which the cell wants to be run, should nothing arrive; infinity if it needn't.
    """

    events: list[Event] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    due: float = 0.0

    def take(self, step: Step) -> None:
        """Add what came of a step."""
        self.events += step.events
        self.dead_letters += step.dead_letters


Tell = Callable[[Sequence[Event]], None]


class CellHost:
    """Runs the cells of one worker.

    Args:
        plan: What the configuration says of cells.
        store: Keeps them.
        entries: How many entries a cell may have before it gets a snapshot, from 1.
        live: How many cells stay in memory at most, from 0.
        nonce: Makes words that nobody else makes.

    Attributes:
        loads: How often a cell was loaded from the store.
    """

    def __init__(
        self,
        plan: CellPlan,
        store: CellStore,
        *,
        entries: int = ENTRIES,
        live: int = LIVE,
        nonce: Callable[[], str] = secrets.token_hex,
    ) -> None:
        self._plan = plan
        self._store = store
        self._entries = entries
        self._most = live
        self._nonce = nonce
        self._live: OrderedDict[int, tuple[str, Cell]] = OrderedDict()
        self.loads = 0

    def run(
        self, cell: int, portions: Iterable[LogPortion] = (), now: float | None = None, tell: Tell = lambda _: None
    ) -> CellOutcome:
        """Give a cell its share of a batch, tell the events and store what it knows then.

        Args:
            cell: The number of the cell.
            portions: Of each log what it has; what the cell has read before is skipped.
            now: How far time has come for sure, see `Cell.tick()`; None if nobody knows.
            tell: Called once with the events, if there are any. What it raises is raised, and nothing is stored.

        Raises:
            StaleHeadError: Another worker has run the cell meanwhile; nothing is stored.
            CellStateError: What the store has of the cell can't be read.
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
        """Keep a cell in memory no longer, as another worker has it now."""
        self._live.pop(cell, None)

    def _running(self, cell: int, head: Head | None) -> Cell:
        """The cell as the store has it; out of the memory, to which it returns when what it does next is stored."""
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
        """Store what has changed; returns the nonce that the store has then."""
        entry = running.entry()
        if entry is None:
            return "" if head is None else head.nonce
        nonce = self._nonce()
        if self._is_due(cell, head):
            self._store.put_snapshot(cell, running.state(), head, nonce)
        else:
            self._store.append(cell, entry, head, nonce)
        return nonce

    def _is_due(self, cell: int, head: Head | None) -> bool:
        """Whether the cell gets a snapshot now: after half as many entries as it may have or more, by its number."""
        entries = 0 if head is None else head.entries
        return entries + 1 >= self._entries - cell % (self._entries // 2 + 1)


def _refused(cell: Cell) -> Counter[str]:
    counters = cell.pipeline.counters
    return counters.messages_refused + counters.readings_refused
