"""Objects of many numbers are taken as rows: quicker, and never another thing than field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from config import parse
from edge.core.decoders import FieldsDecoder
from edge.core.messages import Message, Refused, Row, Sample
from edge.core.pipeline import Pipeline
from edge.shell.assembly import make_pipeline

NOW = 1_700_000_000.0
KEYS = ["a", "b", "c/d", "Ts", "time", "e", "f", "", "value", "x" * 201]
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-5, 5),
    st.sampled_from(["1.5", "on", True, None, [1.0, 2.0], {"g": 3.0}, 1e308, -1e308, 10**400, NOW, NOW + 1e6, 12.0]),
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=3, max_size=8)
PLAIN = st.tuples(st.permutations(["a", "b", "e", "f", "ts"]), st.integers(0, 3)).map(
    lambda made: {key: NOW + made[1] if key == "ts" else float(made[1]) for key in made[0]}
)


def read(decoder: FieldsDecoder, payload: bytes) -> object:
    try:
        decoded = decoder.decode(payload)
    except Refused as refused:
        return refused.refusal
    return list(decoded.samples), decoded.refusals


@given(st.lists(st.one_of(OBJECTS, PLAIN), min_size=1, max_size=8))
def test_a_decoder_that_has_seen_a_shape_says_what_one_does_that_has_not(objects: list[dict[str, Any]]) -> None:
    knows = FieldsDecoder()
    for each in objects * 2:
        payload = json.dumps(each).encode()
        assert read(knows, payload) == read(FieldsDecoder(), payload)


@given(st.integers(1, 6))
def test_shapes_are_forgotten_before_they_are_too_many(most: int) -> None:
    with patch("edge.core.decoders.fields.REMEMBERED", 5 * most):
        knows = FieldsDecoder()
        for turn in range(20):
            payload = json.dumps({f"{turn % 9}{key}": float(turn) for key in "abcd"}).encode()
            assert read(knows, payload) == read(FieldsDecoder(), payload)
            assert len(knows._shapes._known) <= most


def test_a_row_is_a_sequence_of_samples() -> None:
    row = Row(("a", "b"), [1.0, 2.0], 3.0)
    assert list(row) == [Sample("a", 1.0, 3.0), Sample("b", 2.0, 3.0)]
    assert row[-1:] == [Sample("b", 2.0, 3.0)]
    assert len(row) == 2


def plant(limit: int = 6) -> Pipeline:
    text = f'[gateway]\nname = "gw"\n[limits]\nsensors = {limit}\n'
    for topic, more in (("r/#", 'repetition = "full_repeat"'), ("n/#", 'time = "arrival"'), ("p/#", "")):
        text += f'[[input]]\ntopic = "{topic}"\nsensor = "{{field}}"\n{more}\n'
    return make_pipeline(parse(text).configuration)


def taken(made: Pipeline, messages: list[Message]) -> Iterator[object]:
    for each in messages:
        step = made.process([each])
        part = step.journal
        yield [letter.refusal for letter in step.dead_letters]
        yield None if part is None else [array.tolist() for array in (part.batch.slots, part.batch.values)]  # type: ignore[union-attr]
        yield None if part is None else part.batch.times.tolist()  # type: ignore[union-attr]
    yield made.accounts


@given(
    st.lists(st.tuples(st.sampled_from(["p/1", "p/2", "n/1", "r/1"]), st.one_of(PLAIN, OBJECTS)), max_size=12),
    st.integers(2, 6),
)
def test_an_intake_takes_of_a_row_what_it_takes_of_its_samples(told: list[tuple[str, Any]], limit: int) -> None:
    messages = [
        Message(topic, json.dumps(fields).encode(), NOW + place) for place, (topic, fields) in enumerate([*told, *told])
    ]
    with patch("edge.core.decoders.fields.FEWEST", 10**9):
        expected = list(taken(plant(limit), messages))
    assert list(taken(plant(limit), messages)) == expected


def test_packs_of_known_sensors_are_rows() -> None:
    made = plant(200)
    messages = [
        Message("p/1", json.dumps({"ts": NOW + turn, **{f"s{each}": 0.5 * each for each in range(100)}}).encode(), NOW)
        for turn in range(3)
    ]
    made.process(messages[:2])
    batch = made.process(messages[2:]).journal.batch  # type: ignore[union-attr]
    assert batch.slots.tolist() == list(range(100))
    assert batch.values.tolist() == [0.5 * each for each in range(100)]
    assert np.unique(batch.times).tolist() == [NOW + 2]
    assert made.intake._sources["p/1"].rows
