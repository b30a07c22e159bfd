"""Senders that take turns on a topic, told apart by a field whatever it is called."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

import pytest

from edge.core.intake.decoders.documents.senders.turns import (
    ALTERNATING,
    MOST,
    SENDERS,
    alternating_among,
    naming_keys,
    scalars_of,
    sender_among,
)

SHARED = frozenset({1})


def among(*documents: Any) -> str | None:
    return sender_among([scalars_of(each) for each in documents], [SHARED] * len(documents))


def turns(key: str, *values: Any, count: int = 12, **more: Any) -> list[dict[str, Any]]:
    """Documents of senders that take turns."""
    return [{key: each, "temp": 20 + place / 10, **more} for place, each in enumerate(islice(cycle(values), count))]


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("nodo", ["N1", "N2"]),
        ("geraet", ["Keller 1", "Garten 2"]),
        ("wer", ["24:6F:28:AA:00:01", "24:6F:28:AA:00:02"]),
        ("uhr", ["0ACC1F", "1A2D3E"]),
        ("ort", ["Keller", "Garten", "Dach"]),
        ("topic", ["house/attic", "house/cellar"]),
        ("src", [17, 23]),
        ("slave", [1, 2, 3]),
        ("pump_id", [1, 2]),
        ("station", [4, 5]),
    ],
)
def test_designations_names_that_come_in_turn_and_numbers_of_things_tell_senders_apart(
    key: str, values: list[Any]
) -> None:
    assert among(*turns(key, *values)) == key


def test_two_names_do_if_their_readings_have_ranges_of_their_own() -> None:
    apart = [{"ort": ort, "temp": base + n / 10} for n in range(6) for ort, base in (("Keller", 8), ("Dach", 25))]
    assert among(*apart) == "ort"
    assert among(*({**each, "temp": 20 + place % 5} for place, each in enumerate(apart))) is None
    assert among(*({**each, "temp": 8 if each["ort"] == "Keller" else 25} for each in apart)) is None
    assert among(*({**each, "temp": str(each["temp"])} for each in apart)) == "ort"


@pytest.mark.parametrize(
    "documents",
    [
        turns("zustand", "offen", "zu"),
        turns("state", "S1", "S2"),
        turns("pump", "on", "off", "auto"),
        turns("wind", "N", "NE", "E", "NE", "N", "NW"),
        turns("nodo", *["N1"] * 6, *["N2"] * 6),
        turns("nodo", "N1", "N2", count=3),
        turns("nodo", *(f"N{n}" for n in range(12))),
        turns("nodo", *(f"N{n}" for n in range(SENDERS + 1)), count=60),
        turns("topic", "attic", "cellar"),
        turns("method", "status/full", "status/part"),
        turns("level", 3, 4),
        turns("battery", 97, 96),
        turns("value", "21.5", "22.5"),
    ],
)
def test_states_readings_and_what_does_not_come_again_do_not(documents: list[dict[str, Any]]) -> None:
    assert among(*documents) is None


@pytest.mark.parametrize(("key", "states"), [("pumpe", ("ein", "aus")), ("betriebsart", ("Tag", "Nacht"))])
def test_a_state_does_not_in_other_languages_although_readings_depend_on_it(key: str, states: tuple[str, str]) -> None:
    assert among(*({key: states[n % 2], "bar": 3 * (n % 2) + n / 100} for n in range(14))) is None
    assert among(*({"raum": states[n % 2] + "raum", "bar": 3 * (n % 2) + n / 100} for n in range(14))) == "raum"


@pytest.mark.parametrize(
    ("key", "words", "count", "found"),
    [
        ("ort", ("Keller", "Dach"), ALTERNATING, "ort"),
        ("ort", ("Keller", "Dach"), ALTERNATING - 1, None),
        ("ort", ("Keller", "Keller", "Dach"), ALTERNATING, None),
        ("ort", ("Keller",), ALTERNATING, None),
        ("pumpe", ("ein", "aus"), ALTERNATING, None),
        ("zustand", ("Tag", "Nacht"), ALTERNATING, None),
        ("slave", (1, 2), ALTERNATING, None),
    ],
)
def test_two_words_that_alternate_may(key: str, words: tuple[Any, ...], count: int, found: str | None) -> None:
    documents = [scalars_of(each) for each in turns(key, *words, count=count)]
    assert alternating_among(documents, [SHARED] * count) == found
    assert alternating_among(documents, [frozenset({n % 2}) for n in range(count)]) is None


def test_a_number_in_an_object_does_only_with_ranges_of_their_own() -> None:
    alike = [{"radio": {"slot_id": n % 2 + 1}, "temp": 20 + n % 3} for n in range(12)]
    assert among(*alike) is None
    assert among(*({**each, "temp": n + 100 * (n % 2)} for n, each in enumerate(alike))) == "radio.slot_id"


def test_senders_without_a_path_in_common_are_told_apart_already() -> None:
    documents = [scalars_of(each) for each in turns("nodo", "N1", "N2")]
    assert sender_among(documents, [frozenset({n % 2}) for n in range(len(documents))]) is None


def test_the_only_element_of_a_list_is_looked_into_and_named_by_items() -> None:
    documents = [{"gw": "g", "nodes": [{"nid": n % 2, "temp": 20}]} for n in range(8)]
    assert among(*documents) == "nodes[*].nid"
    assert naming_keys("nodes[*].nid", "{topic}/{field}") == {"items": "nodes[*]", "name": "{nid}"}
    assert naming_keys("a.b", "x/{1}") == {"sensor": "x/{1}/{payload.a.b}"}
    assert among(*({"nodes": [*each["nodes"], {"nid": 5, "temp": 1}]} for each in documents)) is None


def test_what_is_looked_at_is_bounded() -> None:
    deep: dict[str, Any] = {"a": 1}
    for _ in range(50):
        deep = {"a": deep}
    assert scalars_of(deep) == {}
    assert len(scalars_of({str(n): n for n in range(10 * MOST)})) == MOST
    assert scalars_of({"a{b": 1, "": 2, "x.y": 3, "ok": True, "k": "v", "n": None}) == {"k": "v"}
    assert scalars_of("text") == scalars_of([1, 2]) == {}
