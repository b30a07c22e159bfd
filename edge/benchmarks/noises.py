"""Signals without a fault, of many kinds, to see how quiet detection is; the seed makes them repeatable."""

from __future__ import annotations

import numpy as np

from detectors.base import Floats

START_S = 1_700_006_400.0
"""A midnight."""


def clock(count: int, step_s: float = 60.0) -> Floats:
    """Times of readings, each `step_s` seconds after the one before, from a midnight on."""
    return START_S + np.arange(count, dtype=np.float64) * step_s


def autoregressive(rng: np.random.Generator, count: int, width: int, rho: float) -> Floats:
    """Noise of variance 1 whose readings follow their predecessors with the correlation `rho`, shape (count, width)."""
    values = rng.normal(size=(count, width))
    for index in range(1, count):
        values[index] = rho * values[index - 1] + np.sqrt(1.0 - rho * rho) * values[index]
    return values


def noises(count: int, width: int, seed: int = 5) -> dict[str, Floats]:
    """Readings once a minute, by kind, each of shape (count, width).

    Args:
        count: Readings of a sensor.
        width: Sensors of each kind.
        seed: Of the pseudo-random numbers.
    """
    rng = np.random.default_rng(seed)
    shape = (count, width)
    minute = np.arange(count)[:, None]
    day = np.sin(minute / 1440 * 2 * np.pi)
    duty = ((minute + rng.integers(0, 60, width)) % 60 < 15).astype(float)
    steps = 60.0 + 5.0 * (np.cumsum(rng.random(shape) < 1 / 300, axis=0) % 4)
    bursts = np.where(np.cumsum(rng.random(shape) < 1 / 60, axis=0) % 5, 1.0, 5.0)
    return {
        "gaussian": rng.normal(size=shape),
        "heavy tails": rng.standard_t(3, size=shape),
        "exponential": rng.exponential(size=shape),
        "lognormal": rng.lognormal(size=shape),
        "quantised": np.round(rng.normal(size=shape)),
        "quantised and slow": np.round(3.0 * autoregressive(rng, count, width, 0.99)),
        "random walk": np.cumsum(rng.normal(size=shape), axis=0),
        "autoregressive": autoregressive(rng, count, width, 0.95),
        "seasonal": 20.0 + 5.0 * day + 0.3 * rng.normal(size=shape),
        "seasonal without noise": 20.0 + 5.0 * day + np.zeros(shape),
        "on and off": duty,
        "noisy on and off": 50.0 * duty + 0.5 * rng.normal(size=shape),
        "on and off at random": (np.cumsum(rng.random(shape) < 1 / 30, axis=0) % 2).astype(float),
        "rarely on": (rng.random(shape) < 1 / 200).astype(float),
        "counter": np.cumsum(rng.poisson(3.0, size=shape), axis=0).astype(float),
        "ramp": 0.1 * minute + np.zeros(shape),
        "counter that rests at night": np.cumsum(
            rng.poisson(np.maximum(3.0 * day, 0.0) * np.ones(shape)), axis=0
        ).astype(float),
        "counter that starts anew": (np.cumsum(rng.poisson(3.0, size=shape), axis=0) % 3000).astype(float),
        "set point": steps,
        "noisy set point": steps + 0.2 * rng.normal(size=shape),
        "bursty": rng.normal(size=shape) * np.where(minute // 50 % 6 == 0, 5.0, 1.0),
        "bursty at random": rng.normal(size=shape) * bursts,
        "shift work": np.where(minute % 1440 < 600, 10.0, 0.0) + rng.normal(size=shape),
        "sawtooth": (minute + rng.integers(0, 90, width)) % 90 + 0.3 * rng.normal(size=shape),
        "constant": np.full(shape, 0.1),
    }


ALARMING = {
    "counter that rests at night",
    "counter that starts anew",
    "set point",
    "noisy set point",
    "shift work",
}
"""Kinds that do something rarely which nobody can tell from a fault the first few times."""
