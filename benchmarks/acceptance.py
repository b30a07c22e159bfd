"""The whole service under load, as a user runs it: mosquitto, `edgewarden run`, `edgewarden simulate` and consumers.

    python benchmarks/acceptance.py --sensors 100 --rate 1000 --seconds 300

Reports the time until the service is subscribed, its memory and CPU time, whether every message is accounted for, which
of the labelled faults were found, the number of false incidents, and whether every stored event reached mosquitto_sub
and matches the published JSON Schema. Exits with 1 if a requirement isn't met. Needs mosquitto, mosquitto-clients and
the extra `dev`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jsonschema

from detectors import DETECTORS, DEVICE_DETECTORS
from edge.core.incidents.events.event import event_json_schema
from edge.shell.broker.embedded import EmbeddedBroker
from edge.shell.link import Link, LinkOptions, Subscription
from edge.shell.store import EventFilter, read_events
from simulators.demo.demo import BASE, CONFIGURATION, GATEWAY
from simulators.demo.incident_log import IncidentLog
from simulators.demo.summary import judge, summary
from simulators.faults.truth import read_summary, read_truth

HEARD = "mosquitto_sub.jsonl"
TRUTH = "truth.jsonl"
BACKLOG_S = 300.0
"""Maximum wait for the service to process what the simulator has published: a busy machine is slower than the plant."""

CLAIMED = frozenset(fault for each in (*DETECTORS.values(), *DEVICE_DETECTORS.values()) for fault in each.catches)


def command(*arguments: str) -> list[str]:
    """The command line of an `edgewarden` command."""
    return [sys.executable, "-m", "edge", *arguments]


def resident_mib(pid: int) -> float:
    """Resident memory of a process, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Run:
    """One run: its processes and the received messages.

    Args:
        given: The command-line options.
        folder: Folder for the files of the run.
    """

    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given = given
        self.folder = folder
        self.log = IncidentLog()
        self.health: dict[str, Any] = {}
        self.online_s: float | None = None
        self.memory_mib: list[float] = []
        self.cpu_s = 0.0
        self.exit_code: int | None = None

    def play(self) -> None:
        """Start all processes, wait for the end of the simulator, and end the others."""
        with ExitStack() as stack:
            broker = EmbeddedBroker(self.folder / "broker", prefer="mosquitto")
            broker.start()
            stack.callback(broker.stop)
            print(f"broker at port {broker.port}, files in {self.folder}", flush=True)
            link = Link(LinkOptions(port=broker.port), [Subscription(f"{BASE}/#")])
            link.start()
            stack.callback(link.stop)
            link.wait_subscribed(10)
            listen = f"mosquitto_sub -p {broker.port} -q 1 -t {BASE}/anomaly/#".split()
            listener = subprocess.Popen(listen, stdout=(self.folder / HEARD).open("wb"))
            stack.callback(listener.terminate)
            configuration = self.folder / "edgewarden.toml"
            configuration.write_text(CONFIGURATION.format(gateway=GATEWAY, port=broker.port))
            began = time.monotonic()
            service = subprocess.Popen(
                command("run", str(configuration)), stderr=(self.folder / "service.log").open("wb")
            )
            stack.callback(service.kill)
            self._hear(link, 20, lambda: self.online_s is not None, began)
            time.sleep(self.given.wait)
            simulator = subprocess.Popen(self._simulate(broker.port))
            stack.callback(simulator.kill)
            while simulator.poll() is None:
                self._hear(link, 5)
                self.memory_mib.append(resident_mib(service.pid))
            self._hear(link, BACKLOG_S, lambda: self.health.get("messages", 0) >= self.published)
            self._hear(link, 3)
            self.cpu_s = cpu_seconds(service.pid)
            service.terminate()
            self.exit_code = service.wait(30)
            self._hear(link, 3)

    @property
    def published(self) -> int:
        """Number of messages with readings that the simulator has published; 0 while it is running."""
        summary = read_summary((self.folder / TRUTH).read_bytes().splitlines())
        return 0 if summary is None else summary.readings

    def _simulate(self, port: int) -> list[str]:
        given = self.given
        options = f"--host 127.0.0.1 --port {port} --sensors {given.sensors} --rate {given.rate} --duration 30d"
        options += f" --seconds {given.seconds} --interval {given.interval}s --seed {given.seed}"
        return command("simulate", *options.split(), "--truth", str(self.folder / TRUTH))

    def _hear(self, link: Link, timeout_s: float, done: Callable[[], bool] = lambda: False, began: float = 0.0) -> None:
        until = time.monotonic() + timeout_s
        while time.monotonic() < until and not done():
            messages = link.receive(0.1)
            for message in messages:
                if "/anomaly/" in message.topic:
                    self.log.take(message.payload)
                elif message.topic.endswith("/health"):
                    self.health = json.loads(message.payload)
                elif message.topic.endswith("/status") and self.online_s is None:
                    self.online_s = time.monotonic() - began
            link.acknowledge(messages)


def report(run: Run) -> list[str]:
    """Print the figures, and return the requirements that weren't met."""
    given, health = run.given, run.health
    received, taken = health["messages"], health["readings_taken"]
    refused = {**health["messages_refused"], **health["readings_refused"]}
    days = given.interval * taken / 86_400
    faults = read_truth((run.folder / TRUTH).read_bytes().splitlines())
    comparison = judge(faults, run.log.raised(), CLAIMED)
    print("\n".join(summary(comparison, CLAIMED, days)))
    faulty = {each.sensor for each in faults}
    clean = [each for each in comparison.false if each.sensor not in faulty]
    clean_days = days * (given.sensors - len(faulty)) / given.sensors
    stored = {row["id"] for row in read_events(run.folder / "edgewarden.db", EventFilter())}
    heard = [json.loads(line) for line in (run.folder / HEARD).read_text().splitlines()]
    validator = jsonschema.Draft202012Validator(event_json_schema())
    invalid = sum(not validator.is_valid(each) for each in heard)
    print(f"fault-free sensors: {len(clean)} false incidents in {clean_days:.1f} sensor-days of plant time")
    first, most = run.memory_mib[0], max(run.memory_mib)
    print(f"online after {run.online_s:.2f} s; memory {first:.0f} MiB at first, {most:.0f} MiB at most")
    print(f"CPU {run.cpu_s:.1f} s, {1e6 * run.cpu_s / max(taken, 1):.0f} us a reading, start included")
    print(f"messages {received} = readings taken {taken} + refused {refused}")
    print(f"events stored {len(stored)}, mosquitto_sub heard {len({each['id'] for each in heard})}, {invalid} invalid")
    promises = {
        "the service ends with 0": run.exit_code == 0,
        "every message is accounted for": run.published <= received == taken + sum(refused.values()),
        "mosquitto_sub hears every event": {each["id"] for each in heard} == stored,
        "every event fits the schema": not invalid,
        "90 % of the claimed faults are found": comparison.claimed.found >= 0.9 * comparison.claimed.injected,
        "at most 2 false incidents a sensor-day on fault-free sensors": len(clean) <= 2 * clean_days,
    }
    return [promise for promise, kept in promises.items() if not kept]


def main() -> int:
    """Run the measurement and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sensors", type=int, default=100)
    parser.add_argument("--rate", type=float, default=1000.0, help="readings a second")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument(
        "--interval", type=float, default=60.0, help="seconds of plant time between a sensor's readings"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait for more consumers to join")
    run = Run(parser.parse_args(), Path(tempfile.mkdtemp(prefix="edgewarden-acceptance-")))
    run.play()
    broken = report(run)
    for each in broken:
        print(f"BROKEN: {each}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
