"""Objects of many numbers and arrays of objects are read as rows: faster, with the same result as one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import parse
from edge.core.intake.decoders import FieldsDecoder
from edge.core.intake.topic_cache import MOST_ROWS, CachedTopic
from edge.core.model.readings.messages import Message, Refused, Row, Sample
from edge.core.model.readings.reading_columns import ReadingColumns
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

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
TIMES = st.sampled_from([NOW, NOW + 1.0, int(NOW) + 2, int(NOW + 3) * 1000, "2023-11-14T22:13:24Z", NOW + 1e6])
ODD = st.one_of(VALUES, st.sampled_from([NOW + 1e6, 5.0, "never", 1e30]))


@st.composite
def arrays(draw: st.DrawFn) -> list[Any]:
    """Arrays of similar objects that differ in at most one respect."""
    keys = draw(st.sampled_from([["value"], ["a"], ["b", "a"], ["value", "unit"], ["a", "b", "e"]]))
    has_names, has_time = draw(st.booleans()), draw(st.booleans())
    made: list[Any] = []
    for place in range(draw(st.integers(4, 6))):
        element: dict[str, Any] = {"ts": draw(TIMES)} if has_time else {}
        for key in keys:
            name = f"{key}{place}" if has_names and key != "value" else key
            element[name] = "Cel" if key == "unit" else draw(st.one_of(st.floats(-1e6, 1e6), st.integers(-5, 5)))
        made.append(element)
    if draw(st.booleans()):
        odd = draw(st.integers(0, len(made) - 1))
        made[odd] = draw(
            st.one_of(OBJECTS, VALUES, st.just({**made[odd], draw(st.sampled_from(["ts", *KEYS, *keys])): draw(ODD)}))
        )
    return made


ARRAYS = st.one_of(arrays(), st.lists(st.one_of(OBJECTS, VALUES), max_size=6))


def read(decoder: FieldsDecoder, payload: bytes) -> object:
    try:
        decoded = decoder.decode(payload)
    except Refused as refused:
        return refused.refusal
    return list(decoded.samples), decoded.refusals


@given(st.lists(st.one_of(OBJECTS, PLAIN, ARRAYS), min_size=1, max_size=8))
def test_a_decoder_gives_the_same_for_a_row_as_one_by_one(documents: list[Any]) -> None:
    knows = FieldsDecoder(readings=12)
    for each in documents * 2:
        payload = json.dumps(each).encode()
        with patch("edge.core.intake.decoders.fields.FEWEST", 10**9):
            one_by_one = read(FieldsDecoder(readings=12), payload)
        assert read(knows, payload) == read(FieldsDecoder(readings=12), payload) == one_by_one


@given(st.integers(1, 6))
def test_shapes_are_forgotten_before_they_are_too_large(most: int) -> None:
    with patch("edge.core.intake.decoders.documents.shapes.MOST_BYTES", most * 900):
        knows = FieldsDecoder()
        for turn in range(20):
            payload = json.dumps({f"{turn % 9}{key}": float(turn) for key in "abcd"}).encode()
            assert read(knows, payload) == read(FieldsDecoder(), payload)
            assert len(knows._shapes) <= most


def test_a_row_is_a_sequence_of_samples() -> None:
    row = Row(("a", "b"), [1.0, 2.0], [3.0, 4.0])
    assert list(row) == [Sample("a", 1.0, 3.0), Sample("b", 2.0, 4.0)]
    assert row[-1:] == [Sample("b", 2.0, 4.0)]
    assert len(row) == 2
    assert list(Row(("a",), [1.0], None)) == [Sample("a", 1.0, None)]


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
    yield made.counters


@pytest.mark.long
@given(
    st.lists(st.tuples(st.sampled_from(["p/1", "p/2", "n/1", "r/1"]), st.one_of(PLAIN, OBJECTS, ARRAYS)), max_size=12),
    st.integers(2, 6),
)
def test_an_intake_accepts_the_same_of_a_row_as_of_its_samples(told: list[tuple[str, Any]], limit: int) -> None:
    messages = [
        Message(topic, json.dumps(fields).encode(), NOW + place) for place, (topic, fields) in enumerate([*told, *told])
    ]
    with patch("edge.core.intake.decoders.fields.FEWEST", 10**9):
        expected = list(taken(plant(limit), messages))
    assert list(taken(plant(limit), messages)) == expected


def test_packs_of_known_sensors_are_rows() -> None:
    made = plant(200)
    for fields_of in (
        lambda turn: {"ts": NOW + turn, **{f"s{each}": 0.5 * each for each in range(100)}},
        lambda turn: [{"ts": NOW + turn, f"s{each}": 0.5 * each} for each in range(100)],
    ):
        messages = [Message("p/1", json.dumps(fields_of(turn)).encode(), NOW) for turn in range(3)]
        with patch(
            "edge.core.intake.intake.ReadingColumns.add_row", autospec=True, side_effect=ReadingColumns.add_row
        ) as add_row:
            batches = [made.process([each]).journal.batch for each in messages]  # type: ignore[union-attr]
        assert add_row.call_count >= 2
        assert batches[2].slots.tolist() == list(range(100))
        assert batches[2].values.tolist() == [0.5 * each for each in range(100)]
        assert np.unique(batches[2].times).tolist() == [NOW + 2]


def test_only_the_implausible_part_of_an_array_is_refused() -> None:
    for off, reason in ((1e6, "time_in_future"), (1 - NOW, "time_implausible")):
        made = plant()
        known = [{"ts": NOW + place, "a": 1.0} for place in range(4)]
        *_, refusals, (_, values), times, _ = taken(
            made,
            [
                Message("p/1", json.dumps(known).encode(), NOW + 4),
                Message(
                    "p/1",
                    json.dumps(
                        [{**each, "ts": each["ts"] + 4} for each in known[:3]] + [{"ts": NOW + off, "a": 2.0}]
                    ).encode(),
                    NOW + 8,
                ),
            ],
        )
        assert [each.reason for each in refusals] == [reason]
        assert values == [1.0] * 3
        assert times == [NOW + 4, NOW + 5, NOW + 6]


def test_the_sensors_of_rows_that_are_repeated_are_looked_up_once() -> None:
    topic, grown = CachedTopic("p/1", None, is_own=False), list[int]()
    assert topic.row(("a", "b"), grown.append) is None
    topic.slots.update({"a": 3, "b": 1})
    row = topic.row(("a", "b"), grown.append)
    assert row is not None
    assert row.tolist() == [3, 1]
    assert topic.row(("a", "b"), grown.append) is row
    topic.slots.update({f"s{each}": each for each in range(2 * MOST_ROWS)})
    for each in range(2 * MOST_ROWS):
        other = topic.row((f"s{each}",), grown.append)
        assert other is not None
        assert other.tolist() == [each]
    assert len(grown) == MOST_ROWS, "however many rows there are"
    assert min(grown) > 0
