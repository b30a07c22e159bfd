"""Times relative to the arrival of a payload, on their way through the intake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config import parse
from edge.core.model.readings.messages import DeadLetter, Message
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

NOW = 1_700_000_000.0
CONFIGURATION = """
[[input]]
topic = "plant/#"
format = "senml"
sensor = "{field}"
[[input]]
topic = "arrival/#"
format = "senml"
sensor = "{field}"
time = "arrival"
"""


@pytest.fixture
def pipeline() -> Pipeline:
    return make_pipeline(parse(CONFIGURATION).configuration)


def read(
    pipeline: Pipeline,
    pack: list[dict[str, Any]],
    arrived: float = NOW,
    topic: str = "plant/a",
    *,
    retained: bool = False,
) -> tuple[list[tuple[str, float, float]], list[str]]:
    """Sensors, times and values of a message, and the reasons of its refusals."""
    letters: list[DeadLetter] = []
    batch = pipeline.intake.read([Message(topic, json.dumps(pack).encode(), arrived, retained)], letters, [])
    names = [pipeline.sensors.names[slot] for slot in batch.slots.tolist()]
    readings = list(zip(names, batch.times.tolist(), batch.values.tolist(), strict=True))
    return readings, [each.refusal.reason for each in letters]


PAST = [{"n": "a", "t": -10, "v": 1}, {"n": "a", "t": -5, "v": 2}, {"n": "a", "v": 3}]


def test_they_are_subtracted_from_the_arrival_however_often_the_sensor_was_seen(pipeline: Pipeline) -> None:
    for arrived in (NOW, NOW + 60):
        expected = [("a", arrived - 10, 1.0), ("a", arrived - 5, 2.0), ("a", arrived, 3.0)]
        assert read(pipeline, PAST, arrived) == (expected, [])


def test_they_are_subtracted_from_the_arrival_next_to_texts_and_absolute_times(pipeline: Pipeline) -> None:
    pack = [{"n": "b", "vs": "x"}, {"n": "a", "t": -10, "v": 1}, {"n": "c", "t": NOW - 3, "v": 2}]
    assert read(pipeline, pack) == ([("a", NOW - 10, 1.0), ("c", NOW - 3, 2.0)], [])


def test_only_the_arrival_counts_if_the_input_says_so(pipeline: Pipeline) -> None:
    readings, _ = read(pipeline, PAST, topic="arrival/a")
    assert [time for _, time, _ in readings] == [NOW] * 3


def test_they_have_no_meaning_in_a_retained_message(pipeline: Pipeline) -> None:
    assert read(pipeline, PAST, retained=True) == ([], ["retained"])
    assert read(pipeline, [{"n": "a", "v": 1}], retained=True) == ([], ["retained"])
    assert read(pipeline, [{"n": "a", "t": NOW - 60, "v": 1}], retained=True) == ([("a", NOW - 60, 1.0)], [])


def test_they_count_when_the_gateway_clock_was_never_set(pipeline: Pipeline) -> None:
    readings, reasons = read(pipeline, PAST, arrived=100.0)
    assert [time for _, time, _ in readings] == [90.0, 95.0, 100.0]
    assert reasons == []


def test_they_must_be_plausible(pipeline: Pipeline) -> None:
    pack = [{"n": "a", "t": -1e9, "v": 1}, {"n": "a", "t": 61, "v": 2}, {"n": "a", "t": 60, "v": 3}]
    readings, reasons = read(pipeline, pack)
    assert readings == [("a", NOW + 60, 3.0)]
    assert sorted(reasons) == ["time_implausible", "time_in_future"]


def test_their_sensors_move_with_the_gateway_clock(pipeline: Pipeline) -> None:
    read(pipeline, [{"n": "a", "t": -5, "v": 1}])
    read(pipeline, [{"n": "b", "t": NOW, "v": 1}])
    assert pipeline.intake.clock_stepped(-3600.0).tolist() == [0]
