"""The whole line under load, as a user runs it: mosquitto, `edgewarden run`, `edgewarden simulate`, consumers.

    python benchmarks/acceptance.py --sensors 100 --rate 1000 --seconds 300

Says how long the service takes to subscribe, its memory and CPU time, whether every message is accounted for, which of
the labelled faults were found, how many incidents were false, and whether every event that was stored reached
mosquitto_sub and fits the published JSON Schema. Exits with 1 if a promise is broken. Needs mosquitto, mosquitto-clients
and the extra `dev`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import jsonschema

from edge.core.events import event_json_schema
from edge.shell.broker import EmbeddedBroker
from edge.shell.link import Link, LinkOptions, Subscription
from edge.shell.store import EventFilter, read_events
from simulators.demo import CONFIGURATION
from simulators.demo_summary import judge, summary
from simulators.incident_log import IncidentLog
from simulators.truth import read_truth


def command(*arguments: str) -> list[str]:
    """A command of ours."""
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


def main() -> int:  # noqa: PLR0914, PLR0915 - one protocol from top to bottom
    """Run it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sensors", type=int, default=100)
    parser.add_argument("--rate", type=float, default=1000.0, help="readings a second")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--interval", default="60s", help="plant time between two readings of a sensor")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait for more consumers to join")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="edgewarden-acceptance-"))
    broken: list[str] = []
    with ExitStack() as stack:
        broker = EmbeddedBroker(folder / "broker", prefer="mosquitto")
        broker.start()
        stack.callback(broker.stop)
        print(f"broker at port {broker.port}, files in {folder}")
        link = Link(LinkOptions(port=broker.port), [Subscription("edgewarden/demo/#")])
        link.start()
        stack.callback(link.stop)
        link.wait_subscribed(10)
        heard = (folder / "mosquitto_sub.jsonl").open("wb")
        listener = subprocess.Popen(
            ["mosquitto_sub", "-p", str(broker.port), "-q", "1", "-t", "edgewarden/demo/anomaly/#"], stdout=heard
        )
        stack.callback(listener.terminate)
        (folder / "edgewarden.toml").write_text(CONFIGURATION.format(gateway="demo", port=broker.port))
        began = time.monotonic()
        service = subprocess.Popen(
            command("run", str(folder / "edgewarden.toml")), stderr=(folder / "service.log").open("wb")
        )
        stack.callback(service.kill)
        log, health, online = IncidentLog(), {}, None
        simulator = None
        ends = time.monotonic() + given.seconds + 60
        memory: list[float] = []
        while time.monotonic() < ends:
            for message in (messages := link.receive(0.2)):
                if "/anomaly/" in message.topic:
                    log.take(message.payload)
                elif message.topic.endswith("/health"):
                    health = json.loads(message.payload)
                elif message.topic.endswith("/status") and online is None:
                    online = time.monotonic() - began
            link.acknowledge(messages)
            if online is not None and simulator is None:
                time.sleep(given.wait)
                options = f"--host 127.0.0.1 --port {broker.port} --sensors {given.sensors} --rate {given.rate}"
                options += f" --seconds {given.seconds} --interval {given.interval} --seed {given.seed} --duration 30d"
                simulator = subprocess.Popen(
                    command("simulate", *options.split(), "--truth", str(folder / "truth.jsonl"))
                )
            if not memory or time.monotonic() - memory_at > 5:
                memory_at = time.monotonic()
                memory.append(resident_mib(service.pid))
            if simulator is not None and simulator.poll() is not None:
                break
        time.sleep(3)
        cpu = cpu_seconds(service.pid)
        memory.append(resident_mib(service.pid))
        service.terminate()
        if service.wait(30) != 0:
            broken.append(f"the service ended with {service.returncode}")
        until = time.monotonic() + 3
        while time.monotonic() < until:
            for message in link.receive(0.2):
                if "/anomaly/" in message.topic:
                    log.take(message.payload)
                elif message.topic.endswith("/health"):
                    health = json.loads(message.payload)
    received, taken = health["messages"], health["readings_taken"]
    refused = {**health["messages_refused"], **health["readings_refused"]}
    days = float(given.interval.removesuffix("s")) * taken / 86_400
    faults = read_truth((folder / "truth.jsonl").read_bytes().splitlines())
    claimed = {"spike", "level_shift", "drift", "stuck", "dropout", "silence", "unit_jump", "lost_season"}
    comparison = judge(faults, log.raised(), claimed)
    stored = {row["id"] for row in read_events(folder / "edgewarden.db", EventFilter())}
    events = [json.loads(line) for line in (folder / "mosquitto_sub.jsonl").read_text().splitlines()]
    validator = jsonschema.Draft202012Validator(event_json_schema())
    invalid = sum(not validator.is_valid(each) for each in events)
    print("\n".join(summary(comparison, claimed, days)))
    faulty = {each.sensor for each in faults}
    clean = [each for each in comparison.false if each.sensor not in faulty]
    clean_days = days * (given.sensors - len(faulty)) / given.sensors
    print(f"fault-free sensors: {len(clean)} false incidents in {clean_days:.0f} sensor-days of plant time")
    print(f"online after {online:.2f} s; memory {memory[0]:.0f} MiB at first, {max(memory):.0f} MiB at most")
    print(f"CPU {cpu:.1f} s, {1e6 * cpu / max(taken, 1):.0f} us a reading, start included")
    print(f"messages {received} = readings taken {taken} + refused {refused}")
    print(f"events stored {len(stored)}, mosquitto_sub heard {len({e['id'] for e in events})}, {invalid} invalid")
    if received != taken + sum(refused.values()):
        broken.append("not every message is accounted for")
    if {each["id"] for each in events} != stored:
        broken.append("mosquitto_sub didn't hear every event")
    if invalid:
        broken.append("an event doesn't fit the schema")
    if comparison.claimed.found < 0.9 * comparison.claimed.injected:
        broken.append("fewer than 90 % of the claimed faults were found")
    if len(clean) > 2 * clean_days:
        broken.append("more than 2 false incidents a sensor-day")
    for each in broken:
        print(f"BROKEN: {each}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
