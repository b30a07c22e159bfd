"""The engine by itself: microseconds of CPU per reading, against river's anomaly detectors."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from figures import Figure

from config.loading import parse
from edge.core.engine import Engine
from edge.core.model.readings.messages import Batch
from edge.core.scoring.profiles import Profile

WIDE = 10_000
INTERVAL_S = 60.0
WARM_UP = 600
"""Minutes before the measurement begins; a new plant recomputes its raising levels very often."""

START = 1_700_000_000.0


def make_engine(sensors: int) -> Engine:
    """An engine with the shipped detectors for each sensor."""
    rule = parse('[[input]]\ntopic = "#"\n', "benchmark").configuration.rule_for("sensor")
    profile = Profile(rule.detectors, rule.incidents)
    engine = Engine(lambda _slot: profile)
    engine.grow(sensors)
    return engine


def cpu_us(action: Callable[[], object], count: int) -> float:
    """Microseconds of CPU per operation, for an action that performs `count` operations."""
    began = time.process_time()
    action()
    return 1e6 * (time.process_time() - began) / count


class Plant:
    """Many sensors that report once a minute, so that each reading is a separate step: the most expensive case."""

    def __init__(self) -> None:
        self._engine, self._noise, self._time = make_engine(WIDE), np.random.default_rng(0), START

    def cost(self, rounds: int) -> float:
        """Microseconds of CPU per reading, over this many minutes."""
        slots, batches = np.arange(WIDE), []
        for _ in range(rounds):
            self._time += INTERVAL_S
            values = np.round(20 + 0.3 * self._noise.normal(size=WIDE), 2)
            batches.append(Batch(slots, values, np.full(WIDE, self._time), slots))
        return cpu_us(lambda: [self._engine.process(each) for each in batches], rounds * WIDE)


def narrow(packs: int, seed: int) -> float:
    """Microseconds of CPU per reading for one sensor that sends 1,000 readings at a time."""
    engine, noise = make_engine(1), np.random.default_rng(seed)
    batches = [
        Batch(
            np.zeros(1000, dtype=np.intp),
            np.round(20 + 0.3 * noise.normal(size=1000), 2),
            START + 1000.0 * each + np.arange(1000.0),
            np.arange(1000),
        )
        for each in range(packs + 1)
    ]
    engine.process(batches[0])
    return cpu_us(lambda: [engine.process(each) for each in batches[1:]], packs * 1000)


def river_us(name: str, count: int, seed: int) -> float:
    """Microseconds of CPU per reading of a river detector that scores, then learns, one reading at a time."""
    from river import anomaly  # noqa: PLC0415 - takes a second, and only this part needs it

    values = (20 + 0.3 * np.random.default_rng(seed).normal(size=count)).tolist()
    if name == "GaussianScorer":
        scorer = anomaly.GaussianScorer()

        def walk() -> None:
            for each in values:
                scorer.score_one(None, each)
                scorer.learn_one(None, each)
    else:
        trees = anomaly.HalfSpaceTrees(seed=seed, limits={"x": (15.0, 25.0)})

        def walk() -> None:
            for each in values:
                trees.score_one({"x": each})
                trees.learn_one({"x": each})

    return cpu_us(walk, count)


def alone(runs: int, *, quick: bool) -> list[Figure]:
    """Figures of wide and narrow batches."""
    rounds, packs = (10, 1) if quick else (60, 3)
    widths, gaussians, trees, narrows = [], [], [], []
    plant = Plant()
    for _ in range(WARM_UP // rounds):
        plant.cost(rounds)
    for seed in range(runs):
        widths.append(plant.cost(rounds))
        gaussians.append(river_us("GaussianScorer", 20_000, seed))
        trees.append(river_us("HalfSpaceTrees", 2_000, seed))
        narrows.append(narrow(packs, seed))
    part, what = "engine", "CPU a reading, 10,000 sensors"
    return [
        Figure(part, what, "us", widths),
        Figure(part, what, "us", widths, gaussians, "river GaussianScorer", most=0.8),
        Figure(part, what, "us", widths, trees, "river HalfSpaceTrees"),
        Figure(part, "CPU a reading, one sensor, 1,000 in a pack", "us", narrows, most=120.0),
    ]
