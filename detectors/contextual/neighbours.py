"""Neighbours: whether the recent sequence was seen before at about this time of day.

A sequence is eight values, four steps apart. It is compared with every sequence of the last 2,000 steps; the score is
the distance to the nearest ones, in standard deviations of the sensor today. The memory is a ring buffer of raw values,
and all sequences are views of it. Of every twenty consecutive sequences only the nearest one counts, because
overlapping sequences are the same memory.

The ring is laid out so that one shifted slice of it serves all sensors, wherever their rings begin: its end is repeated
before its beginning, and sequences across the seam are left out.

Source: V. Ishimtsev, A. Bernstein, E. Burnaev and I. Nazarov, "Conformal k-NN anomaly detector for univariate data
streams", 2017, PMLR 60, for k nearest neighbours of lagged values. Differs: the distance includes the time of day, and
it is scored by `likelihood` instead of by rank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.base import Field, State
from detectors.contextual.season import DAY_S
from detectors.contextual.steps import RECENT, StepStatistics
from detectors.numeric.arrays import Floats, Numbers, Slots
from detectors.numeric.elementwise import remainder
from detectors.numeric.gather import rows_at

LAGS = 8
GAP = 4
SPAN = (LAGS - 1) * GAP
"""Steps from the oldest value of a sequence to the newest."""

MEMORY = 2000
BLOCK = 20
NEAREST = 3
FAR = 1e17
"""Placeholder for unused entries of the ring; its square fits into single precision."""

LEAST = 1e-4
"""Squared distances below this are rounding errors or irrelevant."""

ROWS_AT_ONCE = 16
"""Rows per pass, few enough for the work to fit into a core's cache."""

_BEHIND = np.arange(LAGS) * GAP
_SEAM = np.arange(SPAN)
_BLOCKS = np.arange(0, MEMORY, BLOCK)

Singles = NDArray[np.float32]


def neighbours_layout() -> dict[str, Field]:
    """The state fields of the stream."""
    return {
        "kept": Field(),
        "unit": Field(),
        "memory": Field(FAR, dtype="f4", width=SPAN + MEMORY),
        "memory_cos": Field(dtype="f4", width=MEMORY),
        "memory_sin": Field(dtype="f4", width=MEMORY),
        "phases": Field(width=SPAN + 1, learned=False),
    }


def neighbours(state: State, step: StepStatistics, place: Numbers, variance: Numbers) -> Numbers:
    """Score steps by the distance of their sequence from the nearest remembered ones, then remember; shape (m,).

    Args:
        state: The detector's state; `recent` already holds the step.
        step: The completed steps.
        place: Number of steps seen before, learned or not.
        variance: Running variance of the sensor, including this step.
    """
    if type(step.slots) is int:
        arrays = {name: np.asarray(state[name]) for name in ("recent", *neighbours_layout())}
        alone = StepStatistics(*(np.array([each]) for each in step))
        return float(neighbours(arrays, alone, np.array([place]), np.array([variance]))[0])
    slots = step.slots
    angle = np.mod(np.where(np.abs(step.time) < 1e15, step.time, 0.0), DAY_S) * (2.0 * np.pi / DAY_S)
    state["phases"][slots, remainder(place, SPAN + 1)] = angle
    unit = state["unit"][slots]
    unit = np.where(unit > 0, unit, np.sqrt(variance))
    state["unit"][slots] = unit
    at = remainder(place[:, None] - _BEHIND, RECENT)
    course = _in_units(state["recent"][slots[:, None], at], unit[:, None])
    scale = np.minimum(np.maximum(variance / np.maximum(unit * unit, 1e-300), 1e-30), 1e33)
    kept = state["kept"][slots]
    ready = (kept >= BLOCK * NEAREST + SPAN) & (unit > 0)
    distance = np.zeros(len(slots))
    rows = np.flatnonzero(ready)
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[begin : begin + ROWS_AT_ONCE]
        distance[part] = _nearest(state, slots[part], course[part], angle[part], scale[part], kept[part])
    _remember(state, slots, place, kept, unit)
    return distance


def _nearest(state: State, slots: Slots, course: Singles, angle: Floats, scale: Floats, kept: Floats) -> Floats:
    memory = rows_at(state["memory"], slots)
    total: Singles = rows_at(state["memory_cos"], slots)
    total -= np.cos(angle).astype(np.float32)[:, None]
    total *= total
    work: Singles = rows_at(state["memory_sin"], slots)
    work -= np.sin(angle).astype(np.float32)[:, None]
    work *= work
    total += work
    total *= (LAGS * scale).astype(np.float32)[:, None]
    for lag in range(LAGS):
        begin = SPAN - lag * GAP
        np.subtract(memory[:, begin : begin + MEMORY], course[:, lag, None], out=work)
        work *= work
        total += work
    seam = remainder(kept[:, None] + _SEAM, MEMORY)
    total[np.arange(len(slots))[:, None], seam] = FAR * FAR
    nearest = np.minimum.reduceat(total, _BLOCKS, axis=1)
    nearest.partition(NEAREST - 1, axis=-1)
    square = nearest[:, :NEAREST].astype(np.float64) / (LAGS * scale)[:, None]
    root = np.sqrt(np.maximum(square, LEAST))
    mean: Floats = np.einsum("ij->i", np.sort(root, axis=-1)) / NEAREST
    return mean


def _remember(state: State, slots: Slots, place: Floats, kept: Floats, unit: Floats) -> None:
    """Store values in the ring that the present sequence no longer includes."""
    old = place >= SPAN
    if not old.all():
        slots, place, kept, unit = slots[old], place[old], kept[old], unit[old]
    value = state["recent"][slots, remainder(place - SPAN, RECENT)]
    value = _in_units(value, unit)
    angle = state["phases"][slots, remainder(place - SPAN, SPAN + 1)]
    at = remainder(kept, MEMORY)
    state["memory"][slots, at + SPAN] = value
    repeated = at >= MEMORY - SPAN
    if repeated.any():
        state["memory"][slots[repeated], at[repeated] - (MEMORY - SPAN)] = value[repeated]
    state["memory_cos"][slots, at] = np.cos(angle)
    state["memory_sin"][slots, at] = np.sin(angle)
    state["kept"][slots] = kept + 1.0


def _in_units(values: Floats, unit: Floats) -> Singles:
    """Values in the unit of the ring; all 0 until something has varied."""
    within = np.minimum(np.maximum(values / np.maximum(unit, 1e-300), -FAR), FAR)
    singles: Singles = np.where(unit > 0, within, 0.0).astype(np.float32)
    return singles
