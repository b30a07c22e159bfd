"""A topic with a separate subscription, such as the service's own status: its messages never reach the receive queue.

It is subscribed to on every connection with a separate packet, with QoS 0, so that the broker doesn't queue its
messages. If a broker closes the connection instead of answering, the subscription isn't tried again.
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
"""Maximum number of payloads waiting to be processed, the latest ones."""

UNANSWERED = 2
"""Number of consecutive connections that ended before the broker answered, after which it isn't tried again."""


UNHEARD_STATUS = "acknowledged events count as delivered, and another service of our name goes unnoticed"


class Echo:
    """Receives one topic; all members except `state` and `take()` are for the network thread.

    Args:
        topic: The topic; None to receive nothing.
        without: The consequence of not being allowed to read it, for the log.

    Attributes:
        state: `asked` until the broker has answered; `off` if it refuses, or if the topic isn't subscribed to.
    """

    def __init__(self, topic: str | None, without: str = UNHEARD_STATUS) -> None:
        self.topic = topic
        self._without = without
        self.state: Literal["off", "asked", "granted"] = "off"
        self._packet: int | None = None
        self._unanswered = 0
        self._payloads: deque[bytes] = deque(maxlen=KEPT)

    def begin(self, client: Client) -> None:
        """Subscribe on a new connection."""
        self.state = "off"
        if self.topic is None or self._unanswered >= UNANSWERED:
            return
        _, self._packet = client.subscribe(self.topic, 0)
        self.state = "asked"

    def answered(self, packet: int, reasons: Sequence[ReasonCode]) -> bool:
        """Handle a SUBACK; returns whether it was for this subscription."""
        if self.state != "asked" or packet != self._packet:
            return False
        self._unanswered = 0
        refused = [str(reason) for reason in reasons if reason.is_failure]
        self.state = "off" if refused else "granted"
        if refused:
            log.warning("status_not_readable topic=%r reason=%r: %s", self.topic, refused[0], self._without)
        return True

    def ended(self) -> None:
        """Record the end of the connection."""
        if self.state == "asked":
            self._unanswered += 1
            if self._unanswered == UNANSWERED:
                log.warning("status_not_readable topic=%r reason='the broker closes the connection'", self.topic)
        self.state = "off"

    def takes(self, message: MQTTMessage) -> bool:
        """Take a message if it is on the topic; returns whether it was."""
        if self.topic is None or topic_text(message._topic) != self.topic:  # noqa: SLF001 - as in `receiver.py`
            return False
        self._payloads.append(bytes(message.payload))
        return True

    def take(self) -> list[bytes]:
        """The messages since the last call; thread-safe."""
        return [self._payloads.popleft() for _ in range(len(self._payloads))]
