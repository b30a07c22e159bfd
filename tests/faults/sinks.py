"""The process that delivers to a sink is killed, for each kind, with its real receiver.

Events are stored before each kill, so that the sink is never idle. Kills happen at any moment of the start, or while
events arrive. In the end each event has arrived at least once, unchanged, and those of a sensor in order. Recovery:
from the start of a process to the first event that it delivers.
"""

from __future__ import annotations

from functools import partial

import pytest
from bench import Bench, Fault, share
from sink_kills import kill_sink
from sink_receivers import RECEIVERS
from verdict import Outcome


def kills_of(kind: str, bench: Bench) -> Outcome:
    """Kill a sink of one kind; where its server isn't installed, the table shows that."""
    try:
        receiver = RECEIVERS[kind](bench.folder)
        receiver.start()
    except pytest.skip.Exception as reason:
        return Outcome(0, note=f"not tried: {reason}")
    except pytest.fail.Exception as reason:
        return Outcome(0, reasons=[str(reason)])
    try:
        kills = kill_sink(receiver, bench.folder, bench.tries, bench.chance)
    finally:
        receiver.close()
    outcome = Outcome(bench.tries, len(kills.stored), len(kills.received), again=kills.again)
    outcome.lost = len(set(kills.stored) - set(kills.received))
    outcome.doubled = kills.changed
    outcome.recoveries = kills.recoveries
    outcome.demand(kills.in_order, "events of a sensor came out of order")
    outcome.demand(len(kills.received) == len(set(kills.received)), "two ids have one sequence")
    outcome.note = f"{kills.while_sending} kills while events waited"
    return outcome


FAULTS = [Fault(f"sink killed: {kind}", partial(kills_of, kind), share(2), 2) for kind in sorted(RECEIVERS)]
