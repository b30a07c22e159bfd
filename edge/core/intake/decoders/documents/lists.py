"""Arrays of objects: how their elements are distinguished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edge.core.intake.decoders.documents.elements.things import (
    STATES,
    describes,
    designations_in,
    is_name,
    may_name_thing,
    things_in,
)
from edge.core.intake.decoders.documents.keys.identifier_keys import is_identifier, is_version
from edge.core.intake.decoders.documents.keys.plain_keys import plain_key
from edge.core.intake.decoders.documents.keys.quality_keys import VALUES, is_quality_key
from edge.core.intake.decoders.documents.keys.time_keys import TimeKeys
from edge.core.intake.decoders.documents.options import identifying_text, identifying_texts

NAMES = ("name", "sensor", "sensor_id", "sensorId", "device", "device_id", "deviceId", "key", "tag", "metric", "mac")
"""Fields that name an element of an array, or the object that has sent a payload."""

_READINGS = (
    *("name", "displayname", "tagname", "tag", "metric", "key", "pointname", "point", "nodeid", "path"),
    *("resourcename", "signalname", "variablename", "parametername", "channelname", "registername", "metricname"),
)
"""Fields that name a reading, as `plain_key()` writes them."""

PLACES = (
    *("asset", "assetid", "assetname", "equipment", "equipmentid", "equipmentname", "thing", "thingid"),
    *("machine", "machineid", "machinename", "room", "roomname", "tank", "tankid", "location", "place", "area", "zone"),
)
"""Fields that name the thing or the place that readings are of."""

_SENDERS = (
    *("sensor", "sensorid", "sensorname", "device", "deviceid", "devicename", "devid", "devname"),
    *("meter", "meterid", "metername", "mac"),
    *PLACES,
)
"""Fields that name the sender of a reading, or what it is of."""

LABELS = frozenset(
    {"type", "value_type", "comp", "component", "param", "parameter", "quantity", "measurement", "label", "field"}
    | {"channel", "point", "signal", "variable", "var", "property", "code", "n", "k"}
)
"""Fields that name an element of an array that holds nothing else but a value, a unit and a time."""

_TAGS = frozenset({"tags", "labels", "dimensions"})
"""Objects of texts that tell the elements of one name apart."""

_PARTS = frozenset(
    {
        "measurand",
        "phase",
        "location",
        "slave",
        "slaveid",
        "unitid",
        "registertype",
        "register",
        "address",
        "addr",
        "obis",
    }
    | {
        "axis",
        "line",
        "index",
        "port",
        "zone",
        "instance",
        "plugin",
        "plugininstance",
        "typeinstance",
        "objectinstance",
    }
)
"""Fields that, together with labels, name an element that holds a value; those of registers may be numbers."""

_BESIDE = frozenset({"v", "val", "sv", "bv", "vs", "vb", "unit", "units", "uom", "u"})
"""Fields that may accompany such a label."""

NUMBER = "id"
"""A field that numbers the elements of an array, which are sensors or records."""

TELLING = frozenset({*NAMES, *LABELS, NUMBER, "bn"})
"""Fields that may name an object that is one reading."""

_TELLING_ELEMENTS = frozenset({*map(plain_key, TELLING), *_READINGS, *_SENDERS, *_PARTS})
"""Fields that may distinguish the elements of an array; arrays with one of them don't take the fast path."""

IN_TIME = "<time>"
NUMBERED = "<number>"
UNTOLD = "<nothing>"

_SENML = frozenset({"v", "vs", "vb", "vd", "u", "bn", "s"})

Kind = tuple[str, ...] | str | None
"""What distinguishes the elements of an array: fields with these keys, `IN_TIME`, `NUMBERED`, `UNTOLD`, or nothing."""


def kind_of(elements: list[Any], times: TimeKeys, value_key: str, arrived: float, within: str = "") -> Kind:
    """How the elements of an array are distinguished.

    Args:
        elements: The array.
        times: The time keys.
        value_key: The key that holds the value in an object that is one reading.
        arrived: Arrival time in seconds since the epoch; NaN if unknown.
        within: The key of the array; empty if it has none.

    Returns:
        The keys of a name that all of them have; `IN_TIME` if only their times differ; `NUMBERED` if a number may
        identify a sensor or a record; `UNTOLD` if they have one time and the same fields; None if nothing
        distinguishes them.
    """
    if not elements or not all(isinstance(each, dict) for each in elements):
        return None
    have_values = all(value_key in each or not VALUES.isdisjoint(map(plain_key, each)) for each in elements)
    labels = _labels(elements) if have_values else ()
    known = {value_key, *_BESIDE, *times.among(elements[0])}
    if (names := _names(elements, labels) or _label_of(elements, known)) is not None:
        return names
    moments = [times.find(each, arrived).time for each in elements]
    are_numbered = all(identifying_text(each.get(NUMBER)) is not None for each in elements)
    things = () if are_numbered else things_in(elements, within) or designations_in(elements, known)
    for keys in (labels, things) if have_values else (things, _labels_of_twins(elements, moments)):
        if keys and _are_distinct(elements, moments, keys):
            return keys
    if are_numbered:
        is_text = all(isinstance(each[NUMBER], str) for each in elements)
        return (NUMBER,) if is_text or None in moments else NUMBERED
    if None in moments:
        return None
    return things or _column_of(elements, moments, known) or _told_by_times(elements, moments, known, have_values)


def _labels_of_twins(elements: list[dict[str, Any]], moments: Sequence[float | None]) -> tuple[str, ...]:
    """The labels of elements with several numbers each if times repeat, which then don't tell them apart."""
    return _labels(elements) if len(set(moments)) < len(moments) else ()


def _told_by_times(
    elements: list[dict[str, Any]], moments: Sequence[float | None], known: set[str], have_values: bool
) -> Kind:
    """Whether nameless elements are a series, or several things at one time."""
    is_moment = len(set(moments)) == 1 < len(elements)
    return UNTOLD if is_moment and not have_values and _share_a_number(elements, known) else IN_TIME


def _are_distinct(elements: list[dict[str, Any]], moments: Sequence[float | None], keys: Sequence[str]) -> bool:
    """Whether no two elements have the same time and the same texts in the fields with these keys."""
    said = {(time, *_said_at(each, keys)) for time, each in zip(moments, elements, strict=True)}
    return len(said) == len(elements)


def _share_a_number(elements: list[dict[str, Any]], known: set[str]) -> bool:
    """Whether two elements have a number under the same key, besides the `known` ones."""
    numbers = [{key for key, value in each.items() if type(value) in {int, float}} - known for each in elements]
    return sum(map(len, numbers)) > len(set().union(*numbers))


def _column_of(
    elements: list[dict[str, Any]], moments: Sequence[float | None], known: set[str]
) -> tuple[str, ...] | None:
    """The first field besides the `known` ones, whatever its name, of whose texts each occurs once at each time.

    Such texts name the elements, for example two vehicles in one message. The texts of a state don't all occur at
    every time.
    """
    count = len(set(moments))
    if count == len(elements):
        return None
    for key in (each for each in elements[0] if each not in known and not is_quality_key(each)):
        texts = [text for each in elements if _is_label(each.get(key)) and (text := identifying_text(each[key]))]
        is_table = len(texts) == len(elements) == count * len(set(texts)) and STATES.isdisjoint(map(str.lower, texts))
        if is_table and len(set(zip(moments, texts, strict=True))) == len(elements):
            return (key,)
    return None


def _names(elements: list[dict[str, Any]], labels: tuple[str, ...]) -> tuple[str, ...] | None:
    """The keys of a name that all elements have, and of the tags that tell readings of one name apart."""
    names = _names_alone(elements, labels)
    if names is None:
        return None
    tags = [key for key, value in elements[0].items() if isinstance(value, dict) and plain_key(key) in _TAGS]
    return (*names, *(key for key in tags if all(_are_tags(each.get(key)) for each in elements)))


def _are_tags(value: object) -> bool:
    """Whether a value is an object of texts each of which may name something."""
    return isinstance(value, dict) and all(isinstance(each, str) and is_name(each) for each in value.values())


def _names_alone(elements: list[dict[str, Any]], labels: tuple[str, ...]) -> tuple[str, ...] | None:
    """The keys of a name that all elements have: a reading's, a sender's and labels, or both if one isn't enough."""
    texts = {key: [identifying_text(each.get(key)) for each in elements] for key in elements[0]}
    common = {plain_key(key): key for key in reversed(texts) if None not in texts[key]}
    readings = [common[each] for each in _READINGS if each in common]
    sender = next((common[each] for each in _SENDERS if each in common), None)
    if not readings:
        return None if sender is None else (sender, *(each for each in labels if each != sender))
    alone = next((key for key in readings if len(set(texts[key])) == len(elements)), None)
    return (sender, readings[0]) if alone is None and sender is not None else (alone or readings[0],)


def name_of_element(element: Mapping[str, Any], keys: Sequence[str]) -> str:
    """The name of an element of an array, from the fields that distinguish it."""
    return "/".join(_said_at(element, keys))


def _said_at(element: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    return [text for key in keys if (text := identifying_texts(element.get(key))) is not None]


def _labels(elements: list[dict[str, Any]]) -> tuple[str, ...]:
    """The fields that say what the values of elements are, of which each element has at least one; else none."""
    keys = dict.fromkeys(key for each in elements for key in each if plain_key(key) in _PARTS or key in LABELS)
    given = {key: [each[key] for each in elements if key in each] for key in keys}
    found = tuple(
        key
        for key, values in given.items()
        if all(identifying_text(each) is not None and (plain_key(key) in _PARTS or _is_label(each)) for each in values)
    )
    return found if all(any(key in each for key in found) for each in elements) else ()


def _is_label(text: object) -> bool:
    """Whether a text may be a label: one that begins with a digit is rather a value."""
    return isinstance(text, str) and not text[:1].isdigit()


def _label_of(elements: list[dict[str, Any]], known: set[str]) -> tuple[str] | None:
    """The only field of the elements besides the `known` ones, if it holds a text that names them.

    A field that isn't in `LABELS` names them if it doesn't describe them, and no text is a state. In one that is, the
    text may be a whole number.
    """
    labels = [key for key in elements[0] if key not in known]
    if len(labels) != 1 or len(elements[0]) == 1:
        return None
    (label,) = labels
    most = known | {label}
    texts = [each[label] for each in elements if isinstance(each.get(label), str) and each.keys() <= most]
    if len(texts) < len(elements) or None in map(identifying_text, texts):
        return None
    if any(each[0].isdigit() and not (label in LABELS and each.isdigit()) for each in texts):
        return None
    return (label,) if label in LABELS or (not describes(label) and all(map(is_name, texts))) else None


def name_of_reading(fields: dict[str, Any], known: set[str]) -> str | None:
    """The name of an object that is a single reading; None if it has no name, or other numbers.

    A field that identifies a sensor or a register may be accompanied by texts, such as a status; others must be the
    only one.

    Args:
        fields: The object.
        known: Fields that hold its value or its time.
    """
    others = [key for key in fields if key not in known and key not in _BESIDE]
    if len(others) == 1 and others[0] in TELLING:
        (key,) = others
        return None if key in LABELS and not _is_label(fields[key]) else identifying_text(fields[key])
    parts = [key for key in others if plain_key(key) in _PARTS and identifying_text(fields[key]) is not None]
    named = [key for key in others if key not in parts and isinstance(fields[key], str)]
    names = [key for key in named if plain_key(key) in {*_READINGS, *_SENDERS}]
    rest = [key for key in others if key not in parts and key not in names and not is_quality_key(key)]
    if not (parts or names) or not all(_is_beside(key, fields[key]) for key in rest):
        return None
    return name_of_element(fields, [*(key for key in names if plain_key(key) in _SENDERS), *parts, *_reading_of(names)])


def _is_beside(key: str, value: object) -> bool:
    """Whether a field may accompany a reading that has a name: a text or a state, or the number of its message."""
    if isinstance(value, dict):
        return all(isinstance(each, (str, bool)) for each in value.values())
    return value is None or isinstance(value, (str, bool)) or is_identifier(key) or is_version(key)


def _reading_of(names: list[str]) -> list[str]:
    """The first of some keys that names a reading, as a list that is empty if there is none."""
    return [key for each in _READINGS for key in names if plain_key(key) == each][:1]


def may_name_element(keys: Iterable[str]) -> bool:
    """Whether objects with these keys may be distinguished by them in an array."""
    return not _TELLING_ELEMENTS.isdisjoint(map(plain_key, keys)) or may_name_thing(keys)


def may_name_reading(keys: Iterable[str]) -> bool:
    """Whether objects with these keys may have such a name."""
    return not _TELLING_ELEMENTS.isdisjoint(map(plain_key, keys))


def is_senml(element: Any) -> bool:
    """Whether an object is a SenML record: it has a base name, or one-letter fields for name and value."""
    if not isinstance(element, dict):
        return False
    return "bn" in element or ("n" in element and not _SENML.isdisjoint(element))
