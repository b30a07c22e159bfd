"""The signals of a sensor, which are summed.

A `Signal` is a frozen description. `source()` starts it and returns a function that maps the times of successive
readings, evenly spaced and block by block, to values. Blocks always have the same size (`series.BLOCK`), so that the
sizes of requested portions don't affect the values.

This module contains calendar signals and combinations of signals. Random signals are in `noise`, episodes in
`machines`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.signals.randomness import Randomness

Floats = NDArray[np.float64]
Source = Callable[[Floats], Floats]

HOUR = 3600.0
DAY = 86_400.0
WEEK = 7 * DAY
_MONDAY = 4 * DAY
"""The epoch began on a Thursday; the first Monday came four days later."""


class Signal(ABC):
    """A component of a sensor's values."""

    @abstractmethod
    def source(self, random: Randomness, interval_s: float) -> Source:
        """Start the signal.

        Args:
            random: Its random generator.
            interval_s: Seconds between two readings.

        Returns:
            A function from times (seconds since the epoch, UTC, shape (n,), evenly spaced by `interval_s`, also across
            calls) to values of shape (n,).
        """


@dataclass(frozen=True)
class Level(Signal):
    """A constant.

    Attributes:
        value: The base value, to which the other signals are added.
    """

    value: float

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - the same whatever happens
        """See `Signal`."""
        return lambda times: np.full(len(times), self.value)


@dataclass(frozen=True)
class SeasonalSignal(Signal):
    """A smooth periodic variation around 0, such as the daily temperature.

    Attributes:
        swing: Approximate difference between the mean and the peak; the overtone adds to it.
        peak_s: Time of the peak in seconds after the start of the period (00:00 UTC for days).
        period_s: Length of the period; a day or a week.
        overtone: Share of a component with half the period, which makes the shape less sinusoidal.
    """

    swing: float
    peak_s: float = 14 * HOUR
    period_s: float = DAY
    overtone: float = 0.2

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - follows from the time alone
        """See `Signal`."""

        def values(times: Floats) -> Floats:
            angle = 2 * np.pi * (((times - self.peak_s) % self.period_s) / self.period_s)
            return self.swing * (np.cos(angle) + self.overtone * np.cos(2 * angle))

        return values


@dataclass(frozen=True)
class WorkWeek(Signal):
    """Work on weekdays, rest at night and at weekends: 0 at rest, `rise` at work, with smooth edges.

    Attributes:
        rise: The increase during work.
        begin_s: Seconds after midnight, UTC, at which work begins.
        end_s: Seconds after midnight at which it ends.
        edge_s: Duration of the rise and of the decay, in seconds.
        days: Working days from Monday on.
    """

    rise: float
    begin_s: float = 6 * HOUR
    end_s: float = 18 * HOUR
    edge_s: float = 0.75 * HOUR
    days: int = 5

    def source(self, random: Randomness, interval_s: float) -> Source:  # noqa: ARG002 - follows from the time alone
        """See `Signal`."""

        def values(times: Floats) -> Floats:
            clock = times % DAY
            in_hours = _edge((clock - self.begin_s) / self.edge_s) * _edge((self.end_s - clock) / self.edge_s)
            working_day = (times - _MONDAY) % WEEK < self.days * DAY
            return np.where(working_day, self.rise * in_hours, 0.0)

        return values


@dataclass(frozen=True)
class Sum(Signal):
    """The sum of several signals, limited from below.

    Attributes:
        parts: The signals.
        low: Minimum of the sum.
    """

    parts: tuple[Signal, ...]
    low: float = -np.inf

    def source(self, random: Randomness, interval_s: float) -> Source:
        """See `Signal`."""
        sources = [part.source(random.child(index), interval_s) for index, part in enumerate(self.parts)]

        def values(times: Floats) -> Floats:
            total = np.zeros(len(times))
            for source in sources:
                total += source(times)
            return np.maximum(total, self.low)

        return values


@dataclass(frozen=True)
class Shared(Signal):
    """A signal shared by the sensors of a device, such as its load: the same for all with the same key.

    Sensors move together as long as they have the same interval and are read at the same times.

    Attributes:
        key: Name of what is shared.
        signal: The underlying signal.
        gain: The factor for this sensor; negative if it moves against the others.
    """

    key: str
    signal: Signal
    gain: float

    def source(self, random: Randomness, interval_s: float) -> Source:
        """See `Signal`."""
        return self._scaled(self.signal.source(random.of(f"shared {self.key}"), interval_s))

    def detached(self, random: Randomness, interval_s: float) -> Source:
        """An independent instance of the same process, for a sensor detached from its device."""
        return self._scaled(self.signal.source(random.child("detached"), interval_s))

    def _scaled(self, source: Source) -> Source:
        return lambda times: self.gain * source(times)


def _edge(position: Floats) -> Floats:
    """A smooth transition from 0 to 1 as the position goes from 0 to 1."""
    inside = np.clip(position, 0.0, 1.0)
    return inside * inside * (3.0 - 2.0 * inside)
