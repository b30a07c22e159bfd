"""The broker's access list denies our publications, and is corrected; another client connects with our id.

Recovery: from the correction of the list, or the departure of the other client, to the first new event.
"""

from __future__ import annotations

import time
from typing import Literal

from bench import Bench, Fault, times
from plant import single
from rig import Plan, Rig
from running import wait_until
from verdict import Outcome

from edge.shell.link import Link, LinkOptions

FORBIDDEN = "topic readwrite plant/#\ntopic read edgewarden/#\n"
ALLOWED = "topic readwrite #\n"
FORBIDDEN_S = 10.0
"""An MQTT 3.1.1 broker doesn't tell that it drops what it acknowledges; the service has found out by then."""


def forbidden(bench: Bench, version: Literal["3.1.1", "5"]) -> Outcome:
    """The service may not publish anything for a while, repeatedly; it is neither restarted nor reconnected."""
    outcome = Outcome(bench.tries)
    word = "publication_refused" if version == "5" else "delivery_unconfirmed"
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), Plan(listed=True, version=version)) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        rig.wait_new_event(0.0)
        for _ in range(bench.tries):
            rig.forget_log()
            rig.allow(FORBIDDEN)
            rig.wait_log(f" {word} ", 60)
            time.sleep(FORBIDDEN_S * bench.chance.uniform(0.5, 1.0))
            rig.allow(ALLOWED)
            outcome.recoveries.append(rig.wait_new_event(time.monotonic(), 90))
            rig.wait_lag(10.0)
        rig.judge(outcome)
        outcome.demand(_connected(rig) == 1, "the service has reconnected")
    return outcome


def _connected(rig: Rig) -> int:
    """Number of connections of the service."""
    return rig.service.log.read_bytes().count(b" connected ")


def two_owners(bench: Bench) -> Outcome:
    """Another client repeatedly takes over our session, but no messages from it: nothing is lost or doubled.

    It ends once it suspects the service; whether the service suspects it by then depends on who was thrown out more
    often.
    """
    outcome = Outcome(bench.tries)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30))) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        rig.wait_new_event(0.0)
        for _ in range(bench.tries):
            other = Link(LinkOptions(port=rig.broker.port, client_id="edgewarden-gw", clean_session=False))
            other.start()
            wait_until(lambda other=other: other.reconnecting.has_rival, 120, "both to throw each other out")
            other.stop()
            outcome.recoveries.append(rig.wait_new_event(time.monotonic(), 150))
            rig.wait_lag(10.0, 120)
        rig.judge(outcome, gaps=frozenset({"client_id_in_use"}))
    return outcome


FAULTS = [
    Fault("forbidden to publish, mended (5)", lambda bench: forbidden(bench, "5"), times(10), 1),
    Fault("forbidden to publish, mended (3.1.1)", lambda bench: forbidden(bench, "3.1.1"), times(10), 1),
    Fault("two owners of a client id", two_owners, times(3), 1),
]
