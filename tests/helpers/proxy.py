"""A TCP proxy between an MQTT client and its broker that fails on demand.

with Proxy(broker_port) as proxy:
    proxy.cut()             end all connections, accept new ones
    proxy.close()           end all, and end new ones immediately, until `open()`
    proxy.black_hole()      keep all connections, forward nothing, until `open()`
    proxy.half_open("up")   the same in one direction only: "up" to the broker, or "down" to the client
    proxy.cut_in_packet()   forward half of the next packet from the broker or the client, then end that connection
    proxy.lose(PUBACK)      forward all of the broker's packets except those of a kind, until `open()`
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

import mqtt_bytes as mqtt

Direction = Literal["up", "down"]


class Proxy:
    """Forwards `port` to a local broker's port."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._flowing = {"up": threading.Event(), "down": threading.Event()}
        self._closed = False
        self._ended = False
        self._cut_in_packet = {"up": False, "down": False}
        self._lost_kind: int | None = None
        self._let_flow()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def open(self) -> None:
        """Forward normally again."""
        self._closed = False
        self._lost_kind = None
        self._let_flow()

    def _let_flow(self) -> None:
        for each in self._flowing.values():
            each.set()

    def cut(self) -> None:
        """End all connections."""
        for pair in self._pairs:
            for each in pair:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def close(self) -> None:
        """End all connections, and end new ones immediately."""
        self._closed = True
        self.cut()

    def black_hole(self) -> None:
        """Keep all connections, and forward nothing."""
        for each in self._flowing.values():
            each.clear()

    def half_open(self, dead: Direction) -> None:
        """Keep all connections, and forward nothing in one direction."""
        self._flowing[dead].clear()

    def cut_in_packet(self, direction: Direction = "down") -> None:
        """Forward half of the next packet from the broker or the client, then end that connection."""
        self._cut_in_packet[direction] = True

    @property
    def will_cut(self) -> bool:
        """Whether a requested cut in a packet is still pending."""
        return any(self._cut_in_packet.values())

    def lose(self, kind: int) -> None:
        """Drop all packets of this kind from the broker."""
        self._lost_kind = kind

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._closed:
                    raise ConnectionRefusedError
                broker = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._pairs.append((client, broker))
            for run in (self._up, self._down):
                thread = threading.Thread(target=run, args=(client, broker), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _up(self, client: socket.socket, broker: socket.socket) -> None:
        with client, suppress(OSError):
            while data := client.recv(65_536):
                self._wait("up")
                if self._cut_in_packet["up"]:
                    self._cut_in_packet["up"] = False
                    broker.sendall(data[: len(data) // 2])
                    break
                broker.sendall(data)
        with suppress(OSError):
            broker.shutdown(socket.SHUT_RDWR)

    def _down(self, client: socket.socket, broker: socket.socket) -> None:
        rest = b""
        with broker, suppress(OSError):
            while data := broker.recv(65_536):
                self._wait("down")
                packets, rest = mqtt.split(rest + data)
                for each in packets:
                    if self._cut_in_packet["down"]:
                        self._cut_in_packet["down"] = False
                        client.sendall(each[: len(each) // 2])
                        raise ConnectionResetError
                    if mqtt.kind_of(each) != self._lost_kind:
                        client.sendall(each)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _wait(self, direction: Direction) -> None:
        self._flowing[direction].wait()
        if self._ended:
            raise ConnectionAbortedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._let_flow()
        self.cut()
        for thread in self._threads:
            thread.join(5)
