"""The demo: a broker, the service, a simulated plant, and a consumer that shows the events.

Each is a separate process, connected only by topics: the same commands, started by hand in four terminals, would do the
same.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import msgspec

from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.link import Link, LinkOptions, Subscription
from simulators.demo.commands import events_command, follow_command
from simulators.demo.incident_log import IncidentLog
from simulators.demo.processed_readings import reached, remark, seen
from simulators.demo.screen import DemoProgress, Screen
from simulators.demo.screens import screen
from simulators.demo.summary import judge, problems, summary
from simulators.faults.truth import read_summary, read_truth
from simulators.signals.label import Fault

GATEWAY = "demo"
BASE = f"edgewarden/{GATEWAY}"
PORT = 1883
INTERVAL_S = 120.0
PLANT_DAYS = 3.0
START_S = 20.0
SETTLE_S = 4.0
"""Time for the service at the end to publish the remaining events."""

BACKLOG_S = 60.0
"""Additional time if it hasn't processed all published readings yet."""

CONFIGURATION = """\
[gateway]
name = "{gateway}"

[broker]
port = {port}

[[input]]
topic = "plant/#"
sensor = "{{topic}}"

# Values that only rise: their pace is watched, not their level.
[[rule]]
sensors = "**/energy"
preset = "counter"
[[rule]]
sensors = "**/pieces"
preset = "counter"
[[rule]]
sensors = "**/water"
preset = "counter"

# The sensors of one machine are watched together, too, after a day of the plant's.
[[device]]
sensors = ["plant/**"]
warm_up = 720
"""


PAGE = """
# What is found, in a browser, at a free port.
[page]
port = 0
"""
PAGE_NEEDS = ("prometheus_client", "starlette", "uvicorn")
PAGE_ADDRESS = re.compile(r" page address=(\S+)")


class DemoError(Exception):
    """The demo has failed; the message gives the reason."""


class Demo:
    """One run of the demo.

    Args:
        seconds: Total duration.
        sensors: Number of sensors of the plant.
        seed: Seed of the plant and its faults.
        folder: Directory for its files.
        show: The screen.
        sinks: Tables of additional sinks.
        monotonic: Seconds that never step.
    """

    def __init__(
        self,
        seconds: float,
        sensors: int,
        seed: int,
        folder: Path,
        show: Screen,
        sinks: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.sensors = sensors
        self.seed = seed
        self.folder = folder
        self.log = IncidentLog()
        self._show = show
        self._sinks = sinks
        self._monotonic = monotonic
        self._began = monotonic()
        self._health: dict[str, Any] = {}
        self._status: dict[str, Any] = {}
        self._rate = 0.0
        self._rated = (0.0, 0)
        self._follow = ""
        self._page = ""

    @property
    def store(self) -> Path:
        """Path of the service's store."""
        return self.folder / "edgewarden.db"

    @property
    def truth_path(self) -> Path:
        """Path of the simulator's truth."""
        return self.folder / "truth.jsonl"

    @property
    def claimed(self) -> frozenset[str]:
        """The kinds of faults that the service claims to detect."""
        return frozenset(self._status.get("catches", ()))

    def run(self) -> None:
        """Start everything, run until the time is up, and stop everything in order.

        Raises:
            DemoError: A part of it ended unexpectedly.
            BrokerError: No broker can be started.
        """
        with ExitStack() as running:
            broker = EmbeddedBroker(self.folder / "broker", port=PORT)
            broker.start()
            running.callback(broker.stop)
            self._follow = follow_command(broker.port, f"{BASE}/anomaly/#", self.store)
            link = Link(LinkOptions(port=broker.port), [Subscription(f"{BASE}/#")])
            link.start()
            running.callback(link.stop)
            if not link.wait_subscribed(START_S):
                raise DemoError("the broker doesn't answer")
            configuration = self.folder / "edgewarden.toml"
            page = PAGE if all(find_spec(each) for each in PAGE_NEEDS) else ""
            configuration.write_text(CONFIGURATION.format(gateway=GATEWAY, port=broker.port) + page + self._sinks)
            service = running.enter_context(self._process("run", str(configuration), log="service.log"))
            self._watch(link, "the service starts", START_S, lambda: self._status.get("state") == "online")
            if self._status.get("state") != "online":
                raise DemoError(f"the service doesn't start; see {self.folder / 'service.log'}")
            found = PAGE_ADDRESS.search((self.folder / "service.log").read_text())
            self._page = found[1] if found else ""
            plays_s = max(5.0, self.seconds - (self._monotonic() - self._began) - SETTLE_S)
            readings = self.sensors * PLANT_DAYS * 86_400 / INTERVAL_S
            simulator = running.enter_context(
                self._process(
                    *("simulate", "--host", "127.0.0.1", "--port", str(broker.port), "--sensors", str(self.sensors)),
                    *("--seed", str(self.seed), "--interval", f"{INTERVAL_S:g}s", "--duration", f"{PLANT_DAYS:g}d"),
                    *("--rate", f"{readings / plays_s:.3f}", "--truth", str(self.truth_path)),
                    log="simulator.log",
                )
            )
            days = f"{PLANT_DAYS:g} days of a plant in {plays_s:.0f} seconds"
            self._watch(link, days, plays_s + 10.0, lambda: _ended(simulator, service))
            if simulator.poll() is None:
                simulator.terminate()  # what it has published until now is its plant
                self._watch(link, "the simulator ends", 15.0, lambda: _ended(simulator, service))
            if simulator.poll() == 0:
                self._watch(link, "the rest", BACKLOG_S, lambda: self._has_taken_all or _ended(service))
            if service.poll() is not None:
                raise DemoError(f"the service has ended unexpectedly; see {self.folder / 'service.log'}")
            if simulator.poll() != 0:
                raise DemoError(f"the simulator failed; see {self.folder / 'simulator.log'}")
            self._watch(link, "the last events", SETTLE_S / 2, lambda: False)
            service.terminate()
            self._watch(link, "the service ends", 15.0, lambda: service.poll() is not None)
            if service.poll() != 0:
                raise DemoError(f"the service ended with {service.poll()}; see {self.folder / 'service.log'}")
            self._watch(link, "goodbye", 1.0, lambda: self._status.get("state") == "offline")

    def faults(self) -> tuple[list[Fault], str]:
        """The truth limited to processed readings, and a remark if that isn't all of it."""
        if not self.truth_path.exists():
            return [], ""
        lines = self.truth_path.read_bytes().splitlines()
        every, summary = read_truth(lines), read_summary(lines)
        known = seen(every, reached(summary, self._taken))
        return known, remark(summary, self._taken, len(every) - len(known))

    @property
    def _taken(self) -> int:
        return int(self._health.get("messages", 0))

    @property
    def _has_taken_all(self) -> bool:
        summary = read_summary(self.truth_path.read_bytes().splitlines())
        return summary is None or self._taken >= summary.readings

    def unaccounted(self) -> list[str]:
        """A sentence about missing readings; empty if there are none."""
        health = self._health
        if not health:
            return ["the service hasn't reported its health"]
        refused = sum(health["readings_refused"].values()) + sum(health["messages_refused"].values())
        taken = health["readings_taken"]
        if refused or taken != health["messages"]:
            return [f"of {health['messages']} messages {taken} were learned from, {refused} refused"]
        return []

    @property
    def sensor_days(self) -> float:
        """Days of plant time monitored, over all sensors."""
        return float(self._health.get("readings_taken", 0)) * INTERVAL_S / 86_400

    def _watch(self, link: Link, doing: str, timeout_s: float, done: Callable[[], bool]) -> None:
        until = self._monotonic() + timeout_s
        while self._monotonic() < until and not done():
            messages = link.receive(0.1)
            for message in messages:
                self._hear(message.topic, message.payload)
            link.acknowledge(messages)
            if not link.alive:
                raise DemoError("the link to the broker has died")
            self._refresh(doing)

    def _hear(self, topic: str, payload: bytes) -> None:
        if topic.startswith(f"{BASE}/anomaly/"):
            event = self.log.take(payload)
            if event is not None:
                self._show.event(event)
        elif topic == f"{BASE}/health":
            self._health = msgspec.json.decode(payload)
        elif topic == f"{BASE}/status":
            self._status = {**self._status, **msgspec.json.decode(payload)}

    def _refresh(self, doing: str) -> None:
        elapsed = self._monotonic() - self._began
        taken = int(self._health.get("readings_taken", 0))
        uptime, before = self._rated
        now = float(self._health.get("uptime_s", 0.0))
        if now > uptime:
            self._rate = (taken - before) / (now - uptime)
            self._rated = (now, taken)
        sensors = int(self._health.get("sensors", 0))
        place = DemoProgress(elapsed, self.seconds, taken, self._rate, sensors, self._follow, doing, self._page)
        self._show.refresh(place, self.log)

    @contextmanager
    def _process(self, *arguments: str, log: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / log).open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "edge", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _ended(*processes: subprocess.Popen[bytes]) -> bool:
    return any(each.poll() is not None for each in processes)


def play(seconds: float, sensors: int, seed: int, sinks: str = "") -> int:
    """Run the demo and print its summary; returns the exit code: 0 only if it worked."""
    folder = Path(tempfile.mkdtemp(prefix="edgewarden-demo-"))
    failed: list[str] = []
    with screen() as show:
        demo = Demo(seconds, sensors, seed, folder, show, sinks)
        try:
            demo.run()
        except KeyboardInterrupt:
            print("\nInterrupted; what was seen until now:")
        except DemoError as error:
            failed.append(str(error))
        else:
            failed += demo.unaccounted()
    faults, remark_on_faults = demo.faults()
    comparison = judge(faults, demo.log.raised(), demo.claimed)
    columns = get_terminal_size().columns if sys.stdout.isatty() else None
    print("\n".join(summary(comparison, demo.claimed, demo.sensor_days, remark_on_faults, columns)))
    failed += problems(comparison, demo.sensor_days)
    print(f"\nEverything that was stored is still there:\n  {events_command(demo.store)}")
    for each in failed:
        print(f"edgewarden demo: {each}", file=sys.stderr)
    return 1 if failed else 0
