"""The contract of all registered decoders, for any payload."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING

import cbor2
import msgspec
import pytest
from hypothesis import example, given, seed, settings
from hypothesis import strategies as st
from sparkplug_node import INT16, STRING, metric
from sparkplug_node import payload as sparkplug

from edge.core.intake.decoders import DECODERS, Decoded, Decoder, Repetition
from edge.core.intake.decoders.notation.times import LocalTime
from edge.core.model.readings.messages import REASONS, Refused

if TYPE_CHECKING:
    from edge.core.model.readings.messages import Refusal

LIMIT = 262_144
"""Size in bytes of the largest payload that the intake passes to a decoder by default."""

every_decoder = pytest.mark.parametrize("kind", DECODERS.values(), ids=DECODERS.keys())

numbers = st.one_of(
    st.integers(),
    st.floats().map(repr),
    st.sampled_from(["1e400", "-1e400", "9" * 400, "-0", "1_0", "0x1", "٣"]),
).map(str)
keys = st.sampled_from(["value", "ts", "Time", "t", "a", "b/c", "", "\\u0000", "é", "k" * 300])
leaves = st.one_of(
    numbers, st.sampled_from(['"x"', '"ON"', "true", "null", "NaN", '"2019-11-03T19:34:28"', '"\\ud800"'])
)
texts = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda each: f"[{','.join(each)}]"),
        st.lists(st.tuples(keys, inner), max_size=4).map(
            lambda each: "{" + ",".join(f'"{key}":{value}' for key, value in each) + "}"
        ),
    ),
    max_leaves=12,
)
payloads = st.one_of(st.binary(max_size=200), texts.map(str.encode), numbers.map(str.encode))

DOCUMENT = {"ts": 1_700_000_000.5, "a": {"b": 21.5, "c": 3}, "list": [1, "x", True], "n": -70_000}
EXAMPLES: dict[str, list[bytes]] = {
    "number": [b"21.5"],
    "json": [b'{"a": 21.5}', json.dumps([DOCUMENT] * 2).encode()],
    "text": [b"T=21.5;H=48;ts=1700000000", b"temp=21.5&hum=48&dateutc=2023-11-14+22%3A13%3A20", b"a: 1\nb: 2\n"],
    "msgpack": [msgspec.msgpack.encode({"a": 21.5}), msgspec.msgpack.encode([DOCUMENT] * 2)],
    "cbor": [cbor2.dumps({"a": 21.5}), cbor2.dumps([DOCUMENT] * 2), bytes.fromhex("9fbf6161c48221196ab3ffff")],
    "senml": [
        b'[{"bn":"a/","bt":1.7e9,"bver":10,"n":"x","u":"V","v":1},{"n":"y","t":-5,"v":2.5,"s":3}]',
        json.dumps([{"bn": "a/", "n": "x", "v": each} for each in range(5)]).encode(),
        b'[{"n":"a","v":1},',
    ],
    "senml-cbor": [
        cbor2.dumps([{-2: "a/", -3: 1.7e9, -1: 10, 0: "x", 2: 1}, {0: "y", 6: -5, 2: 2.5, 5: 3}]),
        bytes.fromhex("9fa20061610201"),
    ],
    "influx": [
        b"cpu,cpu=cpu0,host=gw idle=98.2,user=1i,n=3u 1700000000000000000\ncpu,cpu=cpu1,host=gw idle=98.2,user=1i,n=3u",
        b'# c\nm\\,a,t\\ g=a\\=b f\\ 1=1.5,s="a, b\nc",b=t 17\n\n',
    ],
    "sparkplug": [
        sparkplug([metric(1.5, name="x"), metric(2, INT16, alias=3)], timestamp=1_700_000_000_000, seq=1),
        sparkplug([metric("secret", STRING, name="x"), metric(2, INT16, name="y/z", is_historical=True)]),
    ],
}
"""Payloads of each format that give readings."""


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A valid payload of any format, with a few bytes changed, truncated, or followed by another payload."""
    payload = bytearray(draw(st.sampled_from([each for every in EXAMPLES.values() for each in every])))
    for _ in range(draw(st.integers(0, 3))):
        payload[draw(st.integers(0, len(payload) - 1))] = draw(st.integers(0, 255))
    begin, end = draw(st.integers(0, 2)), draw(st.integers(1, len(payload)))
    return bytes(payload[begin:end] if draw(st.booleans()) else payload * draw(st.integers(1, 3)))


payloads = st.one_of(payloads, mangled())


def outcome(decoder: Decoder, payload: bytes) -> Decoded | Refusal:
    try:
        read = decoder.decode(payload)
    except Refused as refused:
        return refused.refusal
    return read._replace(samples=list(read.samples))


@pytest.mark.long
@every_decoder
@seed(1)
@settings(max_examples=250, database=None)
@given(payload=payloads)
@example(payload=b"")
@example(payload=b"\xef\xbb\xbf")
@example(payload=b'{"value": 1' * 50)
def test_any_bytes_give_finite_samples_and_known_reasons_or_are_refused(kind: type[Decoder], payload: bytes) -> None:
    read = outcome(kind(), payload)
    refusals = read.refusals if isinstance(read, Decoded) else [read]
    assert {each.reason for each in refusals} <= REASONS.keys()
    if isinstance(read, Decoded):
        assert read.samples or read.refusals
        for sample in read.samples:
            assert type(sample.value) is float
            assert math.isfinite(sample.value)
            assert sample.time is None or (type(sample.time) in {float, LocalTime} and math.isfinite(sample.time))
            sample.path.encode()


@every_decoder
@seed(2)
@settings(max_examples=100, database=None)
@given(sent=st.lists(payloads, min_size=1, max_size=6))
def test_earlier_payloads_have_no_influence(kind: type[Decoder], sent: list[bytes]) -> None:
    decoder = kind()
    once = [outcome(decoder, payload) for payload in sent]
    again = [outcome(decoder, payload) for payload in reversed(sent)][::-1]
    assert once == again == [outcome(kind(), payload) for payload in sent]


@every_decoder
def test_returned_objects_are_not_shared(kind: type[Decoder]) -> None:
    decoder = kind()
    example, *_ = EXAMPLES[kind.name]
    before = len(decoder.decode(example).samples)
    samples = decoder.decode(example).samples
    if isinstance(samples, list):
        samples.clear()
    assert len(decoder.decode(example).samples) == before > 0


@every_decoder
@pytest.mark.parametrize(
    "payload",
    [
        b"\x91" * LIMIT,
        b"\x81" * LIMIT,
        b"\x9f" * LIMIT,
        b"\xbf\x61a" * (LIMIT // 3),
        b"\xc6" * LIMIT,
        b"\xdc\xff\xff" + b"\x01" * 0xFFFF,
        b"\x9a\x00\x03\xff\xff" + b"\x01" * 0x3FFFF,
        b"\xde\xff\xff" + b"\xa0\x01" * 0xFFFF,
        b"\xc2\x5a\x00\x03\xff\xf0" + b"\xff" * 0x3FFF0,
        b"[" * LIMIT,
        b'{"a":' * (LIMIT // 5),
        b"9" * LIMIT,
        b"0." + b"9" * LIMIT,
        b"1e" + b"9" * LIMIT,
        b'"' + b'\\"' * (LIMIT // 2),
        b'"' * LIMIT,
        b'NaN"' + b'\\"' * (LIMIT // 2),
        b"\\" * LIMIT,
        b" " * LIMIT,
        b"\xff" * LIMIT,
        b"[" + b"NaN," * (LIMIT // 4),
        b"9" * 300 + b" " + b"9" * 300 * (LIMIT // 600),
        b"[" + b"1," * (LIMIT // 2) + b"1]",
        b"[" + b"{}," * (LIMIT // 3) + b"1]",
        b"[" + b'"x",' * (LIMIT // 4) + b"1]",
        b'{"a":[' + b"[]," * (LIMIT // 3) + b"1]}",
        b'{"' + b"k" * (LIMIT // 2) + b'":[' + b"1," * (LIMIT // 4) + b"1]}",
        b'{"x":1,"ts":"' + b"1" * LIMIT + b'"}',
    ],
    ids=lambda payload: f"{payload[:8]!r}_{len(payload)}",
)
def test_the_worst_payloads_give_little(kind: type[Decoder], payload: bytes) -> None:
    read = outcome(kind(), payload)
    if isinstance(read, Decoded):
        assert len(read.samples) + len(read.refusals) <= 10_000
        paths = [each.path for each in read.samples] + [each.path for each in read.refusals]
        held = sum(map(len, paths))
        assert held <= 10 * LIMIT
    else:
        assert len(read.detail) + len(read.path) <= 400


MANY = 50_000
NAMES = [f"k{each}" for each in range(MANY)]
LARGE = {
    "json": lambda: json.dumps(dict.fromkeys(NAMES, 1)).encode(),
    "text": "\n".join(f"{name}=1" for name in NAMES).encode,
    "msgpack": lambda: msgspec.msgpack.encode(dict.fromkeys(NAMES, 1)),
    "cbor": lambda: cbor2.dumps(dict.fromkeys(NAMES, 1)),
    "senml": lambda: json.dumps([{"n": name, "v": 1} for name in NAMES]).encode(),
    "senml-cbor": lambda: cbor2.dumps([{0: name, 2: 1} for name in NAMES]),
    "influx": ("m " + ",".join(f"{name}=1" for name in NAMES)).encode,
    "sparkplug": lambda: sparkplug([metric(1.5, name=name) for name in NAMES]),
}
"""Payloads of as many values, each with its own name."""


@pytest.mark.long
@pytest.mark.parametrize("name", LARGE)
def test_many_names_are_read_in_linear_time(name: str) -> None:
    # a decoder that isn't linear would take minutes here
    read = outcome(DECODERS[name](readings=2 * MANY), LARGE[name]())  # type: ignore[call-arg]
    assert isinstance(read, Decoded)
    assert len(read.samples) == MANY


def test_every_format_with_many_names_is_among_them() -> None:
    assert LARGE.keys() == DECODERS.keys() - {"number"}


@every_decoder
def test_a_hundred_thousand_levels_are_refused(kind: type[Decoder]) -> None:
    for payload in (b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000):
        read = outcome(kind(), payload)
        assert not isinstance(read, Decoded)
        assert read.reason in {"too_deep", "malformed"}


@every_decoder
def test_nothing_but_names_is_taken_over_from_the_payload(kind: type[Decoder]) -> None:
    for payload in (
        b'{"value": "secret"}',
        b'{"a": "secret"}',
        b'{"ts": "secret", "a": 1}',
        b"secret",
        b"m f=secret",
        b'm f="secret"',
        b'[{"n": "a", "vs": "secret"}]',
        b'["secret"]',
    ):
        assert "secret" not in repr(outcome(kind(), payload))


@every_decoder
def test_it_declares_the_meaning_of_repetitions_times_and_retained_messages(kind: type[Decoder]) -> None:
    assert isinstance(kind.repetition, Repetition)
    statements = kind.__doc__ or ""
    assert [each for each in ("Repetition:", "Time:", "Retained:") if each not in statements] == []
    assert kind.repetition.value.split("_")[0] in statements


@every_decoder
def test_it_is_a_frozen_dataclass_that_works_without_options(kind: type[Decoder]) -> None:
    decoder = kind()
    assert dataclasses.is_dataclass(decoder)
    assert decoder == kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(decoder, "values", {})  # noqa: B010 - plain assignment is what the type checker forbids


def test_the_registry_knows_each_by_its_own_name() -> None:
    assert {name: kind.name for name, kind in DECODERS.items()} == {name: name for name in DECODERS}
    assert {"number", "json"} <= DECODERS.keys()
