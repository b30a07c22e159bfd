"""What every decoder of the registry promises, whatever it is sent."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, seed, settings
from hypothesis import strategies as st

from edge.core.decoders import DECODERS, Decoded, Decoder, Repetition
from edge.core.messages import REASONS, Refused

if TYPE_CHECKING:
    from edge.core.messages import Refusal

LIMIT = 262_144
"""Bytes of the largest payload that the intake hands to a decoder by default."""

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


def outcome(decoder: Decoder, payload: bytes) -> Decoded | Refusal:
    try:
        return decoder.decode(payload)
    except Refused as refused:
        return refused.refusal


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
            assert sample.time is None or (type(sample.time) is float and math.isfinite(sample.time))
            sample.path.encode()


@every_decoder
@seed(2)
@settings(max_examples=100, database=None)
@given(sent=st.lists(payloads, min_size=1, max_size=6))
def test_what_was_sent_before_changes_nothing(kind: type[Decoder], sent: list[bytes]) -> None:
    decoder = kind()
    once = [outcome(decoder, payload) for payload in sent]
    again = [outcome(decoder, payload) for payload in reversed(sent)][::-1]
    assert once == again == [outcome(kind(), payload) for payload in sent]


@every_decoder
def test_what_was_handed_out_is_not_shared(kind: type[Decoder]) -> None:
    decoder = kind()
    decoder.decode(b"21.5").samples.clear()
    assert len(decoder.decode(b"21.5").samples) == 1


@every_decoder
@pytest.mark.parametrize(
    "payload",
    [
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


@every_decoder
def test_a_hundred_thousand_levels_are_refused(kind: type[Decoder]) -> None:
    for payload in (b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000):
        read = outcome(kind(), payload)
        assert not isinstance(read, Decoded)
        assert read.reason in {"too_deep", "malformed"}


@every_decoder
def test_nothing_of_the_payload_but_names_is_told_on(kind: type[Decoder]) -> None:
    for payload in (
        b'{"value": "secret"}',
        b'{"a": "secret"}',
        b'{"ts": "secret", "a": 1}',
        b"secret",
        b'["secret"]',
    ):
        assert "secret" not in repr(outcome(kind(), payload))


@every_decoder
def test_it_says_what_a_repetition_a_time_and_a_retained_message_mean(kind: type[Decoder]) -> None:
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
