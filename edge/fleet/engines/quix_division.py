"""Division of a fleet on Quix Streams: a cell without a state begins with its share of the state of an earlier cell.

All cells of a partition are in one store of Quix Streams. When the fleet gets a multiple of its cells, each new cell
finds the state of the cell that had its sensors until then. Packs written before are still run by the earlier cells:
they precede all packs of the new ones.

A worker may lose what it has done since the last checkpoint, also while it continues to run, and the changelog may hold
parts of it. A cell is therefore looked at as if it were new whenever the worker didn't write its state itself.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from edge.core.cells import CellPlan
from edge.fleet.division import divided
from edge.fleet.engines.keyed_cells import TIME, KeyedCells, time_of
from edge.fleet.engines.packs import Pack
from edge.fleet.host import ENTRIES, CellOutcome
from edge.fleet.keyed_store import KeyedState, KeyedStore
from edge.fleet.topics import TopicPlacing

log = logging.getLogger("edgewarden.fleet")

StateOf = Callable[[str], KeyedState]
"""Returns the state of a cell of the same partition, by the name of the cell."""


class InheritingCells:
    """Runs the cells of a worker, each of which first continues an earlier one where `inherit()` says so.

    Args:
        plan: The configuration of cells.
        topics: Assigns topics to cells.
        entries: See `CellHost`.
    """

    def __init__(self, plan: CellPlan, topics: TopicPlacing, *, entries: int = ENTRIES) -> None:
        self._cells = KeyedCells(plan, entries=entries, rewrites=True)
        self._plan, self._topics = plan, topics

    def run(self, name: str, state_of: StateOf, pack: Pack) -> CellOutcome:
        """Run the cell of this name on a pack."""
        state = state_of(name)
        if not self._cells.wrote_last(name, state) and inherit(name, state_of, self._plan, self._topics):
            log.info("divided cell=%s", name)
        return self._cells.run(name, state, pack.records, pack.log, pack.time)


def inherit(name: str, state_of: StateOf, plan: CellPlan, topics: TopicPlacing) -> bool:
    """Let a cell continue an earlier one, if it has no state or a stale one; returns whether it does.

    Of several earlier ones, the one with the latest records is continued. A state is stale if an earlier cell has later
    records: the fleet has had fewer cells since.

    Args:
        name: Name of the cell, as `PLACE/3of8`.
        state_of: The states of the partition.
        plan: The configuration of cells; a name with another number of cells inherits nothing.
        topics: Assigns topics to cells.

    Raises:
        CellStateError: The state of the earlier cell can't be read.
    """
    place, _, which = name.rpartition("/")
    number, count = map(int, which.split("of"))
    if count != plan.placing.cells:
        return False
    own = state_of(name)
    target = KeyedStore({number: own}.__getitem__)
    head = target.head(number)
    divisors = [each for each in range(1, count // 2 + 1) if count % each == 0]
    earlier = {each: state_of(f"{place}/{number % each}of{each}") for each in divisors}
    found = [(time_of(state.get(TIME)), each) for each, state in earlier.items() if state.get("head") is not None]
    if not found or (head is not None and max(found)[0] <= time_of(own.get(TIME))):
        return False
    if head is not None:
        log.warning("stale cell=%s", name)
    _, before = max(found)
    state, parent = earlier[before], number % before
    store = KeyedStore({parent: state}.__getitem__)
    shares = divided(parent, store.snapshot(parent), store.entries(parent), before, plan, topics)
    target.put_snapshot(number, shares[number], head, secrets.token_hex())
    if (last := state.get(TIME)) is not None:
        own.put(TIME, last)
    return True
