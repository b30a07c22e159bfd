"""JSON payloads of devices, including broken ones."""

from __future__ import annotations

import json
import math
import sys

import pytest
from hypothesis import example, given, seed, settings
from hypothesis import strategies as st
from json_samples import NOON, TASMOTA, plain, reason, refusals, samples

from edge.core.intake.decoders import FieldsDecoder
from edge.core.model.readings.messages import Refused, Sample


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param('{"ts": 1700000000.123, "value": 21.57, "unit": "Cel"}', [("", 21.57, 1700000000.123)], id="one"),
        pytest.param('{"value": 3}', [("", 3.0, None)], id="one_without_time"),
        pytest.param('{"t": 1700000000000, "value": 3}', [("", 3.0, NOON)], id="one_in_milliseconds"),
        pytest.param('{"timestamp": "2023-11-14T22:13:20Z", "value": 3}', [("", 3.0, NOON)], id="one_rfc3339"),
        pytest.param(
            '{"Time":"2019-11-03T19:34:28","BME280":{"Temperature":21.7,"Humidity":66.6},"TempUnit":"C"}',
            [("BME280/Temperature", 21.7, TASMOTA), ("BME280/Humidity", 66.6, TASMOTA)],
            id="tasmota_sensor",
        ),
        pytest.param(
            '{"Time":"2019-11-03T19:34:28","ENERGY":{"Since":"2019-01-01","Total":3.2,"P":[1,2]}}',
            [
                ("ENERGY/Total", 3.2, TASMOTA),
                ("ENERGY/P/0", 1.0, TASMOTA),
                ("ENERGY/P/1", 2.0, TASMOTA),
            ],
            id="tasmota_energy",
        ),
        pytest.param(
            '{"temperature": 21.3, "battery": 97, "state": "ON", "update": {"state":"idle"}, "x": null}',
            [("temperature", 21.3, None), ("battery", 97.0, None)],
            id="zigbee2mqtt",
        ),
        pytest.param('{"id": 0, "tC": 19.8}', [("tC", 19.8, None)], id="shelly"),
        pytest.param(
            '[{"ts": 1700000000, "value": 1}, {"ts": 1700000060, "value": 2}]',
            [("", 1.0, NOON), ("", 2.0, NOON + 60)],
            id="batch",
        ),
        pytest.param(
            '[{"t": 1700000000, "a": 1, "b": 2}, {"a": 3}]',
            [("a", 1.0, NOON), ("b", 2.0, NOON), ("a", 3.0, None)],
            id="batch_of_many",
        ),
        pytest.param("21.5", [("", 21.5, None)], id="lone_number"),
        pytest.param(b"\xef\xbb\xbf21.5", [("", 21.5, None)], id="byte_order_mark"),
        pytest.param('{"a": 1, "a": 2}', [("a", 2.0, None)], id="the_last_of_two_equal_keys"),
        pytest.param('{"value": 1, "battery": 97}', [("", 1.0, None)], id="nothing_beside_the_value"),
        pytest.param(
            '{"a": {"value": 1, "raw": 2}}', [("a/value", 1.0, None), ("a/raw", 2.0, None)], id="value_inside"
        ),
        pytest.param('{"a": -0.0, "b": 1E3}', [("a", 0.0, None), ("b", 1000.0, None)], id="forms_of_numbers"),
        pytest.param('{"Außen/Temp": 1}', [("Außen\x1eTemp", 1.0, None)], id="a_slash_in_a_key"),
        pytest.param(f'{{"a": {2**70}}}', [("a", 2.0**70, None)], id="integer_beyond_64_bits"),
    ],
)
def test_what_devices_send(payload: str, expected: list[tuple[str, float, float | None]]) -> None:
    assert samples(payload) == expected


@pytest.mark.parametrize("leaf", ["{}", "[]"])
def test_an_empty_object_or_list_is_not_a_value(leaf: str) -> None:
    assert reason(f'{{"ts": 1700000000, "value": {leaf}}}') == "no_value"


@pytest.mark.parametrize("leaf", ['{"a": 1}', r'"{\"a\": 1}"'])
def test_an_object_instead_of_a_value_holds_readings(leaf: str) -> None:
    assert samples(f'{{"ts": 1700000000, "value": {leaf}}}') == [("value/a", 1.0, NOON)]
    assert samples(f'[{{"name": "x", "value": {leaf}}}]') == [("x/value/a", 1.0, None)]


def test_a_list_instead_of_a_value_holds_readings() -> None:
    assert samples('{"ts": 1700000000, "value": [1, 2]}') == [("value/0", 1.0, NOON), ("value/1", 2.0, NOON)]


def test_the_unit_next_to_a_value_belongs_to_the_sensor() -> None:
    assert plain.decode(b'{"value": 21.5, "unit": "Cel"}').units == {"": "Cel"}
    assert plain.decode(b'{"value": "21.5", "unit": "Cel"}').units == {"": "Cel"}


def test_numbers_and_texts_for_a_missing_value_are_left_out() -> None:
    decoder = FieldsDecoder(no_value=(-127, "unavailable"))
    assert samples('{"a": -127, "b": -127.0, "c": 5, "d": "unavailable"}', decoder) == [("c", 5.0, None)]


def test_an_object_in_a_text_is_read_as_an_object() -> None:
    payload = json.dumps({"ts": NOON, "rssi": -70, "payload": json.dumps({"temp": 21.5, "more": json.dumps([1])})})
    assert samples(payload) == [("rssi", -70.0, NOON), ("payload/temp", 21.5, NOON), ("payload/more/0", 1.0, NOON)]
    assert refusals('{"a": 1, "b": "{broken"}') == [("not_a_number", "b")]


def test_ignored_fields_are_left_out_with_everything_below_them() -> None:
    decoder = FieldsDecoder(ignore=("linkquality", "update/**", "**/minute_ts", "color"))
    payload = (
        '{"a": 1.5, "linkquality": 80, "update": {"state": 3}, "e": {"minute_ts": 5, "total": 2}, "color": {"x": 1}}'
    )
    read = decoder.decode(payload.encode())
    assert [each.path for each in read.samples] == ["a", "e/total"]
    assert read.ignored == 4
    row = decoder.decode(b'{"a": 1.5, "b": 2.5, "c": 3.5, "d": 4.5, "linkquality": 80}')
    assert ([each.path for each in row.samples], row.ignored) == (["a", "b", "c", "d"], 1)


def test_a_payload_that_is_ignored_entirely_is_not_a_fault_of_its_sender() -> None:
    decoder = FieldsDecoder(ignore=("event", "sys"))
    for payload in ('{"event": "pressed"}', '{"sys": {"uptime": 5}, "ts": 1700000000}'):
        read = decoder.decode(payload.encode())
        assert (list(read.samples), read.refusals, read.ignored) == ([], [], 1)
    assert reason('{"event": "pressed", "other": "text"}', decoder) == "no_value"


def test_times_are_read_in_the_notation_of_the_input() -> None:
    decoder = FieldsDecoder(time_keys=("date",), time_formats=("%d.%m.%Y %H:%M:%S",))
    assert samples('{"date": "14.11.2023 22:13:20", "a": 1}', decoder) == [("a", 1.0, NOON)]
    assert samples('{"date": "2023-11-14T22:13:20Z", "a": 1}', decoder) == [("a", 1.0, NOON)]


def test_another_key_may_contain_the_value() -> None:
    decoder = FieldsDecoder(value_key="tC")
    assert samples('{"id": 0, "tC": 19.8}', decoder) == [("", 19.8, None)]


def test_a_bad_element_affects_no_other_reading() -> None:
    payload = """
        [{"ts": 1700000000, "value": 1}, 5, null, {"value": "x"}, {"ts": "x", "value": 1},
         {"a": {"b": null, "c": 3}}, [], {"ts": 1700000001, "value": 2}, {"value": 3}]
    """
    assert samples(payload) == [("", 1.0, NOON), ("", 1.0, None), ("a/c", 3.0, None), ("", 2.0, NOON + 1)]
    assert refusals(payload) == [
        ("not_a_number", "1"), ("not_a_number", "2"), ("not_a_number", "3/value"), ("bad_time", "4/ts"),
        ("not_a_number", "5/a/b"), ("not_a_number", "6"), ("no_sender", "8"),
    ]  # fmt: skip
    assert refusals('["x"]') == [("not_a_number", "0")]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"Online", "malformed"),
        (b'{"value": 1', "malformed"),
        (b'{"value": 1}}', "malformed"),
        (b'{"a": "\\ud800"}', "malformed"),
        (b'{"a": "\xff"', "not_utf8"),
        (b"\xff\xfe{\x00}\x00", "not_utf8"),
        (b"{}", "no_value"),
        (b"[]", "no_value"),
        (b"[{}, {}]", "no_value"),
        (b"null", "no_value"),
        (b'{"ts": 1700000000}', "no_value"),
        (b'{"state": "ON", "a": {"b": null}}', "no_value"),
        (b'{"state": "ON", "a": NaN}', "not_finite"),
        (b"1e400", "not_finite"),
        (b"NaN", "not_finite"),
    ],
)
def test_an_unreadable_payload_is_refused(payload: bytes, expected: str) -> None:
    assert reason(payload) == expected


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def test_a_value_nested_too_deep_affects_only_itself() -> None:
    assert samples(nested(8)) == [("/".join("a" * 8), 1.0, None)]
    assert reason(nested(9)) == "too_deep"
    assert samples(f'{{"b": 2, "a": {nested(8)}}}') == [("b", 2.0, None)]
    assert refusals(f'{{"b": 2, "a": {nested(8)}}}') == [("too_deep", "/".join("a" * 8))]
    assert samples('{"a": {"b": [[1]], "c": 2}}', FieldsDecoder(depth=3)) == [("a/c", 2.0, None)]
    assert samples(nested(90), FieldsDecoder(depth=100)) == [("/".join("a" * 90), 1.0, None)]


@pytest.mark.parametrize("levels", [900, 100_000])
def test_a_hundred_thousand_levels_are_refused(levels: int) -> None:
    assert reason("[" * levels + "]" * levels if levels > 1000 else nested(levels)) == "too_deep"


def test_a_message_may_hold_a_limited_number_of_readings() -> None:
    decoder = FieldsDecoder(readings=3)
    assert len(samples('{"a": 1, "b": 2, "c": 3}', decoder)) == 3
    assert reason('{"a": 1, "b": 2, "c": 3, "d": 4}', decoder) == "too_many_readings"
    assert len(samples('[{"a": 1}, {"b": 2}, {"c": 3}]', decoder)) == 3
    assert reason('[{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]', decoder) == "too_many_readings"
    assert reason('["a", "b", "c", "d"]', decoder) == "too_many_readings"


@pytest.mark.parametrize(("key", "path"), [("", ""), ("k" * 201, "k" * 200)], ids=["empty", "long"])
def test_a_key_that_gives_no_valid_name_is_refused_with_everything_below_it(key: str, path: str) -> None:
    payload = json.dumps({"a": 1, key: {"b": 2, "c": [3]}})
    assert samples(payload) == [("a", 1.0, None)]
    assert refusals(payload) == [("bad_name", path)]


trees = st.recursive(
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**30), 10**30),
    lambda inner: (
        st.dictionaries(st.text("abcXYZ_ é", min_size=1, max_size=4), inner, min_size=1, max_size=4)
        | st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=15,
)


def leaves_of(tree: object, path: tuple[str, ...] = ()) -> list[Sample]:
    if isinstance(tree, dict):
        return [one for key, each in tree.items() for one in leaves_of(each, (*path, key))]
    if isinstance(tree, list):
        return [one for index, each in enumerate(tree) for one in leaves_of(each, (*path, str(index)))]
    assert isinstance(tree, (int, float))
    return [Sample("/".join(path), float(tree), None)]


@seed(7)
@settings(max_examples=80, database=None)
@given(tree=st.dictionaries(st.text("abcXYZ_ é", min_size=1, max_size=4), trees, min_size=1, max_size=4))
def test_every_numeric_leaf_is_one_sample_in_its_order(tree: dict[str, object]) -> None:
    decoder = FieldsDecoder(value_key="value", time_keys=(), depth=100)
    assert decoder.decode(json.dumps(tree).encode())[:2] == (leaves_of(tree), [])


@seed(8)
@settings(max_examples=100, database=None)
@given(good=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5), data=st.data())
def test_impossible_numbers_among_good_ones_change_no_good_one(good: list[float], data: st.DataObject) -> None:
    elements: list[dict[str, object]] = [{"value": each} for each in good]
    bad = data.draw(st.lists(st.sampled_from([math.nan, math.inf, -math.inf, 10**400]), min_size=1, max_size=4))
    for each in bad:
        elements.insert(data.draw(st.integers(0, len(elements))), {"value": each})
    elements = [{**each, "ts": NOON + place} for place, each in enumerate(elements)]
    read = plain.decode(json.dumps(elements).encode())
    assert [each.value for each in read.samples] == good
    places = [index for index, each in enumerate(elements) if not abs(each["value"]) <= sys.float_info.max]
    assert [(each.reason, each.path) for each in read.refusals] == [("not_finite", f"{each}/value") for each in places]


class Slow(FieldsDecoder):
    """Decodes every object without the fast path."""

    def _plain(self, *_arguments: object) -> bool:
        return False

    def _row(self, *_arguments: object) -> None:
        return None

    def _row_of_array(self, *_arguments: object) -> None:
        return None


VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**6), 10**6),
    st.sampled_from([None, True, "on", "2023-11-14T22:13:20Z", {}, {"a": 1.5}, [1.5], 1_700_000_000.5, 1.7e12]),
)
OBJECTS = st.dictionaries(
    st.sampled_from(["value", "ts", "Time", "t", "a", "b", "c", "seq", "uplinkId", "version", "", "x" * 201]),
    VALUES,
    max_size=6,
)


@settings(max_examples=300)
@given(
    OBJECTS | st.lists(OBJECTS | st.none(), max_size=5) | OBJECTS.flatmap(lambda each: st.just([each] * 5)),
    st.sampled_from([3, 10_000]),
)
@example([{}] * 4, 10_000)
def test_ordinary_payloads_are_read_the_same_on_the_slow_path(document: object, most: int) -> None:
    payload = json.dumps(document).encode()

    def outcome(decoder: FieldsDecoder) -> object:
        try:
            read = decoder.decode(payload)
        except Refused as refused:
            return refused.refusal
        return list(read.samples), read.refusals, read.ignored

    quick = FieldsDecoder(readings=most)
    assert outcome(quick) == outcome(quick) == outcome(Slow(readings=most))
