"""The alarm budget: how many false incidents fault-free sensors of every kind of noise cost, against what was asked.

Each sensor is watched by the engine as the service does it, once for each budget. What comes in the first days, while
everything is being learned, is counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from config.detection import ResolvedRule
from detectors.base import Floats
from edge.benchmarks.noises import START_S, noises
from edge.core.engine import Engine
from edge.core.groups import Profile
from edge.core.incidents import Transition
from edge.core.messages import Batch

BUDGETS = (0.05, 0.1, 1.0)
"""False incidents a sensor-day that are asked for."""

LEARNING_DAYS = 3
READINGS_A_DAY = 1440
TOGETHER = 13
"""So many kinds are gone through side by side, which bounds the memory."""

DETERMINISTIC = frozenset({"seasonal without noise", "on and off", "ramp", "constant", "counter that starts anew"})
"""Kinds without noise, or whose only event repeats exactly: there is no chance in them that could fill a budget."""


class Cost(NamedTuple):
    """What sensors of one kind cost.

    Attributes:
        kind: Of noise.
        asked: False incidents a sensor-day that were asked for.
        early: Those that came a sensor-day in the first days.
        came: Those that came thereafter.
    """

    kind: str
    asked: float
    early: float
    came: float

    @property
    def holds(self) -> bool:
        """Whether it is within a factor of two."""
        return self.asked / 2 <= self.came <= self.asked * 2


def measure(
    rule: ResolvedRule,
    *,
    sensors: int,
    days: int,
    seed: int = 11,
    kinds: Sequence[str] = (),
    progress: Callable[[float], None] = lambda _: None,
) -> Iterator[Cost]:
    """Measure a rule, kind by kind, for each of `BUDGETS`.

    Args:
        rule: How the sensors are watched.
        sensors: How many there are of each kind.
        days: How long they are watched, more than `LEARNING_DAYS`.
        seed: Of the noise.
        kinds: Which; all if none is named.
        progress: Is told which share of the work is done.
    """
    signals = noises(days * READINGS_A_DAY, sensors, seed)
    chosen = list(kinds or signals)
    for first in range(0, len(chosen), TOGETHER):
        names = chosen[first : first + TOGETHER]
        share = len(names) / len(chosen)

        def tell(part: float, done: float = first / len(chosen), share: float = share) -> None:
            progress(done + share * part)

        yield from _watch(rule, {name: signals[name] for name in names}, days, tell)


def _watch(
    rule: ResolvedRule, signals: dict[str, Floats], days: int, progress: Callable[[float], None]
) -> Iterator[Cost]:
    profile = Profile(rule.detectors, rule.incidents)
    profiles = [profile.with_budget(each) for each in BUDGETS]
    values = np.concatenate([each for each in signals.values() for _ in BUDGETS], axis=1)
    each_has = next(iter(signals.values())).shape[1]
    count = values.shape[1]
    engine = Engine(lambda slot: profiles[slot // each_has % len(BUDGETS)])
    engine.grow(count)
    slots = np.arange(count)
    raised = np.zeros((2, len(signals) * len(BUDGETS)))
    for reading, row in enumerate(values):
        batch = Batch(slots, row.copy(), np.full(count, START_S + 60.0 * reading), slots)
        for finding in engine.process(batch):
            if finding.transition is Transition.RAISED:
                raised[int(reading >= LEARNING_DAYS * READINGS_A_DAY), finding.slot // each_has] += 1
        if reading % 100 == 0:
            progress(reading / len(values))
    early = raised[0] / each_has / LEARNING_DAYS
    came = raised[1] / each_has / (days - LEARNING_DAYS)
    for place, (kind, asked) in enumerate((kind, asked) for kind in signals for asked in BUDGETS):
        yield Cost(kind, asked, float(early[place]), float(came[place]))
