"""What was learned of a sensor moves along with a level that is adopted, and back with it."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.contextual import Contextual
from detectors.numeric.arrays import Floats
from detectors.state import StateTable

EVERY_S, A_DAY, MONDAY_S = 300.0, 288, 4 * 86_400.0


def days_of(days: float, seed: int) -> Floats:
    rng, each = np.random.default_rng(seed), np.arange(int(days * A_DAY))
    return 22.0 + 0.6 * np.sin(each / A_DAY * 2 * np.pi) + 0.12 * rng.normal(size=len(each))


class Sensor:
    """A sensor every five minutes."""

    def __init__(self, size: str) -> None:
        self.table = StateTable(Contextual(size=size), 1)
        self.readings = 0

    def take(self, values: Floats, *, held: bool = False) -> Floats:
        scores = []
        for value in values.tolist():
            time = MONDAY_S + EVERY_S * self.readings
            self.readings += 1
            scores.append(self.table.update_one(0, value, time, held=held).score)
        return np.array(scores)

    def adopt(self, value: float) -> None:
        self.table.detector.adopt(self.table.arrays, 0, value)


def moved_by(shift: float, size: str, *, adopts: bool) -> Sensor:
    """A sensor whose level was adopted after 18 hours, two days ago."""
    made, values = Sensor(size), days_of(12.75, 3)
    made.take(values[: 10 * A_DAY])
    moved = values[10 * A_DAY :] + shift
    made.take(moved[:216], held=True)
    if adopts:
        made.adopt(float(moved[215]))
    made.take(moved[216:])
    return made


@pytest.mark.long
@pytest.mark.parametrize("size", ["light", "full"])
@pytest.mark.parametrize("shift", [50.0, -9.0])
def test_after_a_level_was_adopted_a_fault_of_the_usual_size_is_found(size: str, shift: float) -> None:
    rise = np.linspace(0.0, 4.5, 12)
    moved, mixed = (moved_by(shift, size, adopts=each) for each in (True, False))
    usual = days_of(13.0, 3)[-12:] + shift
    assert moved.take(usual[:6]).max() < 3.0
    assert moved.take(usual + rise).max() > 4.0 > mixed.take(usual + rise).max()


@pytest.mark.long
def test_a_return_moves_what_was_learned_back() -> None:
    made = moved_by(50.0, "light", adopts=True)
    back = days_of(14.0, 3)[-100:]
    made.take(back[:1])
    made.adopt(float(back[0]))
    assert made.table.arrays["moved"][0] == 0.0
    assert made.take(back[1:]).max() < 4.0


@pytest.mark.parametrize("value", [22.0, 40.0])
def test_what_is_not_a_level_of_its_own_moves_nothing(value: float) -> None:
    made = Sensor("light")
    made.take(days_of(3, 3))
    before = {name: each.copy() for name, each in made.table.arrays.items()}
    made.adopt(value)
    assert all(np.array_equal(before[name], each) for name, each in made.table.arrays.items())


def test_nothing_moves_before_there_is_an_expectation() -> None:
    made = Sensor("light")
    made.adopt(22.0)
    made.take(np.array([22.0]))
    made.adopt(70.0)
    assert made.table.arrays["origin"][0] == 22.0


@pytest.mark.parametrize("size", ["light", "full"])
def test_a_level_is_adopted_while_the_last_values_are_back(size: str) -> None:
    made = Sensor(size)
    made.take(days_of(4.0, 5))
    made.table.arrays["residuals"][0] += 9.0
    low, high = (float(made.table.arrays[name][0]) for name in ("low", "high"))
    made.adopt(31.0)
    assert made.table.arrays["moved"][0] > 8.0
    assert [float(made.table.arrays[name][0]) for name in ("low", "high")] == [low, high]
