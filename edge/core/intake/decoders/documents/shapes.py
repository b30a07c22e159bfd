"""Shapes: cached handling of objects, and arrays of objects, by their set of keys.

A device sends the same keys again and again with different numbers. Each set of keys is analysed once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from edge.core.model.bounded_cache import BoundedCache, size_of

MOST_KEYS = 1_000
"""Maximum number of keys of a cached shape."""

MOST_BYTES = 4 * 2**20
"""Maximum size of all cached shapes of one kind in a decoder; when it is exceeded, the cache is cleared."""

KEY_BYTES = 100
"""Memory that a shape needs for each key in addition to its text."""


class Shape(NamedTuple):
    """How to read objects with a given set of keys.

    Attributes:
        time_key: The key that holds the time, or None.
        values: The keys that hold values, and the paths of their samples.
        is_ordinary: Whether all of those paths are usable, and at most one key may hold the time.
        is_named: Whether a key may distinguish such an object from others in an array.
        is_loose: Whether the value of the time key must look like a time.
        ignored: Number of keys left out by configuration.
        unit_key: The key that holds the unit of the only value, or None.
        time_place: Position of the time among the keys, or None.
        value_places: Positions of the values among the keys.
        paths: Paths of the samples.
        may_hold_times: Whether large numbers under some keys are times.
        named: The keys whose whole numbers identify something, and are no readings.
        named_places: Their positions.
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
    may_hold_times: bool
    named: tuple[str, ...]
    named_places: tuple[int, ...]


class ArrayShape(NamedTuple):
    """How to read arrays whose objects have the same keys in the same positions.

    Attributes:
        width: Number of keys of each object.
        time_place: Position of the time among them, or None.
        value_places: Positions of the values among them.
        paths: Paths of all samples, object by object; None if such arrays are read object by object.
        repeats: Whether a path occurs twice, so that objects of one time can't be told apart.
        named_places: Positions of the whole numbers that identify something.
    """

    width: int
    time_place: int | None = None
    value_places: tuple[int, ...] = ()
    paths: tuple[str, ...] | None = None
    repeats: bool = False
    named_places: tuple[int, ...] = ()


Kind = TypeVar("Kind", Shape, ArrayShape)


class Shapes(Generic[Kind]):
    """A cache of shapes by their keys."""

    __slots__ = ("_known", "get")

    def __init__(self) -> None:
        self._known: BoundedCache[tuple[str, ...], Kind] = BoundedCache(MOST_BYTES)
        self.get: Callable[[tuple[str, ...]], Kind | None] = self._known.get

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, keys: tuple[str, ...], shape: Kind) -> None:
        """Cache a shape, unless it has too many keys."""
        if len(keys) <= MOST_KEYS:
            self._known.put(keys, shape, size_of(*keys) + KEY_BYTES * len(keys))
