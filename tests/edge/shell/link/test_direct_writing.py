"""Packets that are written by the thread that sends them, without waiting for the network thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from edge.shell.link.connection_state import ConnectionState
from edge.shell.link.link_options import LinkOptions
from edge.shell.link.receiving.bulk_client import BulkClient, make_client
from edge.shell.link.sending.in_flight_window import InFlightWindow
from edge.shell.link.sending.sender import LiveConnection, Sender
from edge.shell.link.versions.abilities import Abilities

PUBACK_OF_7 = b"\x40\x02\x00\x07"


class Wire:
    """A socket that takes up to some bytes, then none until there is room again."""

    def __init__(self, takes: int = 1_000_000) -> None:
        self.takes = takes
        self.written = b""
        self.fails = False

    def send(self, data: bytes) -> int:
        if self.fails:
            raise ConnectionResetError
        if not self.takes:
            raise BlockingIOError
        taken = bytes(data[: self.takes])
        self.takes -= len(taken)
        self.written += taken
        return len(taken)

    def close(self) -> None:
        pass

    def fileno(self) -> int:
        return -1


def client_on(wire: Any) -> BulkClient:
    client = make_client(LinkOptions(), "3.1.1", Abilities(0))
    client._sock = wire
    return client


def by_paho(send: Any) -> bytes:
    client = Client(CallbackAPIVersion.VERSION2, client_id="a", manual_ack=True)
    wire: Any = Wire()
    client._sock = wire
    send(client)
    return wire.written


def test_an_acknowledgement_does_not_wait_for_the_network_thread() -> None:
    wire = Wire()
    client_on(wire).acknowledge([7])
    assert wire.written == PUBACK_OF_7


def test_a_publication_of_quality_1_does_not_wait_for_the_network_thread() -> None:
    wire = Wire()
    client_on(wire).publish("plant/a", b"1", 1)
    assert wire.written == by_paho(lambda client: client.publish("plant/a", b"1", 1))


def test_a_publication_of_quality_0_is_left_to_the_network_thread_which_reports_it() -> None:
    wire, reported = Wire(), list[int]()
    client = client_on(wire)
    client.on_publish = lambda _c, _d, packet, *_rest: reported.append(packet)
    client.publish("plant/a", b"1", 0)
    assert (wire.written, reported) == (b"", [])
    client.loop_write()
    assert wire.written
    assert reported == [1]


def test_no_packet_overtakes_a_queued_one() -> None:
    wire = Wire()
    client = client_on(wire)
    client.publish("plant/a", b"1", 0)
    client.acknowledge([7])
    assert wire.written == b""
    client.loop_write()
    assert wire.written == by_paho(lambda client: client.publish("plant/a", b"1", 0)) + PUBACK_OF_7


@pytest.mark.parametrize("room", range(9))
def test_what_the_socket_does_not_take_is_queued_before_later_packets(room: int) -> None:
    wire = Wire(room)
    client = client_on(wire)
    client.acknowledge([7])
    client.acknowledge([8])
    wire.takes = 100
    client.loop_write()
    assert wire.written == PUBACK_OF_7 + b"\x40\x02\x00\x08"


def test_a_write_error_is_left_to_the_network_thread() -> None:
    wire = Wire()
    client = client_on(wire)
    wire.fails = True
    assert client.publish("plant/a", b"1", 1).rc == MQTTErrorCode.MQTT_ERR_SUCCESS
    assert client.loop_write() == MQTTErrorCode.MQTT_ERR_CONN_LOST


def test_a_tls_connection_is_written_by_the_network_thread_only() -> None:
    wire = Wire()
    client = client_on(wire)
    client._ssl = True
    client.acknowledge([7])
    assert wire.written == b""
    client.loop_write()
    assert wire.written == PUBACK_OF_7


def test_nothing_is_written_into_the_middle_of_a_packet_of_another_thread() -> None:
    class Interrupted(Wire):
        def send(self, data: bytes) -> int:
            if not self.written:
                self.written += bytes(data[:2])
                other = threading.Thread(target=client.acknowledge, args=[[8]])
                other.start()
                other.join()
                return 2
            return super().send(data)

    wire = Interrupted()
    client = client_on(wire)
    client.acknowledge([7])
    client.loop_write()
    assert wire.written == PUBACK_OF_7 + b"\x40\x02\x00\x08"


@pytest.fixture
def resting_client() -> Iterator[BulkClient]:
    ours, theirs = socket.socketpair()
    read, written = socket.socketpair()
    with ours, theirs, read, written:
        client = client_on(ours)
        client._sockpairR, client._sockpairW = read, written
        yield client


def test_a_rest_asks_whether_it_ends_before_it_begins_and_after_it_is_announced(resting_client: BulkClient) -> None:
    announced = list[bool]()
    resting_client.rest(600.0, lambda: not announced.append(resting_client._is_resting))
    assert announced == [True]


def test_a_rest_ends_when_its_answer_has_changed(resting_client: BulkClient) -> None:
    awaited, asked = threading.Event(), threading.Event()

    def ends() -> bool:
        asked.set()
        return awaited.is_set()

    resting = threading.Thread(target=resting_client.rest, args=[600.0, ends], daemon=True)
    resting.start()
    asked.wait()
    assert resting.is_alive()
    awaited.set()
    resting_client.resume()
    resting.join(60.0)
    assert not resting.is_alive()


def test_a_socket_that_is_read_anyway_needs_no_waking(resting_client: BulkClient) -> None:
    resting_client._sockpairR.setblocking(False)  # type: ignore[union-attr]
    resting_client.publish("plant/a", b"1", 1)
    resting_client.resume()
    with pytest.raises(BlockingIOError):
        resting_client._sockpairR.recv(1)  # type: ignore[union-attr]


def test_a_rest_is_asked_again_once_the_answer_to_a_publication_counts_as_awaited(resting_client: BulkClient) -> None:
    window, awaited = InFlightWindow(20), list[bool]()
    standing: ConnectionState[LiveConnection] = ConnectionState()
    resting_client.resume = lambda: awaited.append(window.waits_for_answers)  # type: ignore[method-assign]
    standing.accept(LiveConnection(1, resting_client, window), subscribed=True)
    Sender(standing, Abilities(0)).publish("plant/a", b"1", qos=1, retain=False, properties=None)
    assert awaited == [True]
