"""Arrays of objects: how their elements are distinguished, and which texts of digits are identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from edge.core.intake.decoders.documents.keys.time_keys import TimeKeys
from edge.core.intake.decoders.documents.options import said

NAMES = ("name", "sensor", "sensor_id", "sensorId", "device", "device_id", "deviceId", "key", "tag", "metric", "mac")
"""Fields that name an element of an array; the first one that all elements have is used."""

LABELS = frozenset(
    {"type", "value_type", "comp", "component", "param", "parameter", "quantity", "measurement", "label", "field"}
    | {"channel", "point", "signal", "variable", "var", "property", "code", "n", "k"}
)
"""Fields that name an element of an array that holds nothing else but a value, a unit and a time."""

_BESIDE = frozenset({"v", "val", "unit", "units", "uom", "u"})
"""Fields that may accompany such a label."""

NUMBER = "id"
"""A field that numbers the elements of an array, which are sensors or records."""

TELLING = frozenset({*NAMES, *LABELS, NUMBER, "bn"})
"""Fields that may distinguish the elements of an array; arrays with one of them don't take the fast path."""

IN_TIME = "<time>"
NUMBERED = "<number>"

_SENML = frozenset({"v", "vs", "vb", "vd", "u", "bn", "s"})

_IDENTIFIER = re.compile(
    r"(?:.*[/_-])?(?:(?:device|dev|sensor|meter|gateway|node|app|station|chip|esp[0-9]*)?_?id|(?:dev|app)?_?eui|dev_?addr|mac|imei|imsi|iccid"
    r"|uuid|sn|serial(?:_?(?:no|number))?)",
    re.IGNORECASE,
)


def kind_of(elements: list[Any], times: TimeKeys, value_key: str, arrived: float) -> str | None:
    """How the elements of an array are distinguished.

    Args:
        elements: The array.
        times: The time keys.
        value_key: The key that holds the value in an object that is one reading.
        arrived: Arrival time in seconds since the epoch; NaN if unknown.

    Returns:
        The key of a name that all of them have; `IN_TIME` if only their times differ; `NUMBERED` if a number may
        identify a sensor or a record; None if nothing distinguishes them.
    """
    if not elements or not all(isinstance(each, dict) for each in elements):
        return None
    for key in NAMES:
        if all(said(each.get(key)) is not None for each in elements):
            return key
    if (label := _label_of(elements, {value_key, *_BESIDE, *times.among(elements[0])})) is not None:
        return label
    are_timed = all(times.find(each, arrived).time is not None for each in elements)
    if all(said(each.get(NUMBER)) is not None for each in elements):
        return NUMBERED if are_timed and not all(isinstance(each[NUMBER], str) for each in elements) else NUMBER
    return IN_TIME if are_timed else None


def _label_of(elements: list[dict[str, Any]], known: set[str]) -> str | None:
    """The only field of the elements besides the `known` ones, if it holds a text that names them.

    A field that isn't in `LABELS` names them only if all texts differ.
    """
    labels = [key for key in elements[0] if key not in known]
    if len(labels) != 1 or len(elements[0]) == 1:
        return None
    (label,) = labels
    known.add(label)
    texts = [each[label] for each in elements if isinstance(each.get(label), str) and each.keys() <= known]
    if len(texts) < len(elements) or any(said(each) is None or each[0].isdigit() for each in texts):
        return None
    return label if label in LABELS or len(set(texts)) == len(texts) > 1 else None


def name_of_reading(fields: dict[str, Any], known: set[str]) -> str | None:
    """The name of an object that is a single reading; None if it has no name, or several.

    Args:
        fields: The object.
        known: Fields that hold its value or its time.
    """
    others = fields.keys() - known - _BESIDE
    if len(others) != 1 or not others <= TELLING:
        return None
    (key,) = others
    name = said(fields[key])
    is_label = key in LABELS and (not isinstance(fields[key], str) or fields[key][:1].isdigit())
    return None if is_label else name


def may_name_reading(keys: Iterable[str]) -> bool:
    """Whether objects with these keys may have such a name."""
    return not TELLING.isdisjoint(keys)


def is_identifier(path: str) -> bool:
    """Whether a field identifies something, so that a text of digits in it isn't a number."""
    return _IDENTIFIER.fullmatch(path) is not None


def is_senml(element: Any) -> bool:
    """Whether an object is a SenML record: it has a base name, or one-letter fields for name and value."""
    if not isinstance(element, dict):
        return False
    return "bn" in element or ("n" in element and not _SENML.isdisjoint(element))
