"""Sparkplug B payloads, compared with Google's protobuf library and with examples of real nodes."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from sparkplug_schema import CLASSES

from edge.core.intake.decoders.records.protobuf_wire import DEEPEST_GROUP
from edge.core.intake.decoders.records.sparkplug_payload import MOST_UNPACKED, Metric, Payload, number_of, read_payload
from edge.core.model.readings.messages import Refusal, Refused

AT = 1_700_000_000_000
INT8, INT16, INT32, INT64, UINT8, UINT64 = 1, 2, 3, 4, 5, 8
BOOLEAN, STRING = 11, 12

UNSIGNED = st.integers(0, 2**64 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.one_of(
    st.fixed_dictionaries({"int_value": st.integers(0, 2**32 - 1)}),
    st.fixed_dictionaries({"long_value": UNSIGNED}),
    st.fixed_dictionaries({"float_value": st.floats(width=32, allow_nan=False)}),
    st.fixed_dictionaries({"double_value": st.floats(allow_nan=False)}),
    st.fixed_dictionaries({"boolean_value": st.booleans()}),
    st.fixed_dictionaries({"string_value": TEXTS}),
    st.just({}),
)
OTHER_VALUES = st.one_of(
    st.fixed_dictionaries({"bytes_value": st.binary(max_size=300)}),
    st.fixed_dictionaries({"dataset_value": st.fixed_dictionaries({"columns": st.lists(TEXTS, max_size=3)})}),
    st.fixed_dictionaries({"template_value": st.fixed_dictionaries({"version": TEXTS})}),
)
PROPERTIES = st.fixed_dictionaries(
    {
        "keys": st.lists(st.sampled_from(["engUnit", "Quality", "low"]), max_size=3),
        "values": st.lists(VALUES, max_size=3),
    }
)
ABOUT = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "alias": UNSIGNED,
        "timestamp": UNSIGNED,
        "datatype": st.integers(0, 2**32 - 1),
        "is_historical": st.booleans(),
        "is_transient": st.booleans(),
        "is_null": st.booleans(),
        "properties": PROPERTIES,
    },
)
METRICS = st.builds(lambda about, value: {**about, **value}, ABOUT, VALUES | OTHER_VALUES)
PAYLOADS = st.builds(
    lambda metrics, rest: CLASSES["Payload"](metrics=metrics, **rest).SerializeToString(),
    st.lists(METRICS, max_size=5),
    st.fixed_dictionaries({}, optional={"timestamp": UNSIGNED, "seq": UNSIGNED, "body": st.binary(max_size=9)}),
)


def field_of(message: Any, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None


def by_protobuf(payload: bytes) -> Payload:
    """The payload as decoded by Google's library."""
    parsed = CLASSES["Payload"].FromString(payload)
    return Payload(
        field_of(parsed, "timestamp"), field_of(parsed, "seq"), tuple(map(metric_by_protobuf, parsed.metrics))
    )


def metric_by_protobuf(metric: Any) -> Metric:
    holds = metric.WhichOneof("value")
    kind = metric.DESCRIPTOR.fields_by_name[holds].number if holds else 0
    units = [
        value.string_value
        for key, value in zip(metric.properties.keys, metric.properties.values, strict=False)
        if key == "engUnit" and value.string_value and not value.is_null
    ]
    qualities = [
        int(getattr(value, field))
        for key, value in zip(metric.properties.keys, metric.properties.values, strict=False)
        if key == "Quality"
        and not value.is_null
        and (field := value.WhichOneof("value")) in {"int_value", "long_value"}
    ]
    return Metric(
        field_of(metric, "name"),
        field_of(metric, "alias"),
        field_of(metric, "timestamp"),
        field_of(metric, "datatype"),
        metric.is_historical,
        metric.is_transient,
        metric.is_null,
        kind,
        getattr(metric, holds) if kind in range(10, 16) else None,
        units[0] if units else "",
        qualities[-1] if qualities else None,
    )


def refusal(payload: bytes) -> Refusal:
    with pytest.raises(Refused) as caught:
        read_payload(payload)
    return caught.value.refusal


@seed(18)
@settings(max_examples=300, deadline=None)
@given(PAYLOADS)
def test_a_payload_is_read_as_by_protobuf(payload: bytes) -> None:
    assert read_payload(payload) == by_protobuf(payload)


@pytest.mark.long
@seed(18)
@settings(max_examples=300, deadline=None)
@given(PAYLOADS, PAYLOADS)
def test_repeated_fields_count_as_in_protobuf(first: bytes, second: bytes) -> None:
    assert read_payload(first + second) == by_protobuf(first + second)


@pytest.mark.long
@seed(18)
@settings(max_examples=500, deadline=None)
@given(PAYLOADS, st.data())
def test_a_payload_truncated_anywhere_is_refused_exactly_when_protobuf_refuses_it(
    payload: bytes, data: st.DataObject
) -> None:
    cut = payload[: data.draw(st.integers(0, len(payload)))]
    try:
        expected = by_protobuf(cut)
    except DecodeError:
        assert refusal(cut).reason == "malformed"
    else:
        assert read_payload(cut) == expected


@seed(18)
@settings(max_examples=1_000, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda inner: b"\x12" + bytes([len(inner)]) + inner))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    try:
        read_payload(payload)
    except Refused as refused:
        assert refused.refusal.reason in {"malformed", "not_utf8", "too_deep"}  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("datatype", "raw", "number"),
    [
        (INT8, 0xFF, -1.0),
        (INT8, 0xFFFF_FF80, -128.0),
        (INT16, 0xFFFE, -2.0),
        (INT32, 0xFFFF_FFFF, -1.0),
        (UINT8, 0xFF, 255.0),
        (7, 0xFFFF_FFFF, 4_294_967_295.0),
        (BOOLEAN, 1, 1.0),
        (None, 0xFFFF_FFFF, 4_294_967_295.0),
    ],
)
def test_the_datatype_determines_the_number_of_bits_and_the_sign(datatype: int | None, raw: int, number: float) -> None:
    metric = read_payload(CLASSES["Payload"](metrics=[{"datatype": datatype, "int_value": raw}]).SerializeToString())
    assert number_of(metric.metrics[0]) == number


def test_64_bits_have_a_sign_if_the_datatype_has() -> None:
    payload = CLASSES["Payload"](metrics=[{"alias": 1, "long_value": 2**64 - 5}]).SerializeToString()
    (metric,) = read_payload(payload).metrics
    assert (number_of(metric, INT64), number_of(metric, UINT64)) == (-5.0, float(2**64 - 5))


def test_the_datatype_of_a_metric_itself_has_priority_over_that_of_its_birth() -> None:
    assert number_of(Metric(datatype=INT8, kind=10, raw=255), UINT8) == -1.0


@pytest.mark.parametrize(
    "metric",
    [Metric(is_null=True, kind=10, raw=5), Metric(datatype=STRING, kind=15, raw="5"), Metric(kind=17), Metric()],
)
def test_null_text_and_data_sets_are_not_numbers(metric: Metric) -> None:
    assert number_of(metric, INT32) is None


@pytest.mark.parametrize("key", ["engUnit", "Engineering Units", "eng_unit", "unit"])
def test_the_engineering_unit_is_found_under_the_names_used_by_nodes(key: str) -> None:
    properties = {"keys": ["Quality", key], "values": [{"int_value": 192}, {"type": STRING, "string_value": "bar"}]}
    payload = CLASSES["Payload"](metrics=[{"name": "p", "properties": properties}]).SerializeToString()
    assert read_payload(payload).metrics[0].unit == "bar"


def test_a_null_unit_property_is_no_unit() -> None:
    properties = {"keys": ["engUnit"], "values": [{"is_null": True, "string_value": "bar"}]}
    payload = CLASSES["Payload"](metrics=[{"properties": properties}]).SerializeToString()
    assert read_payload(payload).metrics[0].unit == ""


def test_a_name_that_is_not_utf_8_is_refused() -> None:
    assert refusal(b"\x12\x04\x0a\x02\xff\xfe").reason == "not_utf8"


def test_groups_are_skipped() -> None:
    assert read_payload(b"\xa3\x06\x08\x07\xa4\x06" + b"\x18\x05").sequence == 5


def test_groups_in_groups_beyond_a_depth_are_refused() -> None:
    levels = DEEPEST_GROUP + 1
    assert refusal(b"\xa3\x06" * levels + b"\xa4\x06" * levels).reason == "too_deep"


def test_a_group_with_another_end_is_refused() -> None:
    assert refusal(b"\xa3\x06\xac\x06").reason == "malformed"


def test_more_metrics_than_allowed_are_refused() -> None:
    assert refusal(b"\x12\x00" * 50_001).reason == "too_many_readings"
    assert len(read_payload(b"\x12\x00" * 50_000).metrics) == 50_000


def test_a_length_beyond_the_end_is_reported_with_its_position() -> None:
    assert (
        refusal(b"\x12\x7f" + struct.pack("<q", AT)).detail
        == "the protobuf is cut off: 127 bytes should follow at byte 2"
    )


def test_properties_in_two_parts_of_a_metric_form_one_set() -> None:
    key = CLASSES["PropertySet"](keys=["engUnit"]).SerializeToString()
    value = CLASSES["PropertySet"](values=[{"string_value": "bar"}]).SerializeToString()
    metric = b"".join(b"\x4a" + bytes([len(each)]) + each for each in (key, value))
    assert read_payload(b"\x12" + bytes([len(metric)]) + metric).metrics[0].unit == "bar"


USUAL = st.fixed_dictionaries(
    {"alias": st.integers(0, 200), "timestamp": st.integers(AT, AT + 2)},
    optional={"name": TEXTS, "datatype": st.integers(0, 40), "is_historical": st.booleans()},
)


@seed(7)
@settings(max_examples=500, database=None)
@given(
    sent=st.lists(st.builds(lambda about, value: {**about, **value}, USUAL, VALUES), max_size=4),
    damage=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=2),
)
def test_metrics_in_the_usual_layout_are_read_as_field_by_field(
    sent: list[dict[str, Any]], damage: list[tuple[int, int]]
) -> None:
    payload = bytearray(CLASSES["Payload"](metrics=sent, timestamp=AT, seq=1).SerializeToString())
    for place, byte in damage:
        payload[place % len(payload)] = byte
    quickly = outcome(bytes(payload))
    with patch("edge.core.intake.decoders.records.sparkplug_payload._usual_metric", return_value=None):
        assert repr(quickly) == repr(outcome(bytes(payload)))


def outcome(payload: bytes) -> Payload | Refusal:
    try:
        return read_payload(payload)
    except Refused as refused:
        return refused.refusal


def packed(body: bytes, **more: Any) -> bytes:
    encoded: bytes = CLASSES["Payload"](uuid="SPBV1.0_COMPRESSED", body=body, **more).SerializeToString()
    return encoded


INNER = CLASSES["Payload"](timestamp=AT, seq=3, metrics=[{"name": "x", "double_value": 1.5}]).SerializeToString()


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_a_compressed_payload_is_read_like_its_content(compress: Callable[[bytes], bytes]) -> None:
    metrics = [{"name": "algorithm", "string_value": "GZIP"}]
    assert read_payload(packed(compress(INNER), metrics=metrics)) == read_payload(INNER)
    without = CLASSES["Payload"](metrics=[{"name": "x"}]).SerializeToString()
    assert read_payload(packed(compress(without), seq=9)).sequence == 9


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (b"", "malformed", "cut off"),
        (zlib.compress(INNER)[:-1], "malformed", "cut off"),
        (b"no such thing", "malformed", "neither DEFLATE nor GZIP"),
        (zlib.compress(bytes(MOST_UNPACKED + 1)), "too_large", "more than 1048576 bytes"),
        (zlib.compress(packed(zlib.compress(INNER))), "malformed", "compressed twice"),
        (zlib.compress(b"\xff"), "malformed", "no end"),
    ],
)
def test_a_compressed_payload_that_cannot_be_unpacked_is_refused(body: bytes, reason: str, detail: str) -> None:
    read = outcome(packed(body))
    assert isinstance(read, Refusal)
    assert read.reason == reason
    assert detail in read.detail
