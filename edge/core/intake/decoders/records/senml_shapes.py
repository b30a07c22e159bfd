"""Shapes of SenML packs: where in a pack its names, times and values stand.

A device sends packs with the same labels in the same places again and again. What they mean is worked out once.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

from edge.core.intake.decoders.records.senml_records import BASE, LABELS

NO_TEXT, NO_NUMBER = -2, -1
"""Places of what a record hasn't: an empty text and a zero, which stand behind all fields of a pack."""

_USUAL = frozenset({"bver", "bn", "bt", "bu", "n", "u", "v", "t", "ut"})


class PackShape:
    """Where things stand among the fields of a pack, all fields of all records in a row.

    Attributes:
        texts: Every name and unit.
        versions: Every version.
        names: Of each value: base name, name, its unit and the base unit, the last two only where they tell it apart.
        bases: Of each value: base time.
        times: Of each value: time.
        values: Of each value.
        has_times: Whether any record has a time or a base time.
    """

    __slots__ = ("bases", "has_times", "names", "texts", "times", "values", "versions")

    def __init__(self) -> None:
        self.texts: list[int] = []
        self.versions: list[int] = []
        self.names: list[tuple[int, int, int, int]] = []
        self.bases: list[int] = []
        self.times: list[int] = []
        self.values: list[int] = []
        self.has_times = False


class Key(NamedTuple):
    """What tells shapes apart."""

    labels: tuple[Any, ...]
    widths: tuple[int, ...]


def key_of(pack: list[dict[Any, Any]]) -> Key:
    """The labels of a pack, record by record."""
    return Key(tuple(chain.from_iterable(pack)), tuple(map(len, pack)))


def shape_of(pack: list[dict[Any, Any]]) -> PackShape | None:
    """The shape of a pack; None if a record of it is out of the ordinary, or none has a value."""
    shape = PackShape()
    base: dict[str, int] = {}
    begin = 0
    for record in pack:
        labels = [LABELS.get(key, key) for key in record]
        places = {label: begin + place for place, label in enumerate(labels)}
        begin += len(labels)
        if len(places) < len(labels) or not all(map(_is_usual, labels)):
            return None
        base |= {label: place for label, place in places.items() if label in BASE}
        shape.texts += [place for label, place in places.items() if label in {"bn", "bu", "n", "u"}]
        if "bver" in places:
            shape.versions.append(places["bver"])
        if "bt" in places or "t" in places:
            shape.has_times = True
        if "v" in places:
            _add_value(shape, places, base)
        elif not places.keys() & BASE or places.keys() & {"n", "t", "u"}:
            return None
    return shape if shape.values else None


def _add_value(shape: PackShape, places: dict[str, int], base: dict[str, int]) -> None:
    has_other_unit = "u" in places and "n" not in places and "bu" in base
    units = (places["u"], base["bu"]) if has_other_unit else (NO_TEXT, NO_TEXT)
    shape.names.append((base.get("bn", NO_TEXT), places.get("n", NO_TEXT), *units))
    shape.bases.append(base.get("bt", NO_NUMBER))
    shape.times.append(places.get("t", NO_NUMBER))
    shape.values.append(places["v"])


def _is_usual(label: Any) -> bool:
    """Whether a label is one that changes nothing else, or one to be ignored."""
    if not isinstance(label, str):
        return False
    return label in _USUAL or not (label.endswith("_") or label in {"bv", "bs", "s", "vs", "vb", "vd"})
