"""Random signals: noise without memory, and random walks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from simulators.signals.randomness import Randomness
from simulators.signals.signals import HOUR, Floats, Signal, Source


@dataclass(frozen=True)
class WhiteNoise(Signal):
    """Gaussian noise, independent for each reading.

    Attributes:
        spread: Standard deviation.
    """

    spread: float

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - no reading knows another
        """See `Signal`."""
        generator = random.generator()
        return lambda times: generator.standard_normal(len(times)) * self.spread


@dataclass(frozen=True)
class HeavyTailed(Signal):
    """Noise with outliers: Student's t, centred on 0.

    Attributes:
        spread: Scale; the standard deviation is larger, 1.29 times for 5 degrees of freedom.
        freedom: Degrees of freedom, above 2; fewer give larger outliers.
    """

    spread: float
    freedom: float = 5.0

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - no reading knows another
        """See `Signal`."""
        generator = random.generator()
        return lambda times: generator.standard_t(self.freedom, len(times)) * self.spread


@dataclass(frozen=True)
class MeanReverting(Signal):
    """Mean-reverting noise around 0 (Ornstein-Uhlenbeck, an AR(1) process in its readings).

    Attributes:
        spread: Long-term standard deviation.
        settle_s: Seconds in which 63 % of a deviation decays.
    """

    spread: float
    settle_s: float

    def source(self, random: Randomness, interval_s: float) -> Source:
        """See `Signal`."""
        generator = random.generator()
        keep = math.exp(-interval_s / self.settle_s)
        shock = self.spread * math.sqrt(1.0 - keep * keep)
        last = float(generator.standard_normal()) * self.spread

        def values(times: Floats) -> Floats:
            nonlocal last
            shocks = (generator.standard_normal(len(times)) * shock).tolist()
            path = list(accumulate(shocks, lambda level, one: level * keep + one, initial=last))
            last = path[-1]
            return np.array(path[1:])

        return values


@dataclass(frozen=True)
class RandomWalk(Signal):
    """A random walk without mean reversion.

    Attributes:
        step: Standard deviation of the change per hour.
    """

    step: float

    def source(self, random: Randomness, interval_s: float) -> Source:
        """See `Signal`."""
        generator = random.generator()
        step = self.step * math.sqrt(interval_s / HOUR)
        last = 0.0

        def values(times: Floats) -> Floats:
            nonlocal last
            path = last + np.cumsum(generator.standard_normal(len(times)) * step)
            last = float(path[-1])
            return path

        return values
