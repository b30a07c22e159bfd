"""Shapes: what to do with an object, or an array of objects, that has the same keys as one before.

A device says the same again and again, with other numbers. What its keys mean is looked at once.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

MOST_KEYS = 1_000
"""Keys of a shape that is remembered."""

MOST_CHARACTERS = 16_384
"""Of those keys."""

REMEMBERED = 200_000
"""Keys of all shapes that are remembered; beyond it, all are looked at anew."""


class Shape(NamedTuple):
    """What to do with objects that have the same keys.

    Attributes:
        time_key: Which of them holds the time, or None.
        values: The keys that hold values, and the paths of their samples.
        is_ordinary: Whether all of those are usable paths.
        time_place: Where the time stands among the keys, or None.
        value_places: Where the values do.
        paths: Of the samples, by themselves.
    """

    time_key: str | None
    values: tuple[tuple[str, str], ...]
    is_ordinary: bool
    time_place: int | None
    value_places: tuple[int, ...]
    paths: tuple[str, ...]


class ArrayShape(NamedTuple):
    """What to do with arrays whose objects have the same keys in the same places.

    Attributes:
        width: Keys of each object.
        time_place: Where the time stands among them, or None.
        value_places: Where the values do.
        paths: Of all samples, object by object; None if such arrays are taken object by object.
    """

    width: int
    time_place: int | None = None
    value_places: tuple[int, ...] = ()
    paths: tuple[str, ...] | None = None


Kind = TypeVar("Kind", Shape, ArrayShape)


class Shapes(Generic[Kind]):
    """The shapes that are remembered, by their keys."""

    __slots__ = ("_known", "_room")

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Kind] = {}
        self._room = REMEMBERED

    def __len__(self) -> int:
        return len(self._known)

    def get(self, keys: tuple[str, ...]) -> Kind | None:
        """The shape of these keys, if it is remembered."""
        return self._known.get(keys)

    def remember(self, keys: tuple[str, ...], shape: Kind) -> None:
        """Remember a shape, unless its keys are too many."""
        if len(keys) > MOST_KEYS or sum(map(len, keys)) > MOST_CHARACTERS:
            return
        if len(keys) >= self._room:
            self._known.clear()
            self._room = REMEMBERED
        self._known[keys] = shape
        self._room -= len(keys) + 1
