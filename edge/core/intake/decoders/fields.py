"""JSON payloads: an object with one or more values, nested or flat, or an array of such objects.

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

from edge.core.intake.decoders.base import Decoded, Decoder, as_numbers
from edge.core.intake.decoders.documents.json_text import document_in, read_json
from edge.core.intake.decoders.documents.keys.answer_keys import may_be_answer
from edge.core.intake.decoders.documents.keys.identifier_keys import is_identifier, is_version
from edge.core.intake.decoders.documents.keys.message_keys import may_hold_addresses
from edge.core.intake.decoders.documents.keys.quality_keys import may_tell_quality
from edge.core.intake.decoders.documents.keys.time_keys import (
    USUAL,
    TimeKeys,
    is_time_beside,
    may_hold_day,
    may_hold_time,
)
from edge.core.intake.decoders.documents.keys.unit_keys import unit_key
from edge.core.intake.decoders.documents.lists import may_name_element, may_name_reading
from edge.core.intake.decoders.documents.options import Ignored, Items, Options, SenderFields
from edge.core.intake.decoders.documents.paths import key_problem, level
from edge.core.intake.decoders.documents.shapes import ArrayShape, Shape, Shapes
from edge.core.intake.decoders.documents.walk import DEVICE, Walk
from edge.core.intake.decoders.notation.mixed_units import is_unit
from edge.core.intake.decoders.notation.text_numbers import LONGEST_TEXT, TextNumbers, text_of
from edge.core.intake.decoders.notation.times import LIKELY, TimeError
from edge.core.model.readings.messages import Refusal, Refused, Row, Sample
from edge.core.model.sensors.sensors import Repetition

if TYPE_CHECKING:
    from collections.abc import Mapping

FEWEST = 4
"""Minimum number of values in an object, or of objects in an array, for the fast path."""

SOON = 1.0
"""Times below, in seconds since the epoch, aren't read on the fast path: 0 means that there is no time."""

_make = tuple.__new__
"""Creates a named tuple in half the time."""


@dataclass(frozen=True)
class FieldsDecoder(Decoder):
    """Reads numbers from JSON.

    An object with the key `value` is one reading with the path ''. Any other object gives one sensor per number, named
    by its path: keys and array positions joined by slashes. Strings that hold a number are numbers; other strings,
    booleans and nulls are refused individually unless the configuration maps them. A string that holds an encoded
    object or array is parsed.

    Elements of an array are distinguished by a name that all of them have, else by their times, else by position. In an
    array that is the whole payload each object is separate: without names and times, only one may have a given field.
    Paths of refusals begin with the position. If a key occurs twice, the last one wins.

    Repetition: periodic. Time: the first of the time keys in the object that can be read, or of one around it, else of
    arrival. Retained: refused without a time.

    Attributes:
        value_key: The key that holds the value in an object that is one reading.
        time_keys: Keys that may hold the time, case-insensitive; see `TimeKeys`.
        zone: Time zone of times without an offset.
        time_formats: `datetime.strptime` formats, tried before the standard ones.
        by_arrival: Whether the arrival time is used whatever a time key holds.
        values: Numbers for texts; `true` and `false` map the JSON booleans.
        numbers_in_text: Whether text that holds only a number counts as a number.
        decimal: The decimal separator of numbers in text.
        units: Whether a unit may follow a number in text.
        no_value: Numbers and texts that mean that there is no value.
        ignore: Globs on the paths of fields to leave out.
        batch: The field that holds an array of documents, each of which is read by itself; empty if not configured.
        items: The array whose elements are readings, such as `values[*]`; None if not configured.
        item_name: Template of an element's path.
        sender: Fields that identify the sender, such as `payload.id`; prefixed to the paths, see `paths.py`.
        names_devices: Whether `model` and `id` of an object are prefixed to its paths, which distinguishes devices that
            share a topic.
        depth: Maximum nesting depth of objects.
        readings: Maximum number of readings and refused fields in a payload.

    Raises:
        ValueError: A mapped number isn't finite.
    """

    value_key: str = "value"
    time_keys: tuple[str, ...] = USUAL
    zone: tzinfo = UTC
    time_formats: tuple[str, ...] = ()
    by_arrival: bool = False
    values: Mapping[str, float] = field(default_factory=dict)
    numbers_in_text: bool = True
    decimal: str = "."
    units: bool = False
    no_value: tuple[float | str, ...] = ()
    ignore: tuple[str, ...] = ()
    batch: str = ""
    items: str | None = None
    item_name: str = "{index}"
    sender: tuple[str, ...] = ()
    names_devices: bool = False
    depth: int = 8
    readings: int = 10_000
    _options: Options = field(init=False, repr=False, compare=False)
    _takes_rows: bool = field(init=False, repr=False, compare=False)
    _shapes: Shapes[Shape] = field(default_factory=Shapes, init=False, repr=False, compare=False)
    _arrays: Shapes[ArrayShape] = field(default_factory=Shapes, init=False, repr=False, compare=False)
    name: ClassVar[str] = "json"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def __post_init__(self) -> None:
        options = Options(
            value_key=self.value_key,
            times=TimeKeys(self.time_keys, self.zone, self.time_formats, by_arrival=self.by_arrival),
            texts=TextNumbers(
                read=self.numbers_in_text,
                decimal=self.decimal,
                units=self.units,
                values=self.values,
                no_value=frozenset(each for each in self.no_value if isinstance(each, str)),
            ),
            absent=frozenset(float(each) for each in self.no_value if not isinstance(each, str)),
            ignored=Ignored(self.ignore),
            items=None if self.items is None else Items.of(self.items, self.item_name),
            sender=SenderFields.of(self.sender),
            names_devices=self.names_devices,
            depth=self.depth,
            most=self.readings,
        )
        object.__setattr__(self, "values", options.texts.values)
        object.__setattr__(self, "_options", options)
        takes_rows = options.items is None and not options.sender.fields and not options.absent
        object.__setattr__(self, "_takes_rows", takes_rows)

    def decode(self, payload: bytes, arrived: float = nan) -> Decoded:
        """See `Decoder`."""
        document = self.read(payload)
        if isinstance(document, str):
            document = document_in(document)
        if self.batch and isinstance(document, dict) and isinstance(document.get(self.batch), list):
            return self._batch(document[self.batch], arrived)
        return self.read_document(document, arrived)

    def _batch(self, documents: list[Any], arrived: float) -> Decoded:
        """Read an array of documents; one that can't be read invalidates only itself, unless none can be."""
        samples: list[Sample] = []
        refusals: list[Refusal] = []
        units: dict[str, str] = {}
        absent: list[str] = []
        ignored = read = 0
        for place, each in enumerate(documents):
            try:
                found = self.read_document(each, arrived)
            except Refused as refused:
                refusal = refused.refusal
                refusals.append(
                    Refusal(refusal.reason, f"{self.batch}/{place}/{refusal.path}".rstrip("/"), refusal.detail)
                )
                continue
            samples += found.samples
            refusals += found.refusals
            units.update(found.units)
            absent += found.absent
            ignored, read = ignored + found.ignored, read + 1
            if len(samples) + len(refusals) > self.readings:
                raise Refused("too_many_readings", f"more than {self.readings}")
        if not read:
            raise Refused(refusals[0].reason, refusals[0].detail, refusals[0].path) if refusals else Refused("no_value")
        return Decoded(samples, refusals, ignored=ignored, units=units, absent=absent)

    def read_document(self, document: Any, arrived: float) -> Decoded:
        """The contents of one parsed document that isn't a batch of them.

        Raises:
            Refused: None of it can be accepted.
        """
        if self._takes_rows:
            if isinstance(document, float) and isfinite(document):
                return Decoded([Sample("", document, None)], [])
            if isinstance(document, dict):
                shape = self._shape(tuple(document))
                found = self._row(document, shape, arrived) if FEWEST <= len(shape.values) <= self.readings else None
                found = found or self._plain(document, shape)
                if found:
                    return found
            elif isinstance(document, list) and FEWEST <= len(document) <= self.readings:
                found = self._row_of_array(document, arrived)
                if found is not None:
                    return found
        return Walk(self._options, arrived).read(document)

    def read(self, payload: bytes) -> Any:
        """Parse a payload into dictionaries with text keys, lists, and scalars.

        Raises:
            Refused: It can't be parsed.
        """
        try:
            return read_json(payload)
        except Refused:
            text = text_of(payload[: LONGEST_TEXT + 1]).strip(" \t\r\n\0")
            if len(payload) <= LONGEST_TEXT and self._options.texts.knows(text):
                return text
            raise

    def _row(self, fields: dict[str, Any], shape: Shape, arrived: float) -> Decoded | None:
        """The samples of an object that holds only numbers and perhaps a time; None for any other."""
        if not shape.is_ordinary or self.value_key in fields:
            return None
        every = list(fields.values())
        values = as_numbers([every[place] for place in shape.value_places])
        times = None if shape.time_place is None else self._times([every[shape.time_place]], shape, arrived)
        if values is None or (times is None) != (shape.time_place is None) or _has_times(shape, values):
            return None
        if shape.named and _is_named_oddly(fields, shape):
            return None
        row = Row(shape.paths, values, times and times * len(values))
        return Decoded(row, [], ignored=shape.ignored) if shape.ignored else Decoded(row, [])

    def _row_of_array(self, elements: list[Any], arrived: float) -> Decoded | None:
        """The samples of an array whose objects have time and numbers in the same positions; None for any other."""
        if set(map(type, elements)) != {dict} or len(widths := set(map(len, elements))) != 1 or 0 in widths:
            return None
        shape = self._shape_of_array(tuple(chain.from_iterable(elements)), widths.pop())
        if shape.paths is None or shape.time_place is None or len(shape.paths) > self.readings:
            return None
        every = list(chain.from_iterable(map(dict.values, elements)))
        columns = [every[place :: shape.width] for place in shape.value_places]
        values = as_numbers(columns[0] if len(columns) == 1 else list(chain.from_iterable(zip(*columns, strict=True))))
        times = self._times(every[shape.time_place :: shape.width], self._shape(tuple(elements[0])), arrived)
        if values is None or times is None or (shape.repeats and times.count(times[0]) == len(times)):
            return None
        if len(columns) > 1:
            times = [each for each in times for _ in columns]
        row, named = Row(shape.paths, values, times), shape.named_places
        if not named:
            return Decoded(row, [])
        if any(set(map(type, every[place :: shape.width])) != {int} for place in named):
            return None
        return Decoded(row, [], ignored=len(elements) * len(named))

    def _times(self, given: list[Any], shape: Shape, arrived: float) -> list[float] | None:
        """Parse times; None if one can't be parsed, or must look like a time and doesn't."""
        lowest, highest = (SOON, 1e11) if not shape.is_loose else LIKELY
        if set(map(type, given)) == {float} and min(given) >= lowest and max(given) < highest:
            return given
        read = self._options.times.read
        try:
            times = [read(each, arrived) for each in given]
        except TimeError:
            return None
        return times if min(times) >= lowest and (not shape.is_loose or max(times) < highest) else None

    def _plain(self, fields: dict[str, Any], shape: Shape) -> Decoded | None:
        """The contents of an ordinary object; None for any other."""
        if not (shape.is_ordinary and 0 < len(shape.values) <= self.readings) or (
            shape.named and _is_named_oddly(fields, shape)
        ):
            return None
        time = None
        if shape.time_key is not None:
            time = fields[shape.time_key]
            lowest, highest = (SOON, 1e11) if not shape.is_loose else LIKELY
            if not isinstance(time, float) or not lowest <= time < highest:
                return None
        samples: list[Sample] = []
        for key, path in shape.values:
            value = fields[key]
            if not isinstance(value, float) or not isfinite(value) or is_time_beside(path, value):
                return None
            samples.append(_make(Sample, (path, value, time)))
        if shape.unit_key is not None or shape.ignored:
            unit = fields[shape.unit_key] if shape.unit_key is not None else None
            if unit is not None and not is_unit(unit):
                return None
            return Decoded(samples, [], ignored=shape.ignored, units={} if unit is None else {"": unit})
        return Decoded(samples, [])

    def _shape(self, keys: tuple[str, ...]) -> Shape:
        """How to read an object with these keys."""
        known = self._shapes.get(keys)
        if known is not None:
            return known
        options = self._options
        places = {key: place for place, key in enumerate(keys)}
        time_keys = options.times.among(keys)
        time_key = time_keys[0] if time_keys else None
        is_one, ignored, named = self.value_key in places, 0, list[str]()
        if is_one:
            values: tuple[tuple[str, str], ...] = ((self.value_key, ""),)
        else:
            taken = [each for each in keys if each not in time_keys and not options.ignored.fits(each)]
            named = [each for each in taken if is_identifier(level(each)) or is_version(level(each))]
            ignored = sum(options.ignored.fits(each) for each in keys if each not in time_keys) + len(named)
            values = tuple((each, level(each)) for each in taken if each not in named)
        shape = Shape(
            time_key,
            values,
            is_ordinary=len(time_keys) <= 1
            and not (time_keys and may_hold_day(keys))
            and not (self.names_devices and (may_name_reading(keys) if is_one else places.keys() >= set(DEVICE)))
            and not may_tell_quality(keys)
            and not may_be_answer(keys)
            and not may_hold_addresses(keys)
            and not any(map(options.times.must_be_near, time_keys))
            and (is_one or not any(key_problem(each, len(each)) for each in (*named, *(key for key, _ in values)))),
            is_named=may_name_element(keys),
            is_loose=time_key is not None and options.times.must_look_like_one(time_key),
            ignored=ignored,
            unit_key=unit_key(keys) if is_one else None,
            time_place=None if time_key is None else places[time_key],
            value_places=tuple(places[each] for each, _ in values),
            paths=tuple(path for _, path in values),
            may_hold_times=any(may_hold_time(path) for _, path in values),
            named=tuple(named),
            named_places=tuple(places[each] for each in named),
        )
        self._shapes.remember(keys, shape)
        return shape

    def _shape_of_array(self, keys: tuple[str, ...], width: int) -> ArrayShape:
        """How to read an array whose objects have `width` of these keys each."""
        known = self._arrays.get(keys)
        if known is not None and known.width == width:
            return known
        shapes = [self._shape(keys[begin : begin + width]) for begin in range(0, len(keys), width)]
        first = shapes[0]
        shape = ArrayShape(width)
        if first.values and all(
            each.is_ordinary
            and not each.is_named
            and not each.may_hold_times
            and each.ignored == len(each.named)
            and each.unit_key is None
            and (each.is_loose, each.time_place, each.value_places, each.named_places)
            == (first.is_loose, first.time_place, first.value_places, first.named_places)
            for each in shapes
        ):
            paths = tuple(chain.from_iterable(each.paths for each in shapes))
            repeats = len(set(paths)) < len(paths)
            shape = ArrayShape(width, first.time_place, first.value_places, paths, repeats, first.named_places)
        self._arrays.remember(keys, shape)
        return shape


def _has_times(shape: Shape, values: list[float]) -> bool:
    """Whether some values are times, which aren't readings."""
    return shape.may_hold_times and any(map(is_time_beside, shape.paths, values))


def _is_named_oddly(fields: dict[str, Any], shape: Shape) -> bool:
    """Whether what identifies something isn't a whole number."""
    return any(type(fields[key]) is not int for key in shape.named)
