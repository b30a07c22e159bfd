"""Payloads that consist of a plain number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.intake.decoders import Decoded, NumberDecoder
from edge.core.model.readings.messages import Refused, Sample


def value_of(payload: bytes, **values: float) -> float:
    read = NumberDecoder(values).decode(payload)
    assert read == Decoded([Sample("", read.samples[0].value, None)], [])
    return read.samples[0].value


@pytest.mark.parametrize(
    ("payload", "value"),
    [
        (b"21.5", 21.5),
        (b'"21.5"', 21.5),
        (b"21.5\x00", 21.5),
        (b"-7", -7.0),
        (b"+7", 7.0),
        (b"0", 0.0),
        (b"007", 7.0),
        (b".5", 0.5),
        (b"5.", 5.0),
        (b"1e3", 1000.0),
        (b"1.5E-3", 0.0015),
        (b" 21.5\r\n", 21.5),
        (b"\t1", 1.0),
        (b"1e-400", 0.0),
        (b"9" * 300, float("9" * 300)),
    ],
)
def test_decimal_and_scientific_numbers_are_read(payload: bytes, value: float) -> None:
    assert value_of(payload) == value


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"21.5 C", "malformed"),
        (b"21.5C", "malformed"),
        (b"21,5", "malformed"),
        (b"1_000", "malformed"),
        (b"0x1F", "malformed"),
        (b"1 2", "malformed"),
        (b"--1", "malformed"),
        (b"1e", "malformed"),
        (b".", "malformed"),
        (b"\xef\xbb\xbf1", "malformed"),
        ("٢١".encode(), "malformed"),
        (b"ON", "malformed"),
        (b"null", "malformed"),
        (b'"21.5', "malformed"),
        (b"1\x002", "malformed"),
        (b"9" * 401, "malformed"),
        (b"\xff\xfe", "not_utf8"),
        (b"nan", "not_finite"),
        (b"NaN", "not_finite"),
        (b"inf", "not_finite"),
        (b"-Infinity", "not_finite"),
        (b"1e400", "not_finite"),
        (b"9" * 400, "not_finite"),
    ],
)
def test_a_payload_that_is_not_a_number_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        NumberDecoder().decode(payload)
    assert refused.value.refusal.reason == reason


def test_a_word_is_read_only_if_it_is_mapped_exactly() -> None:
    assert value_of(b"ON", ON=1.0, OFF=0.0) == 1.0
    assert value_of(b" OFF ", ON=1.0, OFF=0.0) == 0.0
    assert value_of(b"2.5", ON=1.0) == 2.5
    with pytest.raises(Refused):
        value_of(b"on", ON=1.0)


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_word_can_not_be_mapped_to_a_value_that_is_not_finite(number: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        NumberDecoder({"ON": number})


def test_changing_the_map_afterwards_has_no_effect() -> None:
    values = {"ON": 1.0}
    decoder = NumberDecoder(values)
    values["ON"] = math.nan
    assert decoder.decode(b"ON").samples[0].value == 1.0


@seed(3)
@settings(max_examples=300, database=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_every_printed_float_is_read_back(number: float) -> None:
    assert value_of(repr(number).encode()) == number


@pytest.mark.parametrize(("payload", "value", "unit"), [(b"1,5e3", 1500.0, ""), (b"-1,5E-1 V", -0.15, "V")])
def test_a_number_with_a_decimal_comma_may_have_an_exponent(payload: bytes, value: float, unit: str) -> None:
    found = NumberDecoder(decimal=",", units=True).decode(payload)
    assert [each.value for each in found.samples] == [value]
    assert found.units.get("", "") == unit


@pytest.mark.parametrize(("payload", "value"), [("1'234,5", 1234.5), ("1\u00a0234,5", 1234.5), ("\u22120,5", -0.5)])
def test_thousands_may_be_separated_by_what_separates_nothing_else(payload: str, value: float) -> None:
    (sample,) = NumberDecoder(decimal=",").decode(payload.encode()).samples
    assert sample.value == value


@pytest.mark.parametrize(
    ("payload", "decimal", "found"),
    [
        ("1.234,5", ",", (1234.5, "")),
        ("-12.345.678,25 W", ",", (-12345678.25, "W")),
        ("1,234.5 kWh", ".", (1234.5, "kWh")),
    ],
)
def test_thousands_are_read_where_the_decimals_tell_them_apart(
    payload: str, decimal: str, found: tuple[float, str]
) -> None:
    read = NumberDecoder(decimal=decimal, units=True).decode(payload.encode())
    assert (read.samples[0].value, read.units.get("", "")) == found


@pytest.mark.parametrize(
    ("payload", "decimal"), [("5,231.4", "."), ("1.234", ","), ("0.123,4", ","), ("1,234.5 W", ",")]
)
def test_what_may_be_two_values_or_another_notation_is_refused(payload: str, decimal: str) -> None:
    with pytest.raises(Refused):
        NumberDecoder(decimal=decimal, units=True).decode(payload.encode())


@pytest.mark.parametrize("decimal", [".", ","])
def test_a_date_is_not_a_number_with_a_unit(decimal: str) -> None:
    with pytest.raises(Refused, match="a time, not a value"):
        NumberDecoder(decimal=decimal, units=True).decode(b"2026-11-28")


def test_decimal_commas_units_and_words_are_read_if_the_input_allows_them() -> None:
    decoder = NumberDecoder(decimal=",", units=True, values={"ON": 1.0}, no_value=("unavailable", -127.0))
    read = decoder.decode("21,5 °C".encode())
    assert (read.samples[0].value, read.units) == (21.5, {"": "°C"})
    assert [decoder.decode(each).samples[0].value for each in (b"7", b'"7,25"', b"ON\x00\x00")] == [7.0, 7.25, 1.0]
    for absent in (b"unavailable", b"-127"):
        with pytest.raises(Refused, match="no_value"):
            decoder.decode(absent)
    with pytest.raises(Refused, match="malformed.*decimal point"):
        decoder.decode(b"1.234")


@pytest.mark.parametrize(
    "unit", ["°C", "℃", "℉", "%", "%RH", "hPa", "µg/m³", "l/min", "m3/h", "kW", "kΩ", "W/m²", "€/MWh", "dBm", "m/s²"]
)
def test_usual_units_are_units(unit: str) -> None:
    for text in (f"20.5 {unit}", f"20.5{unit}"):
        found = NumberDecoder(units=True).decode(text.encode())
        assert (found.samples[0].value, found.units) == (20.5, {"": unit})
        with pytest.raises(Refused, match="followed by a unit"):
            NumberDecoder().decode(text.encode())
