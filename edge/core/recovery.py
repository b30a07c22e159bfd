"""Recovery: from a snapshot and the journal to the state in which the service was interrupted, or to a better one.

With an unchanged configuration the outcome is bit-identical to never having stopped: everything is taken over, and what
the journal holds since goes through the same engine. With a changed one, each sensor's detectors that are as they were
keep what they have learned. The others learn from the journal's past as if they had been there, and open incidents stay
open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field

import numpy as np

from detectors.base import Slots
from detectors.state import SavedState, StateError
from edge.core.admission import Admission, ArrivalsTold
from edge.core.engine import Engine
from edge.core.groups import Group
from edge.core.journal import ClockStep, Part, Readings, Tick, join
from edge.core.messages import Batch
from edge.core.reorder import Reorder
from edge.core.snapshot import Snapshot, SnapshotError


@dataclass
class Unlearned:
    """What a snapshot couldn't give to detectors that are new or changed.

    Attributes:
        rows: For each group and each of its detectors, the rows that know nothing.
        slots: The sensors concerned.
    """

    rows: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    slots: set[int] = field(default_factory=set)

    def forget(self, engine: Engine, slot: int) -> None:
        """Let all of a sensor's or a device's detectors begin anew."""
        group, row = engine.members[slot]
        self.slots.add(slot)
        for place, table in enumerate(group.tables):
            table.reset(np.array([row]))
            rows = self.rows.setdefault((engine.ordered_groups.index(group), place), [])
            if row not in rows:
                rows.append(row)


def take_over(engine: Engine, snapshot: Snapshot) -> Unlearned:
    """Give an engine's detectors what a snapshot knows, sensor by sensor; return what it doesn't.

    Args:
        engine: One that has seen nothing, and has room for the snapshot's sensors in their order.
        snapshot: The snapshot.

    Raises:
        SnapshotError: A detector's state is damaged.
    """
    try:
        saved = [[SavedState(each) for each in group] for group in snapshot.tables]
    except StateError as error:
        raise SnapshotError(str(error)) from error
    groups = engine.ordered_groups
    their_groups = snapshot.groups or [groups.index(group) for group, _ in engine.members]
    if len(their_groups) != len(engine.members) or max(their_groups, default=-1) >= len(saved):
        raise SnapshotError("groups and sensors don't fit each other")
    their_rows = _rows_of(their_groups)
    unlearned = Unlearned()
    for index, group in enumerate(groups):
        slots = [slot for slot, (its_group, _) in enumerate(engine.members) if its_group is group]
        for theirs in sorted({their_groups[slot] for slot in slots}):
            mine = [slot for slot in slots if their_groups[slot] == theirs]
            rows = np.array([engine.members[slot][1] for slot in mine], dtype=np.intp)
            from_rows = np.array([their_rows[slot] for slot in mine], dtype=np.intp)
            for place in _take_rows(group, saved[theirs], from_rows, rows):
                unlearned.rows.setdefault((index, place), []).extend(rows.tolist())
                unlearned.slots.update(mine)
    return unlearned


def learn(
    engine: Engine,
    unlearned: Unlearned,
    past: Iterable[Part],
    by_arrival: Slots | None = None,
    reorder_s: float = 0.0,
) -> int:
    """Let detectors learn from the journal's past what the snapshot couldn't give them; returns how many readings.

    The past is gone through by an engine of its own that knows the concerned sensors only, incidents and all, so that
    what it learns is what would have been learned then. For a device those are all of its sensors.

    Args:
        engine: Whose detectors are to learn.
        unlearned: What `take_over()` returned.
        past: What was journaled before the snapshot.
        by_arrival: Slots of the sensors whose readings the gateway's clock stamps.
        reorder_s: How late a reading may be and still be put in order.
    """
    shadow = Engine(lambda slot: engine.members[slot][0].profile, engine.devices.anew())
    shadow.grow(len(engine.members))
    admission = Admission()
    admission.grow(len(engine.members))
    reorder = Reorder(reorder_s)
    concerned = np.zeros(len(engine.members), dtype=bool)
    concerned[list(unlearned.slots)] = True
    for slot in unlearned.slots:
        if engine.devices.is_device(slot):
            concerned[engine.devices.members(slot)] = True
    stamped = np.zeros(0, dtype=np.intp) if by_arrival is None else by_arrival
    learned = 0
    for part in join(past):
        arrivals = ArrivalsTold(part.late if isinstance(part, Readings) else ())
        for in_turn in _in_turn(part, reorder, len(concerned)):
            batch = in_turn.take(concerned[in_turn.slots])
            batch = batch.take(admission.judge(batch, arrivals) == 0)
            shadow.process(batch)
            learned += len(batch)
        if isinstance(part, ClockStep):
            if part.by < 0:
                admission.shift(stamped, part.by)
            shadow.clock_stepped(part.by, stamped)
            reorder.clock = copy(shadow.clock)
    engine.calibration.take_rows(shadow.calibration, sorted(unlearned.slots))
    for (group, place), rows in unlearned.rows.items():
        source, target = shadow.ordered_groups[group].tables[place], engine.ordered_groups[group].tables[place]
        chosen = np.array(rows, dtype=np.intp)
        for name, array in target.arrays.items():
            array[chosen] = source.arrays[name][chosen]
    return learned


def _in_turn(part: Part, reorder: Reorder, sensors: int) -> Iterator[Batch]:
    """The readings whose turn has come with a part, as the pipeline would take them."""
    if isinstance(part, Readings):
        if part.interrupted:
            yield reorder.pass_time(np.inf)
        yield reorder.pass_on(part.batch.take(part.batch.slots < sensors))
    elif isinstance(part, Tick):
        yield reorder.pass_time(part.clock)
    elif isinstance(part, ClockStep):
        yield reorder.pass_time(np.inf)


def _rows_of(groups: list[int]) -> list[int]:
    """The row of each sensor within its group: rows were given out in the order of the slots."""
    counts: dict[int, int] = {}
    rows = []
    for group in groups:
        rows.append(counts.get(group, 0))
        counts[group] = rows[-1] + 1
    return rows


def _take_rows(group: Group, saved: list[SavedState], theirs: Slots, ours: Slots) -> list[int]:
    """Take over what fits; returns the places of the detectors for which nothing does."""
    unlearned = []
    for place, table in enumerate(group.tables):
        fitting = next((each for each in saved if each.belongs_to(table)), None)
        if fitting is None or (len(theirs) and int(theirs.max()) >= fitting.rows):
            unlearned.append(place)
        else:
            table.take_rows(fitting, theirs, ours)
    return unlearned
