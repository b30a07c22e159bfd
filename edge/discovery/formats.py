"""Formats: the first of several usual sets of input keys by which most payloads of a topic give readings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import combinations
from math import nan
from typing import Any

from config.notation.topics import glob_problem
from config.tables.inputs import NEED_CBOR
from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.core.intake.decoders.documents.keys.time_keys import USUAL, TimeKeys
from edge.core.intake.decoders.documents.lists import may_name_element
from edge.core.intake.decoders.documents.options import identifying_text
from edge.core.intake.decoders.documents.senders.sender_keys import SENDERS, senders_in
from edge.core.intake.decoders.documents.senders.turns import (
    Scalars,
    alternating_among,
    naming_keys,
    scalars_of,
    sender_among,
)
from edge.core.intake.decoders.notation.text_numbers import ODD
from edge.core.intake.decoders.recognition.looks_like import instead, is_time
from edge.core.model.readings.messages import Message
from edge.discovery.fields.bookkeeping import bookkeeping_in, is_bookkeeping_name
from edge.discovery.fields.frames import at, decoded_in
from edge.discovery.fields.time_fields import time_field
from edge.discovery.fields.words import (
    NAMES_TOO,
    PAIRS,
    absent_in,
    as_values,
    is_state,
    spelled,
    states_in,
    texts_in,
    words_of,
    written,
)
from edge.discovery.reading import Keys, contents_of, decode, document_of, why_refused
from edge.discovery.rows import rows_in

ALTERNATIVES: tuple[Keys, ...] = (
    {"format": "number"},
    {"format": "json"},
    {"format": "number", "decimal": ","},
    {"format": "number", "units": True},
    {"format": "number", "decimal": ",", "units": True},
    {"format": "json", "decimal": ","},
    {"format": "json", "units": True},
    {"format": "json", "decimal": ",", "units": True},
    {"format": "senml"},
    {"format": "influx"},
    {"format": "text"},
    {"format": "text", "decimal": ","},
    {"format": "text", "units": True},
    {"format": "msgpack"},
    {"format": "cbor"},
    {"format": "senml-cbor"},
)

BINARY = frozenset({"msgpack", "cbor", "senml-cbor"})
"""Formats in which any character by itself is a number, so that no text is taken for one of them."""

OF_FIELDS = frozenset({"json", "text", "msgpack", "cbor"})
"""Formats whose payloads have fields, which may name their sender."""

TIMES = TimeKeys(USUAL)

MOST_NAMES = 6
"""Maximum number of further fields that are tried if one doesn't tell the elements of an array apart."""

VALUE_KEYS = ("value", "v", "val", "Value")

PLAIN_TEXTS = frozenset({instead("json", each) for each in (b"some text", b'"some text"')})
"""What is said of payloads that may be words."""

_FORMAT = re.compile(r'format = "([a-z-]+)"(?: with )?')
_OPTION = re.compile(r'(units|decimal) = (true|",")')

LOOKED_AT = 5
"""Number of payloads of a topic that are tried; changing fields are determined from all stored ones."""


def keys_for(messages: Sequence[Message]) -> Keys | None:
    """The keys of an input, without its topic, for the messages of one topic; None if none work."""
    latest = list(messages)[-LOOKED_AT:]
    payloads = [each.payload for each in latest]
    if all(is_time(each) for each in payloads):
        return None
    best: Keys | None = None
    fewest = len(payloads)
    for keys in _alternatives(latest):
        unread = sum(_is_unread(keys, each) for each in payloads)
        if unread < fewest:
            best, fewest = keys, unread
        if not fewest:
            break
    if best is None:
        return _of_words(messages)
    more = _in_detail(best, messages) if best["format"] in OF_FIELDS else {}
    return {**best, **more, **_of_texts({**best, **more}, messages)}


def _of_words(messages: Sequence[Message]) -> Keys | None:
    """The keys for a topic that holds words for states only, plain or in the fields of JSON; None for any other."""
    words = words_of(messages)
    if words:
        said = [each for one in messages for each in words_of([one])]
        keys: Keys = {"format": "number", "values": spelled(words), "repetition": "on_change"}
        return keys if is_state(messages[-1].topic, said) else None
    values = written(states_in(messages))
    keys = {"format": "json", "values": values}
    return keys if values and all(_is_read_now(keys, each.payload) for each in messages) else None


def _is_read_now(keys: Keys, payload: bytes) -> bool:
    found = decode(keys, payload)
    return found is not None and len(found.samples) > 0


def _of_texts(keys: Keys, messages: Sequence[Message]) -> dict[str, Any]:
    """The keys that read the texts of a topic which also holds numbers: words for states, and for no value."""
    if keys["format"] not in {"number", "json"} or "items" in keys or "values" in keys:
        return {}
    samples = [() if (found := decode(keys, each.payload)) is None else found.samples for each in messages]
    read = [frozenset(each.path for each in every) for every in samples]
    numeric = frozenset[str]().union(*read)
    if keys["format"] == "number":
        absent = absent_in(_plain(each.payload) for each, paths in zip(messages, read, strict=True) if not paths)
        return {"no_value": absent} if absent and numeric else {}
    texts = [
        word
        for each, paths in zip(messages, read, strict=True)
        for path, word in texts_in(document_of(each.payload))
        if path in numeric and path not in paths
    ]
    either = may_name_senders(keys, messages)
    states = {path: words for path, words in states_in(messages).items() if path not in {*numeric, either}}
    more = {"no_value": absent_in(texts), "values": written(states)}
    return {key: value for key, value in more.items() if value}


def _plain(payload: bytes) -> str:
    return payload.decode("utf-8", "replace").strip(' \t\r\n\0"')


def why_unread(messages: Sequence[Message]) -> str:
    """What the payloads of a topic that no keys read seem to be, and what reads them or why nothing does."""
    payload = messages[-1].payload
    told = instead("json", payload)
    if told in PLAIN_TEXTS and (words := words_of(messages)):
        return f'{"words" if len(words) > 1 else "a word"}: format = "number" with {as_values(words)}'
    if told is None and (states := states_in(messages)):
        words = sorted({word for each in states.values() for word in each})
        for name in ("json", "senml"):
            found = decode({"format": name, "values": spelled(words)}, payload)
            if found is not None and found.samples:
                of_format = "" if name == "json" else f'format = "{name}" with '
                return f"JSON whose only values are words, in {', '.join(states)}: {of_format}{as_values(words)}"
    return (
        f"JSON of which nothing is read: {why_refused({'format': 'json'}, payload)}"
        if told is None
        else _checked(told, payload)
    )


def _checked(told: str, payload: bytes) -> str:
    """What a payload seems to be, with the reason why nothing in it is read instead of keys that were tried in vain."""
    hint = _FORMAT.search(told)
    if hint is None or "columns = " in told or "values = " in told:
        return told
    options = {key: True if value == "true" else value[1:-1] for key, value in _OPTION.findall(told)}
    why = why_refused({"format": hint[1], **options}, payload)
    return f"{told[: hint.start()].rstrip(': ')}, of which nothing is read: {why}"


def _alternatives(messages: Sequence[Message]) -> Iterator[Keys]:
    payloads = [each.payload for each in messages]
    has_cbor = find_spec("cbor2") is not None
    is_text = all(each.isascii() and each.decode().isprintable() for each in payloads)
    are_lines = all("line protocol" in (instead("json", each) or "") for each in payloads)
    for keys in ALTERNATIVES:
        if are_lines and keys["format"] == "text":
            continue
        if (has_cbor or keys["format"] not in NEED_CBOR) and not (is_text and keys["format"] in BINARY):
            yield keys
        if keys == ALTERNATIVES[1]:
            yield from _words(payloads)
            yield from _items(payloads)
            yield from rows_in(messages)


def _words(payloads: Sequence[bytes]) -> Iterator[Keys]:
    """Plain words of a pair for 1 and 0, as spelled in the payloads."""
    texts = {each.strip(b" \r\n\0").decode("utf-8", "replace") for each in payloads}
    for on, off in PAIRS:
        if texts and {each if on in NAMES_TOO else each.lower() for each in texts} <= {on, off}:
            yield {"format": "number", "values": spelled(texts), "repetition": "on_change"}


def _items(payloads: Sequence[bytes]) -> Iterator[Keys]:
    """Arrays whose elements must be selected explicitly, such as numbered objects that have their own times."""
    document = document_of(payloads[-1])
    found = {"": document} if isinstance(document, list) else document if isinstance(document, dict) else {}
    for key, elements in found.items():
        if not isinstance(elements, list) or not elements or not all(isinstance(each, dict) for each in elements):
            continue
        names = _names(elements)
        if names and not any(each in key for each in ".[]*{}"):
            value = next((each for each in VALUE_KEYS if all(each in element for element in elements)), "value")
            name = "/".join(f"{{{each}}}" for each in names)
            yield {"format": "json", "items": f"{key}[*]", "name": name, "value_key": value}


def _names(elements: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The most telling field, with the fewest others that keep elements of the same time apart; none if none do."""
    named = [key for key in elements[0] if all(identifying_text(each.get(key)) is not None for each in elements)]
    senders = [each for each in SENDERS if each in named]
    others = [each for each in named if each not in senders and may_name_element([each]) and "{" not in each]
    moments = [TIMES.find(each, nan).time for each in elements]
    others = [*senders[1:], *others][:MOST_NAMES]
    for more in ((), *combinations(others, 1), *combinations(others, 2)):
        names = (*senders[:1], *more)
        said = {(time, *(str(each[key]) for key in names)) for time, each in zip(moments, elements, strict=True)}
        if senders and len(said) == len(elements):
            return names
    return ()


def _in_detail(keys: Keys, messages: Sequence[Message]) -> dict[str, Any]:
    """The keys to ignore, and the fields that identify the device that has sent a payload."""
    if "items" in keys:
        return {}
    documents = [(read, each.arrived) for each in messages if (read := contents_of(keys, each.payload)) is not None]
    objects = [document for document, _ in documents if isinstance(document, dict)]
    found: dict[str, Any] = {}
    senders = _senders(objects)
    decoded = decoded_in(objects) if len(objects) == len(documents) else None
    if senders:
        found["sensor"] = "{topic}/" + "-".join(f"{{payload.{each}}}" for each in senders) + "/{field}"
    elif decoded is None and (turning := _turning(keys, messages)) is not None:
        found |= naming_keys(turning, "{topic}/{field}")
        if "items" in found:
            return found
        senders = [turning]
    if not any(TIMES.find(each, arrived).keys for each, arrived in documents if isinstance(each, dict)):
        found |= _of_time(time_field(documents))
    if decoded is not None:
        found["items"] = decoded
        documents = [(at(decoded, each), arrived) for each, (_, arrived) in zip(objects, documents, strict=True)]
    within = [each.replace(".", "/") for each in senders if "." in each and _is_number_at(each, objects)]
    ignore = (
        within
        + [*_aliases(senders, objects)]
        + [
            each
            for each in bookkeeping_in(documents)
            if each not in senders
            and each.lower() not in found.get("time_keys", ())
            and not TIMES.among([each.removeprefix("**/")])
        ]
    )
    if ignore and not (objects and all("value" in each for each in objects)):
        found["ignore"] = ignore
    return found


def _aliases(senders: Sequence[str], documents: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Fields that number the senders, too, such as the `register` beside a `name`: each has always the same one."""
    scalars = [scalars_of(each) for each in documents]
    for key in documents[0] if senders and documents else ():
        if key in senders or not may_name_element([key]) or glob_problem(key) is not None:
            continue
        numbers = [identifying_text(each.get(key)) or "" for each in documents]
        pairs = {
            (*(str(each.get(one)) for one in senders), number) for each, number in zip(scalars, numbers, strict=True)
        }
        if all(map(str.isdecimal, numbers)) and len({each[:-1] for each in pairs}) == len(pairs) == len({*numbers}) > 1:
            yield key


def _of_time(key: str | None) -> dict[str, Any]:
    """The key of an input that reads the time from a field with an unusual name; none without one."""
    return {} if key is None else {"time_keys": [key.lower()]}


def _is_number_at(key: str, documents: Sequence[object]) -> bool:
    """Whether a field that names senders, inside of an object, holds a number, which would be a reading otherwise."""
    return any(isinstance(scalars_of(each).get(key), int) for each in documents)


def _senders(documents: Sequence[dict[str, Any]]) -> list[str]:
    """Fields that distinguish the devices of one topic: those with several recurring values."""
    known = {plain_key(each): place for place, each in enumerate(SENDERS)}
    named = [dict(senders_in(each)) for each in documents]
    common = [key for key in named[0] if all(key in each for each in named)] if named else []
    common.sort(key=lambda each: ("." in each, known[plain_key(each.rpartition(".")[2])]))
    by_key = {key: [each[key] for each in named] for key in common}
    if "model" in by_key and "id" in by_key:
        return ["model", "id"]
    several = [key for key, values in by_key.items() if 1 < len(set(values)) < len(values)]
    if len(several) > 1 and len(set(zip(by_key[several[0]], by_key[several[1]], strict=True))) == len(
        set(by_key[several[0]])
    ):
        return several[:1]
    return several[:2]


def _turning(keys: Keys, messages: Sequence[Message]) -> str | None:
    """The field whose values show that several senders take turns, whatever it is called."""
    return sender_among(*_compared(keys, messages))


def may_name_senders(keys: Keys, messages: Sequence[Message]) -> str | None:
    """The path of a field whose two words name senders or are states, in a topic whose senders aren't told apart."""
    key = None if "sensor" in keys else alternating_among(*_compared(keys, messages))
    return None if key is None else key.replace(".", "/")


def _compared(keys: Keys, messages: Sequence[Message]) -> tuple[list[Scalars], list[frozenset[int]]]:
    """The texts and numbers of the payloads that are read, and hashes of the paths of their readings."""
    scalars, paths = list[Scalars](), list[frozenset[int]]()
    for each in messages:
        found = decode(keys, each.payload)
        if found is not None and found.samples:
            scalars.append(scalars_of(contents_of(keys, each.payload)))
            paths.append(frozenset(hash(sample.path) for sample in found.samples))
    return scalars, paths


def _is_unread(keys: Keys, payload: bytes) -> bool:
    found = decode(keys, payload)
    if found is None or not found.samples:
        return True
    return any(
        each.reason == "no_sender" or (each.detail == ODD and not is_bookkeeping_name(each.path))
        for each in found.refusals
    )
