"""One simulated sensor, and the series of readings that it sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from simulators.signals.faults import DISTURBANCES, Disturbance, Injection, Stretch
from simulators.signals.machines import Counter
from simulators.signals.randomness import Randomness
from simulators.signals.signals import Floats, SeasonalSignal, Shared, Signal, Source

BLOCK = 512
"""Number of readings generated at a time, independent of the request."""

EDGE_S = 0.0005
"""Times are rounded to milliseconds; half of one makes no difference."""


@dataclass(frozen=True)
class SimulatedSensor:
    """A sensor of a plant.

    Attributes:
        name: Name, which is also its topic, such as `plant/line1/pump1/temperature`.
        unit: Unit of its values, a SenML code if available.
        parts: Signals whose sum is its value.
        interval_s: Seconds between two readings.
        phase_s: Seconds from the start of the run to its first reading; equal for the sensors of a device.
        quantum: Resolution, of which values are multiples.
        low: Minimum of the measuring range.
        high: Maximum of the measuring range.
    """

    name: str
    unit: str
    parts: tuple[Signal, ...]
    interval_s: float = 60.0
    phase_s: float = 0.0
    quantum: float = 0.01
    low: float = -np.inf
    high: float = np.inf

    @property
    def device(self) -> str:
        """The device of the sensor: its name without the last level."""
        return self.name.rpartition("/")[0]

    @property
    def seasons(self) -> tuple[SeasonalSignal, ...]:
        """The sensor's seasons, which can be lost."""
        return tuple(part for part in self.parts if isinstance(part, SeasonalSignal))

    @property
    def shared(self) -> tuple[Shared, ...]:
        """The signal it shares with other sensors of its device, which a fault can break."""
        return tuple(part for part in self.parts if isinstance(part, Shared))

    @property
    def counts(self) -> bool:
        """Whether it is a counter."""
        return any(isinstance(part, Counter) for part in self.parts)


class Portion(NamedTuple):
    """Readings of one sensor: times in seconds since the epoch, UTC, and values, both of shape (n,)."""

    times: Floats
    values: Floats


class Series:
    """The readings of one sensor from a start on, unlimited.

    Args:
        sensor: The sensor.
        seed: The seed of its random numbers.
        start: Start of the run, in seconds since the epoch, UTC.
        injections: Faults of the run, not overlapping; those of other sensors are ignored.
    """

    def __init__(self, sensor: SimulatedSensor, seed: int, start: float, injections: Sequence[Injection] = ()) -> None:
        self._sensor = sensor
        self._first = start + sensor.phase_s
        self._blocks = 0
        self._buffer = Portion(np.empty(0), np.empty(0))
        self._last = float("nan")
        random = Randomness(seed, sensor.name)
        self._sources = [
            (part, part.source(random.child(index), sensor.interval_s)) for index, part in enumerate(sensor.parts)
        ]
        mine = sorted(
            (each for each in injections if each.fault.sensor == sensor.name),
            key=lambda each: each.fault.start,
        )
        self._faults = [
            DISTURBANCES[each.fault.kind](each, random.child(f"fault {each.fault.start!r}")) for each in mine
        ]
        self._detached: list[Source] = []
        if any(fault.needs_detached for fault in self._faults):
            self._detached = [
                part.detached(random.child(index), sensor.interval_s)
                for index, part in enumerate(sensor.parts)
                if isinstance(part, Shared)
            ]

    def until(self, time: float) -> Portion:
        """The remaining readings before a time."""
        while not self._reaches(time):
            self._extend()
        split = int(np.searchsorted(self._buffer.times, time - EDGE_S))
        given = Portion(self._buffer.times[:split], self._buffer.values[:split])
        self._buffer = Portion(self._buffer.times[split:], self._buffer.values[split:])
        return given

    def take(self, count: int) -> Portion:
        """The next `count` readings."""
        while len(self._buffer.times) < count:
            self._extend()
        given = Portion(self._buffer.times[:count], self._buffer.values[:count])
        self._buffer = Portion(self._buffer.times[count:], self._buffer.values[count:])
        return given

    def _reaches(self, time: float) -> bool:
        return self._first + self._blocks * BLOCK * self._sensor.interval_s >= time

    def _extend(self) -> None:
        numbers = np.arange(self._blocks * BLOCK, (self._blocks + 1) * BLOCK)
        times = np.round(self._first + numbers * self._sensor.interval_s, 3)
        self._blocks += 1
        values = self._readings(times)
        sent = ~np.isnan(values)
        self._buffer = Portion(
            np.concatenate([self._buffer.times, times[sent]]),
            np.concatenate([self._buffer.values, values[sent]]),
        )

    def _readings(self, times: Floats) -> Floats:
        stretch = self._signal(times)
        values = stretch.values
        here = [(fault, *_span(fault, times)) for fault in self._faults]
        here = [(fault, first, behind) for fault, first, behind in here if first < behind]
        for fault, first, behind in here:
            values[first:behind] = fault.on_signal(Stretch(*(each[first:behind] for each in stretch)))
        values = self._measured(values)
        for fault, first, behind in here:
            before = float(values[first - 1]) if first else self._last
            values[first:behind] = fault.on_readings(values[first:behind], before)
        self._last = float(values[-1])
        return values

    def _signal(self, times: Floats) -> Stretch:
        values, season, shared, detached = np.zeros((4, len(times)))
        for part, source in self._sources:
            made = source(times)
            values += made
            if isinstance(part, SeasonalSignal):
                season += made
            elif isinstance(part, Shared):
                shared += made
        for source in self._detached:
            detached += source(times)
        np.clip(values, self._sensor.low, self._sensor.high, out=values)
        return Stretch(times, values, season, shared, detached)

    def _measured(self, values: Floats) -> Floats:
        quantum = self._sensor.quantum
        return np.round(np.round(values / quantum) * quantum, 6) + 0.0


def _span(fault: Disturbance, times: Floats) -> tuple[int, int]:
    """Start and end of a fault within a block."""
    first = np.searchsorted(times, fault.fault.start - EDGE_S)
    behind = np.searchsorted(times, fault.fault.end + EDGE_S, side="right")
    return int(first), int(behind)
