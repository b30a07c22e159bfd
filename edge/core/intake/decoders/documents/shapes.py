"""Shapes: what to do with an object, or an array of objects, that has the same keys as one before.

A device says the same again and again, with other numbers. What its keys mean is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from edge.core.model.bounded_cache import BoundedCache, size_of

MOST_KEYS = 1_000
"""Keys of a shape that is remembered."""

MOST_BYTES = 4 * 2**20
"""Size of all shapes of a kind that a decoder remembers; beyond it, all are looked at anew."""

KEY_BYTES = 100
"""What a shape holds of each of its keys, beside the text."""


class Shape(NamedTuple):
    """What to do with objects that have the same keys.

    Attributes:
        time_key: Which of them holds the time, or None.
        values: The keys that hold values, and the paths of their samples.
        is_ordinary: Whether all of those are usable paths, and at most one key may hold the time.
        is_named: Whether a key may tell such an object from others in a list.
        is_loose: Whether what the time's key holds must look like a time.
        ignored: How many keys are left out, as the configuration says.
        unit_key: Which of them holds the unit of the only value, or None.
        time_place: Where the time stands among the keys, or None.
        value_places: Where the values do.
        paths: Of the samples, by themselves.
    """

    time_key: str | None
    values: tuple[tuple[str, str], ...]
    is_ordinary: bool
    is_named: bool
    is_loose: bool
    ignored: int
    unit_key: str | None
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

    __slots__ = ("_known", "get")

    def __init__(self) -> None:
        self._known: BoundedCache[tuple[str, ...], Kind] = BoundedCache(MOST_BYTES)
        self.get: Callable[[tuple[str, ...]], Kind | None] = self._known.get

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, keys: tuple[str, ...], shape: Kind) -> None:
        """Remember a shape, unless its keys are too many."""
        if len(keys) <= MOST_KEYS:
            self._known.put(keys, shape, size_of(*keys) + KEY_BYTES * len(keys))
