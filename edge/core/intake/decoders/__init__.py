"""Decoders: one format of payload a file. A new one is a file, and a line here."""

from __future__ import annotations

from edge.core.intake.decoders.base import Decoded, Decoder
from edge.core.intake.decoders.binary_objects import CborDecoder, MsgpackDecoder
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.intake.decoders.influx import InfluxDecoder
from edge.core.intake.decoders.number import NumberDecoder
from edge.core.intake.decoders.senml import SenmlCborDecoder, SenmlDecoder
from edge.core.intake.decoders.sparkplug import SparkplugDecoder
from edge.core.intake.decoders.text import TextDecoder
from edge.core.model.sensors.sensors import Repetition

DECODERS: dict[str, type[Decoder]] = {
    each.name: each
    for each in (
        NumberDecoder,
        FieldsDecoder,
        TextDecoder,
        MsgpackDecoder,
        CborDecoder,
        SenmlDecoder,
        SenmlCborDecoder,
        InfluxDecoder,
        SparkplugDecoder,
    )
}

__all__ = [
    "DECODERS",
    "CborDecoder",
    "Decoded",
    "Decoder",
    "FieldsDecoder",
    "InfluxDecoder",
    "MsgpackDecoder",
    "NumberDecoder",
    "Repetition",
    "SenmlCborDecoder",
    "SenmlDecoder",
    "SparkplugDecoder",
    "TextDecoder",
]
