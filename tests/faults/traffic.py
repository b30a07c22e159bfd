"""Unusual streams of readings: doubled, late, in another order, and at ten times the usual rate.

Doubles are refused because of their times, so an offline run gives the same with and without them; both are checked. In
another order across sensors, each sensor's readings stay the same: the same events follow, though in another order, and
with another time of the plant.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import count, islice

from bench import Bench, Fault, times
from plant import SENSORS, Post, single
from rig import Plan, Rig
from verdict import Outcome, offline

MEMORY_KIB = 150 * 1024
"""Maximum memory of the service in the overload."""


def doubled_and_late(posts: Iterator[Post], chance: random.Random) -> Iterator[Post]:
    """Some posts are doubled, immediately or later; between sensors the order isn't kept."""
    later: list[tuple[int, Post]] = []
    for number in count():
        step = list(islice(posts, SENSORS))
        chance.shuffle(step)
        for each in step:
            yield each
            if chance.random() < 0.1:
                yield each
            if chance.random() < 0.1:
                later.append((number + chance.randint(1, 30), each))
        yield from [each for due, each in later if due <= number]
        later = [(due, each) for due, each in later if due > number]


def repeated(bench: Bench) -> Outcome:
    """Readings arrive doubled, late and in another order."""
    outcome = Outcome(1)
    seed = bench.chance.randrange(1 << 30)
    with Rig(bench.folder, doubled_and_late(single(seed), bench.chance), Plan(per_second=1000.0)) as rig:
        rig.start(subscribed=True)
        rig.messenger.publish(bench.tries)
        sent = {reading for each in rig.messenger.posts for reading in each.readings}
        plain = [reading for each in islice(single(seed), len(sent)) for reading in each.readings if reading in sent]
        outcome.demand(
            offline(rig.service.path, plain).keys() == rig.truth().keys(),
            "an offline run without the doubles gives other events",
        )
        rig.judge(outcome)
    doubles = len(rig.messenger.posts) - len(sent)
    outcome.note = f"{len(rig.messenger.posts)} readings, {doubles} of them doubles"
    return outcome


def overload(bench: Bench) -> Outcome:
    """Readings as fast as the broker accepts them: memory stays bounded, and everything arrives in the end."""
    outcome = Outcome(1)
    plan = Plan(per_second=None)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30), 100), plan, warm_up=5000) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        began = time.monotonic()
        most = 0
        while time.monotonic() - began < bench.tries:
            most = max(most, rig.memory_kib())
            time.sleep(0.1)
        rig.messenger.finish()
        ended = time.monotonic()
        readings = len(rig.messenger.readings())
        truth = rig.truth()
        rig.settle(truth)
        most = max(most, rig.memory_kib())
        outcome.recoveries.append(max(0.0, rig.listener.new_at[-1] - ended))
        rig.judge(outcome)
        outcome.demand(most < MEMORY_KIB, f"the service occupied {most} KiB")
    outcome.note = f"{readings / (ended - began):,.0f} readings/s, {most // 1024} MiB"
    return outcome


FAULTS = [
    Fault("doubled, late, reordered", repeated, times(20_000), 3_000),
    Fault("tenfold overload", overload, times(20), 1),
]
