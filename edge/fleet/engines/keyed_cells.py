"""Keyed cells: a worker's cells, each with the state that an engine keeps for its key.

This is shared by all adapters. The time of the last record in the log is stored next to the cell: the cell's own clock,
which follows its sensors, advances by the time that has passed in the log since then.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from edge.core.cells import CellPlan
from edge.fleet.engines.packs import Records
from edge.fleet.host import ENTRIES, CellHost, CellOutcome, LogPortion
from edge.fleet.keyed_store import KeyedState, KeyedStore

LIVE = 1000
TIME = "time"
"""Name of the time of the last record in a cell's state."""

_TIME = struct.Struct(">d")


class KeyedCells:
    """Runs cells over an engine's states; not thread-safe.

    Args:
        plan: The configuration of the cells.
        entries: See `CellHost`.
        live: See `CellHost`.
        rewrites: See `CellHost`.
    """

    def __init__(self, plan: CellPlan, *, entries: int = ENTRIES, live: int = LIVE, rewrites: bool = False) -> None:
        self._states: dict[int, KeyedState] = {}
        self._numbers: dict[str, int] = {}
        store = KeyedStore(self._states.__getitem__)
        self.host = CellHost(plan, store, entries=entries, live=live, rewrites=rewrites)

    def run(self, key: str, state: KeyedState, records: Records, log: str, time: float | None) -> CellOutcome:
        """Run a cell on records of its log.

        Args:
            key: Key of the cell, the same on every worker.
            state: The engine's state of this key; valid during this call only.
            records: In order of offset; those already read are skipped.
            log: Name of the log.
            time: Time reached in the log, seconds since the epoch; None if unknown.

        Returns:
            The outcome. Events must be emitted before the engine's checkpoint.
        """
        if not records and state.get("head") is None:
            return CellOutcome(due=math.inf)
        with self._at_hand(key, state) as number:
            stored = time_of(state.get(TIME))
            last = max(stored, records.arrivals[-1]) if records else stored
            passed_s = 0.0 if time is None or last == -math.inf else max(0.0, time - last)
            portions = [LogPortion(log, records.offsets, records.messages())]
            outcome = self.host.run(number, portions, passed_s=passed_s)
            if last > stored:
                state.put(TIME, _TIME.pack(last))
            return outcome

    def wrote_last(self, key: str, state: KeyedState) -> bool:
        """See `CellHost.wrote_last()`."""
        with self._at_hand(key, state) as number:
            return self.host.wrote_last(number)

    @contextmanager
    def _at_hand(self, key: str, state: KeyedState) -> Iterator[int]:
        """Give the host a cell's state for the duration of a call; yields the cell's number."""
        number = self._numbers.setdefault(key, len(self._numbers))
        self._states[number] = state
        try:
            yield number
        finally:
            del self._states[number]


def time_of(packed: bytes | None) -> float:
    """The time of the last record, as stored under `TIME`; minus infinity if it is unknown."""
    return -math.inf if packed is None else float(_TIME.unpack(packed)[0])
