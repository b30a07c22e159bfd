"""Long faults: does an incident stay open while a fault lasts, and what has it taught when the fault is over?

Sensors with many kinds of noise are watched until they are known; then a fault comes that lasts for hours, and then all
is as before. A fault is *found* by an incident that is raised while it lasts, *covered* for as long as one is open, and
*over* when the last one of those ends. What is raised within two days after that, when the sensor has long returned to
what it was, is an *aftermath*: a fault that taught the wrong thing shows there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from config.detection import ResolvedRule
from detectors.base import Floats
from edge.benchmarks.noises import START_S, autoregressive
from edge.core.engine import Engine, Finding
from edge.core.groups import Profile
from edge.core.incidents import Transition
from edge.core.messages import Batch

INTERVAL_S = 300.0
DAY_ROWS = 288
LEARNING_DAYS = 10
QUIET_DAYS = 3
HOUR_S = 3600.0
HOURS = (2.0, 4.0, 6.0, 12.0)
RECOVERY_S = 2 * HOUR_S
"""Coming back is a change as well: what is raised so shortly after a fault belongs to it."""

Generator = np.random.Generator
Fault = Callable[[Generator, Floats, Floats], Floats]
"""Faulty values, shape (rows, sensors), of a generator, the values that would have been, and each sensor's deviation."""


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
"""Shift and drift by four standard deviations, the drift within an hour; noise of four; a value that stays; no value."""


class Cover(NamedTuple):
    """What came of the faults of one kind and length.

    Attributes:
        fault: Its kind.
        hours: Its length.
        faults: How many there were.
        found: Share of them that was found.
        covered: Share of their time in which an incident was open.
        lasted: Share of the time from when a fault was found on, until it ended, in which one was.
        over_s: Median of the seconds from a fault's end to the end of its last incident.
        aftermath: Incidents a sensor-day thereafter.
    """

    fault: str
    hours: float
    faults: int
    found: float
    covered: float
    lasted: float
    over_s: float
    aftermath: float


def measure(rule: ResolvedRule, *, sensors: int, hours: Sequence[float] = HOURS, seed: int = 3) -> Iterator[Cover]:
    """Measure a rule, length by length and fault by fault.

    Args:
        rule: How the sensors are watched.
        sensors: How many there are for each background, fault and length.
        hours: Lengths of faults.
        seed: Of the noise.
    """
    for length in hours:
        yield from _watch(rule, sensors, length, np.random.default_rng([seed, int(length * 60)]))


def _watch(rule: ResolvedRule, sensors: int, hours: float, rng: Generator) -> Iterator[Cover]:
    long = int(hours * HOUR_S / INTERVAL_S)
    rows = (LEARNING_DAYS + 1 + QUIET_DAYS) * DAY_ROWS + long
    columns, begins, each = [], [], sensors * 7
    for fault in FAULTS.values():
        values = np.concatenate(list(_backgrounds(rng, rows, sensors).values()), axis=1)
        deviation = values[: LEARNING_DAYS * DAY_ROWS].std(axis=0)
        begin = LEARNING_DAYS * DAY_ROWS + rng.integers(0, DAY_ROWS, values.shape[1])
        for place, row in enumerate(begin):
            mine = slice(place, place + 1)
            values[row : row + long, mine] = fault(rng, values[row : row + long, mine], deviation[mine])
        columns.append(values)
        begins.append(begin)
    values, begin = np.concatenate(columns, axis=1), np.concatenate(begins)
    spans = _incidents(rule, values)
    start = START_S + begin * INTERVAL_S
    end = start + long * INTERVAL_S
    for place, fault in enumerate(FAULTS):
        mine = range(place * each, (place + 1) * each)
        yield _cover(fault, hours, [(float(start[slot]), float(end[slot]), spans[slot]) for slot in mine])


def _cover(fault: str, hours: float, cases: list[tuple[float, float, list[list[float]]]]) -> Cover:
    found = covered = since = aftermath = 0.0
    over: list[float] = []
    for start, end, spans in cases:
        about = [each for each in spans if each[0] < end and each[1] > start]
        within = sum(min(each[1], end) - max(each[0], start) for each in about)
        raised = [each for each in about if each[0] >= start]
        covered += within
        if raised:
            found += 1
            since += end - raised[0][0]
        if about:
            over.append(max(0.0, max(each[1] for each in about) - end))
        aftermath += sum(end + RECOVERY_S <= each[0] < end + 2 * 86_400 for each in spans)
    labelled = sum(end - start for start, end, _ in cases)
    days = len(cases) * (2 - RECOVERY_S / 86_400)
    lasted = min(covered / since, 1.0) if since else 0.0
    median = float(np.median(over)) if over else 0.0
    return Cover(fault, hours, len(cases), found / len(cases), covered / labelled, lasted, median, aftermath / days)


def _incidents(rule: ResolvedRule, values: Floats) -> list[list[list[float]]]:
    """The incidents of each sensor, as times of begin and end."""
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


def _note(spans: list[list[float]], finding: Finding) -> None:
    if finding.transition is Transition.RAISED:
        spans.append([finding.observation.time, np.inf])
    elif finding.transition in {Transition.CLEARED, Transition.EXPIRED}:
        spans[-1][1] = finding.observation.time
