"""The broker of the events is unavailable, while readings arrive and events accumulate in the store.

Recovery: from the broker being reachable again until no event was missing any more.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count

from bench import Bench, Fault, times
from listener import Arrival
from plant import BEGIN, Post, batch, post
from rig import Plan, Rig
from running import wait_for_all, wait_until
from verdict import Outcome, compare

FIELDS = 50
STEPS = 20
OPEN = 5
"""Sensors whose incidents are open when the broker comes back."""

LIVE = 40
"""Readings that raise or clear an incident while the backlog is sent."""

LIVE_PER_SECOND = 20.0
RECONNECTED_S = 150.0
"""The service tries to connect at least every two minutes."""

LATENCY_S = 10.0
"""These events must arrive within this time, however long the backlog is."""

MEMORY_KIB = 40 * 1024
"""Maximum growth of the service's memory while the second half of the events accumulates, and while they are sent."""

RATE_EXCEEDED = 1.3
"""Tolerance of the backlog's average rate above its limit."""

RULES = """[[rule]]
sensors = "**"
preset = "limits_only"
[rule.detectors.limits]
high = 100.0
[rule.incidents]
clear_after = 1
"""


def alternating() -> Iterator[Post]:
    """Messages of 1,000 readings, each of which raises or clears an incident."""
    for block in count():
        steps = range(block * STEPS, (block + 1) * STEPS)
        rows = [(float(BEGIN + step), {f"f{n:02}": 1000.0 * (1 - step % 2) for n in range(FIELDS)}) for step in steps]
        yield batch("plant/rack", rows)


def last_words(messages: int) -> Iterator[Post]:
    """Posts that follow these messages: some incidents stay open, and a new sensor sends."""
    end = BEGIN + messages * STEPS
    yield batch("plant/rack", [(end, {f"f{n:02}": 1000.0 for n in range(OPEN)})])
    for number in range(LIVE):
        yield post("plant/live", end + 1 + number, 1000.0 * ((number + 1) % 2))


def upstream_gone(bench: Bench) -> Outcome:
    """The broker of the events is gone for as many events as there are repetitions; the backlog's rate is unlimited."""
    return _gone(bench, per_second=20_000)


def upstream_gone_for_a_while(bench: Bench) -> Outcome:
    """The same with the usual limit of the backlog's rate, for fewer events."""
    return _gone(bench, per_second=500)


def _gone(bench: Bench, *, per_second: int) -> Outcome:
    messages = max(2, bench.tries // (FIELDS * STEPS))
    outcome = Outcome(1)
    plan = Plan(
        separate=True,
        proxied=("out",),
        rules=RULES,
        per_second=None,
        tables={"store": f'durability = "process"\nbacklog_per_second = {per_second}'},
    )
    with Rig(bench.folder, alternating(), plan, warm_up=0) as rig:
        rig.start(subscribed=True)
        wait_until(lambda: rig.listener.latest("status"), what="the service's start")
        rig.proxies["out"].close()
        rig.messenger.publish(messages // 2)  # as many at once as later, since a step takes memory by its size
        _wait_taken(rig)
        before = rig.memory_kib()
        rig.messenger.publish(messages - messages // 2)
        rig.messenger.take_from(last_words(messages), LIVE_PER_SECOND)
        rig.messenger.publish(1)
        _wait_taken(rig)
        piled_up = rig.memory_kib()
        outcome.demand(piled_up - before < MEMORY_KIB, f"memory grew from {before} to {piled_up} KiB in the outage")
        rig.proxies["out"].open()
        opened = time.monotonic()
        wait_until(lambda: rig.listener.arrivals, RECONNECTED_S, "the first event after the outage")
        rig.messenger.publish(LIVE)
        truth = rig.truth()
        rig.settle(truth)
        reconnected = rig.listener.new_at[0] - opened
        outcome.recoveries.append(rig.listener.new_at[-1] - opened)
        drained = rig.memory_kib()
        outcome.demand(drained - before < MEMORY_KIB, f"memory grew from {before} to {drained} KiB by the drain")
        rig.end(outcome)
        compare(truth, rig.listener.arrivals, outcome)
        rig.judge_words(outcome)
        worst = _judge_order(rig, outcome)
        rate = _backlog_rate(rig)
        outcome.demand(rate < RATE_EXCEEDED * per_second, f"the backlog came at {rate:.0f} events a second")
    outcome.note = (
        f"memory {before // 1024}, {piled_up // 1024}, {drained // 1024} MiB; reconnected after {reconnected:.1f} s; "
        f"{rate:.0f} events/s; a new event took {worst:.2f} s"
    )
    return outcome


def _wait_taken(rig: Rig) -> None:
    """Wait until every reading so far has become a stored event, according to the store."""
    wanted = len(rig.messenger.readings())
    wait_for_all(lambda: _stored(rig), wanted, "events stored")


def _stored(rig: Rig) -> int:
    """Number of the last event in the store."""
    with closing(sqlite3.connect(f"{rig.store.as_uri()}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT coalesce(max(sequence), 0) FROM events").fetchone()[0])


def _judge_order(rig: Rig, outcome: Outcome) -> float:
    """Open incidents first, then the marked backlog in order, without delaying new events; returns the worst delay."""
    first = list(rig.listener.first.values())
    live = [each for each in first if each.sensor == "plant/live"]
    rest = [each for each in first if each.sensor != "plant/live"]
    urgent, backlog = rest[:OPEN], rest[OPEN:]
    outcome.demand(_are_open(urgent, rest), "events of open incidents didn't come first")
    numbers = [each.sequence for each in backlog]
    outcome.demand(numbers == sorted(numbers), "the backlog didn't come in order")
    outcome.demand(all(each.replayed for each in backlog), "events of the backlog don't say that they are replayed")
    outcome.demand(not any(each.replayed for each in [*urgent, *live]), "events that are no backlog say they are")
    confirmed = dict(
        zip((each.readings[0].time for each in rig.messenger.posts), rig.messenger.confirmed_at, strict=True)
    )
    delays = [each.at - confirmed[each.recorded] for each in live]
    worst = max(delays, default=0.0)
    outcome.demand(worst < LATENCY_S, f"a new event waited {worst:.1f} s behind the backlog")
    if live and backlog:
        outcome.demand(live[0].at < backlog[-1].at, "the backlog was through before the first new event")
    return worst


def _backlog_rate(rig: Rig) -> float:
    """Average number of the backlog's events per second."""
    replayed = [each.at for each in rig.listener.first.values() if each.replayed]
    return len(replayed) / max(0.001, replayed[-1] - replayed[0]) if replayed else 0.0


def _are_open(urgent: list[Arrival], all_events: list[Arrival]) -> bool:
    ended = {each.incident for each in all_events if each.transition in {"cleared", "expired"}}
    return len(urgent) == OPEN and not any(each.incident in ended for each in urgent)


def consumer_away(bench: Bench) -> Outcome:
    """The consumer disconnects and comes back; the broker has kept everything for it, and nothing is sent again."""
    outcome = Outcome(bench.tries)
    with Rig(bench.folder) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        for _ in range(bench.tries):
            rig.wait_new_event(time.monotonic())
            rig.listener.stop()
            time.sleep(bench.chance.uniform(0.5, 3.0))
            rig.listener.start()
            outcome.recoveries.append(rig.wait_new_event(time.monotonic()))
        rig.judge(outcome)
    return outcome


FAULTS = [
    Fault("events' broker gone", upstream_gone, times(100_000), 2_000),
    Fault("events' broker gone for a while", upstream_gone_for_a_while, times(10_000), 0),
    Fault("consumer away", consumer_away, times(10), 1),
]
