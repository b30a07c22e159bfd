"""A plant with faults, and fleets of cells that read it; a fleet of a single cell is the undisturbed run."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import cache

from edge.core.cells import Cell, CellPlan, Placing
from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Reading
from edge.core.persistence.steps.step import Step
from simulators.faults.schedule import Schedule
from simulators.plant.plant import plant
from tests.edge.core.pipelines import START, pipeline

LOG = "readings-0"
LAST = START + 4 * 3600.0


@cache
def readings() -> tuple[Reading, ...]:
    """Two dozen sensors of a plant with many faults, including silences."""
    simulated = plant(24, seed=5, interval_s=60.0)
    faults = Schedule(share=0.6, warm_up=0.2, size=3.0).plan(simulated.sensors, 7, START, LAST - START)
    return tuple(simulated.readings(START, LAST, faults))


def plan(cells: int) -> CellPlan:
    return CellPlan(pipeline, Placing(cells), "digest", "inputs")


class Fleet:
    """Cells that read the plant's log, each its own readings, with the saved state of each."""

    def __init__(self, cells: int) -> None:
        self.plan = plan(cells)
        self.cells = [Cell(self.plan) for _ in range(cells)]
        self.kept: list[tuple[bytes | None, list[bytes]]] = [(None, []) for _ in range(cells)]
        self.events: list[Event] = []

    def take(self, first: int, last: int) -> None:
        """Give each cell its share of the readings from `first` to before `last`."""
        some = readings()[first:last]
        owners = [self.plan.placing.cell(each.sensor) for each in some]
        for number, cell in enumerate(self.cells):
            places = [place for place, owner in enumerate(owners) if owner == number]
            step = cell.process_readings([some[each] for each in places], LOG, [first + each for each in places])
            self._note(number, step)
            self._note(number, cell.tick(some[-1].time))

    def _note(self, number: int, step: Step) -> None:
        self.events += step.events
        entry = self.cells[number].entry()
        if entry is not None:
            self.kept[number][1].append(entry)

    def keep(self, number: int) -> None:
        """Save the whole state of a cell."""
        self.kept[number] = (self.cells[number].state(), [])

    def kill(self, number: int) -> None:
        """Load the saved state of a cell into a new one."""
        self.cells[number] = Cell(self.plan)
        self.cells[number].load(*self.kept[number])

    def divide(self) -> None:
        """Continue with twice as many cells."""
        before, self.plan = self.cells, plan(2 * len(self.cells))
        self.cells = []
        for number in range(self.plan.placing.cells):
            old = before[number % len(before)]
            mine = [each for each in old.sensors() if self.plan.placing.cell(each) == number]
            self.cells.append(Cell(self.plan))
            self.cells[-1].take_in(old.export(mine))
        self.kept = [(each.state(), []) for each in self.cells]

    def ids(self) -> list[str]:
        return sorted(each.id for each in self.events)


def run(cells: int, cuts: Iterable[int] = ()) -> Fleet:
    """All readings, in batches that end at these positions."""
    fleet = Fleet(cells)
    ends = sorted({*cuts, len(readings())})
    for first, last in zip([0, *ends], ends, strict=False):
        if first < last:
            fleet.take(first, last)
    return fleet


def place_of(time: float) -> int:
    """Number of readings before a time."""
    return bisect_left(readings(), time, key=lambda each: each.time)


def bare(events: Sequence[Event]) -> dict[str, bytes]:
    """The content of events without their numbers, by id."""
    return {each.id: each.payload.replace(f"{each.sequence:020d}".encode(), b"") for each in events}
