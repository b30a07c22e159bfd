"""The devices of a factory and their sensors.

Every device is a function that returns its sensors, given its name and a generator, which makes no two devices exactly
equal. Units are SenML codes if available.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, islice

import numpy as np

from simulators.plant.series import SimulatedSensor
from simulators.signals.machines import Counter, FillDrain, MachineCycle, OnOff, SetPoint
from simulators.signals.noise import HeavyTailed, MeanReverting, RandomWalk, WhiteNoise
from simulators.signals.randomness import Randomness
from simulators.signals.signals import DAY, HOUR, Level, SeasonalSignal, Shared, Sum, WorkWeek

MINUTE = 60.0
Device = Callable[[str, np.random.Generator], list[SimulatedSensor]]


def _pump(name: str, generator: np.random.Generator) -> list[SimulatedSensor]:
    """Temperature, pressure, current and vibration follow one load."""
    load = MeanReverting(spread=1.0, settle_s=40 * MINUTE)
    warm, strong = generator.uniform(48, 62), generator.uniform(4.5, 6.5)
    return [
        SimulatedSensor(
            f"{name}/temperature",
            "Cel",
            (Level(warm), Shared(name, load, 3.0), WhiteNoise(0.25)),
            quantum=0.1,
            low=-20,
        ),
        SimulatedSensor(
            f"{name}/pressure",
            "bar",
            (Level(strong), Shared(name, load, -0.35), WhiteNoise(0.03)),
            quantum=0.01,
            low=0,
        ),
        SimulatedSensor(
            f"{name}/current",
            "A",
            (Level(2.5 * strong), Shared(name, load, 1.2), WhiteNoise(0.12)),
            quantum=0.01,
            low=0,
        ),
        SimulatedSensor(
            f"{name}/vibration",
            "mm/s",
            (Level(2.4), Shared(name, load, 0.25), HeavyTailed(0.06)),
            quantum=0.001,
            low=0,
        ),
    ]


def _motor(name: str, generator: np.random.Generator) -> list[SimulatedSensor]:
    """Running or resting; its speed is set manually."""
    base = round(generator.uniform(900, 1200), -1)
    return [
        SimulatedSensor(f"{name}/running", "", (OnOff(on_s=50 * MINUTE, off_s=20 * MINUTE),), quantum=1),
        SimulatedSensor(
            f"{name}/speed",
            "1/min",
            (SetPoint((base, base + 150, base + 300, base + 450), dwell_s=5 * HOUR), WhiteNoise(4.0)),
            quantum=1,
            low=0,
        ),
        SimulatedSensor(
            f"{name}/winding",
            "Cel",
            (Level(generator.uniform(65, 80)), MeanReverting(2.5, 3 * HOUR), WhiteNoise(0.3)),
            quantum=0.5,
        ),
    ]


def _tank(name: str, generator: np.random.Generator) -> list[SimulatedSensor]:
    """A tank that is drained and filled, with its outflow."""
    drain = generator.uniform(100, 160) * MINUTE
    return [
        SimulatedSensor(
            f"{name}/level",
            "%",
            (FillDrain(28, 86, drain, 25 * MINUTE), WhiteNoise(0.3)),
            quantum=0.1,
            low=0,
            high=100,
        ),
        SimulatedSensor(
            f"{name}/outflow",
            "l/min",
            (Level(generator.uniform(90, 130)), MeanReverting(5.0, 8 * MINUTE), WhiteNoise(1.5)),
            quantum=0.1,
            low=0,
        ),
    ]


def _room(name: str, generator: np.random.Generator) -> list[SimulatedSensor]:
    """Warm in the afternoon, stuffy while people are in."""
    return [
        SimulatedSensor(
            f"{name}/temperature",
            "Cel",
            (
                Level(generator.uniform(20, 22)),
                SeasonalSignal(2.2, peak_s=15 * HOUR),
                MeanReverting(0.2, HOUR),
                WhiteNoise(0.06),
            ),
            quantum=0.1,
        ),
        SimulatedSensor(
            f"{name}/humidity",
            "%RH",
            (
                Level(generator.uniform(42, 48)),
                SeasonalSignal(6.0, peak_s=4 * HOUR),
                MeanReverting(0.8, 2 * HOUR),
                WhiteNoise(0.3),
            ),
            quantum=0.1,
            low=0,
            high=100,
        ),
        SimulatedSensor(
            f"{name}/co2",
            "ppm",
            (Level(430), WorkWeek(420.0), MeanReverting(18, HOUR), WhiteNoise(5)),
            quantum=1,
            low=0,
        ),
    ]


def _meter(name: str, generator: np.random.Generator) -> list[SimulatedSensor]:
    """Electric power by the working week, and counters of energy and water."""
    base, rise = generator.uniform(35, 45), generator.uniform(110, 140)
    energy = Sum((Level(base / 3600), WorkWeek(rise / 3600), WhiteNoise(3 / 3600)))
    water = Sum((Level(0.7e-4), WorkWeek(4e-4), HeavyTailed(2e-5)))
    return [
        SimulatedSensor(
            f"{name}/power",
            "kW",
            (Level(base), WorkWeek(rise), SeasonalSignal(6, 13 * HOUR), WhiteNoise(3.0)),
            quantum=0.1,
            low=0,
        ),
        SimulatedSensor(
            f"{name}/energy",
            "kWh",
            (Counter(energy, begins_at=round(generator.uniform(2e5, 9e5))),),
            quantum=0.01,
        ),
        SimulatedSensor(f"{name}/water", "m3", (Counter(water, begins_at=61.5, full_at=100.0),), quantum=0.001),
    ]


def _press(name: str, generator: np.random.Generator) -> list[SimulatedSensor]:
    """Presses in cycles, and counts the pieces of the day."""
    period = generator.uniform(16, 24) * MINUTE
    return [
        SimulatedSensor(f"{name}/force", "kN", (MachineCycle(12, 240, period), WhiteNoise(2.5)), quantum=0.1, low=0),
        SimulatedSensor(
            f"{name}/pieces",
            "count",
            (Counter(Sum((Level(0.11), WhiteNoise(0.012))), reset_s=DAY),),
            quantum=1,
        ),
    ]


def _silo(name: str, generator: np.random.Generator) -> list[SimulatedSensor]:
    """A stock with random changes."""
    return [
        SimulatedSensor(
            f"{name}/stock",
            "t",
            (Level(generator.uniform(180, 260)), RandomWalk(0.9), WhiteNoise(0.05)),
            quantum=0.01,
            low=0,
        )
    ]


def _weather(name: str, generator: np.random.Generator) -> list[SimulatedSensor]:
    """Gusts, and the slow pressure of the air."""
    return [
        SimulatedSensor(
            f"{name}/wind",
            "m/s",
            (Level(generator.uniform(6.5, 8)), MeanReverting(0.8, 3 * HOUR), HeavyTailed(0.5)),
            quantum=0.1,
            low=0,
        ),
        SimulatedSensor(
            f"{name}/air_pressure",
            "hPa",
            (Level(1013.0), MeanReverting(6.0, 40 * HOUR), WhiteNoise(0.08)),
            quantum=0.1,
        ),
    ]


DEVICES: tuple[tuple[str, Device], ...] = (
    ("line{}/pump1", _pump),
    ("hall{}/room1", _room),
    ("line{}/motor1", _motor),
    ("line{}/tank1", _tank),
    ("line{}/press1", _press),
    ("hall{}/meter1", _meter),
    ("yard{}/silo1", _silo),
    ("yard{}/weather", _weather),
)
"""One line of the factory: twenty sensors."""


def sensors_of_a_factory(sensors: int, seed: int, interval_s: float, prefix: str) -> tuple[SimulatedSensor, ...]:
    """The first sensors of an unlimited factory; see `plant.plant`."""
    return tuple(islice(_endless(seed, interval_s, prefix), sensors))


def _endless(seed: int, interval_s: float, prefix: str) -> Iterator[SimulatedSensor]:
    for number in count(1):
        for template, device in DEVICES:
            name = f"{prefix}/{template.format(number)}"
            generator = Randomness(seed, f"device {name}").generator()
            phase_s = round(interval_s * float(generator.random()), 3)
            for sensor in device(name, generator):
                yield replace(sensor, interval_s=interval_s, phase_s=phase_s)
