"""The alarm budget: compares false incidents of fault-free sensors, over many kinds of noise, with the budget.

Each sensor is monitored by the engine as in the service, once for each budget. Incidents of the first days, while
everything is being learned, are counted separately.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np

from config.tables.detection import ResolvedRule
from detectors.numeric.arrays import Floats
from edge.core.engine import Engine
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Batch
from edge.core.scoring.profiles import Profile
from edge.evaluation.nab import NabSeries
from edge.evaluation.noises import KINDS, clock, noise

BUDGETS = (0.05, 0.1, 1.0)
"""Budgets in false incidents per sensor-day."""

DAY_S = 86_400.0
LEARNING_DAYS = 3

MOST = 1.2
"""A budget is kept if incidents are at most this many times as frequent."""

ERRORS = 2.0
"""Number of standard errors of a Poisson count that chance may add."""


class Plan(NamedTuple):
    """The settings of the simulation.

    Attributes:
        rule: The profile of the sensors.
        sensors: Number of sensors of each kind, for each budget.
        days: Duration in days, more than `LEARNING_DAYS`.
        interval_s: Seconds between two readings of a sensor.
        seed: Seed of the noise.
    """

    rule: ResolvedRule
    sensors: int
    days: int
    interval_s: float
    seed: int


class Cost(NamedTuple):
    """The false alarms of sensors of one kind.

    Attributes:
        kind: Kind of noise, or the file's name.
        asked: Budget in false incidents per sensor-day.
        early: False incidents per sensor-day in the first days.
        came: False incidents per sensor-day after that.
        days: Sensor-days in which those were counted.
    """

    kind: str
    asked: float
    early: float
    came: float
    days: float

    @property
    def is_judged(self) -> bool:
        """Whether there was any time after the first days."""
        return self.days > 0

    @property
    def holds(self) -> bool:
        """Whether the budget, a ceiling, is kept up to a fifth and what chance may add; False if it isn't judged."""
        return self.is_judged and self.came <= MOST * self.asked + ERRORS * math.sqrt(self.asked / max(self.days, 1.0))


def measure(plan: Plan, kinds: Sequence[str] = (), workers: int = 1) -> Iterator[list[Cost]]:
    """Measure a rule for each kind of noise; yields a cost for each of `BUDGETS`.

    Args:
        plan: The settings of the simulation.
        kinds: Kinds to measure; empty for all.
        workers: Number of processes.
    """
    chosen = list(kinds or KINDS)
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_measure_kind, [plan] * len(chosen), chosen)


def _measure_kind(plan: Plan, kind: str) -> list[Cost]:
    count = int(plan.days * DAY_S / plan.interval_s)
    values = noise(kind, count, plan.sensors, plan.seed, plan.interval_s)
    return costs(plan.rule, kind, clock(count, plan.interval_s), values)


def measure_files(rule: ResolvedRule, series: Sequence[NabSeries]) -> list[Cost]:
    """The cost of files without an anomaly, taken together because a single file is too short."""
    found = [costs(rule, each.name, each.times, each.values[:, None]) for each in series]
    together = []
    for place, asked in enumerate(BUDGETS):
        mine = [each[place] for each in found]
        days = sum(each.days for each in mine)
        came = sum(each.came * each.days for each in mine) / max(days, 1e-9)
        early = sum(each.early for each in mine) / max(len(mine), 1)
        together.append(Cost(f"{len(series)} files", asked, early, came, days))
    return together


def costs(rule: ResolvedRule, kind: str, times: Floats, values: Floats) -> list[Cost]:
    """The false alarms of sensors for each of `BUDGETS`.

    Args:
        rule: Their rule.
        kind: Name of their kind.
        times: Times of the readings, shape (readings,).
        values: Values of the readings, shape (readings, sensors).
    """
    profile = Profile(rule.detectors, rule.incidents)
    profiles = [profile.with_budget(each) for each in BUDGETS]
    sensors = values.shape[1]
    count = sensors * len(BUDGETS)
    engine = Engine(lambda slot: profiles[slot // sensors])
    engine.grow(count)
    slots = np.arange(count)
    raised = np.zeros((2, len(BUDGETS)))
    settled = times[0] + LEARNING_DAYS * DAY_S
    for time, row in zip(times.tolist(), values, strict=True):
        batch = Batch(slots, np.tile(row, len(BUDGETS)), np.full(count, time), slots)
        for finding in engine.process(batch):
            if finding.transition is Transition.RAISED:
                raised[int(time >= settled), finding.slot // sensors] += 1
    length = float(times[-1] - times[0]) / DAY_S
    early, days = sensors * min(length, LEARNING_DAYS), sensors * max(length - LEARNING_DAYS, 0.0)
    return [
        Cost(kind, asked, float(raised[0, place]) / max(early, 1e-9), float(raised[1, place]) / max(days, 1e-9), days)
        for place, asked in enumerate(BUDGETS)
    ]
