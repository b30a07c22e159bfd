"""MessagePack and CBOR, which are read in the same way as JSON."""

from __future__ import annotations

import json
import math
import struct
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from edge.core.intake.decoders import CborDecoder, Decoded, Decoder, FieldsDecoder, MsgpackDecoder
from edge.core.intake.decoders.documents.keys.cbor_keys import has_other_keys as has_other_keys_of_cbor
from edge.core.intake.decoders.documents.keys.msgpack_keys import has_other_keys
from edge.core.intake.decoders.notation.text_numbers import TOO_LARGE
from edge.core.model.readings.messages import Refusal, Refused, Sample

KINDS = {
    "msgpack": (MsgpackDecoder, msgspec.msgpack.encode),
    "cbor": (CborDecoder, cbor2.dumps),
}
both = pytest.mark.parametrize(("kind", "encode"), KINDS.values(), ids=KINDS)

keys = st.sampled_from(["value", "ts", "Time", "t", "a", "b/c", "", "é", "k" * 300])
leaves = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["x", "ON", True, None, "2019-11-03T19:34:28"]),
)
documents = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=15,
)


def outcome(decoder: Decoder, payload: bytes) -> tuple[list[Sample], list[Refusal]] | Refusal:
    try:
        read = decoder.decode(payload)
    except Refused as refused:
        return refused.refusal
    return list(read.samples), read.refusals


def read(decoder: Decoder, payload: bytes) -> Decoded:
    return decoder.decode(payload)


def reason(decoder: Decoder, payload: bytes) -> tuple[str, str]:
    with pytest.raises(Refused) as refused:
        decoder.decode(payload)
    return refused.value.refusal.reason, refused.value.refusal.detail


@both
@seed(1)
@settings(max_examples=300, database=None)
@given(document=documents)
def test_a_document_gives_the_same_as_in_json(kind: type[Decoder], encode: Any, document: Any) -> None:
    assert outcome(kind(), encode(document)) == outcome(FieldsDecoder(), json.dumps(document).encode())


@both
def test_many_objects_of_one_shape_are_read_as_columns(kind: type[Decoder], encode: Any) -> None:
    rows = [{"ts": 1_700_000_000.5 + each, "a": each, "b": each / 2} for each in range(8)]
    decoded = read(kind(), encode(rows))
    assert list(decoded.samples) == list(FieldsDecoder().decode(json.dumps(rows).encode()).samples)
    assert len(decoded.samples) == 16


@both
def test_keys_that_are_numbers_or_bytes_count_as_texts(kind: type[Decoder], encode: Any) -> None:
    assert outcome(kind(), encode({1: 21.5, "a": {-2: 3}, b"hum": 60})) == (
        [Sample("1", 21.5, None), Sample("a/-2", 3.0, None), Sample("hum", 60.0, None)],
        [],
    )


@both
@pytest.mark.parametrize("key", [1.5, None, True, b"\xff"])
def test_any_other_key_makes_the_payload_malformed(kind: type[Decoder], encode: Any, key: Any) -> None:
    if not isinstance(key, bytes):
        key_bytes = encode(key)
        payload = (b"\x81" if kind is MsgpackDecoder else b"\xa1") + key_bytes + encode(1)
    else:
        payload = encode({key: 1})
    assert reason(kind(), payload) == ("malformed", "a key is neither a text nor a whole number")


@both
def test_times_of_the_format_are_times_and_not_numbers(kind: type[Decoder], encode: Any) -> None:
    moment = datetime(2026, 11, 28, 7, 30, 0, 250_000, tzinfo=UTC)
    assert outcome(kind(), encode({"ts": moment, "a": 1, "since": moment})) == (
        [Sample("a", 1.0, moment.timestamp())],
        [Refusal("not_a_number", "since")],
    )


def test_an_epoch_of_cbor_is_a_time() -> None:
    payload = cbor2.dumps({"ts": cbor2.CBORTag(1, 1_700_000_000.5), "a": 1})
    assert outcome(CborDecoder(), payload) == ([Sample("a", 1.0, 1_700_000_000.5)], [])


@pytest.mark.parametrize("epoch", [math.inf, math.nan, 1e300, "x", 2**63])
def test_an_impossible_epoch_affects_only_itself(epoch: Any) -> None:
    payload = cbor2.dumps([{"ts": cbor2.CBORTag(1, epoch), "a": 1}, {"b": 2}])
    samples, refusals = outcome(CborDecoder(), payload)
    assert samples == [Sample("a", 1.0, None), Sample("b", 2.0, None)]
    assert refusals == []


@both
def test_extensions_bytes_and_nulls_are_not_numbers(kind: type[Decoder], encode: Any) -> None:
    strange = msgspec.msgpack.Ext(5, b"x") if kind is MsgpackDecoder else cbor2.CBORTag(65_000, [1])
    samples, refusals = outcome(kind(), encode({"a": 1, "b": b"21.5", "c": None, "d": strange}))
    assert samples == [Sample("a", 1.0, None)]
    assert refusals == [Refusal("not_a_number", each) for each in "bcd"]


@pytest.mark.parametrize("number", [math.nan, math.inf])
@both
def test_numbers_that_are_not_finite_are_refused_individually(kind: type[Decoder], encode: Any, number: float) -> None:
    assert outcome(kind(), encode({"a": 1, "b": number})) == (
        [Sample("a", 1.0, None)],
        [Refusal("not_finite", "b", TOO_LARGE if number == math.inf else "")],
    )


@pytest.mark.parametrize(
    ("item", "number"),
    [
        ("f93e00", 1.5),
        ("fa3fc00000", 1.5),
        ("c24101", 1.0),
        ("c249010000000000000000", 2.0**64),
        ("c349010000000000000000", -(2.0**64)),
        ("c48221196ab3", 273.15),
        ("c5822003", 1.5),
        ("1bffffffffffffffff", 2.0**64),
        ("3bffffffffffffffff", -(2.0**64)),
        ("d9d9f7f93e00", 1.5),
    ],
)
def test_every_notation_of_a_number_in_cbor(item: str, number: float) -> None:
    payload = b"\xa1\x61a" + bytes.fromhex(item)
    assert outcome(CborDecoder(), payload) == ([Sample("a", number, None)], [])


@pytest.mark.parametrize(
    "item", ["c4821b7fffffffffffffff01", "c5821b7fffffffffffffff01", "c25901ff" + "ff" * 511, "f97c00", "f97e00"]
)
def test_a_number_of_cbor_that_no_float_can_hold_is_refused_individually(item: str) -> None:
    payload = b"\xa2\x61a" + bytes.fromhex(item) + b"\x61b\x01"
    too_large = "" if item == "f97e00" else TOO_LARGE
    assert outcome(CborDecoder(), payload) == ([Sample("b", 1.0, None)], [Refusal("not_finite", "a", too_large)])


def test_a_decimal_fraction_is_rounded_once() -> None:
    payload = cbor2.dumps({"a": Decimal("0.1"), "b": Decimal("123456789.123456789")})
    assert [each.value for each in read(CborDecoder(), payload).samples] == [0.1, 123456789.123456789]


def test_indefinite_lengths_are_read() -> None:
    payload = bytes.fromhex("bf61619f01f93e00ff7f61626163ff02ff")
    assert outcome(CborDecoder(), payload) == (
        [Sample("a/0", 1.0, None), Sample("a/1", 1.5, None), Sample("bc", 2.0, None)],
        [],
    )


@pytest.mark.parametrize("payload", [cbor2.dumps({"a": 1}) * 2, cbor2.dumps({"a": 1}) + b"\xff", b"\x01\xff"])
def test_data_after_the_item_is_malformed(payload: bytes) -> None:
    assert reason(CborDecoder(), payload)[0] == "malformed"


@both
def test_every_truncated_payload_is_refused(kind: type[Decoder], encode: Any) -> None:
    payload = encode({"temperature": 21.5, "list": [1, 2, {"a": "text"}], "n": 70_000})
    for length in range(len(payload)):
        assert reason(kind(), payload[:length])[0] in {"malformed", "empty", "not_utf8"}


@pytest.mark.parametrize(
    ("kind", "heads"),
    [
        (MsgpackDecoder, ["ddffffffff", "dfffffffff", "c6ffffffff", "dbffffffff", "c9ffffffff05"]),
        (
            CborDecoder,
            ["9bffffffffffffffff", "9b000000007fffffff", "bb00000000ffffffff", "5b7fffffffffffffff", "7bffff"],
        ),
    ],
    ids=KINDS,
)
def test_counts_larger_than_the_payload_cost_nothing(kind: type[Decoder], heads: list[str]) -> None:
    for head in heads:
        assert reason(kind(), bytes.fromhex(head))[0] == "malformed"


@pytest.mark.parametrize(
    ("kind", "level"),
    [(MsgpackDecoder, b"\x91"), (CborDecoder, b"\x81"), (CborDecoder, b"\x9f"), (CborDecoder, b"\xc6")],
)
def test_endless_levels_are_too_deep(kind: type[Decoder], level: bytes) -> None:
    assert reason(kind(), level * 100_000)[0] == "too_deep"


@both
def test_objects_below_the_depth_limit_are_refused_individually(kind: type[Decoder], encode: Any) -> None:
    document: Any = {1: 1}
    for _ in range(20):
        document = {"a": document}
    assert outcome(kind(depth=3), encode({"x": 1, **document})) == (
        [Sample("x", 1.0, None)],
        [Refusal("too_deep", "a/a/a")],
    )


def test_shared_or_recursive_values_of_cbor_are_not_followed() -> None:
    payload = bytes.fromhex("a2 61 61 d81c 81 d81d 00 61 62 01")
    assert outcome(CborDecoder(), payload) == ([Sample("b", 1.0, None)], [Refusal("not_a_number", "a")])


def test_many_keys_with_one_hash_are_refused_cheaply() -> None:
    keys_of_one_hash = b"".join(b"\x82\x1b" + struct.pack(">Q", each) + b"\x00\x01" for each in range(20_000))
    payload = b"\xb9" + struct.pack(">H", 20_000) + keys_of_one_hash
    assert reason(CborDecoder(), payload) == ("malformed", "a large map has keys other than texts and integers")


def collisions(count: int) -> bytes:
    """A MessagePack map whose keys all have the same hash: pairs, each solved for its second number."""
    first, second, start, whole = 11400714785074694791, 14029467366897019727, 2870177450012600261, 2**64
    pairs: list[bytes] = []
    number = 70_000
    while len(pairs) < count:
        number += 1
        turned = (start + number * second) % whole
        turned = ((turned << 31) | (turned >> 33)) % whole * first % whole
        other = (12_345 - turned) * pow(second, -1, whole) % whole
        if other < 2**61 - 1:
            pairs.append(b"\x92" + msgspec.msgpack.encode(number) + b"\xcf" + struct.pack(">Q", other) + b"\x01")
    return b"\xdf" + struct.pack(">I", count) + b"".join(pairs)


def test_many_keys_of_msgpack_with_one_hash_are_refused_cheaply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payload = collisions(3000)
    assert len({hash(key) for key in msgspec.msgpack.decode(payload)}) == 1
    monkeypatch.setattr("edge.core.intake.decoders.binary_objects._decode_msgpack", None)
    assert reason(MsgpackDecoder(), payload) == ("malformed", "a key is neither a text nor a whole number")


@pytest.mark.long
@seed(2)
@settings(max_examples=500, database=None)
@given(
    document=st.recursive(
        st.one_of(
            leaves,
            st.binary(max_size=300),
            st.text(max_size=300),
            st.datetimes().map(lambda each: each.replace(tzinfo=UTC)),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=20),
            st.dictionaries(st.one_of(keys, st.integers(-(2**40), 2**40), st.binary()), inner),
        ),
        max_leaves=40,
    ),
    other=st.sampled_from([None, True, 1.5, (1, 2), ((), ())]),
)
def test_keys_are_detected_without_decoding(document: Any, other: Any) -> None:
    encoded = msgspec.msgpack.encode(document)
    assert not has_other_keys(encoded)
    pair = msgspec.msgpack.encode(other) + encoded
    assert has_other_keys(b"\x92" + encoded + b"\x81" + pair)
    assert has_other_keys(b"\x82\x01" + encoded + pair)


@pytest.mark.long
@seed(3)
@settings(max_examples=500, database=None)
@given(
    document=st.recursive(
        st.one_of(leaves, st.binary(max_size=300), st.text(max_size=300), st.integers(-(2**80), 2**80)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=20),
            st.dictionaries(st.one_of(keys, st.integers(-(2**40), 2**40), st.binary()), inner),
        ),
        max_leaves=40,
    ),
    other=st.sampled_from([None, True, 1.5, 2**70]),
)
def test_keys_of_cbor_are_detected_without_decoding(document: Any, other: Any) -> None:
    encoded = cbor2.dumps(document)
    assert not has_other_keys_of_cbor(encoded)
    assert not has_other_keys_of_cbor(b"\x9f" + encoded + b"\xbf\x7f\x61a\xff" + encoded + b"\xff\xff")
    assert not has_other_keys_of_cbor(b"\x82\xa1\x01\x9f" + encoded + b"\xff\xf5")
    for key in (cbor2.dumps(other), b"\x81" + encoded, b"\xc1\x01"):
        assert has_other_keys_of_cbor(b"\x82" + encoded + b"\xa2\x01" + encoded + key + encoded)
        assert has_other_keys_of_cbor(b"\xbf\x01" + encoded + key + encoded + b"\xff")


@both
def test_a_payload_of_another_format_is_recognised(kind: type[Decoder], encode: Any) -> None:
    assert reason(kind(), b'{"a": 1}')[1].endswith('JSON: format = "json"')
    other = next(each for each in KINDS if each != kind.name)
    _, others_encode = KINDS[other]
    said = reason(kind(), others_encode([{"temperature": 21.5}, {"temperature": 21.5}]))[1]
    assert said.endswith(f'format = "{other}"')
