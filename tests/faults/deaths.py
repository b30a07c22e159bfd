"""The service dies: killed at random moments, or stopped while it has much to send.

Recovery: from the start of the process to the first new event.
"""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import suppress

from bench import Bench, Fault, share, times
from journal import exported
from plant import plain_numbers, single
from rig import Plan, Rig
from running import wait_for_all
from verdict import Outcome

from edge.core.model.readings.messages import Reading

DURING_START = 0.25
"""The share of kills during the start of the service."""


def kill_again_and_again(rig: Rig, bench: Bench) -> None:
    """Kill the service at random moments and restart it immediately, while readings arrive."""
    rig.start(subscribed=True)
    rig.messenger.stream()
    for _ in range(bench.tries):
        if bench.chance.random() < DURING_START:
            time.sleep(bench.chance.uniform(0.0, 0.6))
        else:
            rig.wait_log(" connected ")
            time.sleep(bench.chance.uniform(0.05, 1.5))
        rig.service.kill()
        rig.start()
    rig.wait_log(" connected ")


def killed(bench: Bench) -> Outcome:
    """SIGKILL at random moments, with open incidents: the received events equal those of an offline run."""
    return _killed(bench, Plan())


def killed_with_syncs(bench: Bench) -> Outcome:
    """The same with every commit synced to the disk."""
    return _killed(bench, Plan(tables={"store": 'durability = "power"'}))


def _killed(bench: Bench, plan: Plan) -> Outcome:
    outcome = Outcome(bench.tries)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan) as rig:
        kill_again_and_again(rig, bench)
        rig.wait_new_event(rig.starts[-1])
        rig.judge(outcome)
        outcome.recoveries = rig.recoveries(rig.starts[1:])
    return outcome


def killed_without_times(bench: Bench) -> Outcome:
    """SIGKILL while plain numbers arrive: the journal has each of them once, in order."""
    outcome = Outcome(bench.tries)
    plan = Plan(form='sensor = "{topic}"\nformat = "number"')
    with Rig(bench.folder, plain_numbers(), plan) as rig:
        kill_again_and_again(rig, bench)
        rig.messenger.finish()
        published = _by_sensor(rig.messenger.readings())
        with suppress(AssertionError):
            wait_for_all(lambda: len(exported(rig.store)), len(rig.messenger.posts), "readings journaled", poll_s=1.0)
        rig.end(outcome)
        journal = _by_sensor(exported(rig.store))
        outcome.expected = sum(map(len, published.values()))
        outcome.received = sum(map(len, journal.values()))
        for sensor, values in published.items():
            kept = journal.get(sensor, [])
            outcome.lost += len(set(values) - set(kept))
            outcome.doubled += len(kept) - len(set(kept)) + len(set(kept) - set(values))
            outcome.demand(kept == sorted(kept), f"readings of {sensor} are out of order")
        refused = {name: number for name, number in rig.listener.dead_letters.items() if number}
        outcome.demand(not refused, f"readings were refused: {refused}")
        rig.judge_words(outcome)
    outcome.note = "readings, not events"
    return outcome


def _by_sensor(readings: list[Reading]) -> dict[str, list[float]]:
    values: dict[str, list[float]] = defaultdict(list)
    for reading in readings:
        values[reading.sensor].append(reading.value)
    return values


def ended_while_draining(bench: Bench) -> Outcome:
    """SIGTERM while events wait for a broker that doesn't answer: it ends in time, and a restart delivers them."""
    outcome = Outcome(bench.tries)
    plan = Plan(proxied=("out",))
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        for _ in range(bench.tries):
            rig.wait_log(" connected ")
            rig.wait_new_event(time.monotonic())
            rig.proxies["out"].black_hole()
            time.sleep(bench.chance.uniform(0.5, 2.0))
            began = time.monotonic()
            code = rig.service.end()
            outcome.demand(code == 0, f"it ended with {code}")
            outcome.demand(time.monotonic() - began < 60, "it took more than a minute to end")
            rig.proxies["out"].cut()
            rig.proxies["out"].open()
            rig.start()
            outcome.recoveries.append(rig.wait_new_event(rig.starts[-1]))
        rig.judge(outcome)
    return outcome


FAULTS = [
    Fault("SIGKILL", killed, share(1), 3),
    Fault("SIGKILL, synced commits", killed_with_syncs, share(10), 0),
    Fault("SIGKILL, readings without time", killed_without_times, share(10), 2),
    Fault("SIGTERM while draining", ended_while_draining, times(10), 1),
]
