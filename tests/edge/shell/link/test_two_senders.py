"""Threads send at once on one connection whose socket takes little at a time; a broker reads and returns everything."""

from __future__ import annotations

import queue
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from brokers import Mosquitto
from running import wait_for_all

from edge.shell.link import LinkOptions
from edge.shell.link.receiving.bulk_client import BulkClient, make_client
from edge.shell.link.versions.abilities import Abilities

PUBLICATIONS = 300
SEND_BUFFER = 4096
LENGTHS = (0, 10, 300, 20_000, 70_000)
IN_FLIGHT = 3
"""So few that the queue is empty now and then: with more, everything would wait behind something in it."""


def payload_of(sender: int, number: int) -> bytes:
    chance = random.Random(1000 * sender + number)
    return b"%d " % number + chance.randbytes(chance.choice(LENGTHS))


class Conversation:
    """A connection with a network thread, and a thread that acknowledges what it has read.

    Attributes:
        returned: Topic, quality of service and payload of the messages received.
        pieces: Number of publications and acknowledgements that the socket has taken in part only.
        ended_by: Code of the end of the connection, if it has ended by itself.
    """

    def __init__(self, port: int) -> None:
        self.client = make_client(LinkOptions(in_flight=IN_FLIGHT), "3.1.1", Abilities(0))
        self.returned: list[tuple[str, int, bytes]] = []
        self.pieces, self.ended_by = 0, 0
        self.room = threading.Semaphore(IN_FLIGHT)
        self._is_over = False
        self._read: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._write, self.client._write = self.client._write, self._counted  # type: ignore[method-assign]
        self._subscribed = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe("test/#", 1)
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_publish = lambda *_: self.room.release()
        self.client.on_message = self._receive
        self.client.connect("127.0.0.1", port)
        connection: Any = self.client.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._run, self._acknowledge)]
        for each in self._threads:
            each.start()
        assert self._subscribed.wait(60)

    def publish_all(self, sender: int) -> None:
        for number in range(PUBLICATIONS):
            assert self.room.acquire(timeout=60)
            self.client.publish(f"test/{sender}", payload_of(sender, number), qos=int(number % 7 > 0))

    def end(self) -> None:
        self._is_over = True
        self._read.put(0)
        for each in self._threads:
            each.join(60)
        self.client.sever()

    def _counted(self, packet: bytes | bytearray) -> int:
        written = self._write(packet)
        self.pieces += 0 < written < len(packet)
        return written

    def _receive(self, _client: BulkClient, _data: Any, message: Any) -> None:
        self.returned.append((message.topic, message.qos, message.payload))
        if message.qos:
            self._read.put(message.mid)

    def _run(self) -> None:
        while not (self._is_over or self.ended_by):
            self.ended_by = self.client.loop(0.1)

    def _acknowledge(self) -> None:
        while packet := self._read.get():
            self.client.acknowledge([packet])


@pytest.fixture
def conversation(start_mosquitto: Callable[[str], Mosquitto]) -> Iterator[Conversation]:
    broker = start_mosquitto("allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0")
    made = Conversation(broker.port)
    yield made
    made.end()


@pytest.mark.long
def test_what_several_threads_send_through_a_full_socket_arrives_whole_and_in_order(conversation: Conversation) -> None:
    senders = [threading.Thread(target=conversation.publish_all, args=[each], daemon=True) for each in range(2)]
    for each in senders:
        each.start()
    wait_for_all(lambda: len(conversation.returned), 2 * PUBLICATIONS, "messages")
    assert conversation.ended_by == 0
    assert conversation.pieces > 0
    for sender in range(2):
        for qos in range(2):
            sent = [payload_of(sender, each) for each in range(PUBLICATIONS) if int(each % 7 > 0) == qos]
            returned = [each[2] for each in conversation.returned if each[:2] == (f"test/{sender}", qos)]
            assert returned == sent
