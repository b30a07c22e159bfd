"""Redelivery: telling a message that was dealt with before from a new one.

A broker that got no acknowledgement delivers a message again, under the same packet identifier and with the DUP flag
set. The flag alone says little: the first delivery may never have reached us. So what was dealt with is remembered, by
packet identifier and checksum, in the same transaction as the readings, and readings without a time of their own are
recognised too.

Source: MQTT 3.1.1, sections 3.3.1.1 and 4.4.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from itertools import islice

from edge.core.messages import Message

REMEMBERED = 4096
"""Messages that are remembered: more than brokers keep in flight, far fewer than there are packet identifiers."""


class Deliveries:
    """The last messages of QoS 1 that were dealt with: of each packet identifier the latest.

    Args:
        most: How many are remembered.
    """

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._checksums: dict[int, int] = {}

    def is_known(self, message: Message) -> bool:
        """Whether this is the redelivery of a message that was dealt with."""
        return message.redelivered and self._checksums.get(message.packet) == checksum(message)

    def note_all(self, delivered: Iterable[tuple[int, int]]) -> None:
        """Remember that messages were dealt with: packet identifiers and checksums, in the order of their arrival."""
        checksums = self._checksums
        for packet, its_checksum in delivered:
            checksums.pop(packet, None)
            checksums[packet] = its_checksum
        surplus = len(checksums) - self._most
        if surplus > 0:
            for packet in list(islice(checksums, surplus)):
                del checksums[packet]

    def remembered(self) -> list[tuple[int, int]]:
        """Packet identifiers and checksums, the oldest first; what `note_all()` needs to remember them again."""
        return list(self._checksums.items())


def checksum(message: Message) -> int:
    """Of a message's topic and payload, 32 bits."""
    return zlib.crc32(message.payload, topic_checksum(message.topic))


def topic_checksum(topic: str) -> int:
    """What the checksum of a message begins with."""
    return zlib.crc32(topic.encode("utf-8", "surrogatepass"))
