"""The schedule of faults: sensor, kind and time of each.

A sensor has one fault at a time, none before its warm-up, and time to recover after each. Sizes and possible kinds of
faults are defined in `sizes`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from simulators.faults.sizes import Case
from simulators.plant.character import Character
from simulators.plant.series import SimulatedSensor
from simulators.signals.faults import Injection
from simulators.signals.label import FAULT_KINDS
from simulators.signals.randomness import Randomness
from simulators.signals.signals import DAY

BETWEEN = 60
"""Minimum number of readings between two faults of a sensor."""

AT_THE_END = 10
"""Minimum number of readings after the last fault, so that even a short run has room for one."""

SEASONS_FIRST_S = 2 * DAY
"""A season can't be lost before it has been seen twice."""


@dataclass(frozen=True)
class Schedule:
    """The distribution of faults over a plant and a run.

    Attributes:
        share: Share of the sensors with faults, 0 to 1; at least one sensor unless it is 0.
        warm_up: Share of the run before the first fault, 0 to 1.
        size: Factor on the sizes of spikes, level shifts, drifts and noise bursts.
        each: Maximum number of faults per sensor; fewer if the run is too short.
        kinds: Kinds of faults to choose from.
    """

    share: float = 0.3
    warm_up: float = 0.4
    size: float = 1.0
    each: int = 3
    kinds: Collection[str] = FAULT_KINDS

    def plan(self, sensors: Sequence[SimulatedSensor], seed: int, start: float, duration_s: float) -> list[Injection]:
        """Plan the faults of a run, in order of their starts.

        Args:
            sensors: Sensors of the plant.
            seed: The seed of the choice.
            start: Start of the run, in seconds since the epoch, UTC.
            duration_s: Its duration.
        """
        generator = Randomness(seed, "schedule").generator()
        chosen = self._choose(sensors, generator)
        cases = [Case(each, Character.of(each, seed, start)) for each in chosen]
        suited = {
            case.sensor.name: [kind for kind in FAULT_KINDS if kind in self.kinds and case.suits(kind)]
            for case in cases
        }
        scarcity = Counter(kind for kinds in suited.values() for kind in kinds)
        used: Counter[str] = Counter()
        injections: list[Injection] = []
        for case in sorted(cases, key=lambda each: len(suited[each.sensor.name])):
            kinds = suited[case.sensor.name]
            kinds = [kinds[index] for index in generator.permutation(len(kinds))]
            kinds.sort(key=lambda kind: (used[kind], scarcity[kind]))
            for injection in self._place(case, kinds, start, duration_s, generator):
                used[injection.fault.kind] += 1
                injections.append(injection)
        return sorted(injections, key=lambda each: (each.fault.start, each.fault.sensor))

    def _choose(self, sensors: Sequence[SimulatedSensor], generator: np.random.Generator) -> list[SimulatedSensor]:
        """Choose random sensors, with at least one season and one shared signal, so that every kind can occur."""
        count = min(len(sensors), max(1, round(self.share * len(sensors)))) if self.share > 0 else 0
        drawn = [sensors[index] for index in generator.permutation(len(sensors))]
        first: list[SimulatedSensor] = []
        if count >= 3:
            first += [each for each in drawn if each.seasons][:1]
            first += [each for each in drawn if each.shared and each not in first][:1]
        return [*first, *(each for each in drawn if each not in first)][:count]

    def _place(
        self,
        case: Case,
        kinds: Sequence[str],
        start: float,
        duration_s: float,
        generator: np.random.Generator,
    ) -> list[Injection]:
        """Place as many kinds as fit, most wanted first, into the run after its warm-up."""
        interval = case.sensor.interval_s
        readings = math.floor((duration_s - case.sensor.phase_s) / interval - 1e-9) + 1
        earliest, behind = math.ceil(self.warm_up * readings), readings - AT_THE_END
        seasons_known = math.ceil(SEASONS_FIRST_S / interval)
        lengths: dict[str, int] = {}
        needed = -BETWEEN
        for kind in kinds:
            length = case.length(kind, generator)
            room = length + _pause(length)
            begin = max(earliest, seasons_known) if kind == "lost_season" else earliest
            if len(lengths) < self.each and begin + needed + room <= behind:
                lengths[kind] = length
                needed += room
        order = sorted(lengths, key=lambda kind: (kind == "lost_season", generator.random()))
        slack = np.sort(generator.integers(0, max(1, behind - earliest - needed + 1), len(order)))
        injections, position = [], 0
        for kind, free in zip(order, slack.tolist(), strict=True):
            first = earliest + position + free
            if kind == "lost_season":
                first = max(first, seasons_known)
            position += lengths[kind] + _pause(lengths[kind])
            times = [
                round(start + case.sensor.phase_s + index * interval, 3) for index in (first, first + lengths[kind] - 1)
            ]
            injections.append(case.injection(kind, times[0], times[1], self.size, generator))
        return injections


def _pause(length: int) -> int:
    """Number of readings that a sensor gets to recover after a fault of a given length."""
    return max(BETWEEN, length // 2)
