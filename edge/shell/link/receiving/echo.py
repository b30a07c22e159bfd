"""A topic that is subscribed to separately, such as our own status: its messages never reach the receive queue.

It is asked for on every connection by a packet of its own, with QoS 0, so that nothing waits for us while we are away.
A broker that closes the connection instead of answering isn't asked any more.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Literal

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.reasoncodes import ReasonCode

from edge.shell.link.receiving.publish_parser import topic_text

log = logging.getLogger("edgewarden.link")

KEPT = 100
"""Payloads that wait to be taken, the latest."""

UNANSWERED = 2
"""Connections in a row that ended before the broker had answered."""


UNHEARD_STATUS = "what the broker acknowledges counts as delivered, and another service of our name goes unnoticed"


class Echo:
    """Hears one topic; everything but `state` and `take()` is for the network thread.

    Args:
        topic: The topic; None to hear nothing.
        without: The consequence of not being allowed to read it, for the log.

    Attributes:
        state: `asked` until the broker has answered; `off` if it refuses or isn't asked.
    """

    def __init__(self, topic: str | None, without: str = UNHEARD_STATUS) -> None:
        self.topic = topic
        self._without = without
        self.state: Literal["off", "asked", "granted"] = "off"
        self._packet: int | None = None
        self._unanswered = 0
        self._payloads: deque[bytes] = deque(maxlen=KEPT)

    def begin(self, client: Client) -> None:
        """Ask on a new connection."""
        self.state = "off"
        if self.topic is None or self._unanswered >= UNANSWERED:
            return
        _, self._packet = client.subscribe(self.topic, 0)
        self.state = "asked"

    def answered(self, packet: int, reasons: Sequence[ReasonCode]) -> bool:
        """Take the broker's answer; returns whether it was to us."""
        if self.state != "asked" or packet != self._packet:
            return False
        self._unanswered = 0
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self.state = "off" if refused else "granted"
        if refused:
            log.warning("status_not_readable topic=%r reason=%r: %s", self.topic, refused[0], self._without)
        return True

    def ended(self) -> None:
        """Note that the connection has ended."""
        if self.state == "asked":
            self._unanswered += 1
            if self._unanswered == UNANSWERED:
                log.warning("status_not_readable topic=%r reason='the broker closes the connection'", self.topic)
        self.state = "off"

    def takes(self, message: MQTTMessage) -> bool:
        """Take a message if it is on our topic; returns whether it was."""
        if self.topic is None or topic_text(message._topic) != self.topic:  # noqa: SLF001 - as in `receiver.py`
            return False
        self._payloads.append(bytes(message.payload))
        return True

    def take(self) -> list[bytes]:
        """The messages since the last call; may be called from another thread."""
        return [self._payloads.popleft() for _ in range(len(self._payloads))]
