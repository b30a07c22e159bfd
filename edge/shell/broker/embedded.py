"""The embedded broker: mosquitto if it is installed, otherwise amqtt, as a separate process.

It is meant for a first try and for tests: it listens on this machine only, without passwords. A plant provides its own
broker. It ends with the process that started it, however that ends, but not on that process's Ctrl-C, so that a service
can disconnect cleanly first.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

START_S = 10.0
STOP_S = 5.0
FREE_S = 3.0
ATTEMPTS = 3

IN_FLIGHT = 1000

MOSQUITTO_CONFIGURATION = """\
listener {port} {host}
allow_anonymous true
persistence true
persistence_location {directory}/
autosave_interval 30
max_queued_messages 1000000
max_queued_bytes 268435456
max_inflight_messages {in_flight}
queue_qos0_messages false
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
"""
SYSTEM_PATH = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
HERE = Path(__file__).parent


class BrokerError(Exception):
    """The broker can't be started; the message gives the reason and a remedy."""


class EmbeddedBroker:
    """A broker in a separate process.

    Start it from a thread that lives as long as the broker is needed: the processes are tied through that thread.

    Args:
        directory: Directory for its sessions and log; created if missing.
        host: Address of this machine to listen on.
        port: Port to listen on; 0 for any free one.
        moves: Whether any free port may be used if that one is in use.
        prefer: `mosquitto` or `amqtt`; by default the first one that is installed.

    Attributes:
        port: The port it listens on, after the start.
        kind: `mosquitto` or `amqtt`, after the start.
    """

    def __init__(
        self,
        directory: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        prefer: Literal["mosquitto", "amqtt"] | None = None,
        *,
        moves: bool = True,
    ) -> None:
        self.directory = directory
        self.host = host
        self.port = port
        self._moves = moves
        self.kind: Literal["mosquitto", "amqtt"] | None = prefer
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def in_flight(self) -> int | None:
        """Number of messages that it sends without an acknowledgement, if known."""
        return IN_FLIGHT if self.kind == "mosquitto" else None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process ID while it runs."""
        return self._process.pid if self._process is not None and self.alive else None

    def start(self) -> None:
        """Start it, and wait until it accepts connections.

        Raises:
            BrokerError: No broker is installed, or it doesn't start.
        """
        mosquitto = find_mosquitto()
        if self.kind is None:
            self.kind = "mosquitto" if mosquitto else "amqtt"
        if self.kind == "mosquitto" and mosquitto is None:
            raise BrokerError("mosquitto isn't installed: install it, or leave the choice of the broker open")
        if self.kind == "amqtt" and importlib.util.find_spec("amqtt") is None:
            raise BrokerError("no broker is installed: install mosquitto, or pip install 'edgewarden[demo]'")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BrokerError(f"{self.directory} can't be made: {error.strerror}") from error
        self._wait_for_its_port()
        for _ in range(ATTEMPTS):
            if self.port == 0 or (self._moves and is_listening(self.host, self.port)):
                self.port = free_port(self.host)
            self._launch(mosquitto)
            if self._wait_until_it_listens():
                return
            self.stop()
        raise BrokerError(f"{self.kind} doesn't start; see {self.directory / f'{self.kind}.log'}")

    def stop(self) -> None:
        """Stop it; mosquitto saves its sessions first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _launch(self, mosquitto: str | None) -> None:
        tie = [sys.executable, "-I", str(HERE.parent / "system" / "child_process.py"), str(os.getpid())]
        with (self.directory / f"{self.kind}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*tie, *self._command(mosquitto)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _command(self, mosquitto: str | None) -> list[str]:
        if mosquitto is None or self.kind == "amqtt":
            return [sys.executable, "-I", str(HERE / "amqtt_process.py"), self.host, str(self.port)]
        file = self.directory.resolve() / "mosquitto.conf"
        content = MOSQUITTO_CONFIGURATION.format(
            port=self.port, host=self.host, directory=file.parent, in_flight=IN_FLIGHT
        )
        if os.geteuid() == 0:  # otherwise it changes its user, which may not write here, and loses its tie to us
            content += "user root\n"
        file.write_text(content)
        return [mosquitto, "-c", str(file)]

    def _wait_for_its_port(self) -> None:
        """Wait for a fixed port that a stopping broker may still hold."""
        until = time.monotonic() + FREE_S
        while not self._moves and is_listening(self.host, self.port):
            if time.monotonic() >= until:
                raise BrokerError(
                    f"broker.embedded: port {self.port} of {self.host} is taken, probably by another broker; to use"
                    " that one leave out broker.embedded, or else choose another broker.port"
                )
            time.sleep(0.1)

    def _wait_until_it_listens(self) -> bool:
        until = time.monotonic() + START_S
        while self.alive and time.monotonic() < until:
            if is_listening(self.host, self.port):
                return self.alive
            time.sleep(0.02)
        return False


def find_mosquitto() -> str | None:
    """Path of mosquitto, or None; distributions install it outside of a user's PATH."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=SYSTEM_PATH)


def free_port(host: str = "127.0.0.1") -> int:
    """A free TCP port."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(host: str, port: int) -> bool:
    """Whether a server accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0
