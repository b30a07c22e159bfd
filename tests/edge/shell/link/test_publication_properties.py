"""The properties of publications, which are packed without paho."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.shell.link import EventProperties
from edge.shell.link.versions.mqtt5 import properties_of

MODERN = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=300)


def packed(given: EventProperties) -> bytes:
    properties = properties_of(MODERN, given)
    assert properties is not None
    return bytes(properties.pack())


@given(TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_paho_reads_the_properties_that_were_given(content_type: str, user: list[tuple[str, str]]) -> None:
    read = Properties(PacketTypes.PUBLISH)
    data = packed(EventProperties(content_type, tuple(user)))
    assert read.unpack(data)[1] == len(data)
    assert (read.ContentType, read.PayloadFormatIndicator) == (content_type, 1)
    assert getattr(read, "UserProperty", []) == user


@pytest.mark.parametrize("text", ["a" * 65_536, "\ud800"])
def test_a_text_that_mqtt_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="range|surrogates"):
        packed(EventProperties("text/plain", (("sensor", text),)))


def test_the_longest_text_is_packed() -> None:
    assert packed(EventProperties("", (("", "a" * 65_535),)))[-65_537:] == b"\xff\xff" + b"a" * 65_535
