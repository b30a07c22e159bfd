"""A broker that behaves as a test defines, packet by packet."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import mqtt_bytes as mqtt


class Client:
    """One connection: `packets` are those received so far."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""
        self.packets: list[bytes] = []

    def read(self) -> bytes:
        """The next packet; empty when the client has gone."""
        while True:
            whole, self._rest = mqtt.split(self._rest)
            if whole:
                self._rest = b"".join(whole[1:]) + self._rest
                self.packets.append(whole[0])
                return whole[0]
            try:
                data = self._connection.recv(65_536)
            except OSError:
                data = b""
            if not data:
                return b""
            self._rest += data

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def accept(self) -> None:
        """Take CONNECT and answer; MQTT 3.1.1, no session."""
        self.read()
        self.send(mqtt.packet(mqtt.CONNACK, b"\x00\x00"))


class StubBroker:
    """Runs `behave(client)` in a thread for each connection to `port`, and closes it when that returns."""

    def __init__(self, behave: Callable[[Client], None]) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.clients: list[Client] = []
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def hang_up(self) -> None:
        """End all connections."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(connection)
            self.clients.append(Client(connection))
            thread = threading.Thread(target=self._serve, args=(connection, self.clients[-1]))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, client: Client) -> None:
        with connection:
            try:
                self._behave(client)
            except OSError:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(5)
