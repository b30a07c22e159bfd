"""Payloads that are JSON: what devices send, and what broken ones do."""

from __future__ import annotations

import json
import math
import sys
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, seed, settings
from hypothesis import strategies as st

from edge.core.intake.decoders import FieldsDecoder
from edge.core.model.readings.messages import Refusal, Refused, Sample

NOON = 1_700_000_000.0
TASMOTA = 1_572_809_668.0

plain = FieldsDecoder()


def samples(payload: bytes | str, decoder: FieldsDecoder = plain) -> list[tuple[str, float, float | None]]:
    read = decoder.decode(payload if isinstance(payload, bytes) else payload.encode())
    return [(each.path, each.value, each.time) for each in read.samples]


def refusals(payload: bytes | str, decoder: FieldsDecoder = plain) -> list[tuple[str, str]]:
    read = decoder.decode(payload if isinstance(payload, bytes) else payload.encode())
    return [(each.reason, each.path) for each in read.refusals]


def reason(payload: bytes | str, decoder: FieldsDecoder = plain) -> str:
    with pytest.raises(Refused) as refused:
        decoder.decode(payload if isinstance(payload, bytes) else payload.encode())
    return refused.value.refusal.reason


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
        pytest.param('{"id": 0, "tC": 19.8}', [("id", 0.0, None), ("tC", 19.8, None)], id="shelly"),
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


def test_zigbee2mqtt_can_say_when_a_device_was_last_seen() -> None:
    decoder = FieldsDecoder(time_keys=("last_seen",))
    assert samples('{"temperature": 1, "last_seen": 1700000000000}', decoder) == [("temperature", 1.0, NOON)]
    assert samples('{"temperature": 1, "last_seen": "2023-11-14T23:13:20+01:00"}', decoder) == [
        ("temperature", 1.0, NOON)
    ]


@pytest.mark.parametrize("key", ["ts", "TS", "Ts", "time", "Time", "timestamp", "Timestamp", "t", "T"])
def test_the_case_of_a_time_key_is_no_matter(key: str) -> None:
    assert samples(f'{{"a": 1, "{key}": 1700000000}}') == [("a", 1.0, NOON)]


def test_the_first_time_key_counts_and_the_others_are_fields() -> None:
    assert samples('{"t": 21.5, "Time": 1700000000}') == [("t", 21.5, NOON)]
    assert samples('{"t": 21.5, "TS": 1700000000, "time": 5}') == [("t", 21.5, NOON), ("time", 5.0, NOON)]


def test_without_time_keys_every_field_is_a_reading() -> None:
    assert samples('{"t": 21.5, "h": 60}', FieldsDecoder(time_keys=())) == [
        ("t", 21.5, None),
        ("h", 60.0, None),
    ]


def test_a_time_inside_counts_for_what_is_inside() -> None:
    payload = '{"ts": 1700000000, "a": 1, "b": {"ts": 1700000060, "x": 2, "c": {"y": 3}}, "d": {"z": 4}}'
    expected = [("a", 1.0, NOON), ("b/x", 2.0, NOON + 60), ("b/c/y", 3.0, NOON + 60), ("d/z", 4.0, NOON)]
    assert samples(payload) == expected


def test_a_time_without_an_offset_is_in_the_configured_zone() -> None:
    decoder = FieldsDecoder(zone=ZoneInfo("Europe/Berlin"))
    assert samples('{"Time": "2019-11-03T19:34:28", "a": 1}', decoder) == [("a", 1.0, TASMOTA - 3600)]
    assert samples('{"Time": "2019-11-03T19:34:28Z", "a": 1}', decoder) == [("a", 1.0, TASMOTA)]


@pytest.mark.parametrize("time", ['"yesterday"', "true", "1e300", "NaN", "9" * 500])
def test_a_time_that_can_not_be_read_costs_only_itself(time: str) -> None:
    assert refusals(f'{{"ts": {time}, "value": 1}}') == [("bad_time", "ts")]
    assert samples(f'{{"ts": {time}, "a": 1, "b": 2}}') == [("a", 1.0, None), ("b", 2.0, None)]
    assert samples(f'{{"ts": 1700000000, "a": 1, "b": {{"ts": {time}, "x": 2}}}}') == [
        ("a", 1.0, NOON),
        ("b/x", 2.0, NOON),
    ]
    assert refusals(f'{{"a": 1, "b": {{"ts": {time}, "x": 2}}}}') == [("bad_time", "b/ts")]


@pytest.mark.parametrize("none", ["null", '""'])
def test_null_and_an_empty_text_say_that_there_is_no_time(none: str) -> None:
    assert samples(f'{{"ts": {none}, "value": 1}}') == [("", 1.0, None)]
    assert refusals(f'{{"ts": {none}, "value": 1}}') == []
    assert samples(f'{{"ts": {none}, "time": 1700000000, "a": 1}}') == [("a", 1.0, NOON)]


def test_the_first_time_key_that_can_be_read_counts() -> None:
    assert samples('{"time": "09:59:59", "timestamp": "2023-11-14T22:13:20Z", "a": 1}') == [("a", 1.0, NOON)]
    assert refusals('{"time": "09:59:59", "timestamp": "2023-11-14T22:13:20Z", "a": 1}') == []
    assert samples('{"ts": 5, "time": 1700000000, "a": 1}') == [("ts", 5.0, NOON), ("a", 1.0, NOON)]


def test_an_object_or_a_list_is_no_time_but_holds_readings() -> None:
    assert samples('{"T": {"Temperature": 20.5}, "Time": {"a": [1]}}') == [
        ("T/Temperature", 20.5, None),
        ("Time/a/0", 1.0, None),
    ]


def test_t_is_a_time_only_if_it_looks_like_one() -> None:
    assert samples('{"t": 21.5, "h": 60}') == [("t", 21.5, None), ("h", 60.0, None)]
    assert samples('{"T": 21.5, "a": 1.5, "b": 2.5, "c": 3.5}') == [
        ("T", 21.5, None), ("a", 1.5, None), ("b", 2.5, None), ("c", 3.5, None),
    ]  # fmt: skip
    assert samples('{"t": 1700000000.0, "h": 60.5}') == [("h", 60.5, NOON)]


def test_where_the_arrival_counts_a_time_is_left_out_only_if_it_looks_like_one() -> None:
    decoder = FieldsDecoder(by_arrival=True)
    assert samples('{"ts": 1700000000, "time": 12.5, "a": 1}', decoder) == [("time", 12.5, NOON), ("a", 1.0, NOON)]
    assert samples('{"time": "12:00:01", "value": 3.5}', decoder) == [("", 3.5, None)]
    assert refusals('{"time": "12:00:01", "value": 3.5}', decoder) == []


@pytest.mark.parametrize("time", ["0", "-5", "12345", '"1970-01-01T00:00:10"'])
def test_whether_a_time_is_plausible_is_not_asked_here(time: str) -> None:
    (sample,) = plain.decode(f'{{"ts": {time}, "value": 1}}'.encode()).samples
    assert sample.time is not None


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        ('"ON"', "not_a_number"),
        ("true", "not_a_number"),
        ("null", "not_a_number"),
        ("NaN", "not_finite"),
        ("-NaN", "not_finite"),
        ("Infinity", "not_finite"),
        ("-Infinity", "not_finite"),
        ("1e400", "not_finite"),
        ("-1e400", "not_finite"),
        ("9" * 350, "not_finite"),
        ("9" * 5000, "not_finite"),
        ("-" + "9" * 5000, "not_finite"),
    ],
    ids=lambda each: each[:12],
)
def test_a_leaf_that_is_no_number_costs_only_itself(leaf: str, expected: str) -> None:
    payload = f'{{"a": 1, "b": {{"x": {leaf}, "y": 2}}, "c": [{leaf}, 3]}}'
    assert samples(payload) == [("a", 1.0, None), ("b/y", 2.0, None), ("c/1", 3.0, None)]
    assert refusals(payload) == [(expected, "b/x"), (expected, "c/0")]
    assert refusals(f'{{"value": {leaf}}}') == [(expected, "value")]


@pytest.mark.parametrize("leaf", ["{}", "[]", '{"a": 1}', "[1]"])
def test_an_object_or_list_is_no_value(leaf: str) -> None:
    assert refusals(f'{{"ts": 1700000000, "value": {leaf}}}') == [("not_a_number", "value")]


def test_texts_about_infinity_are_left_alone() -> None:
    payload = r'{"a": NaN, "b NaN": 1, "c": "NaN, \" NaN", "Infinity": 2, "d\\": 3, "e": 1.5, "f": 1e-5}'
    expected = [
        ("b NaN", 1.0, None),
        ("Infinity", 2.0, None),
        ("d\\", 3.0, None),
        ("e", 1.5, None),
        ("f", 1e-5, None),
    ]
    assert samples(payload) == expected
    assert refusals(payload) == [("not_finite", "a"), ("not_a_number", "c")]


@pytest.mark.parametrize(
    "text", ["1NaN", "NaN1", "0.001NaN", "1e-NaN", "1.NaN", "NaN.5", "xNaN", "nan.", "+NaN", "NaNNaN"]
)
def test_what_only_looks_like_infinity_is_malformed(text: str) -> None:
    assert reason(f'{{"a": {text}, "b": 1}}') == "malformed"


def test_texts_and_booleans_are_numbers_where_they_are_mapped() -> None:
    decoder = FieldsDecoder(values={"ON": 1.0, "OFF": 0.0, "true": 1.0, "false": 0.0})
    assert samples('{"a": "ON", "b": "OFF", "c": true, "d": false}', decoder) == [
        ("a", 1.0, None), ("b", 0.0, None), ("c", 1.0, None), ("d", 0.0, None),
    ]  # fmt: skip
    assert samples('{"value": true}', decoder) == samples('{"value": "true"}', decoder) == [("", 1.0, None)]
    assert samples('"ON"', decoder) == [("", 1.0, None)]
    assert refusals('{"a": "on", "b": "ON"}', decoder) == [("not_a_number", "a")]
    with pytest.raises(ValueError, match="not finite"):
        FieldsDecoder(values={"ON": math.nan})


def test_a_text_that_holds_nothing_but_a_number_is_one() -> None:
    assert samples('{"a": "37.8", "b": " -5 ", "c": ["1e3"]}') == [
        ("a", 37.8, None),
        ("b", -5.0, None),
        ("c/0", 1e3, None),
    ]
    assert samples('{"value": "0.274", "mode": 0}') == [("", 0.274, None)]
    assert reason('{"a": "37.8"}', FieldsDecoder(numbers_in_text=False)) == "odd_number"


@pytest.mark.parametrize("text", ["00189440", "0016", "12345678901234567", "2024.5.1", "12T03:04:05", "0x15", "", "-"])
def test_digits_that_are_a_name_or_a_version_are_no_number(text: str) -> None:
    assert reason(json.dumps({"a": text})) == "no_value"


@pytest.mark.parametrize("text", ["21,5", "21.5 °C", "60%", "3.6 m³", "12.5 kW/h"])
def test_a_number_in_another_notation_is_refused_aloud(text: str) -> None:
    assert refusals(json.dumps({"a": 1, "b": text})) == [("odd_number", "b")]


def test_a_decimal_comma_and_a_unit_are_read_where_the_input_says_so() -> None:
    decoder = FieldsDecoder(decimal=",", units=True)
    read = decoder.decode('{"a": "21,5 °C", "b": "60 %", "c": "7"}'.encode())
    assert [(each.path, each.value) for each in read.samples] == [("a", 21.5), ("b", 60.0), ("c", 7.0)]
    assert read.units == {"a": "°C", "b": "%"}
    assert refusals('{"c": 1, "a": "1.234"}', decoder) == [("odd_number", "a")]


def test_the_unit_beside_a_value_is_the_sensors() -> None:
    assert plain.decode(b'{"value": 21.5, "unit": "Cel"}').units == {"": "Cel"}
    assert plain.decode(b'{"value": "21.5", "unit": "Cel"}').units == {"": "Cel"}


def test_numbers_and_texts_that_say_that_there_is_no_value_are_left_out() -> None:
    decoder = FieldsDecoder(no_value=(-127, "unavailable"))
    assert samples('{"a": -127, "b": -127.0, "c": 5, "d": "unavailable"}', decoder) == [("c", 5.0, None)]


def test_an_object_in_a_text_is_read_as_an_object() -> None:
    payload = json.dumps({"ts": NOON, "rssi": -70, "payload": json.dumps({"temp": 21.5, "more": json.dumps([1])})})
    assert samples(payload) == [("rssi", -70.0, NOON), ("payload/temp", 21.5, NOON), ("payload/more/0", 1.0, NOON)]
    assert refusals('{"a": 1, "b": "{broken"}') == [("not_a_number", "b")]


def test_ignored_fields_are_left_out_with_all_below_them() -> None:
    decoder = FieldsDecoder(ignore=("linkquality", "update/**", "**/minute_ts", "color"))
    payload = (
        '{"a": 1.5, "linkquality": 80, "update": {"state": 3}, "e": {"minute_ts": 5, "total": 2}, "color": {"x": 1}}'
    )
    read = decoder.decode(payload.encode())
    assert [each.path for each in read.samples] == ["a", "e/total"]
    assert read.ignored == 4
    row = decoder.decode(b'{"a": 1.5, "b": 2.5, "c": 3.5, "d": 4.5, "linkquality": 80}')
    assert ([each.path for each in row.samples], row.ignored) == (["a", "b", "c", "d"], 1)


def test_elements_of_a_list_are_told_apart_by_a_name_that_all_have() -> None:
    named = '[{"name": "temp", "value": 21.5}, {"name": "hum", "value": 60.5}]'
    assert samples(named) == [("temp", 21.5, None), ("hum", 60.5, None)]
    assert samples('{"data": [{"id": 1, "temp": 3}, {"id": 2, "temp": 5}]}') == [
        ("data/1/temp", 3.0, None),
        ("data/2/temp", 5.0, None),
    ]
    assert samples('[{"mac": "A/B", "temp": 3, "ts": 1700000000}]') == [("A%2FB/temp", 3.0, NOON)]


def test_elements_of_a_list_with_times_of_their_own_are_one_series() -> None:
    assert samples('{"data": [{"ts": 1700000000, "a": 3}, {"ts": 1700000060, "a": 5}]}') == [
        ("data/a", 3.0, NOON),
        ("data/a", 5.0, NOON + 60),
    ]


def test_a_list_that_does_not_say_what_is_what_is_refused_aloud() -> None:
    timed = '[{"ts": 1700000000, "id": 1, "a": 3}, {"ts": 1700000060, "id": 2, "a": 5}]'
    assert reason(timed) == "no_sender"
    assert refusals(f'{{"b": 1, "data": {timed}}}') == [("no_sender", "data")]
    assert samples('[{"a": 1}, {"a": 2}]') == [("a", 1.0, None)]
    assert refusals('[{"a": 1}, {"a": 2}]') == [("no_sender", "1/a")]
    assert samples("[21.5, 48]") == [("0", 21.5, None), ("1", 48.0, None)]


@pytest.mark.parametrize(
    "payload", ['[{"bn": "a", "n": "b", "v": 1}]', '[{"n": "a", "u": "V", "v": 1}, {"n": "b", "v": 2}]']
)
def test_senml_is_not_read_as_json(payload: str) -> None:
    with pytest.raises(Refused, match="senml"):
        plain.decode(payload.encode())


def test_the_elements_of_one_list_are_named_as_the_input_says() -> None:
    decoder = FieldsDecoder(items="d.values[*]", item_name="{id}-{index}", value_key="v", time_keys=("t", "ts"))
    payload = '{"ts": 1700000000, "x": 9, "d": {"values": [{"id": "a", "v": 1, "t": 1700000060}, {"id": 7, "v": "2"}]}}'
    assert samples(payload, decoder) == [("a-0", 1.0, NOON + 60), ("7-1", 2.0, NOON)]
    assert refusals('{"d": {"values": [{"v": 1}, {"id": 1, "v": 1}]}}', decoder) == [("no_sender", "0")]
    assert reason('{"values": 5}', decoder) == "no_value"
    assert samples("[1, 2.5]", FieldsDecoder(items="[*]")) == [("0", 1.0, None), ("1", 2.5, None)]


def test_what_a_payload_says_of_its_sender_goes_before_the_path() -> None:
    decoder = FieldsDecoder(sender=("payload.model", "payload.d.id", "payload.channel?"))
    payload = '{"model": "A/x", "d": {"id": 5}, "temp": 3}'
    assert samples(payload, decoder) == [("A%2Fx\x1f5\x1f\x1fd/id", 5.0, None), ("A%2Fx\x1f5\x1f\x1ftemp", 3.0, None)]
    assert reason('{"model": "A", "temp": 3}', decoder) == "no_sender"


def test_an_object_of_tags_names_the_sender_by_all_of_them_in_the_order_of_their_keys() -> None:
    decoder = FieldsDecoder(sender=("payload.tags?",), items="fields")
    assert samples('{"tags": {"host": "a/b", "cpu": 0}, "fields": {"x": 1}}', decoder) == [("0/a%2Fb\x1fx", 1.0, None)]
    for tags in ("{}", '{"host": 1.5}', '{"host": {"a": 1}}', "[1]", f'{{"host": "{"x" * 90}", "rack": "{"y" * 90}"}}'):
        assert samples(f'{{"tags": {tags}, "fields": {{"x": 1}}}}', decoder) == [("\x1fx", 1.0, None)]
    assert reason('{"tags": {}, "x": 1}', FieldsDecoder(sender=("payload.tags",))) == "no_sender"


def test_a_payload_all_of_which_is_left_out_is_no_fault_of_its_sender() -> None:
    decoder = FieldsDecoder(ignore=("event", "sys"))
    for payload in ('{"event": "pressed"}', '{"sys": {"uptime": 5}, "ts": 1700000000}'):
        read = decoder.decode(payload.encode())
        assert (list(read.samples), read.refusals, read.ignored) == ([], [], 1)
    assert reason('{"event": "pressed", "other": "text"}', decoder) == "no_value"


def test_times_are_read_in_the_notation_of_the_input() -> None:
    decoder = FieldsDecoder(time_keys=("date",), time_formats=("%d.%m.%Y %H:%M:%S",))
    assert samples('{"date": "14.11.2023 22:13:20", "a": 1}', decoder) == [("a", 1.0, NOON)]
    assert samples('{"date": "2023-11-14T22:13:20Z", "a": 1}', decoder) == [("a", 1.0, NOON)]


def test_another_key_may_hold_the_value() -> None:
    decoder = FieldsDecoder(value_key="tC")
    assert samples('{"id": 0, "tC": 19.8}', decoder) == [("", 19.8, None)]


def test_a_bad_element_costs_no_other_reading_anything() -> None:
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
        (b"{'value': 1}", "malformed"),
        (b'{"value": 01}', "malformed"),
        (b'{"value": +1}', "malformed"),
        (b'{"value": 1,}', "malformed"),
        (b'{"a": "\\ud800"}', "malformed"),
        (b'{"a": "\xff"}', "not_utf8"),
        (b'{"\xff": 1}', "not_utf8"),
        (b'{"a": NaN, "b": "\xff"}', "not_utf8"),
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
def test_what_can_not_be_read_at_all_is_refused(payload: bytes, expected: str) -> None:
    assert reason(payload) == expected


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def test_what_is_nested_too_deep_costs_only_itself() -> None:
    assert samples(nested(8)) == [("/".join("a" * 8), 1.0, None)]
    assert reason(nested(9)) == "too_deep"
    assert samples(f'{{"b": 2, "a": {nested(8)}}}') == [("b", 2.0, None)]
    assert refusals(f'{{"b": 2, "a": {nested(8)}}}') == [("too_deep", "/".join("a" * 8))]
    assert samples('{"a": {"b": [[1]], "c": 2}}', FieldsDecoder(depth=3)) == [("a/c", 2.0, None)]
    assert samples(nested(90), FieldsDecoder(depth=100)) == [("/".join("a" * 90), 1.0, None)]


@pytest.mark.parametrize("levels", [900, 100_000])
def test_a_hundred_thousand_levels_are_refused(levels: int) -> None:
    assert reason("[" * levels + "]" * levels if levels > 1000 else nested(levels)) == "too_deep"


def test_a_message_holds_so_many_readings_and_no_more() -> None:
    decoder = FieldsDecoder(readings=3)
    assert len(samples('{"a": 1, "b": 2, "c": 3}', decoder)) == 3
    assert reason('{"a": 1, "b": 2, "c": 3, "d": 4}', decoder) == "too_many_readings"
    assert len(samples('[{"a": 1}, {"b": 2}, {"c": 3}]', decoder)) == 3
    assert reason('[{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]', decoder) == "too_many_readings"
    assert reason('["a", "b", "c", "d"]', decoder) == "too_many_readings"


@pytest.mark.parametrize(("key", "path"), [("", ""), ("k" * 201, "k" * 200)], ids=["empty", "long"])
def test_a_key_that_makes_no_name_is_refused_with_all_below_it(key: str, path: str) -> None:
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
    assert read.refusals == [Refusal("not_finite", f"{index}/value") for index in places]


class Slow(FieldsDecoder):
    """Takes the long way with every object."""

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
OBJECTS = st.dictionaries(st.sampled_from(["value", "ts", "Time", "t", "a", "b", "", "x" * 201]), VALUES, max_size=4)


@settings(max_examples=300)
@given(
    OBJECTS | st.lists(OBJECTS | st.none(), max_size=5) | OBJECTS.flatmap(lambda each: st.just([each] * 5)),
    st.sampled_from([3, 10_000]),
)
@example([{}] * 4, 10_000)
def test_what_is_ordinary_is_read_as_everything_is(document: object, most: int) -> None:
    payload = json.dumps(document).encode()

    def outcome(decoder: FieldsDecoder) -> object:
        try:
            read = decoder.decode(payload)
        except Refused as refused:
            return refused.refusal
        return list(read.samples), read.refusals

    quick = FieldsDecoder(readings=most)
    assert outcome(quick) == outcome(quick) == outcome(Slow(readings=most))
