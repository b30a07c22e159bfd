"""SenML payloads (RFC 8428), in JSON or CBOR: a list of records that share names, times and units.

[{"bn": "urn:dev:ow:10e2073a01080063:", "bt": 1.276020076001e+09, "n": "voltage", "u": "V", "v": 120.1},
 {"n": "current", "u": "A", "t": -5, "v": 1.2}]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from math import isfinite, nan
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from edge.core.intake.decoders.base import Decoded, Decoder, as_numbers, chronological, finite_values
from edge.core.intake.decoders.documents.cbor_item import read_cbor
from edge.core.intake.decoders.documents.json_text import read_json
from edge.core.intake.decoders.notation.mixed_units import is_unit
from edge.core.intake.decoders.records.senml_records import (
    LABELS,
    LONGEST_PATH,
    RELATIVE_BELOW,
    VERSION,
    path_of,
    resolve,
)
from edge.core.intake.decoders.records.senml_shapes import Key, PackShape, key_of, shape_of
from edge.core.model.bounded_cache import BoundedCache, size_of
from edge.core.model.readings.messages import Refused
from edge.core.model.sensors.sensors import Repetition

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE_BYTES = 4 * 2**20
"""Maximum size of all shapes that a decoder caches, and of all names."""

FIELD_BYTES = 150
"""Memory that a shape, or its names, need for each field in addition to its text."""

MOST_FIELDS = 1_000
"""Maximum number of fields of a pack whose shape is cached."""

_TEXT = {str}
_NUMBERS = {int, float}
_OUT_OF_THE_ORDINARY = PackShape()


class SensorsOfPack(NamedTuple):
    """The sensors of a pack.

    Attributes:
        paths: The path of each value.
        units: Units by path.
    """

    paths: tuple[str, ...]
    units: dict[str, str]


@dataclass(frozen=True)
class SenmlDecoder(Decoder):
    """Reads the values and sums of SenML records.

    A sensor's path is the record's resolved name, base name and name joined, without leading and trailing slashes;
    `/sum` is appended for a sum. Booleans and strings are refused individually unless the configuration maps them, as
    are malformed records. A malformed base field, an unknown mandatory field (its name ends in `_`) or an unknown
    version refuses the whole pack, as RFC 8428 requires. Records are read in the order of their times. Parts of a
    stream (SensML) are accepted: an unterminated list, or a single record.

    Repetition: periodic. Time: base time and time together, absolute, or if they are below 2^28, in seconds after the
    arrival; records without either were measured on arrival. Retained: refused without absolute times.

    Attributes:
        values: Numbers for strings; `true` and `false` map booleans.
        readings: Maximum number of readings and refused records in a payload.

    Raises:
        ValueError: A mapped number isn't finite.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    readings: int = 10_000
    _shapes: BoundedCache[Key, PackShape] = field(
        default_factory=lambda: BoundedCache(CACHE_BYTES), init=False, repr=False, compare=False
    )
    _series: BoundedCache[tuple[PackShape, tuple[str, ...]], SensorsOfPack] = field(
        default_factory=lambda: BoundedCache(CACHE_BYTES), init=False, repr=False, compare=False
    )
    name: ClassVar[str] = "senml"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", finite_values(self.values))

    def decode(self, payload: bytes, arrived: float = nan) -> Decoded:  # noqa: ARG002 - `Decoded.after()` knows it
        """See `Decoder`."""
        pack = self.read(payload)
        found = self._row(pack)
        if found is not None:
            return found
        if not any(isinstance(each, dict) and _has_a_label(each) for each in pack):
            raise Refused(*self._no_records(pack))
        samples, refusals, units = resolve(pack, self.values, self.readings)
        if not samples and not refusals:
            raise Refused("no_value")
        samples.sort(key=lambda each: each.time or 0.0)
        return Decoded(samples, refusals, RELATIVE_BELOW, units=units.first)

    def read(self, payload: bytes) -> list[Any]:
        """The records of a payload.

        Raises:
            Refused: It isn't SenML.
        """
        try:
            document = read_json(payload, self.name)
        except Refused as refused:
            whole = _completed(payload) if refused.refusal.reason == "malformed" else None
            if whole is None:
                raise
            try:
                document = read_json(whole, self.name)
            except Refused:
                raise refused from None
        return _as_pack(document)

    def _no_records(self, pack: list[Any]) -> tuple[str, str]:
        """Why a payload that was parsed has no records."""
        return ("malformed", 'not SenML but JSON: format = "json"') if pack else ("no_value", "")

    def _row(self, pack: list[Any]) -> Decoded | None:
        """The samples of a pack that holds only numbers in positions known from before; None for any other."""
        shape = self._shape(pack) if set(map(type, pack)) == {dict} else _OUT_OF_THE_ORDINARY
        if shape is _OUT_OF_THE_ORDINARY or len(shape.values) > self.readings:
            return None
        every: list[Any] = [*chain.from_iterable(map(dict.values, pack)), "", 0]
        values = as_numbers([every[place] for place in shape.values])
        series = None if values is None else self._series_of(shape, every)
        times = None if series is None else _times(shape, every)
        if values is None or series is None or times is None:
            return None
        if any(type(every[place]) is not int or every[place] != VERSION for place in shape.versions):
            return None
        return Decoded(chronological(series.paths, values, times), [], RELATIVE_BELOW, units=series.units)

    def _shape(self, pack: list[dict[Any, Any]]) -> PackShape:
        key = key_of(pack)
        shape = self._shapes.get(key)
        if shape is None:
            shape = shape_of(pack) or _OUT_OF_THE_ORDINARY
            if len(key.labels) <= MOST_FIELDS:
                texts = [each for each in key.labels if isinstance(each, (str, bytes))]
                self._shapes.put(key, shape, size_of(*texts) + FIELD_BYTES * (len(key.labels) + len(pack)))
        return shape

    def _series_of(self, shape: PackShape, every: list[Any]) -> SensorsOfPack | None:
        """The paths and units of all values; None if one is unusable, or if a path has two units."""
        texts = tuple([every[place] for place in shape.texts])
        if not set(map(type, texts)) <= _TEXT:
            return None
        found = self._series.get((shape, texts))
        if found is not None:
            return found
        paths = tuple(
            path_of(every[base] + every[name], every[unit] if every[unit] != every[base_unit] else "")
            for base, name, unit, base_unit in shape.names
        )
        pairs = {(path, every[place]) for path, place in zip(paths, shape.units, strict=True) if is_unit(every[place])}
        found = SensorsOfPack(paths, dict(pairs))
        if max(map(len, paths)) > LONGEST_PATH or len(found.units) < len(pairs):
            return None
        if len(paths) <= MOST_FIELDS:
            self._series.put((shape, texts), found, size_of(*texts, *paths) + FIELD_BYTES * len(texts))
        return found


@dataclass(frozen=True)
class SenmlCborDecoder(SenmlDecoder):
    """Reads SenML in CBOR as `SenmlDecoder` does in JSON. Labels may be numbers or texts.

    Repetition: periodic. Time: as in JSON. Retained: refused without absolute times.
    """

    name: ClassVar[str] = "senml-cbor"
    repetition: ClassVar[Repetition] = Repetition.PERIODIC

    def read(self, payload: bytes) -> list[Any]:
        """See `SenmlDecoder`."""
        try:
            document = read_cbor(payload, self.name)
        except Refused as refused:
            if refused.refusal.reason != "malformed" or payload[:1] != b"\x9f":
                raise
            try:
                document = read_cbor(payload + b"\xff", self.name)
            except Refused:
                raise refused from None
        return _as_pack(document)

    def _no_records(self, pack: list[Any]) -> tuple[str, str]:
        return ("malformed", 'not SenML but CBOR: format = "cbor"') if pack else ("no_value", "")


def _times(shape: PackShape, every: list[Any]) -> list[float] | None:
    """The times of all values, absolute or relative; None if one isn't a number."""
    if not shape.has_times:
        return [0.0] * len(shape.values)
    bases, own = [every[place] for place in shape.bases], [every[place] for place in shape.times]
    if not (set(map(type, bases)) | set(map(type, own))) <= _NUMBERS:
        return None
    try:
        times = list(map(float, map(add, bases, own)))
    except OverflowError:
        return None
    return times if isfinite(sum(times)) else None


def _has_a_label(record: dict[Any, Any]) -> bool:
    return any(LABELS.get(key, key) in _TELLING for key in record)


_TELLING = frozenset({"n", "v", "vs", "vb", "vd", "s", "bn", "bt", "bu", "bv", "bs", "bver"})
"""Labels that distinguish SenML from other objects."""


def _as_pack(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _completed(payload: bytes) -> bytes | None:
    """A part of a stream with the missing brackets and commas added; None if it isn't one."""
    text = payload.strip(b" \t\r\n,")
    if text.startswith(b"[") and text.endswith(b"}"):
        return text + b"]"
    if text.startswith(b"{") and text.endswith(b"}"):
        return b"[" + text + b"]"
    if text.startswith(b"{") and text.endswith(b"]"):
        return b"[" + text
    return None
