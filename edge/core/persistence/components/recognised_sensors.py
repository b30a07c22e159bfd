"""Sensors recognised as state machines or as counters, read from the parts of a snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from detectors.state import StateError
from detectors.states import States, values_of_states
from edge.core.model.packing.encoding import decode, decode_arrays
from edge.core.persistence.components.detector_states import DetectorRows
from edge.core.persistence.snapshot import Part

COMPONENT, PACES = "detectors", "paces"
"""The snapshot components with this information."""


def recognised_states(parts: Iterable[Part]) -> dict[int, list[float]]:
    """The state values of each sensor with states, by slot.

    Parts in another version's encoding are ignored.
    """
    found: dict[int, list[float]] = {}
    for part in parts:
        if part.component == COMPONENT:
            try:
                found |= _in_part(part.first, decode(part.state, DetectorRows))
            except (StateError, KeyError, IndexError):
                continue
    return found


def recognised_counters(parts: Iterable[Part]) -> dict[int, tuple[float, float]]:
    """Time unit of the pace and minimum stretch of each counter, both in seconds, by slot."""
    found: dict[int, tuple[float, float]] = {}
    for part in parts:
        if part.component == PACES:
            try:
                arrays = decode_arrays(part.state)
                columns = arrays["per"].tolist(), arrays["width"].tolist()
            except (StateError, KeyError):
                continue
            known = enumerate(zip(*columns, strict=True), part.first)
            found |= {slot: (per, width) for slot, (per, width) in known if per > 0}
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
