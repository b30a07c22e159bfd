"""Turns: a field whose values show that several senders take turns on a topic, whatever the field is called.

{"nodo": "N1", "temp": 21.5}, {"nodo": "N2", "temp": 18.0}, {"nodo": "N1", "temp": 21.6}, ...
{"topic": "house/attic", "temp": 21.5}, {"topic": "house/cellar", "temp": 18.0}, ...
{"nodes": [{"nid": 7, "temp": 21.5}]}, {"nodes": [{"nid": 9, "temp": 18.0}]}, ...

A state changes seldom, and a reading is rarely one of few whole numbers; still, a text must look like a designation,
come in the same order again and again, or go with readings of a range of its own, and a number must have a key that
numbers things. Two words that merely alternate may be either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from edge.core.intake.decoders.documents.elements.things import describes, is_designation, is_name, may_name_thing
from edge.core.intake.decoders.documents.keys.identifier_keys import is_identifier
from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.core.intake.decoders.documents.options import identifying_text

Scalars = Mapping[str, str | float]
"""The texts and numbers of a document by the keys that lead to them, joined by dots; see `scalars_of()`."""

FEWEST = 4
"""Minimum number of documents: two senders, each of which comes again."""

DEEPEST, MOST = 4, 40
"""Maximum depth of objects that are looked at, and number of texts and numbers of a document."""

SENDERS = 24
"""Maximum number of values of a field that names senders."""

ALTERNATING = 12
"""Minimum number of documents between which two words alternate, each time, if nothing else tells what they are."""

ELEMENT = "[*]"
"""Stands for the only element of a list in the keys that lead to a value."""

_SEPARATE = 3
"""Minimum number of readings of a sender whose range is compared."""

_UNSUITABLE = re.compile(r"[{}.?/+#\[\]]")
"""Characters that no placeholder of a template may hold."""

_NUMBERS = frozenset({"unit", "slave", "src", "source", "sender", "from", "origin", "number", "nr", "no"})
"""Keys that number senders, besides those of identifiers and of things, as `plain_key()` writes them."""

_STATE_KEYS = frozenset(
    {"zustand", "modus", "betriebsart", "richtung", "stufe", "meldung", "estado", "modo", "etat", "stato", "toestand"}
    | {"betrieb", "stand", "tilstand", "tila"}
)
_STATES = frozenset(
    {"ein", "aus", "an", "auf", "ab", "zu", "offen", "geschlossen", "marche", "arret", "ouvert", "ferme", "aan", "uit"}
    | {
        "abierto",
        "cerrado",
        "encendido",
        "apagado",
        "aperto",
        "chiuso",
        "acceso",
        "spento",
        "dicht",
        "heizen",
        "kuehlen",
    }
)
"""Keys of states, and states, in languages other than that of most keys."""

_HEXADECIMAL = re.compile(r"(?=.*\d)(?:[0-9A-Fa-f]{6,16}|[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){3,7})")


def scalars_of(document: object) -> dict[str, str | float]:
    """The texts and numbers of an object and of the objects in it, and in the only elements of its lists."""
    found: dict[str, str | float] = {}
    for key, value in _within(document, "", DEEPEST):
        found[key] = value
        if len(found) >= MOST:
            break
    return found


def may_name_sender(scalars: Scalars) -> bool:
    """Whether any value of a document may name its sender."""
    return any(_text(key, value) is not None for key, value in scalars.items())


def sender_among(documents: Sequence[Scalars], paths: Sequence[frozenset[int]]) -> str | None:
    """The keys that lead to the field that tells the senders of documents apart; None if none clearly does.

    Args:
        documents: The texts and numbers of the documents of a topic in order of arrival.
        paths: For each document, hashes of the paths of its readings; senders have some in common.
    """
    if len(documents) < FEWEST:
        return None
    common = [key for key in documents[0] if all(key in each for each in documents)]
    for key in sorted(common, key=lambda each: (not isinstance(documents[0][each], str), each.count("."))):
        texts = [_text(key, each[key]) for each in documents]
        named = [each for each in texts if each is not None]
        if len(named) < len(texts) or not _take_turns(named) or not _share(named, paths):
            continue
        is_number = not isinstance(documents[0][key], str)
        if _is_outermost(key) if is_number else (_is_topic(key) or _are_designations(named) or _is_round(named)):
            return key
        if any(_separates(named, [each.get(other) for each in documents]) for other in common if other != key):
            return key
    return None


def alternating_among(documents: Sequence[Scalars], paths: Sequence[frozenset[int]]) -> str | None:
    """The keys that lead to a field whose two words alternate from document to document; None if there is none.

    They are the names of two senders, or states that are sent when they change. See `sender_among()`.
    """
    if len(documents) < ALTERNATING:
        return None
    for key in filter(_is_outermost, documents[0]):
        texts = [_text(key, each[key]) if isinstance(each.get(key), str) else None for each in documents]
        named = [each for each in texts if each is not None]
        if len(named) == len(texts) and _alternate(named) and _share(named, paths):
            return key
    return None


def naming_keys(key: str, template: str) -> dict[str, str]:
    """The keys of an input that names sensors by a field.

    Args:
        key: The keys that lead to it, as found by `sender_among()`.
        template: The input's template of sensor names.
    """
    around, of_element, name = key.partition(f"{ELEMENT}.")
    if of_element:
        return {"items": f"{around}{ELEMENT}", "name": f"{{{name}}}"}
    sender = f"{{payload.{key}}}"
    return {
        "sensor": template.replace("{field}", f"{sender}/{{field}}", 1)
        if "{field}" in template
        else f"{template}/{sender}"
    }


def _within(value: object, before: str, depth: int) -> Iterator[tuple[str, str | float]]:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict) and ELEMENT not in before:
        begin = f"{before.removesuffix('.')}{ELEMENT}."
        yield from ((f"{begin}{key}", each) for key, each in value[0].items() if _is_suitable(key, each))
    elif isinstance(value, dict) and depth > 0:
        yield from ((f"{before}{key}", each) for key, each in value.items() if _is_suitable(key, each))
        for key, inner in value.items():
            if isinstance(inner, (dict, list)) and key and not _UNSUITABLE.search(key):
                yield from _within(inner, f"{before}{key}.", depth - 1)


def _is_suitable(key: str, value: object) -> bool:
    is_scalar = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    return is_scalar and key != "" and not _UNSUITABLE.search(key)


def _text(key: str, value: Any) -> str | None:
    """What a value calls the sender; None if it can't be its name."""
    last = key.rpartition(".")[2]
    if type(value) is int:
        plain = plain_key(last)
        numbers = plain in _NUMBERS or (is_identifier(last) and plain != "id") or may_name_thing([last])
        return identifying_text(value) if numbers else None
    if not isinstance(value, str) or plain_key(last) in _STATE_KEYS or _number(value) is not None:
        return None
    if describes(last) and not (_is_topic(key) and "/" in value):
        return None
    return identifying_text(value) if is_name(value) and value.lower() not in _STATES else None


def _is_outermost(key: str) -> bool:
    """Whether a field isn't in an object inside of the message, where it may number anything."""
    return "." not in key.partition(f"{ELEMENT}.")[2] if ELEMENT in key else "." not in key


def _is_topic(key: str) -> bool:
    return plain_key(key) == "topic"


def _take_turns(texts: Sequence[str]) -> bool:
    """Whether at least two values come again after others, and most documents have another one than that before."""
    begins = [text for place, text in enumerate(texts) if place == 0 or texts[place - 1] != text]
    again = {text for text in begins if begins.count(text) > 1}
    return len(again) > 1 and len(set(texts)) <= SENDERS and 2 * (len(begins) - 1) >= len(texts) - 1


def _share(texts: Sequence[str], paths: Sequence[frozenset[int]]) -> bool:
    """Whether documents with different values have readings at the same path."""
    by_text: dict[str, frozenset[int]] = {}
    for text, each in zip(texts, paths, strict=True):
        by_text[text] = by_text.get(text, frozenset()) | each
    return sum(map(len, by_text.values())) > len(frozenset().union(*by_text.values()))


def _are_designations(texts: Sequence[str]) -> bool:
    return all(is_designation(each) or _HEXADECIMAL.fullmatch(each) for each in texts)


def _is_round(texts: Sequence[str]) -> bool:
    """Whether three values or more come in the same order, twice at least."""
    count = len(set(texts))
    return 2 < count <= len(texts) // 2 and all(
        texts[place] == texts[place - count] for place in range(count, len(texts))
    )


def _alternate(texts: Sequence[str]) -> bool:
    first, second = texts[:2]
    return first != second and all(each == (second if place % 2 else first) for place, each in enumerate(texts))


def _separates(texts: Sequence[str], values: Sequence[str | float | None]) -> bool:
    """Whether readings that change have a range of their own for each value of a field."""
    groups: dict[str, list[float]] = {}
    for text, value in zip(texts, values, strict=True):
        number = _number(value)
        if number is None:
            return False
        groups.setdefault(text, []).append(number)
    if any(len(each) < _SEPARATE or len(set(each)) == 1 for each in groups.values()):
        return False
    ranges = sorted((min(each), max(each)) for each in groups.values())
    return all(low[1] < high[0] for low, high in pairwise(ranges))


def _number(value: str | float | None) -> float | None:
    try:
        return None if value is None else float(value)
    except (ValueError, OverflowError):
        return None
