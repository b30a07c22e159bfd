"""Fault-free signals of many kinds, for measuring false alarms; reproducible by seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from detectors.numeric.arrays import Floats

START_S = 1_700_006_400.0
"""A midnight."""

DAY_MINUTES = 1440.0

Generator = np.random.Generator
Kind = Callable[[Generator, Floats, int], Floats]
"""Returns values, shape (readings, sensors), given a generator, the minute of each reading, shape (readings, 1), and
the number of sensors."""


def clock(count: int, step_s: float = 60.0) -> Floats:
    """Times of readings every `step_s` seconds, from a midnight on."""
    return START_S + np.arange(count, dtype=np.float64) * step_s


def autoregressive(rng: Generator, count: int, width: int, rho: float) -> Floats:
    """Autoregressive noise of variance 1 and correlation `rho` between successive readings, shape (count, width)."""
    values = rng.normal(size=(count, width))
    for index in range(1, count):
        values[index] = rho * values[index - 1] + np.sqrt(1.0 - rho * rho) * values[index]
    return values


def _day(minute: Floats) -> Floats:
    return np.sin(minute / DAY_MINUTES * 2 * np.pi)


def _normal(rng: Generator, minute: Floats, width: int) -> Floats:
    return rng.normal(size=(len(minute), width))


def _duty(rng: Generator, minute: Floats, width: int) -> Floats:
    return ((minute + rng.integers(0, 60, width)) % 60 < 15).astype(float)


def _set_points(rng: Generator, minute: Floats, width: int) -> Floats:
    interval = float(minute[1, 0] - minute[0, 0]) if len(minute) > 1 else 1.0
    changes = np.cumsum(rng.random((len(minute), width)) < interval / 300, axis=0)
    return 60.0 + 5.0 * (changes % 4).astype(np.float64)


def _pieces(rng: Generator, minute: Floats, width: int) -> NDArray[np.int64]:
    return np.cumsum(rng.poisson(3.0, size=(len(minute), width)), axis=0)


def _rests_at_night(rng: Generator, minute: Floats, width: int) -> Floats:
    mean = np.maximum(3.0 * _day(minute), 0.0) * np.ones(width)
    return np.cumsum(rng.poisson(mean), axis=0).astype(float)


KINDS: dict[str, Kind] = {
    "gaussian": _normal,
    "heavy tails": lambda rng, minute, width: rng.standard_t(3, size=(len(minute), width)),
    "exponential": lambda rng, minute, width: rng.exponential(size=(len(minute), width)),
    "lognormal": lambda rng, minute, width: rng.lognormal(size=(len(minute), width)),
    "quantised": lambda rng, minute, width: np.round(_normal(rng, minute, width)),
    "quantised and slow": lambda rng, minute, width: np.round(3.0 * autoregressive(rng, len(minute), width, 0.99)),
    "random walk": lambda rng, minute, width: np.cumsum(_normal(rng, minute, width), axis=0),
    "autoregressive": lambda rng, minute, width: autoregressive(rng, len(minute), width, 0.95),
    "seasonal": lambda rng, minute, width: 20.0 + 5.0 * _day(minute) + 0.3 * _normal(rng, minute, width),
    "seasonal without noise": lambda rng, minute, width: 20.0 + 5.0 * _day(minute) + np.zeros(width),  # noqa: ARG005
    "on and off": _duty,
    "noisy on and off": lambda rng, minute, width: 50.0 * _duty(rng, minute, width) + 0.5 * _normal(rng, minute, width),
    "rarely on": lambda rng, minute, width: (rng.random((len(minute), width)) < 1 / 200).astype(float),
    "counter": lambda rng, minute, width: _pieces(rng, minute, width).astype(float),
    "ramp": lambda rng, minute, width: 0.1 * minute + np.zeros(width),  # noqa: ARG005
    "counter that rests at night": _rests_at_night,
    "counter that starts anew": lambda rng, minute, width: (_pieces(rng, minute, width) % 3000).astype(float),
    "set point": _set_points,
    "noisy set point": lambda rng, minute, width: _set_points(rng, minute, width) + 0.2 * _normal(rng, minute, width),
    "bursty": lambda rng, minute, width: _normal(rng, minute, width) * np.where(minute // 50 % 6 == 0, 5.0, 1.0),
    "bursty at random": lambda rng, minute, width: (
        _normal(rng, minute, width)
        * np.where(np.cumsum(rng.random((len(minute), width)) < 1 / 60, axis=0) % 5, 1.0, 5.0)
    ),
    "shift work": lambda rng, minute, width: (
        np.where(minute % DAY_MINUTES < 600, 10.0, 0.0) + _normal(rng, minute, width)
    ),
    "sawtooth": lambda rng, minute, width: (
        (minute + rng.integers(0, 90, width)) % 90 + 0.3 * _normal(rng, minute, width)
    ),
    "constant": lambda rng, minute, width: np.full((len(minute), width), 0.1),  # noqa: ARG005
}

ALARMING = {
    "bursty",
    "bursty at random",
    "counter that rests at night",
    "counter that starts anew",
    "set point",
    "noisy set point",
    "shift work",
}
"""Kinds with rare behaviour that is indistinguishable from a fault the first few times."""


def noise(kind: str, count: int, width: int, seed: int = 5, interval_s: float = 60.0) -> Floats:
    """Readings of fault-free sensors, shape (count, width), the first at midnight.

    Args:
        kind: One of `KINDS`.
        count: Number of readings of each sensor.
        width: Number of sensors.
        seed: Seed of the generator.
        interval_s: Seconds between readings.
    """
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    minute = np.arange(count, dtype=np.float64)[:, None] * (interval_s / 60.0)
    return KINDS[kind](rng, minute, width)


def noises(count: int, width: int, seed: int = 5) -> dict[str, Floats]:
    """Readings once a minute by kind, each of shape (count, width)."""
    return {kind: noise(kind, count, width, seed) for kind in KINDS}
