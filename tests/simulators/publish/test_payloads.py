from __future__ import annotations

import json
from typing import Any

import pytest

from edge.core.model.readings.messages import Reading
from simulators.faults.truth import TOPIC, TruthSummary
from simulators.publish.narration import Narrator
from simulators.publish.payloads import Format, Publication, publications
from simulators.signals.label import Fault

READINGS = [
    Reading("plant/pump/temperature", 1000.123, 51.5),
    Reading("plant/pump/pressure", 1000.123, 5.0),
    Reading("plant/room/co2", 1000.5, 430.0),
    Reading("plant/pump/temperature", 1060.123, 52.0),
    Reading("plant/pump/pressure", 1060.123, 5.25),
]
UNITS = {"plant/pump/temperature": "Cel", "plant/pump/pressure": "bar"}


def made(form: Format, pack: int = 1) -> list[tuple[str, Any, int]]:
    return [(each.topic, json.loads(each.payload), each.readings) for each in publications(READINGS, form, UNITS, pack)]


def test_json_is_a_message_per_reading_with_time_value_and_unit() -> None:
    first, _, third = made("json")[:3]
    assert first == ("plant/pump/temperature", {"ts": 1000.123, "value": 51.5, "unit": "Cel"}, 1)
    assert third == ("plant/room/co2", {"ts": 1000.5, "value": 430.0}, 1)


def test_a_number_is_nothing_but_the_value() -> None:
    assert [each.payload for each in publications(READINGS[:2], "number", UNITS)] == [b"51.5", b"5.0"]


def test_a_device_sends_its_sensors_of_one_time_in_one_message() -> None:
    assert made("device") == [
        ("plant/pump", {"ts": 1000.123, "temperature": 51.5, "pressure": 5.0}, 2),
        ("plant/room", {"ts": 1000.5, "co2": 430.0}, 1),
        ("plant/pump", {"ts": 1060.123, "temperature": 52.0, "pressure": 5.25}, 2),
    ]


def test_a_device_never_overwrites_a_field() -> None:
    twice = [READINGS[0], READINGS[0]._replace(value=1.0)]
    assert len(list(publications(twice, "device", UNITS))) == 2


def test_an_array_packs_readings_of_one_sensor_and_sends_the_rest_at_the_end() -> None:
    assert made("array", pack=2) == [
        (
            "plant/pump/temperature",
            [{"ts": 1000.123, "value": 51.5, "unit": "Cel"}, {"ts": 1060.123, "value": 52.0, "unit": "Cel"}],
            2,
        ),
        (
            "plant/pump/pressure",
            [{"ts": 1000.123, "value": 5.0, "unit": "bar"}, {"ts": 1060.123, "value": 5.25, "unit": "bar"}],
            2,
        ),
        ("plant/room/co2", [{"ts": 1000.5, "value": 430.0}], 1),
    ]


@pytest.mark.parametrize("form", ["json", "device", "array", "number"])
def test_every_form_carries_every_reading(form: Format) -> None:
    assert sum(each.readings for each in publications(READINGS, form, UNITS, 3)) == len(READINGS)


def fault(start: float) -> Fault:
    return Fault("plant/pump/pressure", "silence", start, start + 60.0, 20.0, "")


def test_the_truth_is_published_when_a_fault_starts_and_the_rest_at_the_end() -> None:
    recorded: list[bytes] = []
    narrator = Narrator([fault(2000.0), fault(1060.0), fault(1000.0)], recorded.append)
    messages = list(narrator.accompany(publications(READINGS, "json", UNITS)))
    assert [each.topic == TOPIC for each in messages] == [True, *[False] * 3, True, *[False] * 2, True]
    assert [json.loads(each)["start"] for each in recorded] == [1000.0, 1060.0, 2000.0]
    assert narrator.count == 3


def test_a_fault_that_never_started_is_not_published() -> None:
    narrator = Narrator([fault(5000.0)], lambda _line: None)
    next(iter(narrator.accompany(publications(READINGS, "json", UNITS))))
    assert narrator.count == 0


def test_the_last_line_is_recorded_too() -> None:
    recorded: list[bytes] = []
    summary = TruthSummary(3, 5, 0, 1000.0, 1060.123, 1)
    last = Narrator([], recorded.append).conclude(summary)
    assert last == Publication(1060.123, TOPIC, summary.to_json(), 0)
    assert recorded == [summary.to_json()]
