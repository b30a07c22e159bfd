"""The sensors' broker is killed and restarted, with its sessions on disk or without.

Readings that a broker has confirmed and forgotten are lost by the broker. Careful sensors repeat what they have sent;
so does the messenger here, for some seconds, and the service must recognise the repetitions. Events go to a second
broker that keeps running. Recovery: from the broker listening again to the first new event.
"""

from __future__ import annotations

import time

from bench import Bench, Fault, share
from plant import SENSORS, single
from rig import Plan, Rig
from verdict import Outcome

REPEATED_S = 40
"""Seconds of the plant's time that are repeated: fewer readings per sensor than admission recognises."""

LAG_S = 15.0
"""A broker is killed when the service is at most this far behind, in seconds of the plant's time."""


def _killed(bench: Bench, *, kept: bool) -> Outcome:
    outcome = Outcome(bench.tries)
    plan = Plan(separate=True, kept=kept, rewind=REPEATED_S * SENSORS, per_second=150.0)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        for _ in range(bench.tries):
            rig.wait_new_event(time.monotonic())
            time.sleep(bench.chance.uniform(0.0, 1.0))
            rig.wait_lag(LAG_S)
            rig.broker.kill()
            rig.messenger.hold()
            time.sleep(bench.chance.uniform(0.0, 1.0))
            rig.broker.start()
            began = time.monotonic()
            if not kept:
                rig.wait_subscribed()
            rig.messenger.release()
            outcome.recoveries.append(rig.wait_new_event(began, 90))
        rig.judge(outcome, gaps=frozenset({"session_lost"}))
        lost = sum(gap["data"]["reason"] == "session_lost" for gap in rig.listener.gaps.values())
        outcome.demand(kept or lost, "no gap event says that the broker had forgotten the session")
    return outcome


def killed_with_sessions(bench: Bench) -> Outcome:
    """SIGKILL of a broker that keeps its sessions on disk."""
    return _killed(bench, kept=True)


def killed_without_sessions(bench: Bench) -> Outcome:
    """SIGKILL of a broker that forgets everything."""
    return _killed(bench, kept=False)


FAULTS = [
    Fault("broker SIGKILL, sessions on disk", killed_with_sessions, share(20, 5), 0),
    Fault("broker SIGKILL, sessions lost", killed_without_sessions, share(20, 5), 1),
]
