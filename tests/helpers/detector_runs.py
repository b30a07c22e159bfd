"""What the contract of a detector is checked on: a detector with its state, and the readings it has learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from detectors.base import Detector, Scores
from detectors.numeric.arrays import Floats, Slots
from detectors.parameters import parameters_of
from detectors.state import StateTable

START_S = 1_700_000_000.0
STEP_S = 1_800.0
ROUNDS = 440
"""Nine days, one reading every half hour, so that the time of day is learned, too, and every detector gives scores."""

SENSORS = 6
BIT_COUNT = 300.0


@dataclass(frozen=True)
class Subject:
    """A detector and its state."""

    detector: Detector
    table_type: type[StateTable] = StateTable

    def table(self, rows: int) -> StateTable:
        return self.table_type(self.detector, rows)


@cache
def readings() -> Floats:
    """Readings of a few kinds of sensors, shape (ROUNDS, SENSORS)."""
    rng = np.random.default_rng(20)
    steps = np.arange(ROUNDS)
    values = rng.normal(size=(ROUNDS, SENSORS))
    values[:, 1] = np.round(values[:, 1])
    values[:, 2] = np.cumsum(values[:, 2])
    values[:, 3] = 5.0 * np.sin(steps / 48 * 2 * np.pi) + 0.1 * values[:, 3]
    values[:, 4] = steps // 7 % 2
    values[200:203, 0] += 30.0
    values[220:, 3] += 20.0
    values.flags.writeable = False
    return values


def clock(step: int, count: int) -> Floats:
    return np.full(count, START_S + step * STEP_S) + np.arange(count)


def run(table: StateTable, values: Floats, slots: Slots | None = None, start: int = 0) -> list[Scores]:
    """Scores of consecutive rounds; values have shape (rounds, sensors)."""
    where = np.arange(values.shape[1]) if slots is None else slots
    return [table.update(where, row.copy(), clock(start + step, len(row))) for step, row in enumerate(values)]


@cache
def saved_after_training(subject: Subject) -> bytes:
    table = StateTable(subject.detector, SENSORS)
    run(table, readings())
    return table.to_bytes()


def trained(subject: Subject) -> StateTable:
    table = subject.table(SENSORS)
    loaded = StateTable(subject.detector)
    loaded.from_bytes(saved_after_training(subject))
    for name, array in loaded.arrays.items():
        table.arrays[name][:] = array
    return table


def copied(table: StateTable) -> dict[str, Any]:
    return {name: array.copy() for name, array in table.arrays.items()}


def same(one: Any, other: Any) -> bool:
    """Whether arrays, or tuples of arrays, are equal to the last bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, tuple | list | Scores):
        one, other = list(one), list(other)
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())


def rows_of(table: StateTable, slots: Any) -> dict[str, Any]:
    return {name: array[slots].copy() for name, array in table.arrays.items()}


def at(scores: Scores, index: Any) -> tuple[Floats, ...]:
    return tuple(np.atleast_1d(each[index]).copy() for each in scores)


def next_round(table: StateTable, values: Floats | None = None, start: int = ROUNDS) -> Scores:
    row = readings()[5] if values is None else values
    return table.update(np.arange(len(row)), row.copy(), clock(start, len(row)))


@dataclass(frozen=True)
class Stranger(Detector):
    """A detector that isn't registered."""

    name = "stranger"
    kind = "spike"
    catches = frozenset({"spike"})

    def layout(self) -> dict[str, Any]:
        from detectors.base import Field

        return {"seen": Field()}

    def judge(self, state: Any, slots: Slots, values: Floats, times: Floats) -> Scores:
        raise NotImplementedError


def another_setting(detector: Detector) -> Detector | None:
    """The detector with one parameter changed, or None if it has none that can be changed."""
    for each in parameters_of(type(detector)):
        value = getattr(detector, each.name)
        if each.kind is float:
            return replace(detector, **{each.name: value * 1.5 if value > 0 else 1.0})  # type: ignore[type-var]
    return None


Check = Callable[[Subject], None]
CHECKS: dict[str, Check] = {}
"""The contract, one function per property, by name."""


def check(function: Check) -> Check:
    """Make a function part of the contract."""
    CHECKS[function.__name__] = function
    return function
