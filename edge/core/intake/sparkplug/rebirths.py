"""Rebirth requests: the command `Node Control/Rebirth`, by which a host application requests birth certificates.

Requests to a node that doesn't answer are spaced further and further apart, and requests to all nodes are limited
together, so that invented nodes can't make the service flood the broker.

Source: Sparkplug 3.0.0, sections 5.10, 6.4.8 and 6.4.18 (NCMD).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from edge.core.intake.decoders.records.protobuf_wire import bytes_field, number_field
from edge.core.intake.decoders.records.sparkplug_payload import BOOLEAN
from edge.core.model.bounded_cache import BoundedCache, size_of

FIRST_WAIT_S, LONGEST_WAIT_S = 10.0, 3600.0
"""Interval before the first repeated request; it doubles up to the second value."""

LASTING = 5
"""A node's interval is reset if it needed no request for this many times its current interval."""

PER_SECOND = 20
"""Maximum number of requests to all nodes within one second."""

ASKED_BYTES = 2**20
"""Maximum size of the record of requested nodes; when it is exceeded, the record is cleared."""


class Request(NamedTuple):
    """A message to be published, QoS 0, not retained.

    Attributes:
        topic: Its topic.
        payload: Its bytes.
    """

    topic: str
    payload: bytes


class Rebirths:
    """Decides whether to send a rebirth request.

    Attributes:
        requests: Requests to publish; the publisher empties the list.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._asked: BoundedCache[tuple[str, str], tuple[float, float]] = BoundedCache(ASKED_BYTES)
        self._second, self._in_second = 0, 0

    def ask(self, node: tuple[str, str], now: float) -> bool:
        """Request a rebirth unless this node, or too many others, had a request recently; returns whether one was made.

        Args:
            node: Group and name.
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
    """The payload of a rebirth request sent at `now`, seconds since the epoch."""
    time = max(0, int(now * 1000))
    name = bytes_field(1, b"Node Control/Rebirth")
    metric = name + number_field(3, time) + number_field(4, BOOLEAN) + number_field(14, 1)
    return number_field(1, time) + bytes_field(2, metric)
