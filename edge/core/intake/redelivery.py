"""Redelivery: recognises messages that were processed before.

A broker that receives no acknowledgement delivers a message again under the same packet identifier, with the DUP flag
set. The flag alone isn't proof: the first delivery may have been lost. Processed messages are therefore recorded by
packet identifier and checksum in the same transaction as their readings, which also recognises readings without a time.

The latest message of each packet identifier is kept until the session ends. MQTT has 65,535 identifiers, which bounds
the messages in flight, so every possible redelivery is recognised whatever the in-flight windows of broker and client.
Identifiers are meaningless outside their session.

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
"""Packet identifiers are below this value."""

NOTHING = -1

PackedDeliveries = tuple[bytes, bytes]
"""Packet identifiers, ascending, and their checksums."""


class Deliveries:
    """The latest processed message of each packet identifier."""

    def __init__(self) -> None:
        self._checksums = array("q")  # empty until there is something to remember: it takes 512 KiB

    def is_known(self, message: Message) -> bool:
        """Whether a message is the redelivery of a processed one."""
        known = self._checksums
        return message.redelivered and bool(known) and known[message.packet] == checksum(message)

    def note_all(self, delivered: Iterable[tuple[int, int]]) -> None:
        """Record processed messages: packet identifiers and checksums in order of arrival."""
        for packet, its_checksum in delivered:
            if not self._checksums:
                self._checksums = array("q", [NOTHING]) * IDENTIFIERS
            self._checksums[packet] = its_checksum

    def forget(self) -> bool:
        """Forget everything because the session has ended; returns whether anything was recorded."""
        had_any = bool(self._checksums)
        self._checksums = array("q")
        return had_any

    def state(self) -> bytes:
        """The recorded messages, for `load()`."""
        checksums = np.frombuffer(self._checksums, dtype=np.int64)
        packets = np.flatnonzero(checksums != NOTHING)
        return encode((pack_integers(packets), checksums[packets].astype("<u4").tobytes()))

    def load(self, state: bytes) -> None:
        """Load the result of `state()`.

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
    """Validate stored packet identifiers and checksums.

    Raises:
        ValueError: A packet identifier is out of range.
    """
    pairs = list(delivered)
    if pairs and not 0 <= min(pairs)[0] <= max(pairs)[0] < IDENTIFIERS:
        raise ValueError("a packet identifier beyond 65,535")
    return pairs


def checksum(message: Message) -> int:
    """A 32-bit checksum of a message's topic and payload."""
    return zlib.crc32(message.payload, topic_checksum(message.topic))


def topic_checksum(topic: str) -> int:
    """The part of a message's checksum that covers the topic."""
    return zlib.crc32(topic.encode("utf-8", "surrogatepass"))
