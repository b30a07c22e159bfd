"""The bulk reader, compared with paho's own: the same bytes have the same meaning to both, however they are cut."""

from __future__ import annotations

import gc
import socket
import struct
import threading
import weakref
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import mqtt_bytes as mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from edge.core.model.readings.messages import Message
from edge.shell.link.receiving.bulk_client import BulkClient
from edge.shell.link.receiving.publish_parser import PublishParser
from edge.shell.link.receiving.reason_codes import allowed

VERSIONS = [MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5]
CONNACK = {VERSIONS[0]: b"\x20\x02\x00\x00", VERSIONS[1]: b"\x20\x03\x00\x00\x00"}
PROPERTY = b"\x07\x26\x00\x01a\x00\x01b"
IDENTIFIED = [
    b"\x02\x0b\x05",
    b"\x08\x0b\x81\x01\x0b\xff\xff\xff\x7f",
    b"\x02\x0b\x00",
    b"\x03\x0b\x85\x00",
    b"\x02\x0b\x85",
]
"""One user property, preceded by its length."""


class Wire:
    """A socket whose other end belongs to the test."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.written = b""
        self.ended = False

    def recv(self, size: int) -> bytes:
        if not self.waiting:
            if self.ended:
                return b""
            raise BlockingIOError
        first = self.waiting.pop(0)
        if len(first) > size:
            self.waiting.insert(0, first[size:])
        return first[:size]

    def send(self, data: bytes) -> int:
        self.written += bytes(data)
        return len(data)

    def close(self) -> None:
        self.ended = True

    def fileno(self) -> int:
        return -1


class ClientRecord(NamedTuple):
    """The results of a client for the bytes it was given."""

    messages: list[tuple[bytes, bytes, int, bool, bool, int]]
    acknowledged: list[int]
    written: bytes
    connected: bool
    failure: type[BaseException] | None


def tell(make: type[Client], version: MQTTProtocolVersion, pieces: list[bytes], *, ends: bool = False) -> ClientRecord:
    client = make(CallbackAPIVersion.VERSION2, client_id="a", protocol=version, manual_ack=True)
    wire: Any = Wire()
    client._sock = wire
    told = ClientRecord([], [], b"", connected=True, failure=None)

    def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
        flags = (message.qos, message.retain, message.dup, message.mid)
        told.messages.append((message._topic, bytes(message.payload), *flags))

    def on_bulk(messages: list[Message]) -> None:
        for each in messages:
            flags = (each.qos, each.retained, each.redelivered, each.packet)
            told.messages.append((each.topic.encode(), each.payload, *flags))

    client.on_message = on_message
    client.on_publish = lambda _c, _d, packet, *_more: told.acknowledged.append(packet)
    if isinstance(client, BulkClient):
        cutter = PublishParser(lambda: 0.0, 1, modern=version == VERSIONS[1])
        client.receive_by(cutter.cut, on_bulk)
    client.publish("outgoing", b"1", qos=1)
    failure = None
    try:
        for piece in [CONNACK[version], *pieces]:
            wire.waiting.append(piece)
            while wire.waiting and client.socket() is not None:
                client.loop_read()
        if ends and client.socket() is not None:
            wire.ended = True
            client.loop_read()
    except Exception as error:  # noqa: BLE001 - paho raises what it likes on malformed packets
        failure = type(error)
    client.loop_write()
    return told._replace(written=wire.written, connected=client.socket() is not None, failure=failure)


def publish(topic: bytes, payload: bytes, flags: int, packet: int, properties: bytes | None) -> bytes:
    identity = packet.to_bytes(2, "big") if flags & 6 else b""
    return mqtt.packet(
        mqtt.PUBLISH, struct.pack(">H", len(topic)) + topic + identity + (properties or b"") + payload, flags
    )


def publications(properties: list[bytes | None]) -> st.SearchStrategy[bytes]:
    return st.builds(
        publish,
        st.sampled_from([b"plant/a", b"b", "ü/ß".encode(), b"x" * 150, b""]),
        st.sampled_from([b"", b"1.5", b"x" * 100, b"y" * 20_000]) | st.binary(max_size=40),
        st.integers(0, 15),
        st.integers(1, 65_535),
        st.sampled_from(properties),
    )


def packets(version: MQTTProtocolVersion) -> st.SearchStrategy[bytes]:
    properties = [None] if version == VERSIONS[0] else [b"\x00", b"\x00", PROPERTY, *IDENTIFIED]
    others = [
        mqtt.packet(13, b""),
        mqtt.packet(mqtt.PUBACK, b"\x00\x01"),
        mqtt.packet(mqtt.SUBACK, b"\x00\x01\x00\x01"),
    ]
    return (
        publications(properties)
        | publications(properties)
        | st.sampled_from(others[: 2 if version == VERSIONS[1] else 3])
    )


@st.composite
def streams(draw: st.DrawFn, *, damaged: bool) -> tuple[MQTTProtocolVersion, list[bytes]]:
    """Packets as bytes, cut anywhere; damaged ones have bytes changed or appended."""
    version = draw(st.sampled_from(VERSIONS))
    data = bytearray(b"".join(draw(st.lists(packets(version), max_size=12))))
    if damaged:
        for _ in range(draw(st.integers(0, 3))):
            if data:
                data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
        data += draw(st.binary(max_size=12))
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    places = [0, *cuts, len(data)]
    pieces = [bytes(data[begin:end]) for begin, end in pairwise(places)]
    return version, [each for each in pieces if each]


@settings(max_examples=200)
@given(streams(damaged=False), st.booleans())
def test_valid_packets_have_the_same_meaning_to_both(
    stream: tuple[MQTTProtocolVersion, list[bytes]], ends: bool
) -> None:
    version, pieces = stream
    assert tell(BulkClient, version, pieces, ends=ends) == tell(Client, version, pieces, ends=ends)


def with_allowed_codes(version: MQTTProtocolVersion, data: bytes) -> bytes:
    """The same with only the reason codes that each packet may have, since paho ends the connection for others."""
    if version == VERSIONS[0]:
        return data
    whole, rest = mqtt.split(data)
    return b"".join(allowed(each)[0] for each in whole) + rest


@pytest.mark.long
@settings(max_examples=400)
@given(streams(damaged=True), st.booleans())
def test_invalid_packets_have_the_same_meaning_to_both(
    stream: tuple[MQTTProtocolVersion, list[bytes]], ends: bool
) -> None:
    version, pieces = stream
    # after a cut within a packet of the invalid type 0, paho loses synchronisation
    whole = [with_allowed_codes(version, b"".join(pieces))] if pieces else []
    ours, theirs = tell(BulkClient, version, pieces, ends=ends), tell(Client, version, whole, ends=ends)
    if any(each.decode("utf-8", "replace").encode() != each for each, *_ in theirs.messages):
        assert len(ours.messages) == len(theirs.messages)
        ours, theirs = ours._replace(messages=[]), theirs._replace(messages=[])
    assert ours == theirs


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_that_arrive_one_by_one_have_the_same_meaning(version: MQTTProtocolVersion) -> None:
    properties = b"" if version == VERSIONS[0] else b"\x00"
    data = b"".join(publish(b"plant/a", b"%d" % each * 60, 2, each, properties) for each in range(1, 5))
    pieces = [data[place : place + 1] for place in range(len(data))]
    ours = tell(BulkClient, version, pieces)
    assert len(ours.messages) == 4
    assert ours == tell(Client, version, pieces)


def test_an_end_in_the_middle_of_a_packet_is_an_end() -> None:
    whole = publish(b"plant/a", b"12", 2, 7, None)
    told = tell(BulkClient, VERSIONS[0], [whole + whole[:-1]], ends=True)
    assert len(told.messages) == 1
    assert not told.connected


def test_only_unusual_packets_take_the_slow_path() -> None:
    client = BulkClient(CallbackAPIVersion.VERSION2, client_id="a", manual_ack=True)
    wire: Any = Wire()
    client._sock = wire
    bulks: list[list[Message]] = []
    client.receive_by(PublishParser(lambda: 0.0, 1, modern=False).cut, bulks.append)
    client.on_message = lambda *_all: pytest.fail("paho has read it")
    wire.waiting.append(b"".join(publish(b"a", b"1", 2, each, None) for each in range(1, 501)))
    client.loop_read()
    assert [len(each) for each in bulks] == [500]


def test_acknowledgements_equal_those_of_paho_in_one_write() -> None:
    def written(acknowledge: Callable[[BulkClient], object]) -> bytes:
        client = BulkClient(CallbackAPIVersion.VERSION2, client_id="a", manual_ack=True)
        wire: Any = Wire()
        client._sock = wire
        acknowledge(client)
        return wire.written

    ids = [1, 2, 300, 65_535]
    assert written(lambda client: client.acknowledge(ids)) == written(
        lambda client: [client.ack(each, 1) for each in ids]
    )
    assert written(lambda client: client.acknowledge([])) == b""


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 3_000_000])
def test_a_payload_of_any_size_is_read(size: int) -> None:
    whole = publish(b"plant/a", b"x" * size, 2, 9, None) + publish(b"plant/a", b"next", 2, 10, None)
    pieces = [whole[place : place + 100_000] for place in range(0, len(whole), 100_000)]
    assert [len(each[1]) for each in tell(BulkClient, VERSIONS[0], pieces).messages] == [size, 4]


def test_a_new_connection_starts_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    client = BulkClient(CallbackAPIVersion.VERSION2, client_id="a", manual_ack=True)
    wire: Any = Wire()
    client._sock = wire
    bulks: list[list[Message]] = []
    client.receive_by(PublishParser(lambda: 0.0, 1, modern=False).cut, bulks.append)
    whole = publish(b"a", b"1", 2, 5, None)
    wire.waiting.append(whole[:-1])
    client.loop_read()
    monkeypatch.setattr(Client, "reconnect", lambda _client: MQTTErrorCode.MQTT_ERR_SUCCESS)
    client.reconnect()
    wire.waiting.append(whole)
    client.loop_read()
    assert [[each.packet for each in bulk] for bulk in bulks] == [[5]]


@pytest.mark.parametrize("error", [None, ConnectionResetError("reset")])
def test_the_client_of_a_connection_that_has_ended_is_freed_without_a_collection(error: OSError | None) -> None:
    class Ended(Wire):
        def recv(self, _size: int) -> bytes:
            if error is not None:
                raise error
            return b""

    client = BulkClient(CallbackAPIVersion.VERSION2, client_id="a", manual_ack=True)
    wire: Any = Ended()
    client._sock = wire
    client.loop_read()
    assert client.ended_by is not None
    kept = weakref.ref(client)
    gc.disable()
    try:
        del client
        assert kept() is None
    finally:
        gc.enable()


def test_paho_has_the_attributes_relied_on() -> None:
    read: list[int] = []

    class Watched(BulkClient):
        def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
            read.append(max_packets)
            return super().loop_read(max_packets)

    client = Watched(CallbackAPIVersion.VERSION2, client_id="a")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        client._sock = ours
        theirs.sendall(mqtt.packet(13, b""))
        assert client.loop(1.0) == MQTTErrorCode.MQTT_ERR_SUCCESS
        assert read
        thread = threading.Thread(target=client.acknowledge, args=[[7]])
        thread.start()
        thread.join()
        client.loop(0.1)
        assert theirs.recv(100) == b"\x40\x02\x00\x07"
