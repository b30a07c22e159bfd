"""Division: one cell becomes several, each with what the cell had learned about its sensors.

When a fleet gets a multiple of its cells, cell 3 of 8 becomes cells 3 and 11 of 16. The new cells have the positions of
the old one, so that nothing is read twice or skipped.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge.core.cells import Cell, CellPlan
from edge.fleet.topics import TopicPlacing


def divided(
    cell: int, state: bytes | None, entries: Sequence[bytes], before: int, plan: CellPlan, topics: TopicPlacing
) -> dict[int, bytes]:
    """The states of the cells that a cell becomes, by their numbers.

    Args:
        cell: Number of the cell.
        state: Its snapshot, or None.
        entries: Its entries since the snapshot.
        before: Number of cells that it was one of.
        plan: The configuration of cells from now on; their number is a multiple of `before`.
        topics: Assigns topics to cells from now on.

    Raises:
        CellStateError: The state can't be read.
    """
    running = Cell(plan)
    running.load(state, entries)
    shares: dict[int, list[str]] = {each: [] for each in range(cell, plan.placing.cells, before)}
    for sensor in running.sensors():
        number = topics.cell_of_sensor(sensor, running.topics.get(sensor))
        shares[number if number in shares else cell].append(sensor)
    return {number: running.export(sensors) for number, sensors in shares.items()}
