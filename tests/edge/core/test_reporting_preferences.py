from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from config.loading import parse
from config.notation.preferences import ReportingPreferences
from config.problems import ConfigurationError
from edge.core.model.notation.severity import weighted
from edge.core.scoring.opinions import Opinion
from edge.core.scoring.preferences import is_too_small
from tests.edge.core.pipelines import START, Line, detectors, differing, pipeline, reading, revived, rule

SENSOR = "paced/oven"
PLAIN = rule(*detectors(rate={}, ewma={}, cusum={}, unrest={}, contextual={"size": "light"}))


def line(values: list[float], preferences: ReportingPreferences, watched: Any = PLAIN, cut: int = 500) -> Line:
    made = Line(pipeline(lambda _: replace(watched, preferences=preferences)))
    return made.take([reading(SENSOR, START + 60.0 * index, value) for index, value in enumerate(values)], cut)


def reported(of: Line) -> list[dict[str, Any]]:
    return [json.loads(each.payload)["data"] for each in of.events]


def noise(seed: int, deviation: float = 1.0, at: int = 700, count: int = 900) -> list[float]:
    """Readings around 20, ten of which are off by a dozen standard deviations."""
    values = np.random.default_rng(seed).normal(20.0, 1.0, count)
    values[at : at + 10] += 12.0 * deviation
    return values.round(3).tolist()


def raised(of: Line) -> list[float]:
    return [each["value"] for each in reported(of) if each["transition"] == "raised"]


@pytest.mark.parametrize("direction", ["high", "low"])
def test_only_the_requested_side_is_reported(direction: str) -> None:
    preferences = ReportingPreferences(direction=direction)  # type: ignore[arg-type]
    high, low = line(noise(1), preferences), line(noise(1, -1.0), preferences)
    loud, quiet = (high, low) if direction == "high" else (low, high)
    assert any(abs(value - 20.0) > 8.0 for value in raised(loud))
    assert all((value > 20.0) == (direction == "high") for value in raised(quiet))


def test_both_sides_are_reported_by_default() -> None:
    assert any(value > 28.0 for value in raised(line(noise(2), ReportingPreferences())))
    assert any(value < 12.0 for value in raised(line(noise(2, -1.0), ReportingPreferences())))


def test_deviations_below_the_minimum_are_not_reported() -> None:
    assert raised(line(noise(3), ReportingPreferences()))
    assert raised(line(noise(3), ReportingPreferences(least=8.0)))
    assert not raised(line(noise(3), ReportingPreferences(least=16.0)))


def test_a_limit_is_reported_whatever_the_preferences() -> None:
    limited = rule(*detectors(limits={"low": 12.0}, ewma={}))
    (first, *_) = reported(line(noise(4, -1.0), ReportingPreferences(direction="high", least=100.0), limited))
    assert (first["kind"], first["lower"]) == ("range", 12.0)


def test_variation_below_the_minimum_is_not_reported() -> None:
    values = np.random.default_rng(5).normal(20.0, 1.0, 1200)
    values[900:1000] = 20.0 + 5.0 * (values[900:1000] - 20.0)
    unsteady = rule(*detectors(unrest={}))
    assert raised(line(values.tolist(), ReportingPreferences(least=1.0), unsteady))
    assert not raised(line(values.tolist(), ReportingPreferences(least=50.0), unsteady))


def test_a_movement_that_has_shrunk_by_less_than_the_minimum_is_not_reported() -> None:
    shrunk = Opinion("swing", "swing", 4.0, level=3.0, now=0.5, usual=1.5, about="6")
    assert is_too_small(shrunk, ReportingPreferences(least=2.0))
    assert not is_too_small(shrunk, ReportingPreferences(least=0.5, direction="high"))


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_a_weight_changes_severities_and_nothing_else(weight: float) -> None:
    plain, weighed = (
        reported(line(noise(6), ReportingPreferences())),
        reported(line(noise(6), ReportingPreferences(weight=weight))),
    )
    assert len(plain) == len(weighed) >= 2
    for one, other in zip(plain, weighed, strict=True):
        assert other["severity"] == weighted(one["severity"], weight) or one["severity"] == 1000
        assert {**other, "severity": 0} == {**one, "severity": 0}
    assert plain[0]["severity"] != weighed[0]["severity"]


def test_severities_stay_within_their_scale() -> None:
    assert [weighted(900, 10.0), weighted(100, 0.1), weighted(300, 1.0)] == [1000, 1, 300]


@pytest.mark.long
@pytest.mark.parametrize("cut", [1, 64])
def test_preferences_apply_alike_in_any_batches(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    preferences = ReportingPreferences("high", 6.0, 2.0)
    monkeypatch.setattr("edge.core.engine.WIDE", 1)
    together = line(noise(7), preferences)
    monkeypatch.setattr("edge.core.engine.WIDE", 10**9)
    apart = line(noise(7), preferences, cut=cut)
    assert together.events
    assert [each.payload for each in apart.events] == [each.payload for each in together.events]
    assert differing(apart.pipeline, together.pipeline) == []


def test_a_reload_with_other_preferences_keeps_what_was_learned_and_the_open_incident() -> None:
    before = line(noise(8)[:703], ReportingPreferences())
    assert before.pipeline.engine.open_incidents
    changed = replace(PLAIN, preferences=ReportingPreferences(direction="low", weight=2.0))
    after = revived(pipeline(lambda _: changed), before.pipeline.save("", ""), [])
    assert after.pipeline.engine.open_incidents.keys() == {0}
    later = [reading(SENSOR, START + 60.0 * (703 + index), 20.0 + index % 3 / 10) for index in range(40)]
    assert [each.transition for each in after.take(later).events][-1] == "cleared"


@pytest.mark.parametrize(
    ("wish", "key"),
    [('direction = "up"', "rule[0].direction"), ("least = -1.0", "rule[0].least"), ("least = inf", "rule[0].least"),
     ("weight = 0", "rule[0].weight"), ("weight = 11.0", "rule[0].weight"), ("counter = 1", "rule[0].counter")],
)  # fmt: skip
def test_an_impossible_preference_is_refused_with_its_key(wish: str, key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse(f'[[input]]\ntopic = "a/#"\n[[rule]]\nsensors = "**"\n{wish}\n', "test")
    assert key in str(refused.value)


def test_a_preference_for_a_rule_that_learns_nothing_gives_a_warning() -> None:
    text = '[[input]]\ntopic = "a/#"\n[[rule]]\nsensors = "**"\npreset = "limits_only"\ndirection = "high"\n'
    doubts = parse(text + "detectors.limits.high = 3.0\n", "test").doubts
    assert any("does nothing: no detector of the rule learns" in str(each) for each in doubts)
