"""What the detector `states` tells of one sensor, as an engine would hear it."""

from __future__ import annotations

from detectors.base import Measure
from detectors.numeric.arrays import Floats
from detectors.state import StateTable
from detectors.states import States

MONDAY_S = 1_772_409_600.0
TELLS = 2.5
"""Decades from which something is told; half as many keep it up."""


def told_by_states(values: Floats, every_s: float) -> list[tuple[int, float, Measure]]:
    """When something is told of readings since a Monday: index, value, and what it is about.

    While something is told, nothing is learned.
    """
    table, told, is_open = StateTable(States(), rows=1), list[tuple[int, float, Measure]](), False
    for index, value in enumerate(values.tolist()):
        score = table.update_one(0, value, MONDAY_S + every_s * index, held=is_open).score
        if score >= TELLS and not is_open:
            measure = table.detector.measure(table.arrays, 0)
            assert measure is not None
            told.append((index, value, measure))
        is_open = score >= (TELLS / 2 if is_open else TELLS)
    return told
