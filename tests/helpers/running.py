"""Runs the real command with a real broker, and listens as any consumer would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from edge.core.model.readings.messages import Message
from edge.shell.link import Link, LinkOptions, ServiceLink, Subscription

ROOT = Path(__file__).parents[2]

PATIENT = '[[rule]]\nsensors = "**"\ndetectors.silence.at_least_s = 86400\n'
"""A rule under which no sensor is silent only because the machine is slow."""


def wait_until(condition: Callable[[], Any], timeout_s: float = 60.0, what: str = "it") -> Any:
    """Poll for a condition met by another process; returns its value when it was true."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} didn't happen within {timeout_s} s")


def wait_for_all(done: Callable[[], int], goal: int, what: str, *, idle_s: float = 60.0, poll_s: float = 0.02) -> None:
    """Poll a count until it reaches a goal, as long as it grows: a slow machine isn't a failure.

    Raises:
        AssertionError: It hasn't grown for `idle_s` seconds.
    """
    known, news = -1, time.monotonic()
    while (count := done()) < goal:
        if count != known:
            known, news = count, time.monotonic()
        elif time.monotonic() - news > idle_s:
            raise AssertionError(f"only {count} of {goal} {what}, and no more for {idle_s} s")
        time.sleep(poll_s)


def receive(link: ServiceLink, number: int, timeout_s: float = 60.0) -> list[Message]:
    """The messages that a link returns until their number, or the time limit, is reached."""
    messages: list[Message] = []
    until = time.monotonic() + timeout_s
    while len(messages) < number and time.monotonic() < until:
        messages += link.receive(0.2)
    return messages


def run_command(folder: Path, *arguments: str, timeout_s: float = 300.0) -> subprocess.CompletedProcess[str]:
    """Run `edgewarden` in a folder, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "edge", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class Consumer:
    """An MQTT client that records everything."""

    started: ClassVar[list[Consumer]] = []

    def __init__(self, port: int, *filters: str, client_id: str = "", clean_session: bool = True, **how: Any) -> None:
        options = LinkOptions(port=port, client_id=client_id, clean_session=clean_session, **how)
        self.link = Link(options, [Subscription(each) for each in filters])
        self.messages: list[tuple[str, bytes, bool]] = []
        self.started.append(self)
        self.link.start()
        assert self.link.wait_subscribed(60)

    def poll(self) -> list[tuple[str, bytes, bool]]:
        taken = self.link.receive(0)
        self.messages += [(each.topic, each.payload, each.retained) for each in taken]
        self.link.acknowledge(taken)
        return self.messages

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for topic, payload, _ in self.poll() if "/anomaly/" in topic]

    def latest(self, ending: str) -> dict[str, Any] | None:
        found = [payload for topic, payload, _ in self.poll() if topic.endswith(ending)]
        return json.loads(found[-1]) if found else None

    def publish(self, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False) -> None:
        data = payload.encode() if isinstance(payload, str) else payload
        wait_until(lambda: self.link.publish(topic, data, qos=qos, retain=retain) is not None, what="publishing")

    def publish_all(self, topic: str, payloads: list[str]) -> None:
        """Publish in order and wait for the PUBACKs."""
        waiting: set[int] = set()
        for payload in payloads:

            def sent(payload: str = payload) -> bool:
                waiting.difference_update(self.link.confirmations())
                token = self.link.publish(topic, payload.encode())
                if token is not None:
                    waiting.add(token)
                return token is not None

            wait_until(sent, what="publishing")
        wait_until(
            lambda: waiting.difference_update(self.link.confirmations()) or not waiting,
            what="the last PUBACK",
        )

    def close(self) -> None:
        if self in self.started:
            self.started.remove(self)
            self.link.stop()


class RunningService:
    """`edgewarden run` as a separate process."""

    def __init__(self, folder: Path, configuration: str) -> None:
        self.folder = folder
        self.path = folder / "edgewarden.toml"
        self.path.write_text(configuration)
        self.log = folder / "service.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **more: str) -> RunningService:
        """Start it; `more` are additional environment variables."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge", "run", str(self.path)],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=log,
            )
        return self

    def kill(self) -> None:
        """End it, whatever its state."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self, with_signal: int = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(120)


def wait_for_input(producer: Consumer, service: RunningService, topic: str = "plant/marker", payload: str = "") -> None:
    """Send a message, by default no reading, until the service hears it: the only sign that it has subscribed.

    Its status is published as soon as it is connected.
    """

    def has_taken_one() -> object:
        producer.publish(topic, payload)
        with suppress(AssertionError):
            return wait_until(lambda: "first_message" in service.log.read_text(), 3)
        return None

    wait_until(has_taken_one, what="the subscription")


def configuration(port: int, **changes: str) -> str:
    """A configuration for tests: every reading below `plant/`, a fixed raising level."""
    tables = {
        "gateway": 'name = "gw"',
        "broker": f"port = {port}",
        "incidents": "threshold = 6.0\nclear_after = 3\nupdate_s = 3600",
        "store": 'durability = "process"',
        **changes,
    }
    text = "\n".join(f"[{name}]\n{content}" for name, content in tables.items())
    return f'{text}\n[[input]]\ntopic = "plant/#"\nsensor = "{{topic}}/{{field}}"\n'
