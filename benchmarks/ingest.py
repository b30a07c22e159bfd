"""Readings per second and CPU time per reading of the whole service, against subscribers that do nothing.

Everything is enabled: decoding, the default detectors for each sensor, and commits of journal and events before the
acknowledgement. A load ends when the event of its last reading has arrived here, or when the peer has received
everything.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from figures import Figure
from processes import cpu_seconds

from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.link import Link, LinkOptions, Subscription

HERE = Path(__file__).parent
BASE = "edgewarden/bench"
LAST = "bench/last"
CONFIGURATION = """\
[gateway]
name = "bench"
[broker]
port = {port}
in_flight = 1000
[store]
path = "bench.db"
durability = "{durability}"
[[input]]
topic = "plant/#"
[[input]]
topic = "packs/#"
sensor = "{{field}}"
[[input]]
topic = "bench/#"
[[rule]]
sensors = "bench/**"
preset = "limits_only"
detectors.limits.high = 100
incidents.clear_after = 1
"""
WARMING = 3
"""Readings of each sensor before the measurement begins."""


class Load(NamedTuple):
    """What is published: number and size of messages, number of sensors, and the rate, if it is limited."""

    messages: int
    pack: int = 1
    sensors: int = 1000
    rate: float | None = None

    @property
    def readings(self) -> int:
        """Total number of readings."""
        return self.messages * self.pack


class Taken(NamedTuple):
    """A subscriber's result for a load: readings per second, and microseconds of CPU per reading."""

    per_second: float
    cpu_us: float
    broker_cpu_us: float


@contextmanager
def broker_in(folder: Path) -> Iterator[EmbeddedBroker]:
    """Mosquitto with the recommended settings."""
    broker = EmbeddedBroker(folder / "broker", prefer="mosquitto")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@contextmanager
def running(*command: str, folder: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a command, and end it at the end of the block."""
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, text=True, cwd=folder, stdin=pipe, stdout=pipe, stderr=nowhere) as process:
        try:
            yield process
        finally:
            process.kill()


def publisher(port: int, load: Load, *more: str) -> list[str]:
    """The command line that publishes a load."""
    command = [sys.executable, str(HERE / "flood.py"), str(port), str(load.messages)]
    command += ["--pack", str(load.pack), "--sensors", str(load.sensors), *more]
    if load.rate:
        command += ["--rate", str(load.rate), "--period", str(load.sensors / (load.rate * load.pack))]
    return command


def go(publishing: subprocess.Popen[str]) -> None:
    """Wait until a publisher has prepared its packets, and let it start."""
    publishing.stdin.write("\n")  # type: ignore[union-attr]
    publishing.stdin.flush()  # type: ignore[union-attr]


def publish(port: int, load: Load, *more: str) -> float:
    """Publish a load and wait for its end; returns the time of its first message."""
    with running(*publisher(port, load, *more)) as process:
        output, _ = process.communicate("\n")
    return float(output.split()[1])


def mosquitto_sub(load: Load) -> Taken:
    """The result of mosquitto_sub, a C client, with its output discarded."""
    return _peer(load, lambda port: ["mosquitto_sub", "-p", str(port), "-q", "1", "-i", "peer", "-t", "+/#"])


def bare_paho(load: Load) -> Taken:
    """The result of a paho client whose callback does nothing."""
    return _peer(load, lambda port: [sys.executable, str(HERE / "paho_subscriber.py"), str(port)])


def _peer(load: Load, command: Callable[[int], list[str]]) -> Taken:
    """The result of a command that ends after `-C COUNT` messages."""
    with tempfile.TemporaryDirectory() as folder, broker_in(Path(folder)) as broker:
        broker_pid = broker.pid or 0
        arguments = [*command(broker.port), "-C", str(load.messages)]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as peer, ThreadPoolExecutor(1) as waiter:
            time.sleep(1.0)
            before, broker_before = cpu_seconds(peer.pid), cpu_seconds(broker_pid)
            end = waiter.submit(_end_of, peer.pid)
            began = publish(broker.port, load)
            ended, used = end.result()
        cpu, broker_cpu = used - before, cpu_seconds(broker_pid) - broker_before
        return Taken(load.readings / (ended - began), 1e6 * cpu / load.readings, 1e6 * broker_cpu / load.readings)


def _end_of(pid: int) -> tuple[float, float]:
    """When a process ended, and the CPU seconds that it had used."""
    _, _, usage = os.wait4(pid, 0)
    return time.time(), usage.ru_utime + usage.ru_stime


@contextmanager
def service(port: int, folder: Path, durability: str = "power") -> Iterator[subprocess.Popen[str]]:
    """`edgewarden run` with everything enabled."""
    path = folder / "edgewarden.toml"
    path.write_text(CONFIGURATION.format(port=port, durability=durability))
    with running(sys.executable, "-m", "edge", "run", str(path), folder=folder) as process:
        yield process


@contextmanager
def listener(port: int) -> Iterator[Link]:
    """A consumer of all topics that the service publishes."""
    link = Link(LinkOptions(port=port), [Subscription(f"{BASE}/#")])
    link.start()
    link.wait_subscribed(10)
    try:
        yield link
    finally:
        link.stop()


def hear(link: Link, ending: str, timeout_s: float = 120.0) -> float:
    """Wait for a message on a topic with this ending; returns the time of its arrival."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        messages = link.receive(0.1)
        link.acknowledge(messages)
        for each in messages:
            if each.topic.endswith(ending):
                return each.arrived
    raise TimeoutError(ending)


def whole_line(load: Load, durability: str = "power") -> Taken:
    """The result of Edgewarden: decoded, scored, committed, acknowledged and published."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(broker_in(folder))
        link = stack.enter_context(listener(broker.port))
        process = stack.enter_context(service(broker.port, folder, durability))
        hear(link, "/status")
        start = time.time() - 60 - WARMING - load.readings / load.sensors
        warming = Load(WARMING * load.sensors // load.pack, load.pack, load.sensors)
        publish(broker.port, warming, "--start", str(start), "--last", f"{LAST}/warm")
        hear(link, f"anomaly/{LAST}/warm")
        cpu, broker_cpu = cpu_seconds(process.pid), cpu_seconds(broker.pid or 0)
        began = publish(broker.port, load, "--start", str(start + WARMING), "--last", LAST)
        seconds = hear(link, f"anomaly/{LAST}") - began
        cpu, broker_cpu = cpu_seconds(process.pid) - cpu, cpu_seconds(broker.pid or 0) - broker_cpu
        return Taken(load.readings / seconds, 1e6 * cpu / load.readings, 1e6 * broker_cpu / load.readings)


def one_by_one(runs: int, *, quick: bool) -> list[Figure]:
    """Figures for one reading per message, against mosquitto_sub."""
    load = Load(30_000 if quick else 100_000)
    peers, ours = _in_turns(runs, lambda: mosquitto_sub(load), lambda: whole_line(load))
    part, peer = "ingest", "mosquitto_sub"
    return [
        Figure(part, "readings a second", "/s", _rates(ours), _rates(peers), peer, least=1.0),
        Figure(part, "CPU a reading", "us", _cpu(ours), _cpu(peers), peer, most=1.25),
        Figure(part, "the broker's CPU a reading", "us", _broker(ours), _broker(peers), peer),
    ]


def in_packs(runs: int, *, quick: bool) -> list[Figure]:
    """Figures for 100 readings per message, against a bare paho subscriber."""
    load = Load(5_000 if quick else 15_000, pack=100)
    peers, ours = _in_turns(runs, lambda: bare_paho(load), lambda: whole_line(load))
    part, peer = "packs", "bare paho"
    return [
        Figure(part, "readings a second", "/s", _rates(ours), least=200_000),
        Figure(part, "the same, against the peer", "/s", _rates(ours), _rates(peers), peer),
        Figure(part, "CPU a reading", "us", _cpu(ours), _cpu(peers), peer),
    ]


def _in_turns(runs: int, peer: Callable[[], Taken], ours: Callable[[], Taken]) -> tuple[list[Taken], list[Taken]]:
    pairs = [(peer(), ours()) for _ in range(runs)]
    return [each for each, _ in pairs], [each for _, each in pairs]


def _rates(all_taken: list[Taken]) -> list[float]:
    return [each.per_second for each in all_taken]


def _cpu(all_taken: list[Taken]) -> list[float]:
    return [each.cpu_us for each in all_taken]


def _broker(all_taken: list[Taken]) -> list[float]:
    return [each.broker_cpu_us for each in all_taken]
