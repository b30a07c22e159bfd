"""The usual behaviour of a sensor: the measures that fault sizes are multiples of."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from simulators.plant.series import Series, SimulatedSensor
from simulators.signals.signals import DAY, Floats

FINE, COARSE = 4096, 2048
"""Number of readings examined: successive ones, and others spread over at least two days."""


@dataclass(frozen=True)
class Character:
    """The usual behaviour of a sensor without faults.

    Attributes:
        step: Standard deviation of the difference between successive readings; for counters the mean, if larger.
        noise: Standard deviation of independent readings with such steps.
        deviation: Standard deviation about the mean, over two days.
        typical: Median value.
        low: 1st percentile.
        high: 99th percentile.
        rest: Maximum number of successive readings without a change.
        swing: Difference between the extremes of the season; 0 without one.
        shared: Standard deviation of the signal shared with other sensors; 0 if there is none.
    """

    step: float
    noise: float
    deviation: float
    typical: float
    low: float
    high: float
    rest: int
    swing: float
    shared: float

    @classmethod
    def of(cls, sensor: SimulatedSensor, seed: int, start: float) -> Character:
        """Measure a fault-free sensor from the start of a run."""
        fine = Series(sensor, seed, start).take(FINE).values
        spaced = replace(sensor, interval_s=max(sensor.interval_s, 2 * DAY / COARSE))
        coarse = Series(spaced, seed, start).take(COARSE).values
        steps = np.diff(fine)
        if sensor.counts:
            steps = steps[steps >= 0]
            step = max(float(steps.mean()), float(steps.std()), sensor.quantum)
        else:
            step = max(float(steps.std()), sensor.quantum)
        return cls(
            step=step,
            noise=step / math.sqrt(2.0),
            deviation=max(float(coarse.std()), step),
            typical=float(np.median(fine)),
            low=float(np.quantile(fine, 0.01)),
            high=float(np.quantile(fine, 0.99)),
            rest=_longest_rest(fine),
            swing=2.0 * sum(part.swing for part in sensor.seasons),
            shared=_shared_deviation(spaced, seed, start),
        )


def _longest_rest(values: Floats) -> int:
    changes = np.flatnonzero(np.diff(values) != 0)
    edges = np.concatenate([[-1], changes, [len(values) - 1]])
    return int(np.diff(edges).max())


def _shared_deviation(sensor: SimulatedSensor, seed: int, start: float) -> float:
    if not sensor.shared:
        return 0.0
    alone = replace(sensor, parts=sensor.shared, low=-np.inf, high=np.inf)
    return float(Series(alone, seed, start).take(COARSE).values.std())
