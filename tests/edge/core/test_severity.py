"""Severity of incidents in the whole core, with the default preset: an overflow outranks a refill."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from config.loading import parse
from edge.core.model.notation.severity import severity_class
from tests.edge.core.pipelines import START, Line, differing, pipeline, reading, revived

pytestmark = pytest.mark.long

RULE = parse('[[input]]\ntopic = "#"\n').configuration.rule_for("x")
LIMITED = parse(
    '[[input]]\ntopic = "#"\n[[rule]]\nsensors = "**"\ndetectors.limits.high = 150.0\n'
).configuration.rule_for("x")
MINUTE_S, DAY_S = 60.0, 86_400.0
STEP_S = 5 * MINUTE_S
DAYS = 20
SENSOR = "paced/a"


def watched(values: Iterable[float], rule: Any = RULE, cut: int = 500) -> Line:
    """The events of a sensor that sends a value every five minutes."""
    readings = [reading(SENSOR, START + STEP_S * place, round(value, 2)) for place, value in enumerate(values)]
    return Line(pipeline(lambda _: rule)).take(readings, cut)


def worst(line: Line, first_day: float, last_day: float) -> int:
    """The highest severity of an incident raised between two days; 0 if there was none."""
    told = [json.loads(each.payload)["data"] | {"time": each.time} for each in line.events]
    raised = [each for each in told if each["transition"] == "raised"]
    chosen = {
        each["incident"] for each in raised if START + first_day * DAY_S <= each["time"] < START + last_day * DAY_S
    }
    return max((each["severity"] for each in told if each["incident"] in chosen), default=0)


def tank(seed: int) -> list[float]:
    """A tank that is emptied by day and refilled each night at about two, to 90 to 95; on the last day to 108."""
    rng = np.random.default_rng(seed)
    level, values = 92.0, []
    for day in range(DAYS + 1):
        at, full = rng.integers(18, 30), 108.0 if day == DAYS else rng.uniform(90, 95)
        for place in range(288):
            level -= rng.uniform(0.1, 0.3) if place > 80 else 0.02
            if at <= place < at + 6:
                level += (full - level) / (at + 6 - place)
            values.append(level + rng.normal(0, 0.05))
    return values


def freezer(seed: int) -> list[float]:
    """A freezer at -18 that is sometimes defrosted, to -11; at the end it rises to -5 and stays there."""
    rng = np.random.default_rng(seed)
    values, warmth = [], 0.0
    defrosts = set((288 * np.arange(1, DAYS, 3) + rng.integers(0, 288, len(range(1, DAYS, 3)))).tolist())
    for place in range(288 * DAYS + 150):
        if place in defrosts:
            warmth = rng.uniform(5.5, 7.0)
        warmth *= 0.75
        if place >= 288 * DAYS:
            warmth = min(13.0, (place - 288 * DAYS) * 1.0)
        values.append(-18.0 + warmth + rng.normal(0, 0.2))
    return values


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tank_that_overflows_outranks_its_daily_refills(seed: int) -> None:
    line = watched(tank(seed))
    refills, overflow = worst(line, 3, DAYS), worst(line, DAYS, DAYS + 1)
    assert severity_class(overflow) > severity_class(refills)
    assert overflow > refills + 100


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_freezer_that_stays_at_minus_five_outranks_its_defrosts(seed: int) -> None:
    line = watched(freezer(seed))
    defrosts, failure = worst(line, 10, DAYS), worst(line, DAYS, DAYS + 1)  # three have occurred by then
    assert failure > defrosts + 50
    assert severity_class(failure) == 3


def test_a_broken_limit_outranks_all_learned_conditions() -> None:
    values = tank(4)
    values[-20:] = [140.0] * 20
    assert worst(watched(values, LIMITED), DAYS, DAYS + 1) == 645
    assert worst(watched(values), DAYS, DAYS + 1) > 645
    values[-20:] = [151.0] * 20
    assert worst(watched(values, LIMITED), DAYS, DAYS + 1) == 646


def test_severities_do_not_depend_on_batches_or_on_a_restart_in_the_middle() -> None:
    values = freezer(5)
    whole, cut = watched(values), watched(values, cut=7)
    assert [each.payload for each in whole.events] == [each.payload for each in cut.events]
    assert differing(whole.pipeline, cut.pipeline) == []
    half = len(values) - 140  # the last incident is open
    line = watched(values[:half])
    saved = line.pipeline.save("", "")
    again = revived(pipeline(lambda _: RULE), saved, [])
    again.take([reading(SENSOR, START + STEP_S * place, round(values[place], 2)) for place in range(half, len(values))])
    assert [each.payload for each in [*line.events, *again.events]] == [each.payload for each in whole.events]
    assert differing(again.pipeline, whole.pipeline) == []
