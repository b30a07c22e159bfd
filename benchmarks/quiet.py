"""The cost of a quiet plant: CPU per reading by thread, wake-ups, and bytes written, with peers on the same broker.

All subscribers listen to the same mosquitto at the same time, with its installed configuration, and the service runs
with its default configuration. The measurement begins after all subscribers have received several readings of each
sensor.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from figures import Figure
from ingest import HERE, Load, go, listener, publish, publisher, running

from edge.shell.broker.embedded import find_mosquitto, free_port, is_listening

CONFIGURATION = """\
[gateway]
name = "bench"
[broker]
port = {port}
[[input]]
topic = "plant/#"
"""
WARMING_S = 35.0
HISTORY_S = 3600.0
"""Time of which the still plant has readings before the measurement: at ten seconds, warming gives it three each."""

STILL = Load(1, sensors=10, rate=1.0)


class Usage(NamedTuple):
    """Resources that a process has used so far.

    Attributes:
        cpu_s: CPU seconds of all of its threads.
        network_cpu_s: CPU seconds of all threads but the main one.
        wakeups: Number of times that one of its threads slept and was woken.
        disk_bytes: Bytes that it caused to be written to disk.
    """

    cpu_s: float
    network_cpu_s: float
    wakeups: int
    disk_bytes: int

    def since(self, before: Usage) -> Usage:
        """The difference from an earlier measurement."""
        return Usage(
            self.cpu_s - before.cpu_s,
            self.network_cpu_s - before.network_cpu_s,
            self.wakeups - before.wakeups,
            self.disk_bytes - before.disk_bytes,
        )


def usage_of(pid: int) -> Usage:
    """Measure a process, by `schedstat`, which counts nanoseconds; the clock ticks of `stat` are too coarse here."""
    cpu, network, wakeups = 0.0, 0.0, 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        seconds = int((task / "schedstat").read_text().split()[0]) / 1e9
        cpu += seconds
        network += 0.0 if task.name == str(pid) else seconds
        lines = (task / "status").read_text().splitlines()
        wakeups += next(int(each.split()[1]) for each in lines if each.startswith("voluntary_ctxt_switches"))
    written = (Path(f"/proc/{pid}/io")).read_text().splitlines()
    disk = next(int(each.split()[1]) for each in written if each.startswith("write_bytes"))
    return Usage(cpu, network, wakeups, disk)


@contextmanager
def mosquitto_as_installed(folder: Path) -> Iterator[int]:
    """A mosquitto with no setting other than its port, which it yields."""
    program = find_mosquitto()
    if program is None:
        raise SystemExit("needs mosquitto")
    port = free_port()
    file = folder / "mosquitto.conf"
    file.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with subprocess.Popen([program, "-c", str(file)], stderr=subprocess.DEVNULL) as process:
        try:
            while not is_listening("127.0.0.1", port):
                time.sleep(0.01)
            yield port
        finally:
            process.kill()


@contextmanager
def _everybody(stack: ExitStack, port: int, folder: Path, peers: tuple[str, ...]) -> Iterator[dict[str, int]]:
    """The subscribed service and its peers; yields their process IDs by name."""
    path = folder / "edgewarden.toml"
    path.write_text(CONFIGURATION.format(port=port))
    commands = {
        "bare paho": [sys.executable, str(HERE / "paho_subscriber.py"), str(port), "-C", "1000000000"],
        "paho + river": [sys.executable, str(HERE / "paho_river.py"), str(port)],
        "mosquitto_sub": ["mosquitto_sub", "-p", str(port), "-q", "1", "-i", "sub", "-t", "plant/#"],
    }
    pids = {}
    for name in peers:
        process = subprocess.Popen(commands[name], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)
        pids[name] = process.pid
    service = stack.enter_context(running(sys.executable, "-m", "edge", "run", str(path), folder=folder))
    pids["edgewarden"] = service.pid
    yield pids


def watch(load: Load, seconds: float, peers: tuple[str, ...], history_s: float = 0.0) -> dict[str, Usage]:
    """Publish a load at its rate, and measure the usage of all subscribers over some seconds of it.

    Args:
        load: What is published, for longer than `seconds` and `WARMING_S`.
        seconds: Duration of the measurement.
        peers: Subscribers besides the service.
        history_s: Time before of which readings are published at the beginning.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(mosquitto_as_installed(folder))
        link = stack.enter_context(listener(port))
        pids = stack.enter_context(_everybody(stack, port, folder, peers))
        until = time.monotonic() + 20
        while time.monotonic() < until and not any(b"online" in each.payload for each in link.receive(0.2)):
            pass
        link.stop()
        if history_s:
            period = load.sensors / (load.rate or 1.0)
            earlier = load._replace(messages=int(history_s / period) * load.sensors, rate=None)
            publish(port, earlier, "--start", str(time.time() - history_s), "--period", str(period))
        flood = stack.enter_context(running(*publisher(port, load, "--start", str(time.time()))))
        go(flood)
        time.sleep(WARMING_S)
        before = {name: usage_of(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        return {name: usage_of(pid).since(before[name]) for name, pid in pids.items()}


def plant(runs: int, *, quick: bool) -> list[Figure]:
    """100 sensors with one reading per second each, then ten with one every ten seconds."""
    seconds = 20.0 if quick else 60.0
    peers = ("bare paho", "paho + river", "mosquitto_sub")
    busy, still = [], []
    for _ in range(runs):
        length = seconds + WARMING_S + 5
        busy.append(watch(Load(int(100 * length), sensors=100, rate=100.0), seconds, peers))
        still.append(watch(STILL._replace(messages=int(length)), seconds, (), HISTORY_S))
    readings = 100 * seconds
    part = "quiet"

    def cpu_us(name: str) -> list[float]:
        return [1e6 * each[name].cpu_s / readings for each in busy]

    ours = cpu_us("edgewarden")
    network = [1e6 * each["edgewarden"].network_cpu_s / readings for each in busy]
    return [
        Figure(part, "CPU a reading, 100 sensors at 1 Hz", "us", ours, cpu_us("bare paho"), "bare paho", most=1.0),
        Figure(part, "the same", "us", ours, cpu_us("paho + river"), "paho + river"),
        Figure(part, "the same", "us", ours, cpu_us("mosquitto_sub"), "mosquitto_sub"),
        Figure(part, "of it, the network thread", "us", network),
        Figure(part, "wake-ups a second", "/s", [each["edgewarden"].wakeups / seconds for each in busy]),
        Figure(
            part,
            "bytes to the disk a reading",
            "B",
            [each["edgewarden"].disk_bytes / readings for each in busy],
            most=80.0,
        ),
        Figure(
            part,
            "share of a core, 10 sensors at 0.1 Hz",
            "%",
            [100 * each["edgewarden"].cpu_s / seconds for each in still],
            most=0.2,
        ),
        Figure(
            part,
            "its wake-ups a second",
            "/s",
            [each["edgewarden"].wakeups / seconds for each in still],
            most=5.0,
        ),
    ]
