"""From publishing a reading to receiving its event, with 1,000 readings a second in the background."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from figures import Figure
from ingest import BASE, HERE, Load, broker_in, go, hear, listener, publisher, running, service

from edge.shell.link import Link, LinkOptions, Subscription

BACKGROUND_PER_S = 1000.0
PROBE = "bench/probe"
ANSWER = "echo/answer"


def delays_ms(link: Link, topic: str, answer: str, count: int, seed: int) -> list[float]:
    """Publish probes at random moments, one after the other; how long each answer took."""
    moments = random.Random(seed)
    delays = []
    for number in range(count):
        time.sleep(moments.uniform(0.01, 0.03))
        link.acknowledge(link.receive(0))
        began = time.perf_counter()
        if link.publish(topic, b'{"value":%d}' % (1000 if number % 2 == 0 else 0)) is None:
            continue
        ended = None
        while ended is None:
            arrived = link.receive(5.0)
            link.acknowledge(arrived)
            if any(each.topic == answer for each in arrived):
                ended = time.perf_counter()
            elif time.perf_counter() - began > 5.0:
                break
        link.confirmations()
        if ended is not None:
            delays.append(1000 * (ended - began))
    return delays


def run_echo(probes: int, seed: int) -> list[float]:
    """A bare paho client that publishes what it receives; the background comes to it too."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(broker_in(folder))
        stack.enter_context(running(sys.executable, str(HERE / "paho_echo.py"), str(broker.port), PROBE, ANSWER))
        return _probe(broker.port, ANSWER, probes, seed)


def run_line(probes: int, seed: int, durability: str) -> list[float]:
    """Edgewarden: every probe raises or clears an incident."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(broker_in(folder))
        ready = stack.enter_context(listener(broker.port))
        stack.enter_context(service(broker.port, folder, durability))
        hear(ready, "/status")
        return _probe(broker.port, f"{BASE}/anomaly/{PROBE}", probes, seed)


def _probe(port: int, answer: str, probes: int, seed: int) -> list[float]:
    load = Load(int(BACKGROUND_PER_S * (3 + probes * 0.05)), rate=BACKGROUND_PER_S)
    link = Link(LinkOptions(port=port), [Subscription(answer)])
    link.start()
    link.wait_subscribed(10)
    with running(*publisher(port, load)) as flood:
        go(flood)
        time.sleep(2.0)
        try:
            return delays_ms(link, PROBE, answer, probes, seed)
        finally:
            link.stop()


def of_events(runs: int, *, quick: bool) -> list[Figure]:
    """Medians and 99th percentiles, against a bare paho echo."""
    probes = 100 if quick else 300
    echoes, lines, powers = [], [], []
    for run in range(runs):
        echoes.append(run_echo(probes, run))
        lines.append(run_line(probes, run, "process"))
        powers.append(run_line(probes, run, "power"))
    part, peer = "latency", "bare paho echo"
    figures = []
    for words, goals, of in (("median", 2.5, median), ("99th percentile", 4.0, _percentile_99)):
        theirs = [of(each) for each in echoes]
        figures.append(
            Figure(part, f"{words}, durability process", "ms", [of(each) for each in lines], theirs, peer, most=goals)
        )
        figures.append(Figure(part, f"{words}, durability power", "ms", [of(each) for each in powers], theirs, peer))
    return figures


def _percentile_99(delays: list[float]) -> float:
    return quantiles(delays, n=100)[98]
