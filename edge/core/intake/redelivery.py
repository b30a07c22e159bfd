"""Redelivery: telling a message that was dealt with before from a new one.

A broker that got no acknowledgement delivers a message again, under the same packet identifier and with the DUP flag
set. The flag alone says little: the first delivery may never have reached us. So what was dealt with is remembered, by
packet identifier and checksum, in the same transaction as the readings, and readings without a time of their own are
recognised too.

Of each packet identifier the latest message is remembered, for as long as the session lasts. MQTT has 65,535 of them,
and a broker can't have more messages under way than that, so everything that may come again is recognised, however
large its window is and whatever it makes of ours. Identifiers mean nothing beyond their session.

Source: MQTT 3.1.1, sections 2.3.1, 3.3.1.1 and 4.4.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterable

import numpy as np

from detectors.state import StateError
from edge.core.model.packing.encoding import decode, encode
from edge.core.model.packing.packing import pack_integers, unpack_integers
from edge.core.model.readings.messages import Message

IDENTIFIERS = 65_536
"""Packet identifiers are below this."""

NOTHING = -1

PackedDeliveries = tuple[bytes, bytes]
"""Packet identifiers, ascending, and their checksums."""


class Deliveries:
    """Of each packet identifier the latest message that was dealt with."""

    def __init__(self) -> None:
        self._checksums = array("q")  # empty until there is something to remember: it takes 512 KiB

    def is_known(self, message: Message) -> bool:
        """Whether this is the redelivery of a message that was dealt with."""
        known = self._checksums
        return message.redelivered and bool(known) and known[message.packet] == checksum(message)

    def note_all(self, delivered: Iterable[tuple[int, int]]) -> None:
        """Remember that messages were dealt with: packet identifiers and checksums, in the order of their arrival."""
        for packet, its_checksum in delivered:
            if not self._checksums:
                self._checksums = array("q", [NOTHING]) * IDENTIFIERS
            self._checksums[packet] = its_checksum

    def forget(self) -> bool:
        """Forget all of it, since the session has ended; returns whether there was anything."""
        had_any = bool(self._checksums)
        self._checksums = array("q")
        return had_any

    def state(self) -> bytes:
        """All that is remembered, for `load()`."""
        checksums = np.frombuffer(self._checksums, dtype=np.int64)
        packets = np.flatnonzero(checksums != NOTHING)
        return encode((pack_integers(packets), checksums[packets].astype("<u4").tobytes()))

    def load(self, state: bytes) -> None:
        """Remember what `state()` gave.

        Raises:
            StateError: It can't be read.
        """
        packed, checksums = decode(state, PackedDeliveries)
        try:
            pairs = checked(
                zip(unpack_integers(packed).tolist(), np.frombuffer(checksums, "<u4").tolist(), strict=True)
            )
        except ValueError as error:
            raise StateError(str(error)) from error
        self.note_all(pairs)


def checked(delivered: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Packet identifiers and checksums that were stored.

    Raises:
        ValueError: They are damaged: there is no such packet identifier.
    """
    pairs = list(delivered)
    if pairs and not 0 <= min(pairs)[0] <= max(pairs)[0] < IDENTIFIERS:
        raise ValueError("a packet identifier beyond 65,535")
    return pairs


def checksum(message: Message) -> int:
    """Of a message's topic and payload, 32 bits."""
    return zlib.crc32(message.payload, topic_checksum(message.topic))


def topic_checksum(topic: str) -> int:
    """The start of a message's checksum."""
    return zlib.crc32(topic.encode("utf-8", "surrogatepass"))
