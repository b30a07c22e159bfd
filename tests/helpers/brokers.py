"""Mosquitto with the configuration of a test, ended by its process id."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from edge.shell.broker.embedded import find_mosquitto, free_port, is_listening


def installed_mosquitto() -> str:
    """Path of mosquitto; if it isn't installed, the test is skipped, but never where everything must be tested."""
    program = find_mosquitto()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("mosquitto must be installed here")
        pytest.skip("mosquitto isn't installed")
    return program


class Mosquitto:
    """A mosquitto that is repeatedly started and killed on one port.

    Args:
        directory: Folder of its configuration, log and sessions.
        lines: Configuration; by default one open listener, without persistence.
        port: Port to listen on; any free one by default.
    """

    def __init__(self, directory: Path, lines: str = "allow_anonymous true", port: int | None = None) -> None:
        self.directory = directory
        self.port = port or free_port()
        self._lines = lines
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> Mosquitto:
        program = installed_mosquitto()
        file = self.directory / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        file.write_text(f"listener {self.port} 127.0.0.1\n{user}{self._lines}\n")
        with (self.directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(file)], stdout=log, stderr=log)
        until = time.monotonic() + 10
        while not is_listening("127.0.0.1", self.port):
            assert self._process.poll() is None, (self.directory / "mosquitto.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
