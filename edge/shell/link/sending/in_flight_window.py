"""The in-flight window: packets of one connection that the broker or the socket hasn't taken yet.

The publishing thread sends and collects, the network thread records. Between them is one queue of packet IDs. IDs are
looked up only after the publishing thread has recorded what it sent, so a PUBACK can't arrive before its token is
known.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

UNWRITTEN = 1000
"""Maximum number of QoS 0 publications waiting for the socket."""


class InFlightWindow:
    """The messages in flight on one connection.

    Args:
        most: Maximum number of QoS 1 publications without a PUBACK.
        monotonic: The monotonic clock in seconds.

    Attributes:
        sent_at: Time of the last QoS 1 publication, by the monotonic clock.
        slowest_s: Duration of the broker's slowest answer in seconds.
    """

    def __init__(self, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.sent_at = -math.inf
        self.slowest_s = 0.0
        self._most = most
        self._monotonic = monotonic
        self._tokens: dict[int, tuple[int, str, float]] = {}
        self._refused: list[tuple[int, str, str]] = []
        self._was_refused = False
        self._unwritten: set[int] = set()
        self._noted: deque[tuple[int, str, float]] = deque()

    @property
    def waits_for_answers(self) -> bool:
        """Whether QoS 1 publications await a PUBACK."""
        return bool(self._tokens)

    @property
    def has_accepted_all(self) -> bool:
        """Whether the broker has confirmed every QoS 1 publication; for any thread."""
        noted = tuple(self._noted)
        refused = self._was_refused or any(reason for _, reason, _ in noted)
        return not refused and set(self._tokens) <= {packet for packet, _, _ in noted}

    def has_room(self, qos: int) -> bool:
        """Whether one more may be sent with this quality of service."""
        return len(self._tokens) < self._most if qos > 0 else len(self._unwritten) < UNWRITTEN

    def sent(self, packet: int, qos: int, token: int, topic: str = "") -> None:
        """Record a packet passed to the socket, with its token."""
        if qos > 0:
            self.sent_at = self._monotonic()
            self._tokens[packet] = token, topic, self.sent_at
        else:
            self._unwritten.add(packet)

    def note(self, packet: int, refused: str = "") -> None:
        """Record, in the network thread, the broker's answer or that a QoS 0 packet was written.

        Args:
            packet: The packet ID.
            refused: The broker's reason for refusing the publication; empty if it didn't.
        """
        self._noted.append((packet, refused, self._monotonic()))

    def collect(self) -> list[int]:
        """Process the recorded answers, and return the tokens that the broker has confirmed.

        Packet IDs wrap after 65,535 and are shared by both qualities of service. If a QoS 0 packet has the ID of an
        older QoS 1 packet, the first record is assigned to the QoS 0 packet, so that nothing is confirmed too early.
        """
        confirmed = []
        while self._noted:
            packet, refused, answered_at = self._noted.popleft()
            if packet in self._unwritten:
                self._unwritten.remove(packet)
                continue
            token, topic, sent_at = self._tokens.pop(packet, (None, "", 0.0))
            if token is None:
                continue
            self.slowest_s = max(self.slowest_s, answered_at - sent_at)
            if refused:
                self._was_refused = True
                self._refused.append((token, topic, refused))
            else:
                confirmed.append(token)
        return confirmed

    def take_refused(self) -> list[tuple[int, str, str]]:
        """Token, topic and reason of refused publications, as found by `collect()`."""
        refused, self._refused = self._refused, []
        return refused
