"""Memory and start-up of the service."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from figures import Figure
from ingest import Load, broker_in, go, hear, listener, publish, publisher, running, service
from processes import resident_mib

SENSORS = 1000
RATE = 1000.0
LONG_ENOUGH_S = 600.0
"""Minimum seconds of a soak that shows growth; caches fill for some minutes."""


def start(runs: int, *, quick: bool) -> list[Figure]:  # noqa: ARG001 - as the other parts
    """Seconds from the command to the subscription, and memory then and with many sensors."""
    seconds, idle, busy = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as name, broker_in(Path(name)) as broker, listener(broker.port) as link:
            with service(broker.port, Path(name)):
                hear(link, "/status")
            hear(link, "/status")
            began = time.time()
            with service(broker.port, Path(name)) as process:
                seconds.append(hear(link, "/status") - began)
                time.sleep(2.0)
                idle.append(resident_mib(process.pid))
                publish(broker.port, Load(10 * SENSORS, rate=5 * RATE))
                time.sleep(2.5)
                busy.append(resident_mib(process.pid))
    part = "footprint"
    return [
        Figure(part, "from the command to being subscribed", "s", seconds, most=0.75),
        Figure(part, "memory, idle", "MiB", idle, most=55.0),
        Figure(part, "memory, 1,000 sensors", "MiB", busy, most=75.0),
    ]


def soak(seconds: float) -> list[Figure]:
    """Memory growth while 1,000 sensors send one reading per second each, in MiB per hour over the second half."""
    samples: list[tuple[float, float]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(broker_in(folder))
        link = stack.enter_context(listener(broker.port))
        process = stack.enter_context(service(broker.port, folder))
        hear(link, "/status")
        load = Load(int(seconds * RATE), sensors=SENSORS, rate=RATE)
        flood = stack.enter_context(running(*publisher(broker.port, load)))
        go(flood)
        while flood.poll() is None:
            time.sleep(min(5.0, seconds / 20))
            link.acknowledge(link.receive(0))
            samples.append((time.monotonic(), resident_mib(process.pid)))
    half = samples[len(samples) // 2 :]
    moments, sizes = [each for each, _ in half], [each for _, each in half]
    middle, mean = sum(moments) / len(moments), sum(sizes) / len(sizes)
    spread = sum((each - middle) ** 2 for each in moments)
    slope = sum((at - middle) * (size - mean) for at, size in half) / spread
    flat = max(1.0, 0.02 * median(sizes))
    return [
        Figure("soak", f"memory after {seconds:.0f} s", "MiB", [sizes[-1]], most=100.0),
        Figure("soak", "its growth", "MiB/h", [3600 * slope], most=flat if seconds >= LONG_ENOUGH_S else None),
    ]
