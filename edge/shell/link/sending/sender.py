"""The sending half of a link: sends publications within the window, and processes the broker's answers."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import NamedTuple

from paho.mqtt import MQTTException
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties

from edge.shell.link.connection_state import ConnectionState
from edge.shell.link.link_options import EventProperties
from edge.shell.link.receiving.bulk_client import BulkClient
from edge.shell.link.sending.in_flight_window import InFlightWindow
from edge.shell.link.versions.abilities import NO_QOS_1, Abilities
from edge.shell.link.versions.mqtt5 import properties_of

log = logging.getLogger("edgewarden.link")


PROMPT_S, TIMES_AS_SLOW = 1.0, 4.0
"""A broker that closes a connection for a publication does so within this time, or within this multiple of its slowest
answer.
"""


HEADER_BYTES = 9
"""Maximum size of the fixed header, the length of the topic, and the packet identifier."""


TOO_LARGE = "Packet too large"
"""The reason of a broker that refuses a publication for its size."""

TOO_LARGE_S = 600.0
"""Time for which nothing of that size is sent again. Some brokers close the connection for it as well."""


class LiveConnection(NamedTuple):
    """An accepted connection: its number, paho's client, its in-flight window, and the broker's limit to a packet.

    The limit is in bytes, and 0 if there is none.
    """

    number: int
    client: BulkClient
    window: InFlightWindow
    largest: int = 0

    @classmethod
    def of(cls, number: int, client: BulkClient, in_flight: int, granted: Properties | None) -> LiveConnection:
        """A connection with the limits of the broker's CONNACK, which only MQTT 5 has."""
        most = min(in_flight, getattr(granted, "ReceiveMaximum", in_flight))
        return cls(number, client, InFlightWindow(most), getattr(granted, "MaximumPacketSize", 0))


class RefusedPublication(NamedTuple):
    """A publication that an MQTT 5 broker has refused.

    Attributes:
        token: Token of the publication.
        reason: The broker's reason in words.
    """

    token: int
    reason: str


class RefusedSize:
    """The shortest payload that the broker has refused for its size lately.

    Attributes:
        length: Its length in bytes.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.length = 0
        self._until = -math.inf
        self._monotonic = monotonic

    def has(self, length: int) -> bool:
        """Whether a payload is at least as long."""
        return 0 < self.length <= length and self._monotonic() < self._until

    def note(self, length: int) -> None:
        """Record a refused payload."""
        now = self._monotonic()
        self.length = min(length, self.length) if now < self._until else length
        self._until = now + TOO_LARGE_S


class Sender:
    """Publishes on the current connection; for one thread.

    Args:
        standing: Holds the connection.
        abilities: What the broker can do.

    Attributes:
        refused: Number of refused publications.
    """

    def __init__(self, standing: ConnectionState[LiveConnection], abilities: Abilities) -> None:
        self.refused = 0
        self._abilities = abilities
        self._standing = standing
        self._known: LiveConnection | None = None
        self._last = InFlightWindow(0)
        self._slowest_s = 0.0
        self._last_token = 0
        self._confirmed: list[int] = []
        self._refused: list[RefusedPublication] = []
        self._lengths: dict[int, int] = {}
        self._too_long = RefusedSize()

    def publish(
        self, topic: str, payload: bytes, *, qos: int, retain: bool, properties: EventProperties | None
    ) -> int | None:
        """See `Link.publish()`."""
        current = self._connection_with_room(qos)
        if current is None:
            return None
        is_unconfirmed = qos > 0 and not self._abilities.confirms
        if is_unconfirmed and properties is not None:
            return self._refuse(topic, NO_QOS_1)
        qos, retain = 0 if is_unconfirmed else qos, retain and self._abilities.retains
        try:
            packed = properties_of(current.client, properties)
            if too_large := self._why_too_large(topic, payload, packed, current.largest):
                return self._refuse(topic, too_large)
            sent = current.client.publish(topic, payload, qos, retain, packed)
        except (ValueError, MQTTException) as error:
            log.error("not_publishable topic=%r error=%r", topic[:99], str(error))  # noqa: TRY400 - the words do
            return None
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return None
        self._last_token += 1
        current.window.sent(sent.mid, qos, self._last_token, topic)
        current.client.resume()  # a resting socket must be read again, for the PUBACK
        if qos:
            self._lengths[self._last_token] = len(payload)
        if is_unconfirmed:
            self._confirmed.append(self._last_token)
        return self._last_token

    def _connection_with_room(self, qos: int) -> LiveConnection | None:
        """The present connection, if there is room in its window and nothing became void."""
        if self._known is None:
            self._take_note()
        current = self._known
        if current is None:
            return None
        self._collect(current.window)
        is_over = current is not self._standing.current
        if is_over and not current.window.waits_for_answers:
            self._take_note()
        return None if is_over or not current.window.has_room(qos) else current

    def _why_too_large(self, topic: str, payload: bytes, packed: Properties | None, largest: int) -> str:
        """Why the broker won't take a publication of this size; empty if it may."""
        if 0 < largest < (size := packet_size(topic, payload, packed)):
            return f"{TOO_LARGE}: {size} bytes, and the broker accepts {largest}"
        if self._too_long.has(len(payload)):
            return f"{TOO_LARGE}: the broker has refused a payload of {self._too_long.length} bytes"
        return ""

    def _refuse(self, topic: str, reason: str) -> int:
        """Refuse a publication in the broker's place, which would close the connection for it."""
        self._last_token += 1
        self._note_refused(self._last_token, topic, reason)
        return self._last_token

    def confirmations(self) -> list[int]:
        """See `Link.confirmations()`."""
        self._take_note()
        confirmed, self._confirmed = self._confirmed, []
        return confirmed

    def refusals(self) -> list[RefusedPublication]:
        """See `Link.refusals()`."""
        refused, self._refused = self._refused, []
        return refused

    @property
    def is_confirmed(self) -> bool:
        """Whether the broker has confirmed all publications on the connection; for any thread."""
        current = self._standing.current
        return current is not None and current.window.has_accepted_all

    def ends_promptly(self) -> bool:
        """Whether a connection that ends now does so soon enough after a publication to end for that; for any thread.

        A network that loses answers, or a broker that hangs, ends it at any time.
        """
        last = self._last
        slowest_s = max(self._slowest_s, last.slowest_s)
        return time.monotonic() - last.sent_at <= max(PROMPT_S, TIMES_AS_SLOW * slowest_s)

    def _take_note(self) -> None:
        if self._known is not None:
            self._collect(self._known.window)
        if self._known is not self._standing.current:
            self._lengths.clear()
        self._known = self._standing.current
        if self._known is not None and self._known.window is not self._last:
            self._slowest_s = max(self._slowest_s, self._last.slowest_s) / 2  # a slow answer is forgotten slowly
            self._last = self._known.window

    def _collect(self, window: InFlightWindow) -> None:
        confirmed = window.collect()
        self._confirmed += confirmed
        for token in confirmed:
            self._lengths.pop(token, None)
        for token, topic, reason in window.take_refused():
            if reason == TOO_LARGE:
                self._too_long.note(self._lengths.get(token, 0))
            self._lengths.pop(token, None)
            self._note_refused(token, topic, reason)

    def _note_refused(self, token: int, topic: str, reason: str) -> None:
        self.refused += 1
        self._refused.append(RefusedPublication(token, reason))
        log.error("publication_refused topic=%r reason=%r count=%d", topic[:99], reason, self.refused)


def packet_size(topic: str, payload: bytes, properties: Properties | None) -> int:
    """Upper limit of the size of a PUBLISH packet of MQTT 5, in bytes."""
    property_bytes = 1 if properties is None else len(properties.pack())  # type: ignore[no-untyped-call]
    return HEADER_BYTES + len(topic.encode()) + property_bytes + len(payload)
