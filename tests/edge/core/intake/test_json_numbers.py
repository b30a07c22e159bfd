"""JSON payloads of devices, including broken ones."""

from __future__ import annotations

import json
import math

import pytest
from json_samples import plain, reason, refusals, samples

from edge.core.intake.decoders import FieldsDecoder
from edge.core.model.readings.messages import Row


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
def test_a_leaf_that_is_not_a_number_affects_only_itself(leaf: str, expected: str) -> None:
    payload = f'{{"a": 1, "b": {{"x": {leaf}, "y": 2}}, "c": [{leaf}, 3]}}'
    assert samples(payload) == [("a", 1.0, None), ("b/y", 2.0, None), ("c/1", 3.0, None)]
    assert refusals(payload) == [(expected, "b/x"), (expected, "c/0")]
    assert refusals(f'{{"value": {leaf}}}') == [(expected, "value")]


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
def test_a_token_that_only_looks_like_infinity_is_unquoted_text(text: str) -> None:
    assert samples(f'{{"a": {text}, "b": 1}}') == [("b", 1.0, None)]


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


def test_a_text_that_contains_only_a_number_is_one() -> None:
    assert samples('{"a": "37.8", "b": " -5 ", "c": ["1e3"]}') == [
        ("a", 37.8, None),
        ("b", -5.0, None),
        ("c/0", 1e3, None),
    ]
    assert samples('{"value": "0.274", "mode": 0}') == [("", 0.274, None)]
    assert reason('{"a": "37.8"}', FieldsDecoder(numbers_in_text=False)) == "odd_number"


@pytest.mark.parametrize("text", ["00189440", "0016", "12345678901234567", "2024.5.1", "12T03:04:05", "0x15", "", "-"])
def test_digits_in_a_name_or_a_version_are_not_a_number(text: str) -> None:
    assert reason(json.dumps({"a": text})) == "no_value"


@pytest.mark.parametrize("text", ["21,5", "21.5 °C", "60%", "3.6 m³", "12.5 kW/h"])
def test_a_number_in_another_notation_is_refused_with_a_reason(text: str) -> None:
    assert refusals(json.dumps({"a": 1, "b": text})) == [("odd_number", "b")]


@pytest.mark.parametrize(
    ("text", "value"),
    [("\u22123.2", -3.2), ("1'234.5", 1234.5), ("-1\u2019234\u2019567", -1234567.0), ("1\u202f234", 1234.0)],
)
def test_a_typographic_number_that_has_one_meaning_is_read(text: str, value: float) -> None:
    assert samples(json.dumps({"a": text})) == [("a", value, None)]


@pytest.mark.parametrize(
    "text", ["1,234.5", "1 234.5", "1,234,567", "1.234.567", "-12.345.678", "<0.1", "ca. 21", "\u2265 5 mg"]
)
def test_a_number_that_no_option_reads_is_refused_with_a_reason(text: str) -> None:
    decoded = plain.decode(json.dumps({"a": text, "b": 1}).encode())
    assert [(each.reason, each.path, "no option reads" in each.detail) for each in decoded.refusals] == [
        ("odd_number", "a", True)
    ]


@pytest.mark.parametrize("given", ["1e999", '"1e999"', '"-1e999"', "1" + "0" * 400])
def test_a_number_that_no_float_can_hold_is_refused_with_its_likely_cause(given: str) -> None:
    decoded = plain.decode(f'{{"a": {given}, "b": 1}}'.encode())
    assert [(each.reason, each.path) for each in decoded.refusals] == [("not_finite", "a")]
    assert "too large for a float" in decoded.refusals[0].detail


@pytest.mark.parametrize(
    "text", ["2026-11-28", "10-20", "192.168.100.200", "10.100.100.100", "0.123.456", "1'23", "5'11", "12:34", "1''234"]
)
def test_dates_ranges_and_addresses_are_no_odd_numbers(text: str) -> None:
    assert refusals(json.dumps({"a": text, "b": 1})) == [("not_a_number", "a")]


@pytest.mark.parametrize("text", ["84fce612", "12 V", "1'234", "3e5", "5 mA"])
def test_an_identifier_is_never_a_number_with_a_unit(text: str) -> None:
    for decoder in (plain, FieldsDecoder(units=True)):
        found = decoder.decode(json.dumps({"serialno": text, "b": 1}).encode())
        assert [each for each in found.refusals if each.reason == "odd_number"] == []
        assert found.units == {}


def test_decimal_commas_and_units_are_read_if_the_input_allows_them() -> None:
    decoder = FieldsDecoder(decimal=",", units=True)
    read = decoder.decode('{"a": "21,5 °C", "b": "60 %", "c": "7"}'.encode())
    assert [(each.path, each.value) for each in read.samples] == [("a", 21.5), ("b", 60.0), ("c", 7.0)]
    assert read.units == {"a": "°C", "b": "%"}
    assert refusals('{"c": 1, "a": "1.234"}', decoder) == [("odd_number", "a")]


def test_what_identifies_something_does_not_slow_down_the_reading_of_numbers() -> None:
    one = '{"ts": 17000000%02d, "seq": 7, "a": 1.5, "b": 2.5, "c": 3.5, "d": 4.5}'
    several = f"[{', '.join(one % at for at in range(5))}]"
    for payload, size in ((one % 0, 1), (several, 5)):
        read = plain.decode(payload.encode())
        assert (type(read.samples), len(read.samples), read.ignored) == (Row, 4 * size, size)
        assert type(plain.decode(payload.replace('"seq": 7', '"seq": "x"').encode()).samples) is list


def test_hexadecimal_digits_are_no_number_though_one_of_them_is_an_e() -> None:
    assert samples('{"data": "12E45", "raw": "4264E6", "temp": "1.5e-3", "big": "1e+06", "f": "2.5E3"}') == [
        ("temp", 0.0015, None), ("big", 1e6, None), ("f", 2500.0, None),
    ]  # fmt: skip
