"""Mixed units: a sensor keeps its first one; values in others are converted, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from senml_packs import as_json

from config import parse
from edge.core.incidents.events.event import Event
from edge.core.model.readings.messages import Message
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

NOW = 1_700_000_000.0


class Sent:
    """A pipeline, and what it made of payloads sent to the topic `a`."""

    def __init__(self, more: str = "") -> None:
        self.pipeline: Pipeline = make_pipeline(parse(f'[[input]]\ntopic = "#"\n{more}').configuration)
        self._at = NOW

    def read(self, *payloads: Any) -> list[tuple[str, float]]:
        """The readings in payloads, by name."""
        found = []
        for each in payloads:
            self._at += 10
            data = each.encode() if isinstance(each, str) else json.dumps(each).encode()
            batch = self.pipeline.intake.read([Message("a", data, self._at)], [], [])
            names = self.pipeline.sensors.names
            found += [(names[slot], value) for slot, value in zip(batch.slots, batch.values.tolist(), strict=True)]
        return found

    def values(self, *payloads: Any) -> list[float]:
        """The values in payloads, rounded."""
        return [round(value, 9) for _, value in self.read(*payloads)]

    @property
    def refused(self) -> dict[str, int]:
        counters = self.pipeline.counters
        return dict(counters.messages_refused + counters.readings_refused)


@pytest.mark.parametrize("format_of", ['format = "number"', 'format = "json"'])
def test_a_text_in_another_unit_is_converted_to_the_first(format_of: str) -> None:
    sent = Sent(f"{format_of}\nunits = true")
    assert sent.values("1.2kW", "980W", "0.95 kW", "1.1") == [1.2, 0.98, 0.95, 1.1]
    assert sent.pipeline.intake.units.of(0) == "kW"


def test_a_value_of_another_quantity_is_refused_by_both_units() -> None:
    sent = Sent("units = true")
    step = sent.pipeline.process(
        [Message("a", each, NOW) for each in (b"21.5 V", b"21.5 A", b"21.5 furlongs", b"22 V")]
    )
    assert [(each.refusal.reason, each.refusal.detail.split(":")[0]) for each in step.dead_letters] == [
        ("other_unit", "in A, and the sensor in V"),
        ("other_unit", "in furlongs, and the sensor in V"),
    ]
    assert sent.pipeline.counters.balanced


@pytest.mark.parametrize("key", ["unit", "uom", "unit_of_measurement", "engUnit", "unitOfMeasurement", "Units"])
def test_the_unit_in_a_field_next_to_the_value_counts_as_well(key: str) -> None:
    sent = Sent()
    payloads = [
        {"value": 1.0, key: "bar"},
        {"value": 1013.0, key: "hPa"},
        {"value": 2},
        {"value": 3, key: "°C"},
        {"value": 4, key: 5},
    ]
    assert sent.values(*payloads) == [1.0, 1.013, 2.0, 4.0]
    assert sent.refused == {"other_unit": 1}
    assert sent.values({"ts": NOW + 55, "value": 1100.5, key: "mbar"}) == [1.1005]


def test_a_unit_within_an_object_belongs_to_the_value_of_this_object() -> None:
    sent = Sent()
    power = [{"PAC": {"Unit": unit, "Value": value}, "n": 1} for unit, value in (("W", 500), ("kW", 0.5), ("W", 0))]
    assert sent.read(*power) == [
        (f"a/{name}", value) for of in (500.0, 500.0, 0.0) for name, value in (("PAC/Value", of), ("n", 1.0))
    ]


def test_values_of_one_sensor_in_one_payload_may_have_two_units() -> None:
    series = [
        {"ts": NOW - 5, "value": 1.5, "unit": "kW"},
        {"ts": NOW - 4, "value": 1400, "unit": "W"},
        {"ts": NOW - 3, "value": 1.3},
    ]
    sent = Sent()
    assert sent.values([*series, {"ts": NOW - 2, "value": 20, "unit": "%"}]) == [1.5, 1.4, 1.3]
    assert sent.refused == {"other_unit": 1}


@pytest.mark.parametrize("is_ordinary", [True, False])
def test_senml_records_in_another_unit_are_converted(*, is_ordinary: bool) -> None:
    sent = Sent('format = "senml"')
    odd: list[dict[str, Any]] = [] if is_ordinary else [{"n": "door", "vb": True}]
    first = [{"bn": "x/", "n": "p", "u": "kW", "v": 1.5}, {"n": "q", "u": "V", "v": 230.0}, *odd]
    then = [{"bn": "x/", "bu": "W", "n": "p", "v": 1200.0}, {"n": "q", "u": "mV", "v": 229000.0}, *odd]
    for pack in (first, then, then, first):
        sent.read(as_json(first).decode())
        assert sent.values(as_json(pack).decode()) == ([1.5, 230.0] if pack is first else [1.2, 229.0])
    both = [{"bn": "x/", "n": "p", "u": "W", "v": 1200.0, "t": -2}, {"n": "p", "u": "kW", "v": 1.1, "t": -1}]
    assert sent.values(as_json(both).decode()) == [1.2, 1.1]


def test_labels_that_are_no_units_are_not_compared() -> None:
    sent = Sent("units = true")
    assert sent.values("1 item", "2 items", "3 W") == [1.0, 2.0, 3.0]


def test_repeated_values_are_compared_after_the_conversion() -> None:
    sent = Sent('units = true\nrepetition = "full_repeat"')
    assert sent.values("1.5kW", "1500W", "1500 W", "1400W") == [1.5, 1.4]


def test_the_unit_of_a_sensor_survives_a_restart() -> None:
    sent = Sent("units = true")
    sent.values("1.2kW")
    again = Sent("units = true")
    again.values("5.5")
    again.pipeline.intake.units.load(sent.pipeline.intake.units.state())
    assert again.values("980W") == [0.98]


def test_no_conversion_overflows() -> None:
    sent = Sent("units = true")
    assert sent.values("1 mW", "1e308 MW") == [1.0]
    assert sent.refused == {"not_finite": 1}


@pytest.mark.parametrize("then", ["21 A", "no value"])
def test_a_sensor_that_sends_another_quantity_is_not_silent(then: str) -> None:
    sent = Sent("units = true")
    events: list[Event] = []
    for second in range(0, 6000, 10):
        payloads = [(b"a", b"21 V" if second < 3000 else then.encode()), (b"b", b"1 V")]
        messages = [Message(topic.decode(), payload, NOW + second) for topic, payload in payloads]
        events += sent.pipeline.process(messages).events
    silences = [json.loads(each.payload)["subject"] for each in events if each.kind == "missing"]
    assert bool(silences) == (then == "no value")
