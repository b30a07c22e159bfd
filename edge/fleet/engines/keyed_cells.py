"""Keyed cells: a worker's cells, each with the state that an engine hands over for its key.

This is all that adapters to engines have in common. How far time has come for a cell is kept beside it, by the clock of
its log: the cell's own clock, which is that of its sensors, goes on by as much as has passed in the log since.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

from edge.core.cells import CellPlan
from edge.fleet.engines.packs import PackedRecord
from edge.fleet.host import ENTRIES, CellHost, CellOutcome, LogPortion
from edge.fleet.keyed_store import KeyedState, KeyedStore

LIVE = 1000
_TIME = struct.Struct(">d")


class KeyedCells:
    """Runs cells over the states of an engine; for one thread.

    Args:
        plan: What the configuration says of cells.
        entries: See `CellHost`.
        live: Likewise.
    """

    def __init__(self, plan: CellPlan, *, entries: int = ENTRIES, live: int = LIVE) -> None:
        self._states: dict[int, KeyedState] = {}
        self._numbers: dict[str, int] = {}
        self.host = CellHost(plan, KeyedStore(self._states.__getitem__), entries=entries, live=live)

    def run(
        self, key: str, state: KeyedState, records: Sequence[PackedRecord], log: str, time: float | None
    ) -> CellOutcome:
        """Give a cell what its log has for it.

        Args:
            key: Of the cell, the same wherever it runs.
            state: What the engine keeps for the key; valid for this call only.
            records: By ascending offsets; those that were read before are skipped.
            log: Name of the log.
            time: How far time has come in the log, seconds since the epoch; None if nobody knows.

        Returns:
            What came of it. Events are to be told before the engine's checkpoint.
        """
        if not records and state.get("head") is None:
            return CellOutcome(due=math.inf)
        number = self._numbers.setdefault(key, len(self._numbers))
        self._states[number] = state
        try:
            reached = _time_of(state.get("time"))
            since = max(reached, records[-1].arrived) if records else reached
            now = since if time is None else max(time, since)
            portions = [LogPortion(log, [each.offset for each in records], [each.message() for each in records])]
            outcome = self.host.run(number, portions, passed_s=now - since if math.isfinite(since) else 0.0)
            if now > reached:
                state.put("time", _TIME.pack(now))
            return outcome
        finally:
            del self._states[number]


def _time_of(packed: bytes | None) -> float:
    """How far time had come; minus infinity if that isn't known."""
    return -math.inf if packed is None else float(_TIME.unpack(packed)[0])
