"""What is learned during incidents and what isn't: the default preset in the whole engine."""

from __future__ import annotations

import numpy as np
import pytest

from config.loading import parse
from detectors.numeric.arrays import Floats
from edge.core.engine import Engine
from edge.core.incidents.incident_change import IncidentChange
from edge.core.incidents.state_machine import Transition
from edge.core.model.readings.messages import Batch
from edge.core.scoring.profiles import Profile
from edge.evaluation.noises import START_S

pytestmark = pytest.mark.long

DAY_ROWS = 288
INTERVAL_S = 300.0


def watch(values: Floats) -> list[IncidentChange]:
    """Let sensors of the default preset report every five minutes; values of shape (readings, sensors)."""
    rule = parse('[[input]]\ntopic = "#"\n').configuration.rule_for("x")
    profile = Profile(rule.detectors, rule.incidents)
    engine = Engine(lambda _: profile)
    slots = np.arange(values.shape[1])
    engine.grow(len(slots))
    findings = []
    for row, readings in enumerate(values):
        times = np.full(len(slots), START_S + INTERVAL_S * row)
        findings += engine.process(Batch(slots, readings.copy(), times, slots))
    return findings


def raised_in(findings: list[IncidentChange], rows: range) -> list[IncidentChange]:
    first, last = START_S + INTERVAL_S * rows.start, START_S + INTERVAL_S * rows.stop
    return [each for each in findings if each.transition is Transition.RAISED and first <= each.observation.time < last]


def test_a_job_at_six_in_the_morning_is_not_an_incident_once_it_has_repeated() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(14 * DAY_ROWS, 6))
    jobs = [range(day * DAY_ROWS + 72, day * DAY_ROWS + 78) for day in range(3, 14)]
    for rows in jobs:
        values[rows.start : rows.stop] += 12.0
    findings = watch(values)
    counts = [len(raised_in(findings, rows)) for rows in jobs]
    assert counts[0] >= 5
    assert sum(counts[4:]) <= 2


def test_a_fault_does_not_hide_a_larger_one_that_follows() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(9 * DAY_ROWS, 8))
    faults = [range(day * DAY_ROWS, day * DAY_ROWS + 24) for day in (4, 6, 8)]
    for rows, size in zip(faults, (10.0, -15.0, 25.0), strict=True):
        values[rows.start : rows.stop] += size
    findings = watch(values)
    for rows in faults:
        assert len({each.slot for each in raised_in(findings, rows)}) >= 7


def test_the_state_before_a_fault_is_kept_during_it() -> None:
    rng = np.random.default_rng(3)
    minute = np.arange(12 * DAY_ROWS)[:, None]
    values = 20.0 + 8.0 * np.sin(minute / DAY_ROWS * 2 * np.pi) + 0.3 * rng.normal(size=(len(minute), 4))
    values[6 * DAY_ROWS : 6 * DAY_ROWS + 120] += 15.0
    values[11 * DAY_ROWS + 72 : 11 * DAY_ROWS + 96] -= 8.0  # the same at noon as at dawn: ordinary except for the hour
    findings = watch(values)
    assert {each.slot for each in raised_in(findings, range(6 * DAY_ROWS, 6 * DAY_ROWS + 120))} == {0, 1, 2, 3}
    odd = raised_in(findings, range(11 * DAY_ROWS + 72, 11 * DAY_ROWS + 96))
    assert len({each.slot for each in odd}) >= 3


def test_a_level_that_stays_is_adopted_and_monitored_from_then_on() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(10 * DAY_ROWS, 6))
    values[5 * DAY_ROWS :] += 10.0
    values[9 * DAY_ROWS : 9 * DAY_ROWS + 24] += 12.0
    findings = watch(values)
    expired = {each.slot for each in findings if each.transition is Transition.EXPIRED}
    assert expired == set(range(6))
    again = raised_in(findings, range(7 * DAY_ROWS, 9 * DAY_ROWS))
    assert len(again) <= 3
    assert len({each.slot for each in raised_in(findings, range(9 * DAY_ROWS, 9 * DAY_ROWS + 24))}) >= 5
