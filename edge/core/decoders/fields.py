"""Payloads that are JSON: an object with one value or many, nested or not, or an array of such objects.

{"ts": 1700000000.123, "value": 21.57, "unit": "Cel"}
{"Time": "2019-11-03T19:34:28", "BME280": {"Temperature": 21.7, "Humidity": 66.6}}
[{"ts": 1700000000, "value": 1}, {"ts": 1700000060, "value": 2}]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import chain
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, ClassVar

from edge.core.decoders.base import Decoded, Decoder, as_numbers, finite_values
from edge.core.decoders.json_text import read_json
from edge.core.decoders.shapes import ArrayShape, Shape, Shapes
from edge.core.decoders.times import TimeError, read_time
from edge.core.messages import Refusal, Refused, Row, Sample
from edge.core.sensors import Repetition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FEWEST = 4
"""Values of an object, or objects of an array, that are taken as a row."""

LONGEST_PATH = 200
"""Characters of a path; a sensor's name has no more, and a long key must not cost its length a field."""


_make = tuple.__new__
"""Makes a named tuple in half of the time."""


class _Found:
    """What was found so far, and how much more may be.

    Attributes:
        most: Samples and refusals together.
        room: How many of them may still come.
        arrived: When the payload did, seconds since the epoch, or NaN.
        element: Where in an array we are; goes before the paths of refusals. None outside of arrays.
    """

    __slots__ = ("arrived", "element", "most", "refusals", "room", "samples")

    def __init__(self, most: int, arrived: float) -> None:
        self.arrived = arrived
        self.samples: list[Sample] = []
        self.refusals: list[Refusal] = []
        self.most = self.room = most
        self.element: int | None = None

    def refuse(self, reason: str, path: str, detail: str = "") -> None:
        self._count()
        path = path[:LONGEST_PATH]
        if self.element is not None:
            path = f"{self.element}/{path}" if path else str(self.element)
        self.refusals.append(Refusal(reason, path, detail))

    def take(self, sample: Sample) -> None:
        self._count()
        self.samples.append(sample)

    def _count(self) -> None:
        self.room -= 1
        if self.room < 0:
            raise Refused("too_many_readings", f"more than {self.most}")


@dataclass(frozen=True)
class FieldsDecoder(Decoder):
    """Reads numbers out of JSON.

    An object with the key `value` is one reading, with the path ''. Any other is one sensor a number in it,
    named by its path: keys, and positions in lists, joined by slashes. Texts, booleans and nulls are refused
    for themselves alone, unless the configuration maps them. In an array each object stands for itself, and
    the paths of refusals begin with its position. Of a key that comes twice the last counts.

    Repetition: periodic. Time: the first of the time keys in the object, or in one around it, else of
    arrival. Retained: refused without a time.

    Attributes:
        value_key: The key that holds the value where an object is one reading.
        time_keys: Keys that may hold the time, in any case; the first of them that is there counts.
        zone: Zone of times without an offset.
        values: Numbers that texts stand for; `true` and `false` stand for JSON's.
        depth: Objects within objects.
        readings: Readings and refused fields in one payload.

    Raises:
        ValueError: A word stands for a number that isn't finite.
    """

    value_key: str = "value"
    time_keys: tuple[str, ...] = ("ts", "time", "timestamp", "t")
    zone: tzinfo = UTC
    values: Mapping[str, float] = field(default_factory=dict)
    depth: int = 8
    readings: int = 10_000
    _ranks: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _shapes: Shapes[Shape] = field(default_factory=Shapes, init=False, repr=False, compare=False)
    _arrays: Shapes[ArrayShape] = field(default_factory=Shapes, init=False, repr=False, compare=False)
    name: ClassVar[str] = "json"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def __post_init__(self) -> None:
        keys = tuple(dict.fromkeys(each.lower() for each in self.time_keys))
        object.__setattr__(self, "time_keys", keys)
        object.__setattr__(self, "_ranks", {key: rank for rank, key in enumerate(keys)})
        object.__setattr__(self, "values", finite_values(self.values))

    def decode(self, payload: bytes, arrived: float = nan) -> Decoded:
        """See `Decoder`."""
        document = self.read(payload)
        found = _Found(self.readings, arrived)
        if isinstance(document, dict):
            shape = self._shape(tuple(document))
            row = self._row(document, shape, arrived) if FEWEST <= len(shape.values) <= self.readings else None
            if row is not None:
                return Decoded(row, [])
            if self._plain(document, shape, found) and found.samples:
                return Decoded(found.samples, found.refusals)
            if self.value_key in document:
                read = self._reading(document, arrived)
                return Decoded([read], []) if isinstance(read, Sample) else Decoded([], [read])
        if isinstance(document, list):
            row = self._row_of_array(document, arrived) if FEWEST <= len(document) <= self.readings else None
            if row is not None:
                return Decoded(row, [])
            self._array(document, found)
        elif isinstance(document, dict):
            self._object(document, "", None, 1, found)
        else:
            self._leaf(document, "", None, found)
        if not found.samples and not (isinstance(document, list) and found.refusals):
            raise _nothing(found)
        return Decoded(found.samples, found.refusals)

    def read(self, payload: bytes) -> Any:
        """The document that a payload is: dictionaries with texts as keys, lists, and leaves.

        Raises:
            Refused: It is none, or can't be read.
        """
        return read_json(payload)

    def _array(self, elements: list[Any], found: _Found) -> None:
        for index, element in enumerate(elements):
            if isinstance(element, dict) and self._plain(element, self._shape(tuple(element)), found):
                continue
            found.element = index
            if not isinstance(element, dict):
                found.refuse("not_a_number", "", "not an object")
            elif self.value_key in element:
                read = self._reading(element, found.arrived)
                if isinstance(read, Sample):
                    found.take(read)
                else:
                    found.refuse(*read)
            else:
                self._object(element, "", None, 1, found)

    def _row(self, fields: dict[str, Any], shape: Shape, arrived: float) -> Row | None:
        """The samples of an object that has nothing but numbers and perhaps a time; None for any other."""
        if not shape.is_ordinary or self.value_key in fields:
            return None
        every = list(fields.values())
        values = as_numbers([every[place] for place in shape.value_places])
        times = None if shape.time_place is None else self._times([every[shape.time_place]], arrived)
        if values is None or (times is None) != (shape.time_place is None):
            return None
        return Row(shape.paths, values, times and times * len(values))

    def _row_of_array(self, elements: list[Any], arrived: float) -> Row | None:
        """The samples of an array whose objects have their time and numbers in the same places; None for any other."""
        if set(map(type, elements)) != {dict} or len(widths := set(map(len, elements))) != 1 or 0 in widths:
            return None
        shape = self._shape_of_array(tuple(chain.from_iterable(elements)), widths.pop())
        if shape.paths is None or len(shape.paths) > self.readings:
            return None
        every = list(chain.from_iterable(map(dict.values, elements)))
        columns = [every[place :: shape.width] for place in shape.value_places]
        values = as_numbers(columns[0] if len(columns) == 1 else list(chain.from_iterable(zip(*columns, strict=True))))
        times = None if shape.time_place is None else self._times(every[shape.time_place :: shape.width], arrived)
        if values is None or (times is None) != (shape.time_place is None):
            return None
        if times is not None and len(columns) > 1:
            times = [each for each in times for _ in columns]
        return Row(shape.paths, values, times)

    def _times(self, given: list[Any], arrived: float) -> list[float] | None:
        """What times say; None if one of them can't be read."""
        if set(map(type, given)) == {float} and min(given) > -1e11 and max(given) < 1e11:
            return given
        try:
            return [read_time(each, self.zone, arrived) for each in given]
        except TimeError:
            return None

    def _plain(self, fields: dict[str, Any], shape: Shape, found: _Found) -> bool:
        """Take an object in which nothing is out of the ordinary; False for any other, and nothing is changed."""
        time = None
        if shape.time_key is not None:
            time = fields[shape.time_key]
            if not isinstance(time, float) or not -1e11 < time < 1e11:
                return False
        samples = found.samples
        before = len(samples)
        for key, path in shape.values:
            value = fields[key]
            if not isinstance(value, float) or not isfinite(value):
                break
            samples.append(_make(Sample, (path, value, time)))
        else:
            if shape.is_ordinary and len(shape.values) <= found.room:
                found.room -= len(shape.values)
                return True
        del samples[before:]
        return False

    def _shape(self, keys: tuple[str, ...]) -> Shape:
        """What to do with an object that has these keys."""
        known = self._shapes.get(keys)
        if known is not None:
            return known
        places = {key: place for place, key in enumerate(keys)}
        time_key = self._time_key(places)
        if self.value_key in places:
            values: tuple[tuple[str, str], ...] = ((self.value_key, ""),)
        else:
            values = tuple((each, each) for each in keys if each != time_key)
        shape = Shape(
            time_key,
            values,
            is_ordinary=self.value_key in places or all(0 < len(each) <= LONGEST_PATH for each, _ in values),
            time_place=None if time_key is None else places[time_key],
            value_places=tuple(places[each] for each, _ in values),
            paths=tuple(path for _, path in values),
        )
        self._shapes.remember(keys, shape)
        return shape

    def _shape_of_array(self, keys: tuple[str, ...], width: int) -> ArrayShape:
        """What to do with an array whose objects have `width` of these keys each."""
        known = self._arrays.get(keys)
        if known is not None and known.width == width:
            return known
        shapes = [self._shape(keys[begin : begin + width]) for begin in range(0, len(keys), width)]
        first = shapes[0]
        shape = ArrayShape(width)
        if first.values and all(
            each.is_ordinary and (each.time_place, each.value_places) == (first.time_place, first.value_places)
            for each in shapes
        ):
            paths = tuple(chain.from_iterable(each.paths for each in shapes))
            shape = ArrayShape(width, first.time_place, first.value_places, paths)
        self._arrays.remember(keys, shape)
        return shape

    def _reading(self, fields: dict[str, Any], arrived: float) -> Sample | Refusal:
        """What an object holds that is one reading."""
        time_key = self._time_key(fields)
        time = None
        if time_key is not None:
            time = fields[time_key]
            if not isinstance(time, float) or not -1e11 < time < 1e11:
                try:
                    time = read_time(time, self.zone, arrived)
                except TimeError as error:
                    return Refusal("bad_time", time_key[:LONGEST_PATH], str(error))
        value = fields[self.value_key]
        if not isinstance(value, float) or not isfinite(value):
            value = self._number(value)
            if isinstance(value, str):
                return Refusal(value, self.value_key)
        return _make(Sample, ("", value, time))

    def _object(self, fields: dict[str, Any], path: str, time: float | None, depth: int, found: _Found) -> None:
        time_key = self._time_key(fields)
        if time_key is not None:
            try:
                time = read_time(fields.pop(time_key), self.zone, found.arrived)
            except TimeError as error:
                found.refuse("bad_time", f"{path}{time_key}", str(error))
                return
        self._fields(fields.items(), path, time, depth, found)

    def _fields(
        self, fields: Iterable[tuple[str, Any]], path: str, time: float | None, depth: int, found: _Found
    ) -> None:
        for key, value in fields:
            place = f"{path}{key}"
            if not key or len(place) > LONGEST_PATH:
                found.refuse("bad_name", place, "too long" if key else "an empty key")
            elif not isinstance(value, (dict, list)):
                self._leaf(value, place, time, found)
            elif depth >= self.depth:
                found.refuse("too_deep", place)
            elif isinstance(value, dict):
                self._object(value, f"{place}/", time, depth + 1, found)
            else:
                numbered = ((str(index), each) for index, each in enumerate(value))
                self._fields(numbered, f"{place}/", time, depth + 1, found)

    def _leaf(self, value: Any, path: str, time: float | None, found: _Found) -> None:
        if not isinstance(value, float) or not isfinite(value):
            value = self._number(value)
            if isinstance(value, str):
                found.refuse(value, path)
                return
        found.take(Sample(path, value, time))

    def _number(self, value: Any) -> float | str:
        """The number that a value is or stands for; or why it is none, a word of `REASONS`."""
        if isinstance(value, float):
            return value if isfinite(value) else "not_finite"
        if isinstance(value, (bool, str)):
            word = value if isinstance(value, str) else str(value).lower()
            return self.values.get(word, "not_a_number")
        if not isinstance(value, int):
            return "not_a_number"
        try:
            return float(value)
        except OverflowError:
            return "not_finite"

    def _time_key(self, fields: Iterable[str]) -> str | None:
        """The key of an object that holds its time."""
        ranks = self._ranks
        found: str | None = None
        lowest = len(ranks)
        for key in fields:
            rank = ranks.get(key)
            if rank is None:
                rank = ranks.get(key.lower(), lowest)
            if rank < lowest:
                if rank == 0:
                    return key
                found, lowest = key, rank
        return found


def _nothing(found: _Found) -> Refused:
    """Why an object gave no reading: a fault where there is one, else that it holds no number."""
    for each in found.refusals:
        if each.reason != "not_a_number":
            return Refused(each.reason, each.detail, each.path)
    return Refused("no_value")
