"""The abilities of a broker: whether it has retained messages and QoS 1.

An MQTT 5 broker says in its CONNACK what it lacks, refuses a connection whose will needs it, and closes one for a
publication that does. The will and the service's retained topics then do without it. Events can't be confirmed without
QoS 1 and would be lost unnoticed, so the sender refuses them in the broker's place and they stay in the outbox. With
either version, a SUBACK says whether a subscription has QoS 1. What an MQTT 3.1.1 broker lacks is inferred from the
wills for which it closes connections, see `refused_will`.

Source: MQTT 5.0, sections 3.2.2.3.4, 3.2.2.3.5 and 3.9.3.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Container

from paho.mqtt.properties import Properties

from edge.shell.link.link_options import Subscription

log = logging.getLogger("edgewarden.link")

RETAIN_NOT_SUPPORTED, QOS_NOT_SUPPORTED = 0x9A, 0x9B

NO_QOS_1 = "the broker has no QoS 1, so that it can't confirm events"

RETAINED, QOS_1, WILL = "retained messages", "QoS 1", "last wills"
EFFECTS = {
    RETAINED: "who subscribes later doesn't get the status, the health and the open incidents before they change",
    QOS_1: "events wait in the outbox, as their delivery can't be confirmed",
    WILL: "subscribers aren't told that the service is gone if it ends without notice",
}
WEAKENED = "messages that the broker can't deliver at once, as while we are disconnected, are lost"


class Abilities:
    """What the broker of the latest connection can do; written by the network thread only.

    Args:
        session_s: How long the broker is asked to keep the session while we are disconnected, in seconds.

    Attributes:
        retains: Whether it has retained messages.
        confirms: Whether it has QoS 1.
        takes_will: Whether it accepts a will.
        weakened: The filters that were granted with QoS 0 instead of 1.
    """

    def __init__(self, session_s: int = 0) -> None:
        self._session_s = session_s
        self._kept_s = session_s
        self.retains = True
        self.confirms = True
        self.takes_will = True
        self._inferred: Collection[str] = ()
        self.weakened: tuple[str, ...] = ()
        self._logged: list[str] = []

    @property
    def lacking(self) -> list[str]:
        """What it lacks, in words."""
        kinds = {RETAINED: self.retains, QOS_1: self.confirms, WILL: self.takes_will}
        return [name for name, is_there in kinds.items() if not is_there]

    @property
    def queues(self) -> bool:
        """Whether it keeps the messages of all subscriptions that asked for that while we are disconnected."""
        return self.confirms and not self.weakened

    @property
    def is_inferred(self) -> bool:
        """Whether something was inferred to be lacking."""
        return bool(self._inferred)

    def infer(self, lacking: Collection[str]) -> None:
        """Set what the broker lacks without saying so: some of `EFFECTS`."""
        self._inferred = lacking
        self.retains, self.confirms, self.takes_will = (each not in lacking for each in (RETAINED, QOS_1, WILL))

    def accepted(self, granted: Properties | None, *, says: bool = True) -> None:
        """Take what the broker says when it accepts a connection; `says` unless its version can't say what it lacks."""
        self.infer(() if says else self._inferred)
        self.retains = self.retains and bool(getattr(granted, "RetainAvailable", 1))
        self.confirms = self.confirms and getattr(granted, "MaximumQoS", 2) > 0
        kept_s = getattr(granted, "SessionExpiryInterval", self._session_s)
        if kept_s < self._session_s and kept_s != self._kept_s:
            log.warning(
                "session_short kept_s=%d wanted_s=%d: after longer absences readings are lost", kept_s, self._session_s
            )
        self._kept_s = kept_s
        if self.lacking != self._logged:
            self._logged = self.lacking
            for each in self.lacking:
                log.warning("broker_lacks what=%r: %s", each, EFFECTS[each])

    def granted(self, subscription: Subscription, qos: int) -> None:
        """Take the quality of service with which a subscription was granted."""
        others = tuple(each for each in self.weakened if each != subscription.filter)
        is_weakened = qos < subscription.qos
        self.weakened = (*others, subscription.filter) if is_weakened else others
        if is_weakened:
            log.warning("subscription_weakened filter=%r qos=%d: %s", subscription.filter, qos, WEAKENED)

    def wanted(self, filters: Container[str]) -> None:
        """Forget all filters but these."""
        self.weakened = tuple(each for each in self.weakened if each in filters)

    def refused(self, code: int) -> None:
        """Take the reason why the broker refuses a connection: its will may need what the broker lacks."""
        self.retains = self.retains and code != RETAIN_NOT_SUPPORTED
        self.confirms = self.confirms and code != QOS_NOT_SUPPORTED
