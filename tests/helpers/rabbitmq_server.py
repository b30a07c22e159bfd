"""A real RabbitMQ with its own ports, data and epmd on this machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from edge.shell.broker.embedded import free_port, is_listening

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_S = 120.0


class RabbitMq:
    """One node.

    Args:
        more: Additional lines of its configuration.
        plugins: Plugins that it has.
    """

    def __init__(self, more: str = "", plugins: str = "") -> None:
        if not PROGRAM.exists():
            if os.environ.get("CI"):
                pytest.fail("RabbitMQ must be installed here")
            pytest.skip("RabbitMQ isn't installed")
        self.folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
        self.port = free_port()
        self._more, self._plugins = more, plugins
        self._ports = {"RABBITMQ_DIST_PORT": str(free_port()), "ERL_EPMD_PORT": str(free_port())}
        self._process: subprocess.Popen[bytes] | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Start it unless it is running, and wait until it answers."""
        if self._process is not None and self._process.poll() is None:
            return
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n{self._more}\n")
        (self.folder / "plugins").write_text(f"[{self._plugins}].\n")
        self._process = self._launch()
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._process.poll() is not None:  # its epmd may consider the killed node alive for a moment
                self._process = self._launch()
            if is_listening("127.0.0.1", self.port):
                return
            time.sleep(0.2)
        raise AssertionError(f"RabbitMQ didn't start: see {self.folder / 'rabbitmq.log'}")

    def _launch(self) -> subprocess.Popen[bytes]:
        environment = self._environment()
        with (self.folder / "rabbitmq.log").open("ab") as log:
            if self._epmd is None:  # RabbitMQ would leave an epmd process behind
                self._epmd = subprocess.Popen(["epmd"], env=environment, stdout=log, stderr=log)  # noqa: S607
            return subprocess.Popen(
                [PROGRAM], env=environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def is_running(self) -> bool:
        """Whether it is running and not paused."""
        return self._process is not None and self._process.poll() is None and not self._is_stopped

    def kill(self) -> None:
        """Kill it; everything it has confirmed is on disk."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._is_stopped = False

    def stop(self) -> None:
        """Pause it (SIGSTOP), with its connections open."""
        if self.is_running and self._process is not None:
            os.killpg(self._process.pid, signal.SIGSTOP)
            self._is_stopped = True

    def resume(self) -> None:
        if self._is_stopped and self._process is not None:
            os.killpg(self._process.pid, signal.SIGCONT)
            self._is_stopped = False

    def control(self, *arguments: str) -> None:
        """Run `rabbitmqctl`."""
        program = PROGRAM.with_name("rabbitmqctl")
        subprocess.run([program, *arguments], env=self._environment(), check=True, capture_output=True, timeout=120)

    def remove(self) -> None:
        """Kill it and its epmd, and delete its data."""
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            **self._ports,
        }
