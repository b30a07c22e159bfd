"""Non-standard JSON of devices, scripts and gateways: read if it is unambiguous, otherwise refused with a reason."""

from __future__ import annotations

import json

import pytest

from edge.core.intake.decoders import FieldsDecoder
from edge.core.model.readings.messages import Refused

NOON = 1_714_557_600.0
"""2024-05-01T10:00:00Z."""


def read(payload: str, decoder: FieldsDecoder | None = None) -> list[tuple[str, float, float | None]]:
    return [tuple(each) for each in (decoder or FieldsDecoder()).decode(payload.encode(), NOON + 3600).samples]


@pytest.mark.parametrize(
    "word", ["nan", "NAN", "-nan", "nan(ind)", "inf", "-Inf", "None", "undefined", "True", "False"]
)
def test_a_word_unknown_to_json_affects_only_its_field(word: str) -> None:
    assert read(f'{{"DHT11": {{"Temperature": {word}, "note": "nan None"}}, "Humidity": 45}}') == [
        ("Humidity", 45.0, None)
    ]


def test_objects_one_per_line_form_a_list() -> None:
    assert read('{"ts": 1714557600, "v": 2}\n{"ts": 1714557601, "v": 3}\n') == [("v", 2.0, NOON), ("v", 3.0, NOON + 1)]
    with pytest.raises(Refused, match="trailing"):
        read('{"a": 1}\n{"a": ')


def test_a_document_within_a_text_is_read() -> None:
    assert read(json.dumps(json.dumps({"temp": 21.5}))) == [("temp", 21.5, None)]


@pytest.mark.parametrize(("payload", "value"), [("+21.5", 21.5), (".5", 0.5), ("5.", 5.0), ("021.5", 21.5)])
def test_a_plain_number_is_read_in_any_notation(payload: str, value: float) -> None:
    assert read(payload) == [("", value, None)]


def test_a_plain_text_is_the_number_that_the_input_assigns() -> None:
    assert read("ON", FieldsDecoder(values={"ON": 1.0})) == [("", 1.0, None)]
    assert read("21,5", FieldsDecoder(decimal=",")) == [("", 21.5, None)]
    assert FieldsDecoder(units=True).decode("21.5 °C".encode()).units == {"": "°C"}
    with pytest.raises(Refused, match="values = "):
        read("ON")


def test_elements_with_a_label_and_a_value_use_the_label_as_their_name() -> None:
    assert read('{"s": [{"comp": "temp", "value": 21.5}, {"comp": "hum", "value": 48, "unit": "%"}]}') == [
        ("s/temp/value", 21.5, None), ("s/hum/value", 48.0, None),
    ]  # fmt: skip
    assert read('[{"value_type": "P1", "value": "12.30"}, {"value_type": "P2", "value": "3"}]') == [
        ("P1", 12.3, None), ("P2", 3.0, None),
    ]  # fmt: skip
    assert read('[{"Groesse": "Druck", "value": 1}, {"Groesse": "Fluss", "value": 2}]') == [
        ("Druck", 1.0, None), ("Fluss", 2.0, None),
    ]  # fmt: skip


def test_sensors_that_share_a_topic_are_distinguished_by_the_name_next_to_the_value() -> None:
    decoder = FieldsDecoder(names_devices=True)
    for key, name in (("sensor", "boiler"), ("name", "a/b"), ("id", 28), ("deviceId", "28-04"), ("type", "temp")):
        payload = json.dumps({key: name, "value": 65.5, "unit": "C", "ts": NOON})
        assert read(payload, decoder) == [(str(name).replace("/", "%2F"), 65.5, NOON)]
        assert read(payload) == [("", 65.5, NOON)]
    for more in ({}, {"state": "on"}, {"sensor": "a", "rssi": -60}, {"code": 200}, {"channel": "3"}):
        assert read(json.dumps({"value": 65.5, **more}), decoder) == [("", 65.5, None)]
    for several, name in (
        ({"name": "temp", "status": "ok"}, "temp"),
        ({"device": "PLC1", "registerType": "holding", "address": 40001, "quality": 192}, "PLC1/holding/40001"),
        ({"deviceId": "d1", "name": "t", "ok": True}, "d1/t"),
    ):
        assert read(json.dumps({"value": 65.5, **several}), decoder) == [(name, 65.5, None)]
    named = [{"name": "a", "type": "b", "value": 1.5}, {"name": "c", "type": "d", "value": 2.5}]
    assert read(json.dumps(named), decoder) == [("a", 1.5, None), ("c", 2.5, None)]


def test_labels_with_times_form_separate_series_and_states_do_not() -> None:
    rows = [{"type": kind, "ts": NOON + each, "value": each} for each in range(2) for kind in ("a", "b")]
    assert read(json.dumps(rows)) == [("a", 0, NOON), ("b", 0, NOON), ("a", 1, NOON + 1), ("b", 1, NOON + 1)]
    states = [{"state": state, "ts": NOON + each, "value": each} for each, state in enumerate(("on", "off", "on"))]
    assert read(json.dumps(states)) == [("", each, NOON + each) for each in range(3)]


@pytest.mark.parametrize(
    "key", ["id", "meter_id", "deviceId", "serial", "serialNumber", "imei", "dev_eui", "SN", "esp8266id"]
)
def test_digits_in_an_identifying_text_are_not_a_number(key: str) -> None:
    assert read(f'{{"{key}": "33225544", "total": 1.5}}') == [("total", 1.5, None)]


@pytest.mark.parametrize("key", ["humid", "liquid", "solid", "v", "mace"])
def test_digits_in_another_text_are_a_number(key: str) -> None:
    assert read(f'{{"{key}": "48"}}') == [(key, 48.0, None)]


@pytest.mark.parametrize(
    "time",
    [
        '"datetime": "2024-05-01T10:00:00Z"',
        '"dateTime": "1714557600.0"',
        '"epoch": 1714557600',
        '"unixtime": 1714557600',
        '"created_at": "2024-05-01T10:00:00Z"',
        '"date": "2024-05-01", "time": "10:00:00"',
        '"Date": "01.05.2024", "t": "10:00"',
        '"time": "Wed, 01 May 2024 10:00:00 GMT"',
        '"time": "Wed May  1 10:00:00 2024"',
        '"time": "/Date(1714557600000)/"',
        '"time": "2024-05-01 10:00:00 +0000 UTC"',
        '"time": "2024-05-01T12:00:00+02:00[Europe/Berlin]"',
        '"time": "20240501100000"',
        '"time": "1.5.2024 10:00:00"',
        '"time": "01-May-2024 10:00:00"',
        '"ts": "1714557600000"',
    ],
)
def test_times_are_read_in_every_notation_found_in_practice(time: str) -> None:
    assert read(f'{{{time}, "x": 1}}') == [("x", 1.0, NOON)]
    numbers = '"a": 1.5, "b": 2.5, "c": 3.5, "d": 4.5'
    assert {each[2] for each in read(f"{{{time}, {numbers}}}")} == {NOON}


@pytest.mark.parametrize(
    "time",
    [
        '"time": "01/02/2024 10:00:00"',
        '"date": "1/2/2024", "time": "10:00"',
        '"time": "Mon May 32 10:00:00 2024"',
        '"time": "99:99", "date": "2024-05-01"',
        '"time": "/Date(x)/"',
        '"time": "[UTC]"',
        '"time": "1 Xyz 2024 10:00:00"',
    ],
)
def test_an_ambiguous_time_affects_only_itself_and_explains_which_setting_is_needed(time: str) -> None:
    decoded = FieldsDecoder().decode(f'{{{time}, "x": 1}}'.encode(), NOON)
    assert [tuple(each) for each in decoded.samples] == [("x", 1.0, None)]
    assert [each.reason for each in decoded.refusals if "time_format" in each.detail] == ["bad_time"]


def test_a_field_that_only_has_the_name_of_a_time_is_a_reading() -> None:
    assert read('{"epoch": 3.5, "t": "21.5"}') == [("epoch", 3.5, None), ("t", 21.5, None)]
    assert read('{"t": "21,5"}', FieldsDecoder(decimal=",")) == [("t", 21.5, None)]
    assert read('{"created_at": 1714557600}', FieldsDecoder(time_keys=("ts",))) == []


def test_each_payload_of_a_batch_is_read_separately() -> None:
    decoder = FieldsDecoder(batch="metrics", items="fields", sender=("payload.name", "payload.host?"))
    one = {"name": "cpu", "host": "a", "fields": {"idle": 98.5}, "timestamp": NOON}
    other = {"name": "mem", "fields": {"used": 5, "free": 6}, "timestamp": NOON + 1}
    batch = decoder.decode(json.dumps({"metrics": [one, {"fields": 3}, other, 7]}).encode(), NOON)
    alone = [*decoder.decode(json.dumps(one).encode()).samples, *decoder.decode(json.dumps(other).encode()).samples]
    assert list(batch.samples) == alone
    assert [(each.reason, each.path) for each in batch.refusals] == [
        ("no_sender", "metrics/1"),
        ("no_sender", "metrics/3"),
    ]


def test_a_batch_without_a_readable_payload_is_refused() -> None:
    decoder = FieldsDecoder(batch="metrics", readings=3)
    for payload, reason in (('{"metrics": []}', "no_value"), ('{"metrics": ["x"]}', "no_value")):
        with pytest.raises(Refused) as refused:
            decoder.decode(payload.encode())
        assert refused.value.refusal.reason == reason
    with pytest.raises(Refused) as refused:
        decoder.decode(json.dumps({"metrics": [{"a": 1, "b": 2}] * 2}).encode())
    assert refused.value.refusal.reason == "too_many_readings"


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        ('{"temp": 21.5, "batt": 2.9,}', {"temp": 21.5, "batt": 2.9}),
        ("{'on': True, 'hum': 66.5, 'note': \"it's\", 'say': 'a \\'b\\' \"c\"'}", {"hum": 66.5}),
        ("{temp:21.5,time:2024-05-01T10:00:00,state:on}", {"temp": 21.5}),
        ('{"a":1.5,"tem":,"freq":inf,"b":2.5,"last":}', {"a": 1.5, "b": 2.5}),
        ('{"a": .52, "b": +1.5, "c": 05, "d": -.5, "e": 5., "f": 1.E3, "g": 00}',
         {"a": 0.52, "b": 1.5, "c": 5, "d": -0.5, "e": 5, "f": 1000, "g": 0}),
        ('{"a": {"b": [1, , 3,], c: {}}, "d": []}', {"a/b/0": 1, "a/b/2": 3}),
        ("{a: nan, b: -Infinity, c: undefined, d: TRUE, e: 2}", {"e": 2}),
    ],
)  # fmt: skip
def test_what_can_mean_only_one_thing_is_read(payload: str, wanted: dict[str, float]) -> None:
    assert {path: value for path, value, _ in read(payload)} == wanted


def test_objects_one_after_another_are_a_list_of_them() -> None:
    assert read('{"ts":1714557600,"v":2}{"ts":1714557601,"v":3}') == [("v", 2.0, NOON), ("v", 3.0, NOON + 1)]


@pytest.mark.parametrize(
    "payload",
    [
        '{"temp": 21.5, "hum": 4', '{"temp": 21.5, "hum', '{"a": 1 "b": 2}', '{"a": 1, "b"}', "{a}", "{,}", "[1}", "{]",
        '{"value": 406.5, "raw": "00406.5, "pre": "406.5"}', '{"x": 1", "y": 1}', "{'a': 1", "{{ value }}", "[D] [x]",
        '{"a": 1}}', "[1] [2]", "{T=21;H=4}", '{"a": 1, 5}', "{", '{"a": \'x"}',
    ],
)  # fmt: skip
def test_what_is_cut_off_or_could_mean_several_things_is_refused(payload: str) -> None:
    with pytest.raises(Refused, match="malformed"):
        read(payload)


def test_texts_in_latin_1_are_read() -> None:
    decoder = FieldsDecoder(units=True)
    found = decoder.decode(b'{"value": 21.5, "unit": "\xb0C"}')
    assert (found.samples[0].value, found.units) == (21.5, {"": "°C"})
    assert decoder.decode(b"21.5 \xb0C").units == {"": "°C"}
    with pytest.raises(Refused, match="not_utf8"):
        decoder.decode(b"\xff\xfe{\x00}\x00")
