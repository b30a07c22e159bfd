"""Rebirth requests: the command `Node Control/Rebirth`, by which a host application asks a node for its births again.

A node that doesn't answer is asked less and less often, and all nodes together only so often, so that whoever invents
nodes can't make us flood the broker.

Source: Sparkplug 3.0.0, sections 5.10, 6.4.8 and 6.4.18 (NCMD).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from edge.core.intake.decoders.records.protobuf_wire import bytes_field, number_field
from edge.core.intake.decoders.records.sparkplug_payload import BOOLEAN
from edge.core.model.bounded_cache import BoundedCache, size_of

FIRST_WAIT_S, LONGEST_WAIT_S = 10.0, 3600.0
"""A node is asked again after the first, then after twice as long each time, up to the second."""

LASTING = 5
"""Who wasn't asked for so many times as long as it waits is asked as if for the first time."""

PER_SECOND = 20
"""Requests to all nodes together, in any second."""

ASKED_BYTES = 2**20
"""Size of what is remembered of nodes that were asked; beyond it, all are forgotten."""


class Request(NamedTuple):
    """A message to be published, QoS 0, not retained.

    Attributes:
        topic: Its topic.
        payload: Its bytes.
    """

    topic: str
    payload: bytes


class Rebirths:
    """Decides whether a node is asked.

    Attributes:
        requests: Requests to publish; the caller that publishes them empties the list.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._asked: BoundedCache[tuple[str, str], tuple[float, float]] = BoundedCache(ASKED_BYTES)
        self._second, self._in_second = 0, 0

    def ask(self, node: tuple[str, str], now: float) -> bool:
        """Ask a node, unless it or too many others were asked lately; returns whether it is asked.

        Args:
            node: Its group and its name.
            now: Seconds since the epoch.
        """
        at, wait_s = self._asked.get(node) or (-math.inf, FIRST_WAIT_S)
        if at - wait_s <= now < at:
            return False
        is_lasting = at <= now < at + LASTING * wait_s
        if int(now) != self._second:
            self._second, self._in_second = int(now), 0
        if self._in_second >= PER_SECOND:
            return False
        self._in_second += 1
        wait_s = min(2 * wait_s, LONGEST_WAIT_S) if is_lasting else FIRST_WAIT_S
        self._asked.put(node, (now + wait_s, wait_s), size_of(*node))
        group, name = node
        self.requests.append(Request(f"spBv1.0/{group}/NCMD/{name}", rebirth(now)))
        return True


def rebirth(now: float) -> bytes:
    """The payload of a rebirth request, sent `now`, seconds since the epoch."""
    time = max(0, int(now * 1000))
    name = bytes_field(1, b"Node Control/Rebirth")
    metric = name + number_field(3, time) + number_field(4, BOOLEAN) + number_field(14, 1)
    return number_field(1, time) + bytes_field(2, metric)
