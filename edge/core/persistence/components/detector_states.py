"""Detector states: the learned state of each sensor's detectors, as a component of a snapshot.

A part holds the rows of some sensors in the tables of all their detectors, with the detector and parameters of each
table. After a change of the configuration, unchanged detectors of a sensor take their rows from the snapshot; the
others are reported as unlearned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from detectors.numeric.arrays import Slots
from detectors.numeric.gather import is_consecutive
from detectors.state import SavedState, StateError
from edge.core.engine import Engine
from edge.core.model.packing.encoding import EncodedArray, decode, encode
from edge.core.scoring.profiles import Group


@dataclass
class MissingState:
    """State missing from a snapshot.

    Attributes:
        rows: For each group and each of its detectors, the rows without a state.
        slots: The sensors concerned.
        components: Whole components that are missing or unknown, each with the reason.
    """

    rows: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    slots: set[int] = field(default_factory=set)
    components: dict[str, str] = field(default_factory=dict)

    def forget(self, engine: Engine, slots: Iterable[int]) -> None:
        """Reset all detectors of sensors or devices."""
        for slot in slots:
            group, row = engine.members[slot]
            self.slots.add(slot)
            for place, table in enumerate(group.tables):
                table.reset(np.array([row]))
                rows = self.rows.setdefault((engine.ordered_groups.index(group), place), [])
                if row not in rows:
                    rows.append(row)


class EncodedTable(msgspec.Struct, array_like=True, frozen=True):
    """Rows of a detector's table.

    Attributes:
        header: Header of the table.
        arrays: Arrays of the table.
    """

    header: dict[str, Any]
    arrays: dict[str, EncodedArray]

    @classmethod
    def of(cls, saved: SavedState) -> EncodedTable:
        """Encode rows."""
        return cls(saved.header, {name: EncodedArray.of(each) for name, each in saved.arrays.items()})

    def decode(self) -> SavedState:
        """The rows.

        Raises:
            StateError: They can't be read.
        """
        return SavedState(self.header, {name: each.decode() for name, each in self.arrays.items()})


class DetectorRows(msgspec.Struct, array_like=True, frozen=True):
    """The learned state of the detectors of some sensors.

    Attributes:
        count: Number of sensors.
        groups: Group number of each sensor; empty in format 1, which contains only the order of groups.
        tables: Tables of each group, with rows in the order of the sensors' slots.
    """

    count: int
    groups: list[int]
    tables: dict[int, list[EncodedTable]]


class DetectorStates:
    """The detectors' tables, by the slots of the sensors.

    Args:
        engine: The engine whose detectors are saved.

    Attributes:
        unlearned: State that `load()` couldn't restore.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._loaded: set[int] = set()
        self.unlearned = MissingState()

    def state(self, first: int, last: int) -> bytes:
        """The rows of the sensors in the range `first` to `last` (exclusive), for `load()`."""
        engine = self._engine
        groups = engine.group_numbers(first, last)
        tables = {}
        for number in np.unique(groups).tolist():
            rows = np.array([engine.members[first + each][1] for each in np.flatnonzero(groups == number)])
            chosen = slice(int(rows[0]), int(rows[-1]) + 1) if is_consecutive(rows) else rows
            tables[number] = [EncodedTable.of(table.rows_of(chosen)) for table in engine.ordered_groups[number].tables]
        return encode(DetectorRows(last - first, groups.tolist(), tables))

    def load(self, first: int, state: bytes) -> None:
        """Load the rows of the sensors from `first` on whose detectors are unchanged.

        Raises:
            StateError: The rows can't be read, or don't match the sensors.
        """
        engine, rows = self._engine, decode(state, DetectorRows)
        slots = range(first, first + rows.count)
        theirs = rows.groups or engine.group_numbers(first, slots.stop).tolist()
        if slots.stop > len(engine.members) or len(theirs) != rows.count:
            raise StateError("detectors and sensors don't fit each other")
        tables = {number: [each.decode() for each in group] for number, group in rows.tables.items()}
        for (number, their_group), chosen in _alike(engine.group_numbers(first, slots.stop).tolist(), theirs).items():
            ours = np.array([engine.members[first + each][1] for each, _ in chosen], dtype=np.intp)
            from_rows = np.array([row for _, row in chosen], dtype=np.intp)
            group = engine.ordered_groups[number]
            for place in _take_rows(group, tables.get(their_group, []), from_rows, ours):
                self.unlearned.rows.setdefault((number, place), []).extend(ours.tolist())
                self.unlearned.slots.update(first + each for each, _ in chosen)
        self._loaded.update(slots)

    def forget_unloaded(self, known: int) -> None:
        """Mark those of the first `known` sensors as unlearned that occurred in no part."""
        self.unlearned.forget(self._engine, sorted(set(range(known)) - self._loaded))


def _alike(ours: Sequence[int], theirs: Sequence[int]) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Sensors whose group is the same as in the saved state: position of each, and its saved row."""
    counts: Counter[int] = Counter()
    alike: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for place, (our_group, their_group) in enumerate(zip(ours, theirs, strict=True)):
        alike.setdefault((our_group, their_group), []).append((place, counts[their_group]))
        counts[their_group] += 1
    return alike


def _take_rows(group: Group, saved: list[SavedState], theirs: Slots, ours: Slots) -> list[int]:
    """Load matching tables; returns the indices of the detectors without a match."""
    unlearned = []
    for place, table in enumerate(group.tables):
        fitting = next((each for each in saved if each.belongs_to(table)), None)
        if fitting is None or (len(theirs) and int(theirs.max()) >= fitting.rows):
            unlearned.append(place)
        else:
            table.take_rows(fitting, theirs, ours)
    return unlearned
