"""Repeatedly kills the process that delivers to a sink, and reports what the receiver has in the end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from delivered_events import first_of_each, is_in_order, written
from running import ROOT, wait_until
from sink_line import SinkLine, sink_events
from sink_receivers import Receiver

EVENTS_A_KILL = 500
"""Number of events stored before each kill, so that some are waiting, however slow the machine is."""

WHILE_STARTING = 0.2
"""The share of kills at any moment of the start; the others happen while events arrive."""

START_S, SENDING_S = 1.5, 0.15
PATIENCE_S = 120.0


class SinkKills(NamedTuple):
    """The outcome for the events.

    Attributes:
        stored: Sequences of the stored events.
        received: Sequences of the events that have arrived, without repetitions.
        again: Number of repeated deliveries.
        changed: Number of events repeated with other content.
        in_order: Whether the events of each sensor arrived in order.
        while_sending: Kills that happened while events were waiting.
        recoveries: Seconds from the start of a process to the first event it delivered.
    """

    stored: list[int]
    received: list[int]
    again: int
    changed: int
    in_order: bool
    while_sending: int
    recoveries: list[float]


def kill_sink(receiver: Receiver, folder: Path, kills: int, chance: random.Random) -> SinkKills:
    """Let a process deliver events, and kill it the given number of times; the last process delivers the rest.

    Args:
        receiver: Where the sink delivers to; it must be running.
        folder: For the store.
        kills: Number of kills.
        chance: When.
    """
    program = [sys.executable, str(ROOT / "tests/helpers/sink_process.py"), str(folder)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/helpers'}", "SINK_HOW": written(receiver.how())}
    last, while_sending, recoveries = 0, 0, []
    for _ in range(kills):
        before, last = last, last + EVENTS_A_KILL
        _store(folder, before, last)
        process = subprocess.Popen([*program, str(last), receiver.kind], env=environment)
        try:
            recoveries += _wait(process, receiver, chance)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        while_sending += _passed(folder) < last
    done = subprocess.run([*program, str(last), receiver.kind], env=environment, timeout=600, check=False)
    assert done.returncode == 0, "the process that wasn't killed didn't come to the end"
    return _outcome(receiver, last, while_sending, recoveries)


def _wait(process: subprocess.Popen[bytes], receiver: Receiver, chance: random.Random) -> list[float]:
    """Wait for the moment of the kill; returns the time until the first event arrived, if that was awaited."""
    if chance.random() < WHILE_STARTING:
        _linger(process, chance.uniform(0.0, START_S))
        return []
    arrived, began = receiver.arrived(), time.monotonic()
    wanted = arrived + chance.choice([1, chance.randrange(1, EVENTS_A_KILL)])

    def has_arrived(number: int) -> bool:
        return receiver.arrived() >= number or process.poll() is not None

    wait_until(lambda: has_arrived(arrived + 1), PATIENCE_S, "the first event")
    first_s = time.monotonic() - began
    wait_until(lambda: has_arrived(wanted), PATIENCE_S, "some events")
    _linger(process, chance.uniform(0.0, SENDING_S))
    return [first_s]


def _linger(process: subprocess.Popen[bytes], seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _store(folder: Path, before: int, last: int) -> None:
    line = SinkLine(folder)
    line.store_events(sink_events(before + 1, last))
    line.close()


def _passed(folder: Path) -> int:
    """The sink's position in the store."""
    line = SinkLine(folder)
    passed = line.passed().get("out", 0)
    line.close()
    return passed


def _outcome(receiver: Receiver, last: int, while_sending: int, recoveries: list[float]) -> SinkKills:
    arrivals = receiver.received()
    first = {each["id"]: each for each in first_of_each(arrivals)}
    return SinkKills(
        stored=list(range(1, last + 1)),
        received=sorted(int(each["sequence"]) for each in first.values()),
        again=len(arrivals) - len(first),
        changed=sum(each != first[each["id"]] for each in arrivals),
        in_order=is_in_order(arrivals),
        while_sending=while_sending,
        recoveries=recoveries,
    )
