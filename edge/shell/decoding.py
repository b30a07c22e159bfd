"""Which decoder an input's format stands for, with the options that its table gives."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from config.schema import Limits
from config.transport import Input
from edge.core.decoders import DECODERS, Decoder, FieldsDecoder, InfluxDecoder, NumberDecoder


def decoder_of(given: Input, limits: Limits) -> Decoder:
    """The decoder of an input."""
    kind = DECODERS[given.format]
    options: dict[str, Any] = {"values": given.values}
    if kind is not NumberDecoder:
        options["readings"] = limits.readings_per_message
    if issubclass(kind, FieldsDecoder):
        options |= {
            "value_key": given.value_key,
            "time_keys": given.time_keys,
            "zone": ZoneInfo(given.zone),
            "depth": limits.depth,
        }
    if kind is InfluxDecoder:
        options["precision"] = given.precision
    return kind(**options)
