"""The service is held up for longer than the keepalive while a backlog waits at the broker.

The broker gives up the connection and delivers all unacknowledged messages again: those in the socket, those in the
receive queue, and those processed while the store refused to commit. Three shorter stalls follow meanwhile, so that old
readings look as much like live ones as possible. The service is

- **stopped** (SIGSTOP),
- **slowed** (SIGSTOP and SIGCONT in turns, 3 % of the time running) until the broker gives up,
- **locked out of its store** by another process,
- locked out while **the broker restarts**.

The repetitions go through single readings, packs of several and readings without a time, in-flight windows of 20 and
1000, MQTT 3.1.1 and 5. In each, the journal holds the published readings, each once, and the events are those of an
undisturbed run. Recovery: from the end of the hold-up to the last reading in the journal.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import product
from typing import NamedTuple

from bench import Bench, Fault, times
from journal import exported
from plant import Post, packed, plain_numbers, single
from rig import AT_THE_END, KEEPALIVE_S, Plan, Rig
from running import wait_until
from verdict import Outcome, compare

from edge.core.model.readings.messages import Reading

BACKLOG = 30_000
"""Readings that wait at the broker when the service starts."""

STOPPED_S = 3.0 * KEEPALIVE_S
SLOWED_S = 12.0 * KEEPALIVE_S
LATER_STALL_S = 4.0
LATER_STALLS = 3

PACK = 5
QUEUE = {1: 10_000, PACK: 2_000}
"""Capacity of the receive queue in messages: less than the backlog."""

MEMORY_KIB = 200 * 1024

HoldUp = Callable[[Rig], None]


class Variant(NamedTuple):
    """What is sent, and how.

    Attributes:
        kind: `single`, `pack` or `plain`.
        window: The in-flight window.
        version: MQTT version.
    """

    kind: str
    window: int
    version: str

    def source(self, seed: int) -> Iterator[Post]:
        """What the plant publishes."""
        if self.kind == "plain":
            return plain_numbers()
        return single(seed) if self.kind == "single" else packed(seed, PACK)

    @property
    def pack(self) -> int:
        """Readings a message."""
        return PACK if self.kind == "pack" else 1

    def plan(self) -> Plan:
        """The rig for it."""
        form = 'sensor = "{topic}"\nformat = "number"' if self.kind == "plain" else 'sensor = "{topic}/{field}"'
        tables = {"limits": f"receive_messages = {QUEUE[self.pack]}"}
        return Plan(
            kept=True,
            saving=AT_THE_END,
            tables=tables,
            form=form,
            per_second=None,
            window=self.window,
            version=self.version,
        )


VARIANTS = [Variant(*each) for each in product(("single", "pack", "plain"), (20, 1000), ("3.1.1", "5"))]


def stop(rig: Rig) -> None:
    """Stop the service for longer than the keepalive."""
    _stop_for(rig, STOPPED_S)


def slow(rig: Rig) -> None:
    """Let the service run for 3 % of the time, until the broker gives up the connection, or for long enough."""
    until = time.monotonic() + SLOWED_S
    while time.monotonic() < until and rig.has_logged(" connected ") < 2:
        _stop_for(rig, 0.097)
        time.sleep(0.003)


def lock(rig: Rig) -> None:
    """Lock the store for longer than the keepalive."""
    with _locked(rig):
        time.sleep(STOPPED_S)


def restart_broker(rig: Rig) -> None:
    """Lock the store, and restart the broker meanwhile."""
    with _locked(rig):
        time.sleep(LATER_STALL_S)
        rig.broker.stop()
        rig.broker.start()
        time.sleep(1.0)


def _stop_for(rig: Rig, seconds: float) -> None:
    os.kill(rig.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(rig.pid, signal.SIGCONT)


@contextmanager
def _locked(rig: Rig) -> Iterator[None]:
    with closing(sqlite3.connect(rig.store, timeout=5.0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def _entries(rig: Rig) -> int:
    with closing(sqlite3.connect(f"file:{rig.store}?mode=ro", timeout=5.0, uri=True)) as other:
        return int(other.execute("SELECT count(*) FROM journal").fetchone()[0])


def held_up(hold_up: HoldUp, bench: Bench) -> Outcome:
    """Run the variants in turn, each on its own rig."""
    outcome = Outcome(0)
    first = bench.chance.randrange(len(VARIANTS))
    for number in range(bench.tries):
        folder = bench.folder / str(number)
        folder.mkdir()
        variant = VARIANTS[(first + number) % len(VARIANTS)]
        one = _held_up(hold_up, variant, bench._replace(folder=folder))
        one.reasons = [f"{each} ({' '.join(map(str, variant))})" for each in one.reasons]
        outcome = outcome.joined(one)
    return outcome


def _held_up(hold_up: HoldUp, variant: Variant, bench: Bench) -> Outcome:
    outcome = Outcome(1)
    source = variant.source(bench.chance.randrange(1 << 30))
    with Rig(bench.folder, source, variant.plan(), warm_up=800 // variant.pack) as rig:
        rig.start(subscribed=True)
        rig.service.end()
        rig.messenger.publish(BACKLOG // variant.pack)
        before = _entries(rig)
        rig.start()
        rig.wait_log(" connected ")
        wait_until(lambda: _entries(rig) >= before + 2, 180, "the first commits of the backlog")
        hold_up(rig)
        ended = time.monotonic()
        for _ in range(LATER_STALLS):
            time.sleep(0.05)
            _stop_for(rig, LATER_STALL_S)
        outcome.recoveries.append(_wait_journaled(rig, len(rig.messenger.readings())) - ended)
        judge(rig, outcome, has_times=variant.kind != "plain")
    return outcome


def _wait_journaled(rig: Rig, readings: int) -> float:
    """Wait until the given number of readings is journaled, and no more follow; returns the time of the last."""
    seen = [(0, time.monotonic())]

    def is_done() -> bool:
        taken = int(rig.listener.latest("health").get("readings", 0))
        if taken != seen[-1][0]:
            seen.append((taken, time.monotonic()))
        return time.monotonic() - seen[-1][1] > 2 * KEEPALIVE_S and len(exported(rig.store)) >= readings

    wait_until(is_done, 1200, "the backlog in the journal")
    return seen[-1][1]


def judge(rig: Rig, outcome: Outcome, *, has_times: bool = True) -> None:
    """End the service; the journal must hold each reading once, and the events must be those of an offline run."""
    if has_times:
        truth = rig.truth()
        rig.settle(truth)
        rig.end(outcome)
        compare(truth, rig.listener.arrivals, outcome)
    else:
        rig.end(outcome)
    published, journal = rig.messenger.readings(), exported(rig.store)
    if not has_times:
        published, journal = _without_times(published), _without_times(journal)
    missing, surplus = Counter(published) - Counter(journal), Counter(journal) - Counter(published)
    outcome.demand(not missing, f"{missing.total()} readings aren't in the journal")
    outcome.demand(not surplus, f"{surplus.total()} readings are in the journal twice")
    health = rig.listener.latest("health")
    outcome.demand(health.get("clock_steps") == 0, f"{health.get('clock_steps')} clock steps were believed")
    rig.judge_words(outcome)


def _without_times(readings: list[Reading]) -> list[Reading]:
    return [each._replace(time=0.0) for each in readings]


def overload_on_a_backlog(bench: Bench) -> Outcome:
    """Readings as fast as the broker accepts them, for some seconds, while a backlog is processed."""
    outcome = Outcome(1)
    plan = Plan(kept=True, saving=AT_THE_END, per_second=None)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30), 100), plan, warm_up=5000) as rig:
        rig.start(subscribed=True)
        rig.service.end()
        rig.messenger.publish(2000 * bench.tries)
        rig.start()
        rig.wait_log(" connected ")
        rig.messenger.stream()
        began, most = time.monotonic(), 0
        while time.monotonic() - began < bench.tries:
            most = max(most, rig.memory_kib())
            time.sleep(0.1)
        rig.messenger.finish()
        ended = time.monotonic()
        outcome.recoveries.append(max(0.0, _wait_journaled(rig, len(rig.messenger.readings())) - ended))
        most = max(most, rig.memory_kib())
        judge(rig, outcome)
        outcome.demand(most < MEMORY_KIB, f"the service occupied {most} KiB")
    outcome.note = f"{most // 1024} MiB"
    return outcome


FAULTS = [
    Fault("backlog, stopped", partial(held_up, stop), times(20), 1),
    Fault("backlog, slowed", partial(held_up, slow), times(20), 1),
    Fault("backlog, store locked", partial(held_up, lock), times(20), 1),
    Fault("backlog, store locked and broker restarted", partial(held_up, restart_broker), times(20), 1),
    Fault("backlog under overload", overload_on_a_backlog, times(20), 1),
]
