from __future__ import annotations

import math
import random
from functools import cache

import pytest

from config.loading import parse
from edge.core.model.readings.messages import Reading
from edge.reports.recording import recording
from edge.reports.recording.recording import Recording
from edge.shell.service.assembly.parts import make_pipeline

pytestmark = pytest.mark.long

SENSORS = ("flow", "level", *"abcdefg")
"""No two are named alike: they jump together, and would be one incident."""

START = 1_700_000_000.0
CONFIGURATION = '[[input]]\ntopic = "#"\n[incidents]\nfalse_alarms_per_sensor_per_day = {budget}\n'


def readings(count: int = 3000, sensors: int = 2) -> list[Reading]:
    noise = random.Random(8)
    return [
        Reading(SENSORS[index % sensors], START + 30 * index, noise.gauss(20, 0.5) + (30 if index % 700 > 690 else 0))
        for index in range(count)
    ]


def recorded(given: list[Reading], budget: float = 0.1, chunk: int = 500) -> tuple[Recording, list[str]]:
    pipeline = make_pipeline(parse(CONFIGURATION.format(budget=budget)).configuration)
    seen = Recording(pipeline, (0.001, budget, 50.0))
    transitions: list[str] = []
    for start in range(0, len(given), chunk):
        events = pipeline.process_readings(given[start : start + chunk]).events
        transitions += [each.transition for each in events]
        seen.take(events)
    seen.finish()
    return seen, transitions


@cache
def usual() -> tuple[Recording, list[str]]:
    """One run that several tests look at; none changes it."""
    return recorded(readings())


def test_every_sensor_has_its_readings_and_times() -> None:
    seen, _ = usual()
    assert list(seen.sensors) == ["flow", "level"]
    record = seen.sensors["level"]
    assert (record.readings, record.first, record.last) == (1500, START + 30, START + 30 * 2999)
    assert record.days == pytest.approx(30 * 2998 / 86_400)


def test_incidents_have_a_beginning_an_end_and_their_worst_sentence() -> None:
    seen, transitions = usual()
    spans = [each for record in seen.sensors.values() for each in record.incidents]
    assert len(spans) == transitions.count("raised") > 3
    assert all(each.ended > each.raised for each in spans)
    assert max(each.severity for each in spans) > 250
    assert all(each.detectors and each.message for each in spans)


def test_an_incident_that_is_still_open_has_no_end() -> None:
    given = readings(600)
    given += [Reading("flow", given[-1].time + 60 * number, 1000.0) for number in range(1, 9)]
    seen, _ = recorded(given)
    assert math.isinf(seen.sensors["flow"].incidents[-1].ended)


def test_an_incident_knows_when_a_further_kind_joined_it() -> None:
    given = readings(2000)
    last = given[-1].time
    given += [Reading("flow", last + 60 * number, 1000.0) for number in range(1, 9)]
    given += [Reading("level", last + 60 * number, 20.0 + number % 2) for number in range(1, 200)]
    seen, _ = recorded(given)
    incident = seen.sensors["flow"].incidents[-1]
    assert incident.joined
    assert last < min(incident.joined) <= max(incident.joined) < incident.ended
    assert incident.joined == tuple(sorted(incident.joined))
    kinds = [kind for kind, _ in incident.conditions]
    assert len(kinds) == len(set(kinds)) > 1
    assert all(last < since <= incident.ended for _, since in incident.conditions)


def test_the_values_of_states_are_known_at_the_end_of_the_run() -> None:
    noise = random.Random(5)
    given = [
        Reading("pump", START + 60 * minute, (7.4 if minute % 60 < 20 else 0.0) + noise.gauss(0, 0.02))
        for minute in range(5000)
    ] + readings(100)
    seen, _ = recorded(sorted(given, key=lambda each: each.time))
    assert seen.sensors["pump"].states == pytest.approx([0.0, 7.4], abs=0.01)
    assert seen.sensors["flow"].states == []


def test_the_count_for_the_configured_budget_equals_the_raised_incidents() -> None:
    seen, transitions = usual()
    assert seen.budgets.incidents[1] == transitions.count("raised")


def test_a_larger_budget_costs_no_fewer_incidents() -> None:
    seen, _ = usual()
    few, _, many = seen.budgets.incidents.tolist()
    assert few <= many


def test_batching_changes_nothing() -> None:
    (one, _), (other, _) = recorded(readings(), chunk=17), usual()
    assert one.budgets.incidents.tolist() == other.budgets.incidents.tolist()
    for name, record in one.sensors.items():
        assert record.incidents == other.sensors[name].incidents
        assert [each.tolist() for each in record.series.trace()[:3]] == [
            each.tolist() for each in other.sensors[name].series.trace()[:3]
        ]


def test_many_sensors_share_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "BUCKETS_IN_ALL", 4096)
    seen, _ = recorded(readings(2700, sensors=9), chunk=2700)
    assert {each.series.capacity for each in seen.sensors.values()} == {256}
    assert sum(each.readings for each in seen.sensors.values()) == 2700
