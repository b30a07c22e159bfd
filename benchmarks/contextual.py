"""The contextual detector: microseconds of CPU per reading in both sizes, against river's anomaly detectors."""

from __future__ import annotations

import numpy as np
from engine import START, cpu_us, river_us
from figures import Figure

from detectors.contextual import Contextual
from detectors.state import StateTable

SENSORS = 1_000
INTERVAL_S = 60.0
"""Seconds between readings of a sensor: far enough apart that each reading is a separate step, the most expensive
case."""

WARM_UP = 200
GOALS = {"light": 1.0, "full": 40.0}


def wide(size: str, rounds: int, seed: int) -> float:
    """CPU time for many sensors with one reading each at a time, once all have been learned."""
    table, slots = StateTable(Contextual(size=size), SENSORS), np.arange(SENSORS)
    values = 20 + 0.3 * np.random.default_rng(seed).normal(size=(WARM_UP + rounds, SENSORS))

    def walk(begin: int, end: int) -> None:
        for each in range(begin, end):
            table.update(slots, values[each], np.full(SENSORS, START + INTERVAL_S * each))

    walk(0, WARM_UP)
    return cpu_us(lambda: walk(WARM_UP, WARM_UP + rounds), rounds * SENSORS)


def alone(runs: int, *, quick: bool) -> list[Figure]:
    """Figures of both sizes, against river's GaussianScorer and HalfSpaceTrees."""
    rounds = {"light": 100 if quick else 400, "full": 10 if quick else 40}
    ours: dict[str, list[float]] = {size: [] for size in GOALS}
    theirs: dict[str, list[float]] = {"GaussianScorer": [], "HalfSpaceTrees": []}
    for seed in range(runs):
        for size, costs in ours.items():
            costs.append(wide(size, rounds[size], seed))
        for name, costs in theirs.items():
            costs.append(river_us(name, 20_000 if name == "GaussianScorer" else 2_000, seed))
    figures: list[Figure] = []
    for size, most in GOALS.items():
        what = f"CPU a reading, {size}, 1,000 sensors"
        figures.append(Figure("contextual", what, "us", ours[size], most=most))
        for name, costs in theirs.items():
            figures.append(Figure("contextual", what, "us", ours[size], costs, f"river {name}"))
    return figures
