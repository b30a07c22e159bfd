"""The cost of a step with a single reading by number of sensors, on which it should not depend.

    python benchmarks/many_sensors.py [--sensors 100 1000 10000 50000] [--readings 2000] [--turns 50]

For each number of sensors, a pipeline with the shipped configuration learns all of them. Then single readings of a few
sensors in turn are processed, one per step, and time passes without readings. Counted are calls of Python and C
functions, which is exact and the same on any machine. CPU times are medians of five runs, in which the numbers of
sensors alternate, so that other load on the machine affects all of them equally.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time
from typing import Any

from figures import Figure

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline

START = 1_700_000_000.0
RUNS = 5
SMALL, TURNS = 1_000, 50
"""Number of sensors of the plant that larger ones are compared with, and of those that send readings."""

MOST_RATIO = 1.25
"""Goal of the benchmark's part `many`: the cost of a lone reading in a large plant over that in a small one."""

WARM_UP = 40
"""Readings of each active sensor before the measurement begins, so that its detectors have learned."""

COUNTED = 20
"""Number of steps over which calls are counted."""

TICK_S = 0.001


def reading(sensor: int, time: float) -> Message:
    """A reading of one of the sensors."""
    value = 20.0 + (sensor * 31 + int(time) * 7) % 17 / 10
    return Message(f"plant/{sensor}/value", json.dumps({"value": value, "ts": time}).encode(), time)


def cpu_us(act: Callable[[], object], count: int) -> float:
    """Microseconds of CPU per operation, for an action that performs `count` operations."""
    began = process_time()
    act()
    return 1e6 * (process_time() - began) / count


def calls_of(act: Callable[[], object]) -> int:
    """Number of Python and C functions that an action calls."""
    count = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


class Plant:
    """A pipeline with many sensors, of which a few send one reading per second in turn.

    Attributes:
        known_s: CPU seconds to learn the sensors, one per step.
        reading_us: Microseconds of CPU per reading, for each run.
        tick_us: Microseconds of CPU per tick without readings, for each run.
    """

    def __init__(self, sensors: int, turns: int) -> None:
        text = f'[[input]]\ntopic = "plant/#"\n[limits]\nsensors = {sensors}\n'
        self._pipeline = make_pipeline(parse(text, "benchmark").configuration)
        self._turns = min(sensors, turns)
        self._count = 0
        first = [reading(sensor, START) for sensor in range(sensors)]
        self.known_s = cpu_us(lambda: self._process(first), 1) / 1e6
        self._process(self._next(WARM_UP * self._turns))
        self.reading_us: list[float] = []
        self.tick_us: list[float] = []

    def run(self, readings: int) -> None:
        """Run another measurement."""
        messages = self._next(readings)
        self.reading_us.append(cpu_us(lambda: self._process(messages), readings))
        self.tick_us.append(cpu_us(lambda: self._let_pass(readings), readings))

    def calls(self) -> tuple[float, float]:
        """Calls per reading, and calls per tick without readings."""
        messages = self._next(COUNTED)
        step = calls_of(lambda: self._process(messages)) / COUNTED
        return step, calls_of(lambda: self._let_pass(COUNTED)) / COUNTED

    def _next(self, count: int) -> list[Message]:
        first, self._count = self._count, self._count + count
        turns = self._turns
        return [reading(each % turns, START + 1.0 + each / turns) for each in range(first, first + count)]

    def _process(self, messages: list[Message]) -> None:
        for message in messages:
            self._pipeline.process([message])

    def _let_pass(self, times: int) -> None:
        for _ in range(times):
            self._pipeline.tick(TICK_S)


def run_all(sensors: Sequence[int], readings: int, turns: int, runs: int) -> dict[int, Plant]:
    """Measure plants of several sizes, alternately."""
    plants = {each: Plant(each, turns) for each in sensors}
    for _ in range(runs):
        for plant in plants.values():
            plant.run(readings)
    return plants


def whole(runs: int, *, quick: bool) -> list[Figure]:
    """Figures of a single reading in a large plant, compared with a small one in the same runs."""
    most = 10_000 if quick else 50_000
    plants = run_all((SMALL, most), 500 if quick else 2_000, TURNS, runs)
    large, small = plants[most], plants[SMALL]
    peer = f"with {SMALL:,}"
    return [
        Figure("many", f"CPU a lone reading, {most:,} sensors", "us", large.reading_us, small.reading_us, peer,
               most=MOST_RATIO),
        Figure("many", f"calls a lone reading, {most:,} sensors", "", [large.calls()[0]], [small.calls()[0]], peer,
               most=1.01),
    ]  # fmt: skip


def main() -> None:
    """Measure, and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sensors", type=int, nargs="+", default=[100, 1_000, 10_000, 50_000])
    options.add_argument("--readings", type=int, default=2_000)
    options.add_argument("--turns", type=int, default=TURNS, help="sensors that send readings")
    given = options.parse_args()
    plants = run_all(given.sensors, given.readings, given.turns, RUNS)
    columns = ("sensors", "us/new sensor", "calls/reading", "us/reading", "calls/tick", "us/tick")
    print("  ".join(columns))
    for sensors, plant in plants.items():
        calls, tick_calls = plant.calls()
        cells = (
            f"{sensors:,}",
            f"{1e6 * plant.known_s / sensors:.0f}",
            f"{calls:.0f}",
            f"{median(plant.reading_us):.0f}",
            f"{tick_calls:.0f}",
            f"{median(plant.tick_us):.1f}",
        )
        print("  ".join(cell.rjust(len(column)) for cell, column in zip(cells, columns, strict=True)))
    if SMALL in plants:
        most = max(plants)
        ratio = median(plants[most].reading_us) / median(plants[SMALL].reading_us)
        print(f"CPU a reading at {most:,} sensors is {ratio:.2f} times that at {SMALL:,}")


if __name__ == "__main__":
    main()
