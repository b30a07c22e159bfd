"""Parser for Sparkplug B 3.0 payloads: sequence number and metrics.

The name and datatype of a metric may be known only from a birth certificate: a data message may carry an alias and no
datatype. Metrics therefore keep their raw bits (`Metric.raw`), and `number_of()` interprets them by a datatype.

Source: Sparkplug 3.0.0, section 6.4, whose field numbers are below.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from edge.core.intake.decoders.records.protobuf_wire import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    end_of,
    read_number,
    read_tag,
)
from edge.core.model.readings.messages import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_METRICS = 50_000
"""Maximum number of metrics in a payload."""

COMPRESSED: Final = b"SPBV1.0_COMPRESSED"
"""The UUID of a payload whose body is a compressed payload."""

MOST_UNPACKED = 2**20
"""Maximum size in bytes of a decompressed payload; decompression stops there."""

SIGNED_BITS: Final = {1: 8, 2: 16, 3: 32, 4: 64}
UNSIGNED_BITS: Final = {5: 8, 6: 16, 7: 32, 8: 64, 13: 64}
BOOLEAN: Final = 11

NO_VALUE, INT, LONG, FLOAT_VALUE, DOUBLE_VALUE, BOOLEAN_VALUE, STRING, BYTES_VALUE, DATASET, TEMPLATE, EXTENSION = (
    0,
    *range(10, 20),
)
"""Name of the metric field that holds the value."""

WITHOUT_VALUE: Final = frozenset({0, 500})
"""Qualities bad and stale, at which a metric has no value; 192 is good."""

_QUALITY = "Quality"
_UNITS = frozenset({"engunit", "engunits", "engineeringunits", "unit", "units"})
_PAYLOAD_TIME, _PAYLOAD_METRIC, _PAYLOAD_SEQUENCE, _PAYLOAD_UUID, _PAYLOAD_BODY = 1, 2, 3, 4, 5
_ZLIB_OR_GZIP = 47
"""Window size that lets zlib detect zlib and gzip headers."""

_NAME, _ALIAS, _TIME, _DATATYPE, _HISTORICAL, _TRANSIENT, _NULL, _PROPERTIES = 1, 2, 3, 4, 5, 6, 7, 9
_32_BITS = 2**32 - 1
_NAME_TAG, _ALIAS_TAG, _TIME_TAG, _DATATYPE_TAG = 0x0A, 0x10, 0x18, 0x20
_INT_TAG, _LONG_TAG, _FLOAT_TAG, _DOUBLE_TAG, _BOOLEAN_TAG = 0x50, 0x58, 0x65, 0x69, 0x70
"""Tags of these fields in their usual wire types: eight times the field number, plus the wire type."""

_ONE_BYTE = 0x7F
"""The largest number encoded in one byte."""

_double: Callable[[bytes, int], tuple[float]] = struct.Struct("<d").unpack_from
_float: Callable[[bytes, int], tuple[float]] = struct.Struct("<f").unpack_from
_VALUE_WIRE_TYPES: Final = {
    INT: VARINT,
    LONG: VARINT,
    FLOAT_VALUE: FIXED32,
    DOUBLE_VALUE: FIXED64,
    BOOLEAN_VALUE: VARINT,
    **dict.fromkeys(range(STRING, EXTENSION + 1), BYTES),
}


class Metric(NamedTuple):
    """A metric as sent.

    Attributes:
        name: None if the message omits it.
        alias: The number that stands for the name; None if there is none.
        time: Milliseconds since the epoch, or None.
        datatype: Numbered as in the specification; None if the message omits it.
        is_historical: Whether it is a past value.
        is_transient: Whether it is marked as not to be stored.
        is_null: Whether it is marked as having no value.
        kind: Field that holds its value: `INT` to `EXTENSION`, or `NO_VALUE`.
        raw: The value of that field; None for data sets, templates, extensions, bytes and no value.
        unit: Engineering unit; empty if not given.
        quality: Quality code, see `WITHOUT_VALUE`; None if not given.
    """

    name: str | None = None
    alias: int | None = None
    time: int | None = None
    datatype: int | None = None
    is_historical: bool = False
    is_transient: bool = False
    is_null: bool = False
    kind: int = NO_VALUE
    raw: int | float | bool | str | None = None
    unit: str = ""
    quality: int | None = None


class Payload(NamedTuple):
    """A Sparkplug payload.

    Attributes:
        time: Sending time, milliseconds since the epoch; None if not given.
        sequence: As sent; 0 to 255 in conforming payloads. None in death certificates.
        metrics: In the order sent.
    """

    time: int | None
    sequence: int | None
    metrics: tuple[Metric, ...]


def read_payload(payload: bytes) -> Payload:
    """Parse a payload, including one that wraps a compressed payload, as Eclipse Tahu may send it.

    Args:
        payload: Any bytes; an empty payload has no metrics.

    Raises:
        Refused: It is malformed or cut off, a name isn't UTF-8, it has too many metrics, or it unpacks to more than
            `MOST_UNPACKED` bytes.
    """
    read, packed = _read(payload)
    if packed is None:
        return read
    within, again = _read(_unpacked(packed))
    if again is not None:
        raise Refused("malformed", "a payload that is compressed twice")
    return within if within.sequence is not None else within._replace(sequence=read.sequence)


def _unpacked(packed: bytes) -> bytes:
    """Decompress zlib or gzip data up to a limit."""
    unpacker = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        payload = unpacker.decompress(packed, MOST_UNPACKED + 1)
    except zlib.error:
        raise Refused("malformed", "a compressed payload that is neither DEFLATE nor GZIP") from None
    if len(payload) > MOST_UNPACKED:
        raise Refused("too_large", f"a compressed payload of more than {MOST_UNPACKED} bytes")
    if not unpacker.eof:
        raise Refused("malformed", "a compressed payload that is cut off")
    return payload


def _read(payload: bytes) -> tuple[Payload, bytes | None]:
    """A payload, and the compressed payload inside it, or None."""
    time = sequence = None
    texts = {_PAYLOAD_UUID: b"", _PAYLOAD_BODY: b""}
    metrics: list[Metric] = []
    times: dict[bytes, int] = {}
    for field, wire_type, start, stop in _fields(payload, 0, len(payload)):
        if field == _PAYLOAD_METRIC and wire_type == BYTES:
            if len(metrics) == MOST_METRICS:
                raise Refused("too_many_readings", f"more than {MOST_METRICS} metrics")
            metrics.append(_usual_metric(payload, start, stop, times) or _metric(payload, start, stop))
        elif field == _PAYLOAD_TIME and wire_type == VARINT:
            time = read_number(payload, start, stop)[0]
        elif field == _PAYLOAD_SEQUENCE and wire_type == VARINT:
            sequence = read_number(payload, start, stop)[0]
        elif field in texts and wire_type == BYTES:
            texts[field] = payload[start:stop]
    is_packed = texts[_PAYLOAD_UUID] == COMPRESSED
    return Payload(time, sequence, tuple(metrics)), texts[_PAYLOAD_BODY] if is_packed else None


def number_of(metric: Metric, datatype: int | None = None) -> float | None:
    """Interpret a metric's bits as a number.

    Integers are sent without a sign and, by some nodes, in the wider field: the datatype determines how many bits count
    and whether the top bit is a sign.

    Args:
        metric: Any metric.
        datatype: From the birth certificate; the metric's own datatype takes precedence.

    Returns:
        The number, finite or not; None if the metric is null, or its value isn't a number.
    """
    kind, raw = metric.kind, metric.raw
    if metric.is_null or raw is None or isinstance(raw, str):
        return None
    if isinstance(raw, float) or kind == BOOLEAN_VALUE:
        return float(raw)
    declared = metric.datatype if metric.datatype is not None else datatype
    if declared == BOOLEAN:
        return float(raw != 0)
    if declared in SIGNED_BITS:
        bits = SIGNED_BITS[declared]
        low = raw & ((1 << bits) - 1)
        return float(low - (1 << bits) if low >> (bits - 1) else low)
    if declared in UNSIGNED_BITS:
        return float(raw & ((1 << UNSIGNED_BITS[declared]) - 1))
    return float(raw)


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: number, wire type, start and end of the value."""
    while at < end:
        tag = data[at]
        if 8 <= tag < 0x80:
            field, wire_type, at = tag >> 3, tag & 7, at + 1
        else:
            field, wire_type, at = read_tag(data, at, end)
        if wire_type == BYTES and at < end and data[at] < 0x80 and data[at] < end - at:
            start, stop = at + 1, at + 1 + data[at]
        else:
            start, stop = end_of(data, field, at, end, wire_type)
        yield field, wire_type, start, stop
        at = stop


def _usual_metric(data: bytes, at: int, end: int, times: dict[bytes, int]) -> Metric | None:  # noqa: C901 - field by field
    """Parse a metric with a name, alias, time, datatype and number in the order in which libraries write them.

    Several times faster than `_metric()`, with the same result; None for any other metric.

    Args:
        data: The payload.
        at: Position at which the metric begins.
        end: Position after it.
        times: Times of the payload parsed before, by their bytes.
    """
    name = alias = time = datatype = None
    kind, raw = NO_VALUE, None
    try:
        if data[at] == _NAME_TAG and data[at + 1] <= _ONE_BYTE:
            first = at + 2
            at = first + data[at + 1]
            name = data[first:at].decode()
        if data[at] == _ALIAS_TAG and data[at + 1] <= _ONE_BYTE:
            alias = data[at + 1]
            at += 2
        if data[at] == _TIME_TAG:
            written = data[at + 1 : at + 7]
            time = times.get(written)
            if time is None:
                time, after = read_number(data, at + 1, end)
                if after != at + 7:
                    return None
                times[written] = time
            at += 7
        if data[at] == _DATATYPE_TAG and data[at + 1] <= _ONE_BYTE:
            datatype = data[at + 1]
            at += 2
        tag = data[at]
        if tag == _DOUBLE_TAG:
            kind, raw = DOUBLE_VALUE, _double(data, at + 1)[0]
            at += 9
        elif tag == _FLOAT_TAG:
            kind, raw = FLOAT_VALUE, _float(data, at + 1)[0]
            at += 5
        elif tag in (_INT_TAG, _LONG_TAG):
            number, at = read_number(data, at + 1, end)
            kind, raw = (INT, number & _32_BITS) if tag == _INT_TAG else (LONG, number)
        elif tag == _BOOLEAN_TAG and data[at + 1] <= _ONE_BYTE:
            kind, raw = BOOLEAN_VALUE, data[at + 1] != 0
            at += 2
    except (IndexError, UnicodeDecodeError, struct.error, Refused):
        return None
    if at != end or kind == NO_VALUE:
        return None
    return Metric(name, alias, time, datatype, False, False, False, kind, raw)


def _metric(data: bytes, at: int, end: int) -> Metric:
    name: str | None = None
    raw: float | bool | str | None = None
    kind = NO_VALUE
    numbers: dict[int, int] = {}
    properties: list[bytes] = []
    for field, wire_type, start, stop in _fields(data, at, end):
        if wire_type == VARINT and field < INT:
            numbers[field] = data[start] if stop - start == 1 else read_number(data, start, stop)[0]
        elif wire_type == BYTES and field == _NAME:
            name = _text(data[start:stop])
        elif wire_type == BYTES and field == _PROPERTIES:
            properties.append(data[start:stop])
        elif _VALUE_WIRE_TYPES.get(field) == wire_type:
            kind, raw = field, _value(field, data, start, stop)
    datatype = numbers.get(_DATATYPE)
    return Metric(
        name,
        numbers.get(_ALIAS),
        numbers.get(_TIME),
        None if datatype is None else datatype & _32_BITS,
        bool(numbers.get(_HISTORICAL)),
        bool(numbers.get(_TRANSIENT)),
        bool(numbers.get(_NULL)),
        kind,
        raw,
        *(_unit_and_quality(b"".join(properties)) if properties else ("", None)),
    )


def _value(field: int, data: bytes, start: int, stop: int) -> float | bool | str | None:
    """The content of a value field; None if it is neither a number nor text."""
    wire_type = _VALUE_WIRE_TYPES[field]
    if wire_type == VARINT:
        number = data[start] if stop - start == 1 else read_number(data, start, stop)[0]
        if field == BOOLEAN_VALUE:
            return number != 0
        return number & _32_BITS if field == INT else number
    if wire_type == BYTES:
        return data[start:stop].decode(errors="replace") if field == STRING else None
    value: float = struct.unpack_from("<f" if field == FLOAT_VALUE else "<d", data, start)[0]
    return value


def _unit_and_quality(properties: bytes) -> tuple[str, int | None]:
    """The engineering unit and the quality from a property set: keys, and as many values in the same order."""
    keys: list[str] = []
    values: list[str | int | None] = []
    for field, wire_type, start, stop in _fields(properties, 0, len(properties)):
        if wire_type == BYTES and field == 1:
            keys.append(_text(properties[start:stop]))
        elif wire_type == BYTES and field == 2:
            values.append(_property(properties, start, stop))
    unit, quality = "", None
    for key, value in zip(keys, values, strict=False):
        if isinstance(value, str):
            if value and not unit and key.replace(" ", "").replace("_", "").lower() in _UNITS:
                unit = value
        elif value is not None and key == _QUALITY:
            quality = value
    return unit, quality


def _property(data: bytes, at: int, end: int) -> str | int | None:
    """The string or integer value of a property; None if it is null or of another type."""
    value: str | int | None = None
    is_null = False
    for field, wire_type, start, stop in _fields(data, at, end):
        if field == 2 and wire_type == VARINT:
            is_null = read_number(data, start, stop)[0] != 0
        elif field == 8 and wire_type == BYTES:
            value = data[start:stop].decode(errors="replace")
        elif field in {3, 4} and wire_type == VARINT:
            number = read_number(data, start, stop)[0]
            value = number & _32_BITS if field == 3 else number
        elif 3 <= field <= 10:
            value = None
    return None if is_null else value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused("not_utf8", "a name in the protobuf") from None
