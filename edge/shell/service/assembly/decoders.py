"""Assembly of decoders: from an input's format and options."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any
from zoneinfo import ZoneInfo

from config.notation.topics import sender_of
from config.schema import LimitsTable
from config.tables.common.validation import default_of
from config.tables.inputs import NEED_CBOR, Input
from edge.core.intake.decoders import (
    DECODERS,
    Decoder,
    FieldsDecoder,
    InfluxDecoder,
    NumberDecoder,
    SparkplugDecoder,
    TextDecoder,
)
from edge.core.intake.decoders.recognition.media_types import FORMATS


def decoder_of(given: Input, limits: LimitsTable) -> Decoder:
    """The decoder of an input."""
    kind = DECODERS[given.format]
    options: dict[str, Any] = {"values": given.values}
    if kind is NumberDecoder or issubclass(kind, FieldsDecoder):
        options |= {
            "numbers_in_text": given.numbers == "text-too",
            "decimal": given.decimal,
            "units": given.units,
            "no_value": tuple(each for each in given.no_value if isinstance(each, str)),
        }
    if kind is not NumberDecoder:
        options["readings"] = limits.readings_per_message
    if issubclass(kind, FieldsDecoder):
        options |= {
            "value_key": given.value_key,
            "time_keys": given.time_keys,
            "zone": ZoneInfo(given.zone),
            "time_formats": given.time_format,
            "by_arrival": given.time == "arrival",
            "ignore": given.ignore,
            "batch": given.batch,
            "items": given.items,
            "item_name": given.name,
            "sender": sender_of(given.sensor),
            "names_devices": given.sensor == default_of(Input, "sensor") and given.items is None,
            "depth": limits.depth,
        }
    if kind is TextDecoder:
        options["columns"] = given.columns
    if kind is InfluxDecoder:
        options["precision"] = given.precision
    if kind is SparkplugDecoder:
        options |= {"ignore": given.ignore, "rebirth": given.rebirth, "gap_s": given.gap_s}
    return kind(**options)


def decoders_by_format(given: Input, limits: LimitsTable) -> dict[str, Decoder]:
    """The decoders of an input for other formats that a content type may name."""
    formats = FORMATS - {given.format} - (frozenset() if find_spec("cbor2") is not None else NEED_CBOR)
    return {each: decoder_of(given.replaced(format=each), limits) for each in sorted(formats)}
