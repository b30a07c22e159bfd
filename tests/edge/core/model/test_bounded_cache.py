"""A cache bounded in bytes, and its users in the pipeline: hostile topics and keys cost bounded memory."""

from __future__ import annotations

import json
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from config.loading import parse
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.model.bounded_cache import ENTRY_BYTES, BoundedCache, size_of
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3000), st.booleans()), max_size=60))
def test_entries_never_exceed_the_limit_and_cached_values_are_right(steps):
    cache: BoundedCache[int, int] = BoundedCache(4000)
    sizes: dict[int, int] = {}
    for key, size, grows in steps:
        if grows:
            cache.grow(size)
        else:
            cache.put(key, size, size)
        sizes[key] = size
        assert cache.size <= 4000
        assert len(cache) * ENTRY_BYTES <= 4000
        assert all(cache.get(each) in {None, *(size for _, size, _ in steps)} for each in range(21))


def test_an_entry_that_is_too_large_is_not_kept_and_displaces_no_other():
    cache: BoundedCache[str, int] = BoundedCache(1000)
    cache.put("a", 1, 10)
    cache.put("b", 2, 1000)
    assert (cache.get("a"), cache.get("b")) == (1, None)


def test_entries_beyond_the_limit_are_forgotten():
    cache: BoundedCache[str, int] = BoundedCache(1000)
    cache.put("a", 1, 10)
    cache.grow(900)
    assert cache.get("a") is None
    cache.put("b", 2, 10)
    assert cache.get("b") == 2


def test_keys_of_any_length_fill_no_decoder():
    decoder = FieldsDecoder()
    with patch("edge.core.intake.decoders.documents.shapes.MOST_BYTES", 100_000):
        decoder = FieldsDecoder()
    for number in range(100):
        decoder.decode(json.dumps({"value": 1.0, f"{number}{'k' * 10_000}": "x"}).encode())
        assert len(decoder._shapes) <= 10


def test_topics_of_any_length_fill_no_intake():
    with patch("edge.core.intake.intake.SOURCES_BYTES", 100_000):
        pipeline = make_pipeline(parse('[[input]]\ntopic = "#"\nsensor = "{field}"\n').configuration)
    for number in range(1000):
        pipeline.process([Message(f"{number}/{'t' * 500}", b'{"a": 1}', 1.7e9 + number)])
        assert pipeline.intake._sources.size <= 100_000
        assert len(pipeline.intake._sources) <= 100_000 // (500 + ENTRY_BYTES)
    assert pipeline.counters.readings_taken == 1000


def test_many_paths_on_few_topics_fill_no_intake():
    with patch("edge.core.intake.intake.SOURCES_BYTES", 200_000):
        pipeline = make_pipeline(parse('[[input]]\ntopic = "#"\nsensor = "{field}"\n').configuration)
    payload = json.dumps({f"path{number}": 1.0 for number in range(500)}).encode()
    for number in range(50):
        pipeline.process([Message(f"topic{number}", payload, 1.7e9 + number)])
        assert sum(len(each.slots) for each in pipeline.intake._sources._entries.values()) <= 200_000 // 150


class CountedKey(str):
    """A key that counts comparisons."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        CountedKey.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_the_meaning_of_keys_is_looked_up_in_linear_time():
    for number in (1000, 2000):
        CountedKey.compared = 0
        FieldsDecoder()._shape(tuple(CountedKey(f"key{each}") for each in range(number)))
        assert CountedKey.compared <= 10 * number


def test_a_text_counts_with_its_size_in_memory():
    assert size_of("a" * 1000) < size_of("\N{GRINNING FACE}" * 1000) // 3
