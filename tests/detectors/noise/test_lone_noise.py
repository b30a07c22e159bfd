"""The noise model has one arithmetic for rounds and one for single readings: both give the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.noise import Noise, noise_layout, noise_of
from detectors.noise.lone_noise import LoneNoise
from detectors.numeric.elementwise import floor

SENSORS = 8
MEMORY = 200.0


def fresh() -> dict[str, np.ndarray]:
    return {name: np.full(SENSORS, field.initial) for name, field in noise_layout().items()}


def residuals(readings: int) -> np.ndarray:
    """Residuals of sensors with constants, heavy tails, leaps, drifts and extreme values, shape (readings, SENSORS)."""
    rng = np.random.default_rng(12)
    found = rng.normal(size=(readings, SENSORS))
    found[:, 0] = 0.0
    found[:, 1] = np.where(np.arange(readings) < readings // 2, 0.0, found[:, 1])
    found[:, 2] = rng.standard_t(2, readings)
    found[:, 3] = np.cumsum(found[:, 3]) * 0.1
    found[::50, 4] *= 30.0
    found[:, 5] *= 1e-120
    found[-20:, 6] = 1e100
    found[:, 7] = np.where(rng.random(readings) < 0.9, -0.0, 3.0)
    return found


def test_single_readings_have_the_same_scores_and_leave_the_same_state_as_rounds() -> None:
    rounds, ones = fresh(), fresh()
    cells = {name: array.data for name, array in ones.items()}
    everyone = np.arange(SENSORS)
    for number, residual in enumerate(residuals(1500)):
        with np.errstate(all="ignore"):
            together = noise_of(rounds, everyone, MEMORY)
            scores, freedom, rho = together.score(residual), together.freedom, together.rho
            believed = together.learn(residual, 0.5)
        for slot in range(SENSORS):
            alone = noise_of(cells, slot, MEMORY)
            mine = float(residual[slot])
            found = alone.score(mine), alone.freedom, alone.rho, alone.learn(mine, 0.5)
            expected = np.array([scores[slot], freedom[slot], rho[slot], believed[slot]])
            assert np.array_equal(np.array(found), expected, equal_nan=True), (number, slot)
    for name, array in rounds.items():
        assert array.tobytes() == ones[name].tobytes(), name


def test_a_single_reading_has_an_arithmetic_without_a_function_call_for_each_operation() -> None:
    cells = {name: array.data for name, array in fresh().items()}
    assert isinstance(noise_of(cells, 0, MEMORY), LoneNoise)
    assert type(noise_of(fresh(), np.arange(2), MEMORY)) is Noise


@pytest.mark.parametrize(
    "value", [0.0, 2.0, -2.0, 2.5, -2.5, 1e300, -1e300, 5e-324, -5e-324, 2.0**53 + 2, np.inf, -np.inf]
)
def test_the_floor_of_a_number_is_that_of_an_array(value: float) -> None:
    assert floor(value) == floor(np.array([value]))[0]
    assert type(floor(value)) is float
    assert np.isnan(floor(np.nan))
