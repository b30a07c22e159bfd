"""An incident that is only about a trend: told once, open while it goes on, and no obstacle to anything else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from config.notation.preferences import ReportingPreferences
from config.schema import IncidentSettings
from edge.core.incidents.sentences.sensor_change import SensorChange
from edge.core.incidents.sentences.sentence import sentence
from edge.core.incidents.state_machine import StateMachine, Transition
from edge.core.incidents.state_table import MachineInput
from edge.core.scoring.consequence import Yardstick
from edge.core.scoring.opinions import Observation, Opinion, is_clear
from edge.core.scoring.preferences import is_too_small
from tests.edge.core.pipelines import Line, detectors, pipeline, reading, rule

SETTINGS, DAY_S, FAN = IncidentSettings(), 86_400.0, "paced/fan"
RULE = replace(rule(*detectors(silence={}, ewma={}, cusum={}, drift={}, trend={}), settings=SETTINGS), unit="mm/s")
START = 20_000 * DAY_S


def trend(now: float = 3.32, usual: float = 2.56, about: str = "mean 14", score: float = 4.0) -> Opinion:
    return Opinion("trend", "trend", score, level=3.25, lower=2.4, upper=2.6, now=now, usual=usual, about=about)


def shift(score: float) -> Opinion:
    return Opinion("contextual", "contextual", score, 3.1, 2.9, 3.28, level=4.0)


def seen(time: float, *opinions: Opinion) -> Observation:
    return Observation(time, 3.3, 3.25, sorted(opinions, key=lambda each: -each.ratio))


def fan(bearing: Any, days: int) -> list[float]:
    """A reading every half hour of a fan whose bearing has worn by so much on each day."""
    rng, noise, values = np.random.default_rng(7), 0.0, []
    for place in range(days * 48):
        noise = 0.9 * noise + 0.04 * rng.normal()
        values.append(round(2.4 + noise + bearing(place / 48), 3))
    return values


def events(values: list[float]) -> list[dict[str, Any]]:
    line = Line(pipeline(lambda _: RULE))
    line.take([reading(FAN, START + 1800.0 * place, value) for place, value in enumerate(values)])
    return [json.loads(each.payload)["data"] for each in line.events]


BEFORE = "before, it was between 2.4 and 2.6"
COURSES = {
    f"rises day by day: its daily mean has gone from 2.56 to 3.32 mm/s within two weeks; {BEFORE}": trend(),
    f"falls day by day: its highest hour of the day has gone from 2.5 to 1.75 mm/s within a week; {BEFORE}": trend(
        1.75, 2.5, "highest 7"
    ),
    "rises day by day: its lowest hour of the day has gone from 2.41 to 2.59 mm/s within a week": trend(
        2.59, 2.41, "lowest 7"
    ),
    "is at 3.3 mm/s and rises unusually fast, by 0.61 mm/s within 6 h, by 0.3 at most before": trend(
        0.61, 0.3, "slope 6"
    ),
    "is at 3.3 mm/s and falls unusually fast, by 68 mm/s within 24 h, by 42 at most before": trend(
        -67.5, -42.0, "slope 24"
    ),
}


@pytest.mark.parametrize("said", COURSES)
def test_a_trend_is_told_by_two_days_and_where_the_sensor_was_before(said: str) -> None:
    opinion = COURSES[said]
    machine, first = StateMachine(), seen(0.0, opinion)
    machine.step(MachineInput.EXCEEDS, first, SETTINGS)
    assert machine.incident is not None
    assert (
        sentence(SensorChange("fan", "mm/s", Transition.RAISED, machine.incident, first, None, opinion))
        == f"fan {said}"
    )


def test_what_moves_faster_than_ever_is_severe_by_how_many_times_and_for_how_long() -> None:
    severities = []
    for now, hours in ((-50.0, 1), (-50.0, 24), (-160.0, 1), (-160.0, 24)):
        machine, opinion = StateMachine(), trend(now, -40.0, "slope 24")
        for hour in range(hours):
            machine.step(MachineInput.EXCEEDS, seen(3600.0 * hour, opinion), SETTINGS)
        assert machine.incident is not None
        assert machine.incident.extent is not None
        severities.append(machine.incident.extent.severity)
    small, small_and_long, large, large_and_long = severities
    assert small == large == 100
    assert small < small_and_long < 250 < large_and_long


def test_the_end_of_a_trend_says_nothing_of_the_level() -> None:
    machine, last = StateMachine(), seen(9 * DAY_S)
    machine.step(MachineInput.EXCEEDS, seen(0.0, trend()), SETTINGS)
    moved = machine.step(MachineInput.CALM_ENOUGH, last, SETTINGS)
    assert moved is not None
    said = sentence(SensorChange("fan", "mm/s", *moved, last, None))
    assert said == "fan no longer rises day by day, at 3.3 mm/s after 9 d"


def test_during_a_trend_readings_are_learned_until_something_else_is_wrong() -> None:
    machine = StateMachine()
    machine.step(MachineInput.EXCEEDS, seen(0.0, trend()), SETTINGS)
    assert machine.learns
    machine.step(MachineInput.EXCEEDS, seen(60.0, trend(), shift(9.0)), SETTINGS)
    assert not machine.learns
    machine.step(MachineInput.EXCEEDS, seen(120.0, trend()), SETTINGS)
    assert not machine.learns


def test_the_days_of_a_trend_make_it_no_more_severe() -> None:
    machine = StateMachine()
    for day in range(10):
        found = seen(day * DAY_S, trend())
        machine.step(MachineInput.EXCEEDS, found, SETTINGS, yardstick=Yardstick(2.0, 3.5))
    assert machine.incident is not None
    assert machine.incident.current_severity() == 100


def test_a_trend_does_not_confirm_what_a_moment_barely_shows() -> None:
    assert not is_clear(seen(0.0, shift(4.1), trend(score=3.0)), 1)
    assert is_clear(seen(0.0, shift(4.1), trend(score=4.0)), 1)


def test_a_trend_the_wrong_way_or_too_small_is_not_reported() -> None:
    assert is_too_small(trend(), ReportingPreferences(direction="low"))
    assert not is_too_small(trend(), ReportingPreferences(direction="high"))
    assert is_too_small(trend(), ReportingPreferences(least=1.0))
    assert not is_too_small(trend(), ReportingPreferences(least=0.5))


def test_a_bearing_that_wears_out_is_one_incident_until_it_is_replaced() -> None:
    told = events(fan(lambda day: 0.045 * max(day - 30, 0.0) * (day < 48), 52))
    began = [each for each in told if each["transition"] == "raised"]
    assert [each["kind"] for each in began] == ["trend"]
    assert told[-1]["transition"] == "cleared"
    ended = [each for each in told if each["incident"] == began[0]["incident"]][-1]
    assert ended["last"] < "2024-11-23T12"
    assert "expired" not in {each["transition"] for each in told}


def test_a_level_that_still_moves_is_learned_but_its_incident_stays_open() -> None:
    told = events(fan(lambda day: 0.25 * max(day - 30, 0.0) * (day < 48), 52))
    began = {each["incident"] for each in told if each["transition"] == "raised"}
    assert len(began) == 1
    assert {"drift", "trend"} <= {condition["kind"] for each in told for condition in each["conditions"]}
    assert [each["transition"] for each in told if each["transition"] in {"cleared", "expired"}] == ["cleared"]
