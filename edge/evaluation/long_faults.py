"""Long faults: whether an incident stays open while a fault lasts, and what was learned from the fault when it is over.

Sensors with many kinds of noise are monitored until they are known; then a fault lasts for hours, and then everything
is as before. A fault is *found* by an incident raised while it lasts, *covered* while one is open, and *over* when the
last of those ends. Incidents raised within two days after that, when the sensor has long returned to normal, are the
*aftermath*: they show that the wrong thing was learned from the fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from config.tables.detection import ResolvedRule
from detectors.numeric.arrays import Floats, Slots
from edge.core.engine import Engine
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import ENDS, Transition
from edge.core.model.readings.messages import Batch
from edge.core.scoring.profiles import Profile
from edge.evaluation.noises import START_S, autoregressive

INTERVAL_S = 300.0
DAY_ROWS = 288
LEARNING_DAYS = 10
QUIET_DAYS = 3
HOUR_S = 3600.0
HOURS = (2.0, 4.0, 8.0, 12.0, 24.0)
ENOUGH = 0.6
"""Minimum share of a fault's time that its incidents must cover."""

RECOVERY_S = 2 * HOUR_S
"""Incidents raised within this time after a fault belong to it, because the return is also a change."""

Generator = np.random.Generator
Fault = Callable[[Generator, Floats, Floats], Floats]
"""Returns faulty values, shape (rows, sensors), given a generator, the faultless values, and the deviations."""


def _backgrounds(rng: Generator, rows: int, width: int) -> dict[str, Floats]:
    minute = np.arange(rows)[:, None] * INTERVAL_S / 60
    day = np.sin(minute / 1440 * 2 * np.pi)
    noise = rng.normal(size=(rows, width))
    return {
        "gaussian": noise,
        "heavy tails": rng.standard_t(5, size=(rows, width)),
        "quantised": np.round(noise * 3),
        "autoregressive": autoregressive(rng, rows, width, 0.9),
        "seasonal": 20.0 + 5.0 * day + 0.5 * noise,
        "shift work": np.where(minute % 1440 < 600, 10.0, 0.0) + noise,
        "noisy on and off": 10.0 * ((minute + rng.integers(0, 60, width)) % 120 < 30) + 0.5 * noise,
    }


def _stuck(_: Generator, values: Floats, __: Floats) -> Floats:
    return np.repeat(values[:1], len(values), axis=0)


def _drift(_: Generator, values: Floats, deviation: Floats) -> Floats:
    return values + np.minimum(np.arange(len(values))[:, None] / 12.0, 1.0) * 4.0 * deviation


FAULTS: dict[str, Fault] = {
    "level shift": lambda _, values, deviation: values + 4.0 * deviation,
    "drift": _drift,
    "noise": lambda rng, values, deviation: values + 4.0 * deviation * rng.normal(size=values.shape),
    "stuck": _stuck,
    "dropout": lambda _, values, deviation: np.zeros_like(values) - 10.0 * deviation,
}
"""Shift and drift by four standard deviations, the drift within an hour; noise of four; a constant value; none."""


class CoverageResult(NamedTuple):
    """The result for faults of one kind and length.

    Attributes:
        fault: Kind of the fault.
        hours: Length in hours.
        faults: Number of faults.
        found: Share of faults found.
        covered: Share of their time with an open incident.
        over_s: Median seconds from the end of a fault to the end of its last incident.
        aftermath: Incidents per sensor-day after that.
    """

    fault: str
    hours: float
    faults: int
    found: float
    covered: float
    over_s: float
    aftermath: float


def measure(
    rule: ResolvedRule, *, sensors: int, hours: Sequence[float] = HOURS, seed: int = 3
) -> Iterator[CoverageResult]:
    """Measure a rule, length by length and fault by fault.

    Args:
        rule: The profile of the sensors.
        sensors: Number of sensors for each background, fault and length.
        hours: Lengths of faults in hours.
        seed: Seed of the noise.
    """
    for length in hours:
        yield from _watch(rule, sensors, length, np.random.default_rng([seed, int(length * 60)]))


def _watch(rule: ResolvedRule, sensors: int, hours: float, rng: Generator) -> Iterator[CoverageResult]:
    long = int(hours * HOUR_S / INTERVAL_S)
    rows = (LEARNING_DAYS + 1 + QUIET_DAYS) * DAY_ROWS + long
    faulty = [_with_faults(rng, rows, sensors, long, fault) for fault in FAULTS.values()]
    spans = _incidents(rule, np.concatenate([values for values, _ in faulty], axis=1))
    seen = 0
    for name, (values, begins) in zip(FAULTS, faulty, strict=True):
        starts = (START_S + begins * INTERVAL_S).tolist()
        cases = [(start, start + long * INTERVAL_S, spans[seen + place]) for place, start in enumerate(starts)]
        seen += values.shape[1]
        yield _cover(name, hours, cases)


def _with_faults(rng: Generator, rows: int, sensors: int, long: int, fault: Fault) -> tuple[Floats, Floats]:
    """Sensors of every background, each with a fault, and the rows in which the faults begin."""
    values = np.concatenate(list(_backgrounds(rng, rows, sensors).values()), axis=1)
    deviation = values[: LEARNING_DAYS * DAY_ROWS].std(axis=0)
    begins: Slots = np.asarray(LEARNING_DAYS * DAY_ROWS + rng.integers(0, DAY_ROWS, values.shape[1]), dtype=np.intp)
    for place in range(values.shape[1]):
        row = int(begins[place])
        mine = slice(place, place + 1)
        values[row : row + long, mine] = fault(rng, values[row : row + long, mine], deviation[mine])
    return values, begins.astype(np.float64)


def _cover(fault: str, hours: float, cases: list[tuple[float, float, list[list[float]]]]) -> CoverageResult:
    found = covered = aftermath = 0.0
    over: list[float] = []
    for start, end, spans in cases:
        about = [each for each in spans if each[0] < end and each[1] > start]
        within = sum(min(each[1], end) - max(each[0], start) for each in about)
        covered += within
        found += any(each[0] >= start for each in about)
        if about:
            over.append(max(0.0, max(each[1] for each in about) - end))
        aftermath += sum(end + RECOVERY_S <= each[0] < end + 2 * 86_400 for each in spans)
    labelled = sum(end - start for start, end, _ in cases)
    days = len(cases) * (2 - RECOVERY_S / 86_400)
    median = float(np.median(over)) if over else 0.0
    return CoverageResult(fault, hours, len(cases), found / len(cases), covered / labelled, median, aftermath / days)


def _incidents(rule: ResolvedRule, values: Floats) -> list[list[list[float]]]:
    """The incidents of each sensor as start and end times."""
    profile = Profile(rule.detectors, rule.incidents)
    engine = Engine(lambda _: profile)
    count = values.shape[1]
    engine.grow(count)
    slots = np.arange(count)
    spans: list[list[list[float]]] = [[] for _ in range(count)]
    for row, readings in enumerate(values):
        batch = Batch(slots, readings.copy(), np.full(count, START_S + INTERVAL_S * row), slots)
        for finding in engine.process(batch):
            _note(spans[finding.slot], finding)
    return spans


def _note(spans: list[list[float]], finding: IncidentChange) -> None:
    if finding.transition is Transition.RAISED:
        spans.append([finding.observation.time, np.inf])
    elif finding.transition in ENDS:
        spans[-1][1] = finding.observation.time
