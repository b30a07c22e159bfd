"""The embedded broker: mosquitto where it is installed, otherwise amqtt in a process of its own.

It is for a first try and for tests: it listens on this machine only, without passwords. A plant brings its own broker.
It ends with the process that started it, however that ends.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

START_S = 10.0
STOP_S = 5.0
PR_SET_PDEATHSIG = 1

MOSQUITTO_CONFIGURATION = """\
listener {port} {host}
allow_anonymous true
persistence true
persistence_location {directory}/
autosave_interval 30
max_queued_messages 1000000
max_queued_bytes 268435456
max_inflight_messages 1000
log_type error
log_type warning
"""


class BrokerError(Exception):
    """No broker can be started; says why, and what would help."""


class EmbeddedBroker:
    """A broker in a process of its own.

    Args:
        directory: Where it keeps its sessions and its log; made if it isn't there.
        host: Address of this machine to listen on.
        port: Port to listen on; if it is taken, or 0, any free one.
        prefer: `mosquitto` or `amqtt`; by default the first of them that is installed.
    """

    def __init__(
        self,
        directory: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        prefer: Literal["mosquitto", "amqtt"] | None = None,
    ) -> None:
        self.directory = directory
        self.host = host
        self.port = port
        self.kind: Literal["mosquitto", "amqtt"] | None = prefer
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self._process is not None and self.alive else None

    def start(self) -> None:
        """Start it, and wait until it accepts connections.

        Raises:
            BrokerError: Neither broker is installed, or it doesn't start.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.port == 0 or _is_taken(self.host, self.port):
            self.port = free_port(self.host)
        mosquitto = find_mosquitto()
        if self.kind is None:
            self.kind = "mosquitto" if mosquitto else "amqtt"
        log = (self.directory / f"{self.kind}.log").open("ab")
        try:
            self._process = subprocess.Popen(
                self._command(mosquitto), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=_end_with_parent, start_new_session=True
            )
        finally:
            log.close()
        self._wait_until_it_listens()

    def stop(self) -> None:
        """End it; it writes down its sessions first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _command(self, mosquitto: str | None) -> list[str]:
        if self.kind == "mosquitto":
            if mosquitto is None:
                raise BrokerError("mosquitto isn't installed")
            file = self.directory / "mosquitto.conf"
            directory = self.directory.resolve()
            content = MOSQUITTO_CONFIGURATION.format(port=self.port, host=self.host, directory=directory)
            if os.geteuid() == 0:
                content += "user root\n"
            file.write_text(content)
            return [mosquitto, "-c", str(file)]
        if importlib.util.find_spec("amqtt") is None:
            raise BrokerError("no broker is installed: install mosquitto, or pip install 'edgewarden[demo]' for amqtt")
        return [sys.executable, "-m", "edge.shell.amqtt_process", self.host, str(self.port)]

    def _wait_until_it_listens(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if not self.alive:
                break
            if _is_taken(self.host, self.port):
                return
            time.sleep(0.02)
        self.stop()
        raise BrokerError(f"{self.kind} doesn't start; see {self.directory / f'{self.kind}.log'}")


def find_mosquitto() -> str | None:
    """Where mosquitto is installed, or None; distributions keep it where a user's PATH doesn't look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _is_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
