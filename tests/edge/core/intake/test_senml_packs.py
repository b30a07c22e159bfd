"""Every SenML pack gives the same result as with a slow resolver, in both encodings, read as columns or not."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given, seed, settings
from hypothesis import strategies as st
from senml_packs import as_cbor, as_json

from edge.core.intake.decoders import SenmlCborDecoder, SenmlDecoder
from edge.core.model.readings.messages import Refused, Row, Sample

# The slow resolver.

names = st.sampled_from(["a", "b/", "/c", "", "urn:dev:ow:1:"])
seconds = st.one_of(st.integers(-10, 10), st.sampled_from([0.5, 1.7e9, 1_700_000_001, 2.0**27]))
numbers = st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6), st.sampled_from([1e308, -1e308]))
records = st.fixed_dictionaries(
    {},
    optional={
        "bn": names,
        "bt": seconds,
        "bu": st.sampled_from(["V", "A"]),
        "n": names,
        "u": st.sampled_from(["V", "lon"]),
        "t": seconds,
        "v": numbers,
        "ut": st.just(5),
        "extra": st.just("x"),
    },
)
rare = st.fixed_dictionaries(
    {},
    optional={
        "bv": numbers,
        "bs": numbers,
        "s": numbers,
        "vb": st.booleans(),
        "vs": st.sampled_from(["on", "x"]),
        "bver": st.just(10),
        "v": st.one_of(numbers, st.just("1")),
    },
)
packs = st.lists(
    st.one_of(records, records, records, st.builds(lambda a, b: a | b, records, rare)), min_size=1, max_size=8
)


def has_own_unit(units: dict[str, str], name: str, unit: str) -> bool:
    """Whether a value is in its sensor's unit: volts and amperes can't be converted, and longitude is a mere label."""
    return not unit or units.setdefault(name, unit) in {unit, "lon"}


def naive(pack: list[dict[str, Any]], words: dict[str, float]) -> list[tuple[str, float, float]]:
    """The samples of a pack according to the text of the RFC; None if it isn't clean."""
    found: list[tuple[str, float, float]] = []
    units: dict[str, str] = {}
    for index, record in enumerate(pack):
        so_far = pack[: index + 1]

        def base(label: str, default: Any, so_far: list[dict[str, Any]] = so_far) -> Any:
            return next((each[label] for each in reversed(so_far) if label in each), default)

        kinds = [each for each in ("v", "vs", "vb", "vd") if each in record]
        if len(kinds) > 1 or (not kinds and "s" not in record):
            continue
        name = (base("bn", "") + record.get("n", "")).strip("/")
        unit, base_unit = record.get("u"), base("bu", None)
        if unit and "n" not in record and base_unit and unit != base_unit:
            name = f"{name}/{unit}".strip("/")
        time = float(base("bt", 0) + record.get("t", 0))
        value: Any = None
        if "v" in record and not isinstance(record["v"], str):
            value = float(base("bv", 0) + record["v"])
        elif kinds and kinds != ["v"]:
            given = record[kinds[0]]
            value = words.get(str(given).lower() if isinstance(given, bool) else given)
        if value is not None and math.isfinite(value) and has_own_unit(units, name, record.get("u", base("bu", ""))):
            found.append((name, value, time))
        if "s" in record or base("bs", None) is not None:
            whole = float(base("bs", 0) + record.get("s", 0))
            if math.isfinite(whole):
                found.append((f"{name}/sum".strip("/"), whole, time))
    return sorted(found, key=lambda each: each[2])


@pytest.mark.long
@seed(3)
@settings(max_examples=1000, database=None)
@given(pack=packs)
@example(pack=[{"bn": "a", "v": 1}] * 5)
def test_every_pack_gives_the_result_of_the_slow_resolver_in_both_encodings(pack: list[dict[str, Any]]) -> None:
    words = {"true": 1.0, "on": 2.0}
    expected = naive(pack, words)
    decoder, cbor_decoder = SenmlDecoder(values=words), SenmlCborDecoder(values=words)
    for _ in range(2):
        for decode, payload in ((decoder.decode, as_json(pack)), (cbor_decoder.decode, as_cbor(pack))):
            try:
                found = [tuple(each) for each in decode(payload).samples]
            except Refused:
                found = []
            assert found == expected


def test_packs_of_one_shape_are_read_as_columns_with_their_own_names_and_times() -> None:
    decoder = SenmlDecoder()
    for device in ("a/", "b/"):
        pack = [{"bn": device, "bt": 1e9, "bver": 10}, *({"n": f"s{each}", "t": each, "v": each} for each in range(5))]
        decoded = decoder.decode(as_json(pack))
        assert isinstance(decoded.samples, Row)
        assert list(decoded.samples) == [Sample(f"{device}s{each}", float(each), 1e9 + each) for each in range(5)]
