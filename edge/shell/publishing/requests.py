"""Requests: messages from the core to senders, published on the senders' broker, with QoS 0 and not retained.

Requests don't survive a crash or a lost connection: the core repeats them as long as necessary.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence

from edge.core.intake.sparkplug.rebirths import Request
from edge.shell.link import ServiceLink

log = logging.getLogger("edgewarden.requests")

WAITING = 1000
"""Maximum number of requests waiting for the broker, the latest ones."""


class Requests:
    """Publishes requests.

    Args:
        link: Link to the broker of the senders.
    """

    def __init__(self, link: ServiceLink) -> None:
        self._link = link
        self._waiting: deque[Request] = deque(maxlen=WAITING)

    def give(self, requests: Sequence[Request]) -> None:
        """Publish requests as soon as there is room; never blocks."""
        self._waiting += requests
        while self._waiting:
            topic, payload = self._waiting[0]
            if self._link.publish(topic, payload, qos=0) is None:
                return
            self._waiting.popleft()
            log.info("rebirth_requested topic=%r", topic[:99])
