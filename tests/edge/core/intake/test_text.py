"""Payloads of name-value pairs, or of values in a row."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.loading import parse
from config.problems import ConfigurationError
from edge.core.intake.decoders import Decoded, FieldsDecoder, TextDecoder
from edge.core.model.readings.messages import Refused, Sample

NOON = 1_700_000_000.0


def values(payload: str, **options: object) -> dict[str, float]:
    return {each.path: each.value for each in decoded(payload, **options).samples}


def decoded(payload: str, **options: object) -> Decoded:
    return TextDecoder(**options).decode(payload.encode(), NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "payload",
    [
        "T=21.5;H=48", "T=21.5;H=48;\r\n", "T:21.5,H:48", "T=21.5&H=48", "T=21.5 H=48", "T = 21.5 | H = 48",
        "T: 21.5\nH: 48\n", "\ufeffT=21.5\tH=48\0", '"T":21.5,"H":"48"',
    ],
)  # fmt: skip
def test_pairs_are_read_with_any_separator(payload: str) -> None:
    assert values(payload) == {"T": 21.5, "H": 48.0}


def test_a_form_is_decoded_and_its_time_counts() -> None:
    read = decoded("dateutc=2023-11-14+22%3A13%3A20&temp+in=21.5&PASSKEY=6C5F&rain=%2B0.5")
    assert [(each.path, each.value, each.time) for each in read.samples] == [
        ("temp in", 21.5, NOON),
        ("rain", 0.5, NOON),
    ]
    assert [(each.reason, each.path) for each in read.refusals] == [("not_a_number", "PASSKEY")]


@pytest.mark.parametrize("separator", [":", ",", ";", "|", "\t", " ", ", "])
def test_values_behind_an_epoch_are_read_at_that_time(separator: str) -> None:
    assert decoded(f"1700000000.5{separator}98.2\0").samples == [Sample("", 98.2, 1_700_000_000.5)]
    assert [tuple(each) for each in decoded(separator.join(["1700000000", "1", "nan", "3"])).samples] == [
        ("0", 1.0, 1_700_000_000.0), ("2", 3.0, 1_700_000_000.0),
    ]  # fmt: skip
    lines = f"1700000000{separator}1\n1700000060{separator}2\n"
    assert [tuple(each) for each in decoded(lines).samples] == [("", 1.0, 1.7e9), ("", 2.0, 1.7e9 + 60)]


def test_a_name_that_is_a_number_but_no_time_is_a_name() -> None:
    assert values("40001=21.5;40002=48") == {"40001": 21.5, "40002": 48}
    assert values("9999999999:1") == {"9999999999": 1}
    assert decoded("1700000000:1", time_keys=()).samples == [Sample("", 1.0, None)]


def test_a_decimal_comma_separates_neither_pairs_nor_columns() -> None:
    assert values("T=21,5;H=48", decimal=",") == {"T": 21.5, "H": 48.0}
    assert values("21,5;48", decimal=",", columns=("T", "H")) == {"T": 21.5, "H": 48.0}


def test_units_words_and_ignored_fields_have_the_same_meaning_as_in_json() -> None:
    read = decoded("T=21.5 °C;door=open;rssi=-60", units=True, values={"open": 1.0}, ignore=("rssi",))
    assert [(each.path, each.value) for each in read.samples] == [("T", 21.5), ("door", 1.0)]
    assert (read.units, read.ignored) == ({"T": "°C"}, 1)


def test_separated_values_have_the_names_of_the_columns_and_a_header_line_is_skipped() -> None:
    columns = ("time", "T", "", "H")
    read = decoded("time,T,,H\n2023-11-14 22:13:20,21.5,x,48\n2023-11-14 22:13:21,21.6,y,\n", columns=columns)
    assert [(each.path, each.value, each.time) for each in read.samples] == [
        ("T", 21.5, NOON), ("H", 48.0, NOON), ("T", 21.6, NOON + 1),
    ]  # fmt: skip
    assert values("21.5 48", columns=("T", "H")) == values('"21.5"|"48"', columns=("T", "H")) == {"T": 21.5, "H": 48.0}


@pytest.mark.parametrize(
    ("payload", "columns", "reason", "detail"),
    [
        ("21.5,48,3", ("T", "H"), "malformed", "3 values in a line, and 2 columns"),
        ("21.5,48", (), "malformed", 'numbers in a row: format = "text" with columns'),
        ('{"T": 21.5}', (), "malformed", 'but JSON: format = "json"'),
        ("hello", (), "malformed", "a text"),
        ("T=on;H=off", (), "no_value", ""),
        (" \n", (), "empty", ""),
    ],
)
def test_a_refused_payload_explains_what_to_configure(
    payload: str, columns: tuple[str, ...], reason: str, detail: str
) -> None:
    with pytest.raises(Refused) as refused:
        decoded(payload, columns=columns)
    assert refused.value.refusal.reason == reason
    assert detail in refused.value.refusal.detail


def test_the_maximum_number_of_pairs_in_a_payload_is_refused_quickly() -> None:
    with pytest.raises(Refused) as refused:
        decoded(";".join(f"k{each}={each}" for each in range(20_000)))
    assert refused.value.refusal.reason == "too_many_readings"


@pytest.mark.parametrize("payload", ["a=1{}2", "a{}b", "1{}x", "a=1;{}", "{}a=1", '{{"a{}', "1,{}x"])
@pytest.mark.parametrize("filling", [" ", "=", ";", '"', ", ", "\n", "%", "1 "])
def test_every_payload_takes_linear_time(payload: str, filling: str) -> None:
    text = payload.format(filling * (200_000 // len(filling)))
    for columns in ((), ("a", "b")):
        with suppress(Refused):
            decoded(text, columns=columns)
    with suppress(Refused):
        FieldsDecoder().decode(text.encode())


@settings(max_examples=200, database=None)
@given(st.dictionaries(st.text("abcXYZ_", min_size=1, max_size=8), st.integers(-999, 999), min_size=1, max_size=6))
def test_pairs_are_read_back_as_written(pairs: dict[str, int]) -> None:
    expected = {key: float(value) for key, value in pairs.items()}
    for separator in ("\n", "&", ";", "|", "\t", ",", " "):
        assert values(separator.join(f"{key}={value}" for key, value in pairs.items())) == expected


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('columns = ["a"]', 'has no effect without format = "text"'),
        ('format = "text"\ncolumns = ["", ""]', "must name at least one column"),
        ('format = "text"\ncolumns = ["a", "b", "a"]', "names 'a' twice"),
        ('format = "number"\nsensor = "{topic}"\nbatch = "metrics"', 'has no effect with format = "number"'),
    ],
)
def test_keys_that_do_not_apply_to_text_are_refused(keys: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        parse(f'[[input]]\ntopic = "a/#"\n{keys}\n')
