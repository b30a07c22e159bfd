"""The network fails on either side: silence in one or both directions, cut packets, flapping, lost acknowledgements.

All faults use a proxy between the service and its broker. Recovery: from the moment at which the proxy works again to
the first new event.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import mqtt_bytes as mqtt
from bench import Bench, Fault, times
from plant import single
from proxy import Proxy
from rig import KEEPALIVE_S, Plan, Rig
from running import wait_until
from verdict import Outcome

SIDES: tuple[Literal["in", "out"], ...] = ("in", "out")
NOTICED_S = 1.5 * KEEPALIVE_S + 10.0
"""A dead connection must be noticed within 1.5 keepalives; the rest allows for a busy machine."""

LOGGED_S = 5.1
"""Minimum time between two warnings of one kind in the service's log."""


def troubled(bench: Bench, trouble: Callable[[Rig, Proxy, int, Outcome], float]) -> Outcome:
    """Disturb the service's connections in turn; `trouble` returns the time at which it was over."""
    outcome = Outcome(bench.tries)
    plan = Plan(proxied=SIDES)
    with Rig(bench.folder, single(bench.chance.randrange(1 << 30)), plan) as rig:
        rig.start(subscribed=True)
        rig.messenger.stream()
        rig.wait_new_event(0.0)
        for number in range(bench.tries):
            over = trouble(rig, rig.proxies[SIDES[number % 2]], number, outcome)
            outcome.recoveries.append(rig.wait_new_event(over, 90))
            rig.wait_lag(10.0)
        rig.judge(outcome)
    return outcome


def _silence(rig: Rig, proxy: Proxy, begin: Callable[[], None], outcome: Outcome) -> float:
    """Let a connection die silently, until the service has noticed."""
    if outcome.recoveries:
        time.sleep(LOGGED_S)
    rig.forget_log()
    began = time.monotonic()
    begin()
    noticed = rig.wait_log(" disconnected ") - began
    outcome.demand(noticed <= NOTICED_S, f"a dead connection was noticed after {noticed:.1f} s only")
    proxy.cut()
    proxy.open()
    return time.monotonic()


def black_hole(bench: Bench) -> Outcome:
    """The connection stays open, but nothing is forwarded."""
    return troubled(bench, lambda rig, proxy, _, outcome: _silence(rig, proxy, proxy.black_hole, outcome))


def stall(bench: Bench) -> Outcome:
    """The same, but what was held back is forwarded after all, on connections that were given up."""

    def trouble(rig: Rig, proxy: Proxy, number: int, outcome: Outcome) -> float:
        proxy.black_hole()
        time.sleep(bench.chance.uniform(0.5, 2.0 * KEEPALIVE_S))
        proxy.open()
        return time.monotonic()

    return troubled(bench, trouble)


def half_open(bench: Bench) -> Outcome:
    """One direction is dead."""

    def trouble(rig: Rig, proxy: Proxy, number: int, outcome: Outcome) -> float:
        direction: Literal["up", "down"] = "up" if number % 4 < 2 else "down"
        return _silence(rig, proxy, lambda: proxy.half_open(direction), outcome)

    return troubled(bench, trouble)


def cut_in_packet(bench: Bench) -> Outcome:
    """The connection ends in the middle of a packet, in either direction."""

    def trouble(rig: Rig, proxy: Proxy, number: int, outcome: Outcome) -> float:
        proxy.cut_in_packet("up" if number % 4 < 2 else "down")
        wait_until(lambda: not proxy.will_cut, 60, "a packet to cut")
        return time.monotonic()

    return troubled(bench, trouble)


def flapping(bench: Bench) -> Outcome:
    """All connections end every second, once per repetition."""

    def trouble(rig: Rig, proxy: Proxy, number: int, outcome: Outcome) -> float:
        began = time.monotonic()
        for second in range(1, bench.tries + 1):
            time.sleep(max(0.0, began + second - time.monotonic()))
            for each in rig.proxies.values():
                each.cut()
        return time.monotonic()

    return replace(troubled(bench._replace(tries=1), trouble), tried=bench.tries)


def acknowledgements_lost(bench: Bench) -> Outcome:
    """The broker accepts events, but its PUBACKs are lost with the connection: all are sent again with the same ids."""

    def trouble(rig: Rig, _proxy: Proxy, number: int, outcome: Outcome) -> float:
        proxy = rig.proxies["out"]
        proxy.lose(mqtt.PUBACK)
        time.sleep(bench.chance.uniform(0.2, 2.0))
        proxy.cut()
        proxy.open()
        return time.monotonic()

    outcome = troubled(bench, trouble)
    outcome.demand(outcome.again, "no event was delivered again, so no PUBACK was lost")
    return outcome


FAULTS = [
    Fault("black hole", black_hole, times(10), 1),
    Fault("stall", stall, times(10), 0),
    Fault("half-open", half_open, times(8), 0),
    Fault("cut in a packet", cut_in_packet, times(40), 3),
    Fault("flapping every second", flapping, times(60), 2),
    Fault("PUBACKs lost", acknowledgements_lost, times(20), 1),
]
