"""The time from publishing a reading to receiving its event, after a pause and in a stream."""

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

STREAM_PER_S = 100.0
LINGER_MS = 500.0
"""Default of `broker.linger_s`, in milliseconds."""

Pauses = tuple[float, float]
LONE: Pauses = (0.8, 1.2)
IN_A_STREAM: Pauses = (0.05, 0.15)
PROBE = "bench/probe"
ANSWER = "echo/answer"


def delays_ms(link: Link, topic: str, answer: str, count: int, seed: int, pauses: Pauses) -> list[float]:
    """Publish probes one after the other after random pauses in seconds; returns the delay of each answer."""
    moments = random.Random(seed)
    delays = []
    for number in range(count):
        time.sleep(moments.uniform(*pauses))
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


def run_echo(probes: int, seed: int, pauses: Pauses) -> list[float]:
    """Delays of a bare paho client that publishes what it receives, including the background messages."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(broker_in(folder))
        stack.enter_context(running(sys.executable, str(HERE / "paho_echo.py"), str(broker.port), PROBE, ANSWER))
        return _probe(broker.port, ANSWER, probes, seed, pauses)


def run_line(probes: int, seed: int, pauses: Pauses) -> list[float]:
    """Delays of Edgewarden, where every probe raises or clears an incident."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(broker_in(folder))
        ready = stack.enter_context(listener(broker.port))
        stack.enter_context(service(broker.port, folder))
        hear(ready, "/status")
        return _probe(broker.port, f"{BASE}/anomaly/{PROBE}", probes, seed, pauses)


def _probe(port: int, answer: str, probes: int, seed: int, pauses: Pauses) -> list[float]:
    link = Link(LinkOptions(port=port), [Subscription(answer)])
    link.start()
    link.wait_subscribed(10)
    try:
        if pauses == LONE:
            time.sleep(2.0)
            return delays_ms(link, PROBE, answer, probes, seed, pauses)
        load = Load(int(STREAM_PER_S * (5 + probes * (pauses[1] + 2 * LINGER_MS / 1000))), 1, 100, STREAM_PER_S)
        with running(*publisher(port, load)) as flood:
            go(flood)
            time.sleep(3.0)
            return delays_ms(link, PROBE, answer, probes, seed, pauses)
    finally:
        link.stop()


def of_events(runs: int, *, quick: bool) -> list[Figure]:
    """Medians and 99th percentiles against a bare paho echo; in a stream, the excess over the echo."""
    probes = 30 if quick else 100
    part, peer = "latency", "bare paho echo"
    figures = []
    lone, lone_echo, busy, busy_echo = [], [], [], []
    for run in range(runs):
        lone_echo.append(run_echo(probes, run, LONE))
        lone.append(run_line(probes, run, LONE))
        busy_echo.append(run_echo(probes, run, IN_A_STREAM))
        busy.append(run_line(probes, run, IN_A_STREAM))
    for words, goal, of in (("median", 2.5, median), ("99th percentile", 4.0, _percentile_99)):
        theirs = [of(each) for each in lone_echo]
        figures.append(
            Figure(part, f"lone reading, {words}", "ms", [of(each) for each in lone], theirs, peer, most=goal)
        )
    for words, of in (("median", median), ("99th percentile", _percentile_99)):
        more = [of(ours) - of(theirs) for ours, theirs in zip(busy, busy_echo, strict=True)]
        figures.append(Figure(part, f"in a stream of 100/s, {words}, more than the echo", "ms", more, most=LINGER_MS))
    return figures


def _percentile_99(delays: list[float]) -> float:
    return quantiles(delays, n=100, method="inclusive")[98]  # the other one exceeds the longest delay of a few dozen
