"""Faults: each changes one period of one sensor's readings, and nothing outside of it.

A `Disturbance` is created when a series begins and receives its period in consecutive portions, first as the signal
that the sensor would measure (`on_signal`), then as the readings that it would send (`on_readings`). The sensor's
resolution is applied in between.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from simulators.signals.label import Fault
from simulators.signals.randomness import Randomness
from simulators.signals.signals import Floats

FAHRENHEIT = 0.0
"""The amount of a `unit_jump` that represents degrees Celsius sent as degrees Fahrenheit."""


class Injection(NamedTuple):
    """A fault of the run.

    Attributes:
        fault: Label of the fault.
        amount: Strength in the sensor's unit: the amount added by a spike, a level shift or the end of a drift, the
            standard deviation added by a noise burst, the value sent by a dropout, the factor of a unit jump
            (`FAHRENHEIT` for that conversion). Ignored by the other kinds.
    """

    fault: Fault
    amount: float = 0.0


class Stretch(NamedTuple):
    """A portion of a signal within a fault; all arrays are float64 of shape (n,).

    Attributes:
        times: Seconds since the epoch, UTC.
        values: The measured values.
        season: The contribution of its seasons.
        shared: The contribution of the shared signal.
        detached: The contribution that an independent signal would have in its place.
    """

    times: Floats
    values: Floats
    season: Floats
    shared: Floats
    detached: Floats


class Disturbance:
    """Base of the faults in effect; changes nothing itself.

    Args:
        injection: The fault.
        random: Its random generator.
    """

    needs_detached: ClassVar[bool] = False

    def __init__(self, injection: Injection, random: Randomness) -> None:
        self.fault = injection.fault
        self.amount = injection.amount
        self.generator = random.generator()

    def on_signal(self, stretch: Stretch) -> Floats:
        """The values measured under the fault, shape (n,)."""
        return stretch.values

    def on_readings(self, readings: Floats, before: float) -> Floats:  # noqa: ARG002 - some need it
        """The values sent under the fault, shape (n,); NaN where nothing is sent.

        Args:
            readings: The values sent without the fault.
            before: The last value sent before this block; NaN if there was none.
        """
        return readings


class Offset(Disturbance):
    """Spike and level shift: an amount is added from the first reading to the last."""

    def on_signal(self, stretch: Stretch) -> Floats:
        """See `Disturbance`."""
        return stretch.values + self.amount


class Drift(Disturbance):
    """An amount that grows linearly until the end of the fault."""

    def on_signal(self, stretch: Stretch) -> Floats:
        """See `Disturbance`."""
        length = max(self.fault.end - self.fault.start, 1e-9)
        return stretch.values + self.amount * (stretch.times - self.fault.start) / length


class NoiseBurst(Disturbance):
    """Added Gaussian noise."""

    def on_signal(self, stretch: Stretch) -> Floats:
        """See `Disturbance`."""
        return stretch.values + self.amount * self.generator.standard_normal(len(stretch.values))


class LostSeason(Disturbance):
    """The season stays at its value at the start of the fault."""

    _held: float | None = None

    def on_signal(self, stretch: Stretch) -> Floats:
        """See `Disturbance`."""
        if self._held is None:
            self._held = float(stretch.season[0])
        return stretch.values - stretch.season + self._held


class BrokenCorrelation(Disturbance):
    """The shared signal is replaced by an independent one that starts from its value."""

    needs_detached = True
    settle = 12
    _seen = 0
    _gap = 0.0

    def on_signal(self, stretch: Stretch) -> Floats:
        """See `Disturbance`."""
        if not self._seen:
            self._gap = float(stretch.shared[0] - stretch.detached[0])
        age = self._seen + np.arange(len(stretch.values))
        self._seen += len(stretch.values)
        return stretch.values - stretch.shared + stretch.detached + self._gap * np.exp(-age / self.settle)


class Stuck(Disturbance):
    """The reading before the fault is repeated."""

    _held: float | None = None

    def on_readings(self, readings: Floats, before: float) -> Floats:
        """See `Disturbance`."""
        if self._held is None:
            self._held = float(readings[0]) if np.isnan(before) else before
        return np.full(len(readings), self._held)


class Dropout(Disturbance):
    """A value that means "no value" is sent as a reading."""

    def on_readings(self, readings: Floats, before: float) -> Floats:  # noqa: ARG002 - it is always the same
        """See `Disturbance`."""
        return np.full(len(readings), self.amount)


class UnitJump(Disturbance):
    """The readings are in another unit."""

    def on_readings(self, readings: Floats, before: float) -> Floats:  # noqa: ARG002 - each for itself
        """See `Disturbance`."""
        converted = readings * 1.8 + 32.0 if self.amount == FAHRENHEIT else readings * self.amount
        return np.round(converted, 6)


class SilenceFault(Disturbance):
    """Nothing is sent."""

    def on_readings(self, readings: Floats, before: float) -> Floats:  # noqa: ARG002 - whatever it was
        """See `Disturbance`."""
        return np.full(len(readings), np.nan)


DISTURBANCES: dict[str, type[Disturbance]] = {
    "spike": Offset,
    "level_shift": Offset,
    "drift": Drift,
    "stuck": Stuck,
    "noise_burst": NoiseBurst,
    "dropout": Dropout,
    "silence": SilenceFault,
    "unit_jump": UnitJump,
    "lost_season": LostSeason,
    "broken_correlation": BrokenCorrelation,
}
"""The effect of each kind of fault."""
