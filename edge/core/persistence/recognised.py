"""Sensors recognised as machines with states, from the parts of a snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from detectors.state import StateError
from detectors.states import States, values_of_states
from edge.core.model.encoding import decode
from edge.core.persistence.detector_states import DetectorRows
from edge.core.persistence.snapshot import Part

COMPONENT = "detectors"
"""The component of a snapshot that says it."""


def recognised_states(parts: Iterable[Part]) -> dict[int, list[float]]:
    """The values of the states of each sensor that has states, by its slot.

    Parts that another version has written in another way say nothing.
    """
    found: dict[int, list[float]] = {}
    for part in parts:
        if part.component == COMPONENT:
            try:
                found |= _in_part(part.first, decode(part.state, DetectorRows))
            except (StateError, KeyError, IndexError):
                continue
    return found


def _in_part(first: int, rows: DetectorRows) -> dict[int, list[float]]:
    values = {}
    for number, tables in rows.tables.items():
        for table in tables:
            if table.header.get("detector") == States.name:
                arrays = {name: table.arrays[name].decode() for name in ("known", "levels", "center")}
                values[number] = values_of_states(arrays)
    counts: Counter[int] = Counter()
    found = {}
    for place, number in enumerate(rows.groups):
        if number in values and values[number][counts[number]]:
            found[first + place] = values[number][counts[number]]
        counts[number] += 1
    return found
