"""Shapes of SenML packs: positions of names, times and values.

A device repeatedly sends packs with the same labels in the same positions. Each arrangement is analysed once.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

from edge.core.intake.decoders.records.senml_records import BASE, LABELS

NO_TEXT, NO_NUMBER = -2, -1
"""Positions used for a field that a record lacks: an empty text and a zero, appended to the fields of a pack."""

_USUAL = frozenset({"bver", "bn", "bt", "bu", "n", "u", "v", "t", "ut"})


class PackShape:
    """Positions in the concatenated fields of all records of a pack.

    Attributes:
        texts: Positions of names and units.
        versions: Positions of versions.
        names: For each value: base name, name, unit and base unit, the last two only where they distinguish it.
        bases: For each value: base time.
        times: For each value: time.
        units: For each value: unit, or base unit.
        values: Position of each value.
        has_times: Whether any record has a time or a base time.
    """

    __slots__ = ("bases", "has_times", "names", "texts", "times", "units", "values", "versions")

    def __init__(self) -> None:
        self.texts: list[int] = []
        self.versions: list[int] = []
        self.names: list[tuple[int, int, int, int]] = []
        self.bases: list[int] = []
        self.times: list[int] = []
        self.units: list[int] = []
        self.values: list[int] = []
        self.has_times = False


class Key(NamedTuple):
    """The key that identifies a shape."""

    labels: tuple[Any, ...]
    widths: tuple[int, ...]


def key_of(pack: list[dict[Any, Any]]) -> Key:
    """The labels of a pack, record by record."""
    return Key(tuple(chain.from_iterable(pack)), tuple(map(len, pack)))


def shape_of(pack: list[dict[Any, Any]]) -> PackShape | None:
    """The shape of a pack; None if a record is unusual or no record has a value."""
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
    shape.units.append(places.get("u", base.get("bu", NO_TEXT)))
    shape.values.append(places["v"])


def _is_usual(label: Any) -> bool:
    """Whether a label affects no other field, or is to be ignored."""
    if not isinstance(label, str):
        return False
    return label in _USUAL or not (label.endswith("_") or label in {"bv", "bs", "s", "vs", "vb", "vd"})
