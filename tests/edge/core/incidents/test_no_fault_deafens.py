"""What was reported isn't learned as usual: after it, a silence or a stuck value is reported as soon as before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from config.schema import IncidentSettings
from detectors.univariate.flatline import Flatline
from detectors.univariate.silence import Silence
from edge.core.engine import Engine
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Batch
from edge.core.model.sensors.no_values import NoValues
from edge.core.scoring.profiles import Profile
from tests.edge.core.pipelines import START

HOUR_S, DAY_S = 3_600.0, 86_400.0
KNOWN = 4.05
"""Days of operation before the fault that must be found as soon as ever."""

ERROR = -127.0

STEADY = 3
"""Number of sensors that always report, so that time passes."""

Pasts = dict[str, list[tuple[str, float, float]]]
PASTS: Pasts = {
    "nothing": [],
    "one silence": [("silent", 2.1, 2.0)],
    "two silences": [("silent", 2.1, 2.0), ("silent", 3.45, 2.5)],
    "three silences": [("silent", 1.2, 2.0), ("silent", 2.45, 2.0), ("silent", 3.7, 2.0)],
    "half days without": [("silent", 1.1, 12.0), ("silent", 2.45, 12.0)],
    "stuck twice": [("stuck", 2.1, 6.0), ("stuck", 3.45, 6.0)],
    "an error value twice": [("error", 2.1, 2.0), ("error", 3.45, 2.0)],
}
"""Faults before: what, since which day, and for how many hours."""

FAULTS = ("silent", "stuck")


def with_faults(faults: list[tuple[str, float, float]], times: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The values of a noisy sensor with a resolution of a tenth; NaN where it is silent."""
    values = np.random.default_rng(seed).normal(37.0, 0.4, len(times)).round(1)
    for what, day, hours in faults:
        within = (times >= day * DAY_S) & (times < day * DAY_S + hours * HOUR_S)
        values[within] = {"silent": np.nan, "stuck": 37.2, "error": ERROR}[what]
    return values


@cache
def told(interval: float) -> dict[tuple[str, str], float]:
    """Minutes until a fault was reported, by what was before and by the fault."""
    times = np.arange(0.0, (KNOWN + 0.7) * DAY_S, interval)
    cases = [(past, fault) for past in PASTS for fault in FAULTS]
    columns = [with_faults([*PASTS[past], (fault, KNOWN, 16.0)], times, seed=5) for past, fault in cases]
    columns += [with_faults([], times, seed=9 + each) for each in range(STEADY)]
    values, found = np.array(columns), dict[tuple[str, str], float]()
    for slot, time in raised(times, values):
        if slot < len(cases) and time >= KNOWN * DAY_S:
            found.setdefault(cases[slot], (time - KNOWN * DAY_S) / 60.0)
    return found


def raised(times: NDArray[np.float64], values: NDArray[np.float64]) -> Iterator[tuple[int, float]]:
    """The sensors of which an incident was raised, and when."""
    profile = Profile((Silence(), Flatline()), IncidentSettings())
    no_values = NoValues()
    for slot in range(len(values)):
        no_values.rule(slot, [ERROR])
    engine = Engine(lambda _: profile, no_values=no_values)
    engine.grow(len(values))
    for place, time in enumerate(times.tolist()):
        slots = np.flatnonzero(np.isfinite(values[:, place]))
        batch = Batch(slots, values[slots, place], np.full(len(slots), START + time), np.arange(len(slots)))
        for each in engine.process(batch):
            if each.transition is Transition.RAISED:
                yield each.slot, each.observation.time - START


@pytest.mark.parametrize("interval", [120.0, 600.0])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("past", list(PASTS)[1:])
def test_a_fault_is_reported_as_soon_as_without_faults_before(past: str, fault: str, interval: float) -> None:
    minutes = told(interval)
    assert minutes[past, fault] <= 1.25 * minutes["nothing", fault]


def test_a_lone_sensor_is_judged_as_among_many() -> None:
    times = np.arange(0.0, (KNOWN + 0.7) * DAY_S, 600.0)
    for past, fault in (("two silences", "stuck"), ("stuck twice", "stuck"), ("half days without", "silent")):
        columns = [with_faults([*PASTS[past], (fault, KNOWN, 16.0)], times, seed=5)]
        columns += [with_faults([], times, seed=9 + each) for each in range(STEADY)]
        found = [time for slot, time in raised(times, np.array(columns)) if slot == 0 and time >= KNOWN * DAY_S]
        assert (found[0] - KNOWN * DAY_S) / 60.0 == told(600.0)[past, fault]


def nights(days: int, at: float, hours: float, interval: float = 600.0) -> list[float]:
    """When a sensor is reported that is silent each night from a certain hour on, in days."""
    times = np.arange(0.0, days * DAY_S, interval)
    faults = [("silent", day + at / 24.0 + 0.02 * (day % 2), hours) for day in range(days)]
    values = [with_faults(faults, times, seed=1), *(with_faults([], times, seed=9 + each) for each in range(STEADY))]
    return [time / DAY_S for slot, time in raised(times, np.array(values)) if slot == 0]


def test_a_silence_each_night_is_a_habit_after_two_nights() -> None:
    found = nights(9, at=20.0, hours=9.0)
    assert len(found) == 2
    assert max(found) < 2.0
