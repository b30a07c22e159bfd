"""A plant: sensors that send at their own intervals, merged in order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.core.model.readings.messages import Reading
from simulators.plant.factory import sensors_of_a_factory
from simulators.plant.series import BLOCK, Series, SimulatedSensor
from simulators.signals.faults import Injection


@dataclass(frozen=True)
class Plant:
    """Sensors and the seed of their randomness.

    Attributes:
        sensors: Sensors with distinct names.
        seed: Any integer from 0.
    """

    sensors: tuple[SimulatedSensor, ...]
    seed: int = 1

    @property
    def readings_per_second(self) -> float:
        """Readings per second of plant time, over all sensors, without silences."""
        return sum(1.0 / each.interval_s for each in self.sensors)

    def readings(
        self,
        start: float,
        end: float,
        injections: Sequence[Injection] = (),
        window_s: float | None = None,
    ) -> Iterator[Reading]:
        """The readings of the plant in order of time, and of the sensors for equal times.

        Args:
            start: Start of the run, in seconds since the epoch, UTC.
            end: End of the run; all readings are earlier.
            injections: The faults of the run.
            window_s: Seconds generated at a time; doesn't affect the readings.
        """
        series = [Series(each, self.seed, start, injections) for each in self.sensors]
        names = [each.name for each in self.sensors]
        step = window_s or BLOCK / 4 * min((each.interval_s for each in self.sensors), default=1.0)
        reached, number = start, 0
        while reached < end:
            number += 1
            reached = min(start + number * step, end)
            portions = [each.until(reached) for each in series]
            times = np.concatenate([each.times for each in portions])
            owner = np.repeat(np.arange(len(portions)), [len(each.times) for each in portions])
            order = np.argsort(times, kind="stable")
            values = np.concatenate([each.values for each in portions])[order]
            for sensor, time, value in zip(owner[order].tolist(), times[order].tolist(), values.tolist(), strict=True):
                yield Reading(names[sensor], time, value)


def plant(sensors: int = 20, seed: int = 1, interval_s: float = 60.0, prefix: str = "plant") -> Plant:
    """A realistic small factory: pumps, motors, tanks, rooms, meters, presses, silos and the weather.

    The first twenty sensors include one of every kind; further lines repeat them.

    Args:
        sensors: Number of sensors, from 1.
        seed: The seed of everything random, from 0.
        interval_s: Seconds of plant time between two readings of a sensor, above 0.
        prefix: First level of every name.
    """
    return Plant(sensors_of_a_factory(sensors, seed, interval_s, prefix), seed)
