"""Requests: what the core asks of senders, published on the broker that they are on, QoS 0 and not retained.

A request isn't kept over a crash or a lost connection: the core asks again as long as it needs to.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence

from edge.core.intake.sparkplug.rebirths import Request
from edge.shell.link import Link

log = logging.getLogger("edgewarden.requests")

WAITING = 1000
"""Requests that wait for the broker, the latest."""


class Requests:
    """Publishes requests.

    Args:
        link: To the broker that the messages of the senders come from.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[Request] = deque(maxlen=WAITING)

    def give(self, requests: Sequence[Request]) -> None:
        """Publish requests as soon as there is room; never waits."""
        self._waiting += requests
        while self._waiting:
            topic, payload = self._waiting[0]
            if self._link.publish(topic, payload, qos=0) is None:
                return
            self._waiting.popleft()
            log.info("rebirth_requested topic=%r", topic[:99])
