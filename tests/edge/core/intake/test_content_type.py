"""The MQTT 5 content type set by the sender has priority over the input's format."""

from __future__ import annotations

import json

import cbor2
import msgspec
import pytest

from config.loading import parse
from edge.core.intake.decoders.fields import FieldsDecoder
from edge.core.intake.decoders.recognition.media_types import format_of
from edge.core.intake.routes import Route
from edge.core.model.readings.messages import DeadLetter, Message, Refused
from edge.core.model.sensors.sensors import Repetition
from edge.shell.service.assembly.parts import make_pipeline

AT = 1_700_000_060.0
OBJECT = {"temp": 21.5}
PACK = [{"n": "temp", "v": 21.5}]


def read(configured: str, content_type: str, payload: bytes) -> tuple[dict[str, float], list[DeadLetter]]:
    pipeline = make_pipeline(parse(f'[[input]]\ntopic = "a"\nformat = "{configured}"\n').configuration)
    letters: list[DeadLetter] = []
    batch = pipeline.intake.read([Message("a", payload, AT, content_type=content_type)], letters, [])
    names = [pipeline.sensors.names[slot] for slot in batch.slots]
    return dict(zip(names, batch.values.tolist(), strict=True)), letters


@pytest.mark.parametrize("configured", ["json", "influx", "msgpack", "cbor", "senml", "senml-cbor"])
@pytest.mark.parametrize(
    ("content_type", "payload"),
    [
        ("application/senml+json", json.dumps(PACK).encode()),
        ("application/sensml+json; charset=utf-8", json.dumps(PACK).encode()),
        ("application/senml+cbor", cbor2.dumps([{0: "temp", 2: 21.5}])),
        ("application/msgpack", msgspec.msgpack.encode(OBJECT)),
        ("Application/X-MsgPack", msgspec.msgpack.encode(OBJECT)),
    ],
)
def test_each_format_named_by_a_sender_is_read_whatever_the_input_says(
    configured: str, content_type: str, payload: bytes
) -> None:
    assert read(configured, content_type, payload) == ({"a/temp": 21.5}, [])


@pytest.mark.parametrize(
    ("configured", "content_type", "expected"),
    [
        ("json", "", "json"),
        ("json", "text/plain", "json"),
        ("number", "application/octet-stream", "number"),
        ("influx", "application/json", "json"),
        ("json", "application/cbor", "cbor"),
        ("json", "application/vnd.acme.pump+json;v=1", "json"),
        ("influx", "application/vnd.acme.pump+cbor", "cbor"),
        ("senml", "application/json", "senml"),
        ("senml-cbor", "application/cbor", "senml-cbor"),
        ("senml", "application/cbor", "cbor"),
        ("json", " ; ", "json"),
        ("json", "application/cbor" + " " * 500 + "+json", "cbor"),
    ],
)
def test_a_type_less_specific_than_the_input_changes_nothing(configured: str, content_type: str, expected: str) -> None:
    assert format_of(content_type, configured) == expected


def test_a_payload_that_does_not_match_its_content_type_is_refused_with_its_apparent_format() -> None:
    found, (letter,) = read("number", "application/json", b"T=21.5")
    assert found == {}
    assert (letter.refusal.reason, letter.refusal.detail) == ("malformed", 'not JSON but pairs: format = "text"')


def test_a_format_that_is_not_installed_is_named() -> None:
    without = Route("a", "{topic}", FieldsDecoder(), Repetition.PERIODIC, by_format={"influx": FieldsDecoder()})
    with pytest.raises(Refused, match=r"edgewarden\[cbor\]"):
        without.decoder_for("application/cbor")
