"""The fast detectors give the same results as their slow, simple counterparts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from detector_examples import examples, label
from naive import Twins

from detectors import DETECTORS
from detectors.base import Detector
from detectors.numeric.arrays import Floats
from detectors.state import StateTable

START_S = 1_700_000_000.0


def signals() -> dict[str, tuple[Floats, Floats]]:
    """Times and values, each of shape (n,), by name."""
    rng = np.random.default_rng(3)
    n = 480
    steady = START_S + np.arange(n, dtype=np.float64) * 900.0
    ragged = START_S + np.cumsum(rng.exponential(600.0, n))
    ragged[50:53] = ragged[50]
    noise = rng.normal(size=n)
    spiked = noise.copy()
    spiked[[150, 450]] = 40.0
    shifted = noise + np.where(np.arange(n) >= 440, 6.0, 0.0)
    stuck = noise.copy()
    stuck[200:260] = stuck[200]
    return {
        "noise": (steady, noise),
        "heavy tails": (ragged, rng.standard_t(2, n)),
        "quantised": (steady, np.round(noise)),
        "walk": (ragged, np.cumsum(noise)),
        "day": (steady, 20.0 + 5.0 * np.sin(steady / 86_400 * 2 * np.pi) + 0.1 * noise),
        "on and off": (ragged, (np.arange(n) // 9 % 2).astype(float)),
        "spikes": (steady, spiked),
        "shift": (steady, shifted),
        "stuck": (ragged, stuck),
        "constant": (steady, np.full(n, 0.1)),
        "counter": (ragged, np.cumsum(rng.poisson(3.0, n)).astype(float)),
        "large": (steady, 1e9 + 1e3 * noise),
        "small": (ragged, 1e-9 * noise),
    }


SIGNALS = signals()


def test_every_registered_detector_has_a_counterpart() -> None:
    assert set(Twins.of) == set(DETECTORS)


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("detector", examples(), ids=label)
def test_the_detector_agrees_with_its_counterpart(detector: Detector, signal: str) -> None:
    times, values = SIGNALS[signal]
    table, twin = StateTable(detector, rows=1), Twins.of[detector.name](detector)
    fast, slow = np.empty((len(values), 4)), np.empty((len(values), 4))
    for index, (time, value) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
        fast[index] = [each[0] for each in table.update(np.array([0]), np.array([value]), np.array([time]))]
        slow[index] = twin.step(value, time)
    size = float(np.abs(values).max())
    np.testing.assert_allclose(fast[:, 0], slow[:, 0], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(fast[:, 1], slow[:, 1], rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(fast[:, 2:], slow[:, 2:], rtol=1e-3, atol=1e-3 * size)


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_tolerated_silence_equals_that_of_the_counterpart(signal: str) -> None:
    detector = DETECTORS["silence"]()
    times, values = SIGNALS[signal]
    table, twin = StateTable(detector, rows=1), Twins.of["silence"](detector)
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        table.update(np.array([0]), np.array([value]), np.array([time]))
        twin.step(value, time)
        for decades in (3.0, 6.0):
            patience = float(detector.patience(table.arrays, np.array([0]), decades)[0])
            assert math.isclose(patience, twin.patience(decades), rel_tol=1e-9)
