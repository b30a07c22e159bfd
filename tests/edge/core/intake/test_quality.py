"""Values of bad quality: not read, and the quality makes no sensor."""

from __future__ import annotations

import json
from typing import Any

import pytest
from json_samples import NOON, reason, samples

from edge.core.intake.decoders import FieldsDecoder
from edge.core.intake.decoders.documents.keys.plain_keys import LONGEST, _plain
from edge.core.model.readings.messages import Refused


@pytest.mark.parametrize("bad", ["bad", "Bad_NoData", "stale", False, 0, 500, 0x80000000])
def test_a_value_of_bad_quality_is_not_read(bad: object) -> None:
    with pytest.raises(Refused) as refused:
        FieldsDecoder().decode(json.dumps({"value": 1.5, "quality": bad}).encode())
    assert (refused.value.refusal.reason, refused.value.absent) == ("no_value", [""])


@pytest.mark.parametrize("good", ["good", "Good", True, 192, 0x40000000, 80, "uncertain"])
def test_a_value_of_any_other_quality_is(good: object) -> None:
    assert samples(json.dumps({"value": 1.5, "quality": good})) == [("", 1.5, None)]
    assert samples(json.dumps({"a": {"v": 1.5, "Q": good}})) == [("a/v", 1.5, None)]


def test_a_quality_without_a_value_is_a_reading() -> None:
    assert samples('{"temp": 21.5, "quality": 80, "q": 3}') == [
        ("temp", 21.5, None), ("quality", 80.0, None), ("q", 3.0, None),
    ]  # fmt: skip


def test_status_codes_of_opc_ua_are_no_readings_and_bad_ones_leave_no_value() -> None:
    fields: dict[str, Any] = {
        "A": {"Value": 1.5, "StatusCode": {"Code": 0}},
        "B": {"Value": 2.5, "StatusCode": {"Code": 0x80310000, "Symbol": "BadNoData"}},
        "C": {"Value": 3.5, "statusCode": 2156199936},
        "D": {"Value": 4.5, "StatusCode": {}},
        "E": 5.5,
    }
    assert samples(json.dumps(fields)) == [("A/Value", 1.5, None), ("D/Value", 4.5, None), ("E", 5.5, None)]
    assert reason(json.dumps({"Status": 0x80000000, "Payload": fields})) == "no_value"
    assert samples('{"status": 5, "a": 1}') == [("status", 5.0, None), ("a", 1.0, None)]


def test_elements_of_a_list_have_a_quality_each() -> None:
    tags = [{"id": "a", "v": 1, "q": True, "t": NOON}, {"id": "b", "v": 2, "q": False, "t": NOON}]
    found = FieldsDecoder().decode(json.dumps({"values": tags}).encode())
    assert ([tuple(each) for each in found.samples], found.absent) == ([("values/a/v", 1.0, NOON)], ["values/b/v"])


@pytest.mark.parametrize(("code", "is_good"), [(0, True), (0x20, True), (1, False), (0x42, False), (0x44, False)])
def test_the_quality_of_a_state_that_can_be_acknowledged_lists_its_problems(code: int, is_good: bool) -> None:
    payload = json.dumps({"val": 21.5, "ack": True, "ts": NOON * 1000, "q": code, "lc": NOON * 1000})
    assert (samples(payload) if is_good else reason(payload)) == ([("val", 21.5, NOON)] if is_good else "no_value")


def test_quality_codes_of_plcs_are_no_readings() -> None:
    tags = [{"id": "103", "qc": 3, "ts": NOON, "val": 1.5}, {"id": "104", "qc": 0, "ts": NOON, "val": 2.5}]
    assert samples(json.dumps({"vals": tags})) == [("vals/103/val", 1.5, NOON)]


def test_long_keys_are_not_cached() -> None:
    before = _plain.cache_info().currsize
    for each in range(10):
        assert samples(json.dumps({f"{each}{'x' * LONGEST}": 1.5})) == [(f"{each}{'x' * LONGEST}", 1.5, None)]
    assert _plain.cache_info().currsize == before
